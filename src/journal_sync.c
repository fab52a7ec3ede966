/*-------------------------------------------------------------------------
 *
 * journal_sync.c
 *	  The journal: dicomgw-sync, and what is left for it to do (see journal.h).
 *
 * Files are synced in rounds, one at a time.  A round in which something went
 * wrong, or whose program has died, is repeated as a whole.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "conditions.h"
#include "guc.h"
#include "helper_process.h"
#include "journal.h"

#define PROGRAM "dicomgw-sync"

/* Rounds begin so far apart (ms), and after one that failed. */
#define ROUND_MS 1000
#define RETRY_MS 5000

typedef struct Round
{
	StringInfoData paths; /* each ended by a newline */
	int n[DGW_N_HALVES];
} Round;

static Round waiting;
static Round under_way;
static DgwHelper helper;
static TimestampTz next_round;

static bool
is_empty(const Round *round)
{
	return round->paths.len == 0;
}

static void
clear(Round *round)
{
	resetStringInfo(&round->paths);
	memset(round->n, 0, sizeof(round->n));
}

static void
initialize(void)
{
	MemoryContext caller = MemoryContextSwitchTo(TopMemoryContext);

	initStringInfo(&waiting.paths);
	initStringInfo(&under_way.paths);
	MemoryContextSwitchTo(caller);
}

void
dgw_journal_sync_later(int half, DgwSlice path)
{
	if (waiting.paths.data == NULL)
		initialize();
	appendBinaryStringInfo(&waiting.paths, path.data, (int) path.len);
	appendStringInfoChar(&waiting.paths, '\n');
	waiting.n[half]++;
}

/* ---------- rounds ---------- */

static void
begin_round(void)
{
	Round round = under_way;
	DgwSync m;

	under_way = waiting;
	waiting = round;
	next_round = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), ROUND_MS);
	m.root = dgw_slice(dgw_storage_directory());
	m.paths = (DgwSlice){under_way.paths.data, (size_t) under_way.paths.len};
	dgw_encode_sync(&helper.channel.writer, &m);
	/* A program that does not take it has ended, which is seen next. */
	(void) dgw_channel_send(&helper.channel);
}

/* What was to be done is still to be done. */
static void
repeat_round(const char *problem)
{
	appendBinaryStringInfo(&waiting.paths, under_way.paths.data, under_way.paths.len);
	for (int half = 0; half < DGW_N_HALVES; half++)
		waiting.n[half] += under_way.n[half];
	clear(&under_way);
	next_round = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), RETRY_MS);
	dgw_condition(
		DGW_CONDITION_JOURNAL,
		psprintf("files of received objects are not on the disk yet, but safe in the journal: %s",
				 problem));
}

/* A file that could not be synced may be one that was removed, or be written anew. */
static void
end_round(const DgwSynced *m)
{
	const char *problem = m->failed.len > 0 ? dgw_journal_mend(m->failed) : NULL;

	if (problem != NULL)
	{
		repeat_round(psprintf("%.*s; %s", (int) m->message.len, m->message.data, problem));
		return;
	}
	dgw_journal_settled(under_way.n);
	clear(&under_way);
	dgw_condition(DGW_CONDITION_JOURNAL, "");
}

/* ---------- the program ---------- */

static void
lose_helper(void)
{
	char *end = dgw_helper_stop(&helper);

	repeat_round(psprintf("helper program %s %s", PROGRAM, end));
}

static bool
take_message(DgwFrame *frame)
{
	DgwSynced synced;

	if (frame->type == DGW_MSG_HELLO)
		return dgw_helper_greet(&helper, frame);
	if (frame->type != DGW_MSG_SYNCED || is_empty(&under_way) || !dgw_decode_synced(frame, &synced))
		return false;
	end_round(&synced);
	return true;
}

void *
dgw_journal_sync_key(void)
{
	return &helper;
}

void
dgw_journal_sync_read(void)
{
	DgwReadResult result = dgw_channel_fill(&helper.channel);
	DgwFrame frame;

	while (result == DGW_READ_OK &&
		   (result = dgw_channel_next(&helper.channel, &frame)) == DGW_READ_OK)
	{
		if (!take_message(&frame))
			result = dgw_channel_malformed(&helper.channel, &frame);
	}
	if (result != DGW_READ_AGAIN)
		lose_helper();
}

void
dgw_journal_sync_turn(int epoll_fd)
{
	if (waiting.paths.len == 0 || !is_empty(&under_way) || GetCurrentTimestamp() < next_round)
		return;
	if (helper.pid == 0)
	{
		dgw_helper_start(&helper, PROGRAM, DGW_CHANNEL_SYNC);
		dgw_channel_watch(&helper.channel, epoll_fd, &helper);
	}
	begin_round();
}
