/*-------------------------------------------------------------------------
 *
 * receiver.c
 *	  The worker "dicomgw receiver": owns dicomgw-scp and gives durability to
 *	  what it receives.
 *
 * One turn: tell the helper what has changed; read what it and its association
 * processes have said; take every RECEIVED that has come in as one batch;
 * commit the batch; answer each (receiver_association.c).  While a batch
 * commits, the next one gathers in the sockets: that is the group commit.
 *
 * The associations' descriptors are in one epoll descriptor, which stands in
 * the wait set beside our latch.  A helper that ends, or breaks the protocol,
 * is started anew after a wait; its associations end with it, and their
 * senders keep what was not answered.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/stringinfo.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "association_log.h"
#include "conditions.h"
#include "helper_process.h"
#include "journal.h"
#include "receiver_association.h"
#include "receiver_config.h"
#include "receiver_shared.h"
#include "water_marks.h"
#include "worker.h"

#define HELPER "dicomgw-scp"
#define MAX_EVENTS 256

/* Waits before a helper that ended is started anew (ms). */
#define FIRST_RESTART_MS 200
#define LAST_RESTART_MS 30000
#define WELL_AFTER_MS 60000

static DgwHelper helper;
static TimestampTz helper_started;
static TimestampTz helper_start_at;
static int helper_wait_ms = FIRST_RESTART_MS;

static int epoll_fd = -1;
static uint64 config_generation;
static DgwListenerNote listener_notes[DGW_MAX_LISTENERS];
static int n_listeners;

/* ---------- what the helper is told ---------- */

/* A channel that does not take a message has ended, which is seen next. */
static void
tell_helper(void)
{
	(void) dgw_channel_send(&helper.channel);
}

static void
send_storage(void)
{
	DgwStorage m = {.accepting = dgw_water_accepting(), .comment = dgw_slice(dgw_water_comment())};

	dgw_encode_storage(&helper.channel.writer, &m);
	tell_helper();
}

static void
send_config(void)
{
	dgw_encode_config(&helper.channel.writer, dgw_receiver_config());
	config_generation = dgw_config_generation();
	tell_helper();
	n_listeners = 0;
	dgw_water_forget();
}

/* Is there room for objects? */
static void
watch_storage(void)
{
	if (!dgw_water_check(dgw_receiver_storage, dgw_receiver_mirror))
		return;
	send_storage();
	dgw_show_receiving(dgw_water_accepting(), dgw_water_problem());
	dgw_condition(DGW_CONDITION_STORAGE, dgw_water_problem());
}

/* Associations that a person wants to end. */
static void
abort_associations(void)
{
	DgwAbort m;

	while ((m.pid = dgw_take_abort()) != 0)
	{
		dgw_encode_abort(&helper.channel.writer, &m);
		tell_helper();
	}
}

/* ---------- what the helper says ---------- */

/* All that is wrong with listeners, in one line. */
static void
show_listeners(void)
{
	StringInfoData problems;

	initStringInfo(&problems);
	for (int i = 0; i < n_listeners; i++)
	{
		const DgwListenerNote *note = &listener_notes[i];

		if (note->message[0] != '\0')
			appendStringInfo(&problems, "%slistener %u %s: %s", problems.len > 0 ? "; " : "",
							 note->id, note->listening ? "has a problem" : "is not listening",
							 note->message);
	}
	dgw_show_listeners(listener_notes, n_listeners);
	dgw_condition(DGW_CONDITION_LISTENERS, problems.data);
}

static void
take_listener_state(const DgwListenerState *m)
{
	DgwListenerNote *note = NULL;

	for (int i = 0; i < n_listeners && note == NULL; i++)
		if (listener_notes[i].id == m->id)
			note = &listener_notes[i];
	if (note == NULL && n_listeners < DGW_MAX_LISTENERS)
		note = &listener_notes[n_listeners++];
	if (note == NULL)
		return;
	note->id = m->id;
	note->listening = m->listening != 0;
	note->certificate_expires_at =
		m->certificate_expires == 0 ? 0 : time_t_to_timestamptz((pg_time_t) m->certificate_expires);
	snprintf(note->message, sizeof(note->message), "%.*s", (int) Min(m->message.len, 200),
			 m->message.data);
	show_listeners();
}

static bool
take_association(DgwFrame *frame)
{
	DgwAssociation m;
	int fd = dgw_reader_take_fd(&helper.channel.reader);

	if (fd < 0 || !dgw_decode_association(frame, &m))
		return false;
	dgw_association_add(fd, &m);
	return true;
}

/* One message of the listening parent; false if it breaks the protocol. */
static bool
take_helper_message(DgwFrame *frame)
{
	DgwListenerState state;
	DgwTurnedAway turned_away;

	switch (frame->type)
	{
		case DGW_MSG_HELLO:
			if (!dgw_helper_greet(&helper, frame))
				return false;
			dgw_condition(DGW_CONDITION_HELPER, "");
			send_config();
			return true;
		case DGW_MSG_LISTENER_STATE:
			if (!dgw_decode_listener_state(frame, &state))
				return false;
			take_listener_state(&state);
			return true;
		case DGW_MSG_ASSOCIATION:
			return take_association(frame);
		case DGW_MSG_TURNED_AWAY:
			if (!dgw_decode_turned_away(frame, &turned_away))
				return false;
			dgw_association_turned_away(&turned_away);
			return true;
		default:
			return false;
	}
}

/* ---------- the helper's life ---------- */

/* The helper has ended or is of no use: end it and its associations, and set its next start. */
static void
lose_helper(void)
{
	TimestampTz now = GetCurrentTimestamp();

	dgw_associations_lose();
	n_listeners = 0;
	show_listeners();
	if (TimestampDifferenceExceeds(helper_started, now, WELL_AFTER_MS))
		helper_wait_ms = FIRST_RESTART_MS;
	dgw_condition(DGW_CONDITION_HELPER,
				  psprintf("helper program %s %s; it is started anew in %d ms", HELPER,
						   dgw_helper_stop(&helper), helper_wait_ms));
	helper_start_at = TimestampTzPlusMilliseconds(now, helper_wait_ms);
	helper_wait_ms = Min(helper_wait_ms * 2, LAST_RESTART_MS);
}

static void
read_helper(void)
{
	DgwReadResult result = dgw_channel_fill(&helper.channel);
	DgwFrame frame;

	if (result == DGW_READ_AGAIN)
		return;
	while (result == DGW_READ_OK &&
		   (result = dgw_channel_next(&helper.channel, &frame)) == DGW_READ_OK)
	{
		if (!take_helper_message(&frame))
			result = dgw_channel_malformed(&helper.channel, &frame);
	}
	if (result != DGW_READ_AGAIN)
		lose_helper();
}

/* Start the helper if it is its time; returns how long to sleep at most (ms). */
static long
ensure_helper(void)
{
	TimestampTz now;

	if (helper.pid != 0)
		return DGW_WATER_CHECK_MS;
	now = GetCurrentTimestamp();
	if (now < helper_start_at)
		return Max(TimestampDifferenceMilliseconds(now, helper_start_at), 1);
	helper_started = now;
	dgw_helper_start(&helper, HELPER, DGW_CHANNEL_CONTROL);
	dgw_channel_watch(&helper.channel, epoll_fd, &helper);
	return DGW_WATER_CHECK_MS;
}

/* ---------- the worker ---------- */

/* As many descriptors as the system lets us have: one an association. */
static void
raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max)
	{
		limit.rlim_cur = limit.rlim_max;
		(void) setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static void
read_everything(void)
{
	struct epoll_event events[MAX_EVENTS];
	int n = epoll_wait(epoll_fd, events, MAX_EVENTS, 0);
	bool helper_spoke = false;

	for (int i = 0; i < n; i++)
	{
		if (events[i].data.ptr == &helper)
			helper_spoke = true;
		else if (events[i].data.ptr == dgw_journal_sync_key())
			dgw_journal_sync_read();
		else
			dgw_association_read((DgwReceiverAssociation *) events[i].data.ptr);
	}
	/* Last: losing the helper frees the associations that events point to. */
	if (helper_spoke)
		read_helper();
}

static void
show_idle(void)
{
	int listening = 0;

	for (int i = 0; i < n_listeners; i++)
		listening += listener_notes[i].listening;
	dgw_idle("listening on %d of %d port(s), %d association(s) open, " UINT64_FORMAT
			 " object(s) received",
			 listening, n_listeners, dgw_associations_open(), dgw_objects_received());
}

/* What the helper has to know before it goes on. */
static void
attend_to_helper(bool reloaded)
{
	if (!helper.greeted)
		return;
	if (reloaded || config_generation != pg_atomic_read_u64(&dgw_shared->config_generation))
		send_config();
	watch_storage();
	abort_associations();
}

/* One turn of the work; returns how long to sleep at most before the next (ms). */
static long
turn(bool reloaded)
{
	long helper_ms = ensure_helper();
	long log_ms;

	attend_to_helper(reloaded);
	read_everything();
	if (dgw_associations_pending())
		dgw_associations_commit();
	dgw_journal_turn(epoll_fd);
	log_ms = dgw_flush_association_log();
	return log_ms < 0 ? helper_ms : Min(log_ms, helper_ms);
}

void
dgw_receiver_run(void)
{
	MemoryContext turn_context =
		AllocSetContextCreate(TopMemoryContext, "dicomgw receiver turn", ALLOCSET_DEFAULT_SIZES);
	WaitEventSet *wait_set;

	raise_descriptor_limit();
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_fd < 0)
		ereport(ERROR, (errcode_for_socket_access(), errmsg("could not create epoll set: %m")));
	dgw_receiver_shared_begin();
	dgw_journal_begin();
	dgw_associations_begin(epoll_fd);
	wait_set = dgw_wait_set(epoll_fd);

	for (;;)
	{
		long sleep_ms;

		MemoryContextReset(turn_context);
		MemoryContextSwitchTo(turn_context);
		sleep_ms = turn(dgw_between_turns());
		show_idle();
		dgw_wait(wait_set, dgw_associations_pending() ? 0 : sleep_ms);
	}
}
