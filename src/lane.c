/*-------------------------------------------------------------------------
 *
 * lane.c
 *	  A lane of the forwarder: one dicomgw-scu and its jobs (see lane.h).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "nodes/pg_list.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "lane.h"
#include "worker.h"

/* How long a sender keeps an association open without a job (ms). */
#define LINGER_MS 2000

DgwLane *
dgw_lane_start(const DgwDestinationRow *destination, uint64 config_generation)
{
	DgwLane *lane = MemoryContextAllocZero(TopMemoryContext, sizeof(DgwLane));

	dgw_helper_start(&lane->sender, dgw_destination_sender(destination), DGW_CHANNEL_SENDER);
	lane->destination_id = destination->id;
	lane->destination_name = MemoryContextStrdup(TopMemoryContext, destination->name);
	lane->config_generation = config_generation;
	lane->busy_at = GetCurrentTimestamp();

	dgw_destination_encode(&lane->sender.channel.writer, destination, LINGER_MS);
	return lane;
}

int
dgw_lane_room(const DgwLane *lane)
{
	return lane->retiring ? 0 : DGW_LANE_WINDOW - lane->n_held;
}

void
dgw_lane_add(DgwLane *lane, const DgwJob *job)
{
	Assert(lane->n_held < DGW_LANE_WINDOW);
	lane->held[lane->n_held].id = (int64) job->id;
	lane->held[lane->n_held].token = (int64) job->token;
	lane->n_held++;
	lane->busy_at = GetCurrentTimestamp();
	dgw_encode_job(&lane->sender.channel.writer, job);
}

bool
dgw_lane_flush(DgwLane *lane)
{
	if (lane->sender.channel.writer.len == 0)
		return true;
	return dgw_channel_send(&lane->sender.channel);
}

/* Take a job out of those held; false if it is not among them. */
static bool
let_go(DgwLane *lane, int64 id, int64 token)
{
	for (int i = 0; i < lane->n_held; i++)
	{
		if (lane->held[i].id != id || lane->held[i].token != token)
			continue;
		lane->n_held--;
		memmove(&lane->held[i], &lane->held[i + 1], (lane->n_held - i) * sizeof(DgwHeldJob));
		lane->busy_at = GetCurrentTimestamp();
		return true;
	}
	return false;
}

/* What a peer says in its own words may be anything; the database takes UTF-8 only. */
static char *
peer_words(DgwSlice words)
{
	int len = pg_encoding_mbcliplen(PG_UTF8, words.data, (int) words.len, 500);
	char *text = pnstrdup(words.data, len);

	if (!pg_verify_mbstr(PG_UTF8, text, (int) strlen(text), true))
		for (char *c = text; *c != '\0'; c++)
			if (IS_HIGHBIT_SET(*c))
				*c = '?';
	return text;
}

static DgwReport *
add_report(DgwReports *reports, int64 id, int64 token)
{
	DgwReport *report = palloc0(sizeof(DgwReport));

	report->id = id;
	report->token = token;
	report->comment = "";
	reports->jobs = lappend(reports->jobs, report);
	return report;
}

static void
add_answer(DgwReports *reports, const DgwLane *lane, char *reason)
{
	DgwAnswer *answer = palloc(sizeof(DgwAnswer));

	answer->destination_id = lane->destination_id;
	answer->reason = reason;
	reports->answers = lappend(reports->answers, answer);
}

static bool
take_result(DgwLane *lane, DgwFrame *frame, DgwReports *reports)
{
	DgwResult m;
	DgwReport *report;

	if (!dgw_decode_result(frame, &m) || m.outcome < DGW_OUTCOME_RESPONSE ||
		m.outcome > DGW_OUTCOME_DEFERRED || !let_go(lane, (int64) m.id, (int64) m.token))
		return false;
	report = add_report(reports, (int64) m.id, (int64) m.token);
	report->outcome = m.outcome;
	report->status = m.status;
	report->duration_us = m.duration_us;
	report->comment = peer_words(m.comment);
	return true;
}

/*
 * The association failed, and the sender is about to exit.  A job that was on
 * its way has spent an attempt: an object that brings its peer down must not
 * stand at the head of the queue for ever.  The destination is down only if
 * it did not get as far as taking objects.
 */
static bool
take_failure(DgwLane *lane, DgwFrame *frame, DgwReports *reports)
{
	DgwAssociationFailed m;
	char *message;

	if (!dgw_decode_association_failed(frame, &m))
		return false;
	message = peer_words(m.message);
	ereport(LOG, (errmsg("association with destination \"%s\" failed: %s", lane->destination_name,
						 message)));
	dgw_note_error("destination \"%s\": %s", lane->destination_name, message);
	if (m.during_job == 0)
		add_answer(reports, lane, message);
	for (int i = 0; i < lane->n_held && m.during_job != 0; i++)
	{
		DgwHeldJob job = lane->held[i];
		DgwReport *report;

		if (job.id != (int64) m.during_job)
			continue;
		let_go(lane, job.id, job.token);
		report = add_report(reports, job.id, job.token);
		report->outcome = DGW_OUTCOME_BROKEN;
		report->comment = message;
		break;
	}
	lane->retiring = true;
	return true;
}

static bool
take_message(DgwLane *lane, DgwFrame *frame, DgwReports *reports)
{
	DgwAssociated associated;

	switch (frame->type)
	{
		case DGW_MSG_HELLO:
			return dgw_helper_greet(&lane->sender, frame);

		case DGW_MSG_ASSOCIATED:
			if (!dgw_decode_associated(frame, &associated))
				return false;
			if (!lane->associated)
				add_answer(reports, lane, NULL);
			lane->associated = true;
			return true;

		case DGW_MSG_RESULT:
			return take_result(lane, frame, reports);

		case DGW_MSG_ASSOCIATION_FAILED:
			return take_failure(lane, frame, reports);

		default:
			return false; /* ECHO_RESULT: nobody asked */
	}
}

bool
dgw_lane_read(DgwLane *lane, DgwReports *reports)
{
	DgwReadResult result = dgw_channel_fill(&lane->sender.channel);
	DgwFrame frame;

	while (result == DGW_READ_OK &&
		   (result = dgw_channel_next(&lane->sender.channel, &frame)) == DGW_READ_OK)
	{
		if (!take_message(lane, &frame, reports))
			result = dgw_channel_malformed(&lane->sender.channel, &frame);
	}
	return result == DGW_READ_AGAIN;
}

void
dgw_lane_end(DgwLane *lane, DgwReports *reports)
{
	bool expected = lane->retiring || lane->n_held == 0;
	char *how = dgw_helper_stop(&lane->sender);

	if (!expected)
	{
		ereport(LOG, (errmsg("helper program %s %s; its %d job(s) go back to the queue",
							 lane->sender.program, how, lane->n_held)));
		dgw_note_error("helper program %s %s", lane->sender.program, how);
		if (!lane->associated)
			add_answer(reports, lane, psprintf("helper program %s %s", lane->sender.program, how));
	}
	for (int i = 0; i < lane->n_held; i++)
		add_report(reports, lane->held[i].id, lane->held[i].token)->release = true;
	pfree(lane->destination_name);
	pfree(lane);
}
