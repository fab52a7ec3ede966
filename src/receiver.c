/*-------------------------------------------------------------------------
 *
 * receiver.c
 *	  The worker "dicomgw receiver": owns dicomgw-scp and gives durability to
 *	  what it receives.
 *
 * One turn: read what the helper and its association processes have said;
 * take every RECEIVED that has come in (an association has at most one under
 * way) as one batch; commit the batch; answer each.  While a batch commits,
 * the next one gathers in the sockets: that is the group commit.
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
#include <sys/stat.h>
#include <unistd.h>

#include "catalog/pg_type.h"
#include "lib/ilist.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "guc.h"
#include "helper_process.h"
#include "receiver_batch.h"
#include "worker.h"

#define HELPER "dicomgw-scp"
#define MAX_EVENTS 256

/* Waits before a helper that ended is started anew (ms). */
#define FIRST_RESTART_MS 200
#define LAST_RESTART_MS 30000
#define WELL_AFTER_MS 60000

typedef struct Association
{
	dlist_node node;
	DgwChannel channel;
	DgwCaller caller;
	bool opened;
	bool pending; /* its object is in the batch */
} Association;

/* What a listener last said of itself. */
typedef struct ListenerNote
{
	uint32_t id;
	bool listening;
	char message[200];
} ListenerNote;

static DgwHelper helper;
static TimestampTz helper_started;
static TimestampTz helper_start_at;
static int helper_wait_ms = FIRST_RESTART_MS;

static int epoll_fd = -1;
static dlist_head associations = DLIST_STATIC_INIT(associations);
static int n_associations;
static uint64 n_committed;

static char *storage_path; /* as in the helper's configuration */
static uint64 config_generation;
static ListenerNote listener_notes[DGW_MAX_LISTENERS];
static int n_listeners;

static MemoryContext turn_context;
static DgwArrival *arrivals;
static Association **arrived; /* parallel to arrivals */
static int n_arrivals;
static int max_arrivals;

/* ---------- associations ---------- */

static void
add_association(int fd, const DgwAssociation *announced)
{
	Association *association = MemoryContextAllocZero(TopMemoryContext, sizeof(Association));

	dgw_channel_open(&association->channel, fd, DGW_CHANNEL_ASSOCIATION);
	association->caller.listener_id = announced->listener_id;
	strlcpy(association->caller.peer_address,
			pnstrdup(announced->peer_address.data, announced->peer_address.len),
			sizeof(association->caller.peer_address));
	dlist_push_tail(&associations, &association->node);
	n_associations++;
	dgw_channel_watch(&association->channel, epoll_fd, association);
}

static void
drop_association(Association *association)
{
	dgw_channel_close(&association->channel);
	dlist_delete(&association->node);
	n_associations--;
	pfree(association);
}

/* A string from a helper that goes into the database: valid UTF-8 without NUL. */
static bool
is_clean(DgwSlice slice)
{
	return memchr(slice.data, '\0', slice.len) == NULL &&
		   pg_verify_mbstr(PG_UTF8, slice.data, slice.len, true);
}

static bool
is_clean_object(const DgwReceived *o)
{
	return o->path.len > 0 && o->path.len < MAXPGPATH && is_clean(o->path) &&
		   o->path.data[0] != '/' && strstr(pnstrdup(o->path.data, o->path.len), "..") == NULL &&
		   o->size <= PG_INT64_MAX && o->sop_class_uid.len > 0 && is_clean(o->sop_class_uid) &&
		   o->sop_instance_uid.len > 0 && is_clean(o->sop_instance_uid) &&
		   o->transfer_syntax_uid.len > 0 && is_clean(o->transfer_syntax_uid) &&
		   is_clean(o->header_error);
}

static bool
take_requested(Association *association, DgwFrame *frame)
{
	DgwRequested m;
	DgwAdmitted admitted = {.may_store = 1, .may_echo = 1};

	if (association->opened || !dgw_decode_requested(frame, &m) || m.calling_ae.len > 16 ||
		m.called_ae.len > 16 || !is_clean(m.calling_ae) || !is_clean(m.called_ae))
		return false;
	memcpy(association->caller.calling_ae, m.calling_ae.data, m.calling_ae.len);
	memcpy(association->caller.called_ae, m.called_ae.data, m.called_ae.len);
	association->opened = true;
	dgw_encode_admitted(&association->channel.writer, &admitted);
	return dgw_channel_send(&association->channel);
}

static bool
take_received(Association *association, DgwFrame *frame)
{
	DgwArrival *arrival;

	if (n_arrivals == max_arrivals)
	{
		max_arrivals *= 2;
		arrivals = repalloc(arrivals, max_arrivals * sizeof(DgwArrival));
		arrived = repalloc(arrived, max_arrivals * sizeof(Association *));
	}
	arrival = &arrivals[n_arrivals];
	memset(arrival, 0, sizeof(*arrival));
	if (!association->opened || !dgw_decode_received(frame, &arrival->object) ||
		!is_clean_object(&arrival->object))
		return false;
	if (!is_clean(arrival->object.header))
	{
		arrival->object.header = dgw_slice("");
		arrival->object.header_error = dgw_slice("the header is not valid UTF-8");
	}
	arrival->caller = &association->caller;
	arrived[n_arrivals] = association;
	n_arrivals++;
	association->pending = true;
	return true;
}

static const char *
how_it_ended(uint8_t reason)
{
	switch (reason)
	{
		case DGW_CLOSE_RELEASED:
			return "was released";
		case DGW_CLOSE_PEER_ABORTED:
			return "was aborted by the peer";
		case DGW_CLOSE_PEER_GONE:
			return "was closed by the peer";
		case DGW_CLOSE_TIMEOUT:
			return "timed out";
		case DGW_CLOSE_REJECTED:
			return "was rejected";
		case DGW_CLOSE_PROTOCOL:
			return "broke the protocol";
		default:
			return "failed";
	}
}

static bool
take_closed(Association *association, DgwFrame *frame)
{
	DgwClosed m;

	if (!dgw_decode_closed(frame, &m))
		return false;
	ereport(m.reason == DGW_CLOSE_RELEASED ? DEBUG1 : LOG,
			(errmsg("association from \"%s\" at %s %s after %u object(s)%s%.*s",
					association->caller.calling_ae, association->caller.peer_address,
					how_it_ended(m.reason), m.objects, m.message.len > 0 ? ": " : "",
					(int) Min(m.message.len, 200), m.message.data)));
	return true;
}

/*
 * Deal with the messages of an association up to a RECEIVED: its frame must
 * stay where it is until the batch is done.  False: drop the association.
 */
static bool
take_messages(Association *association)
{
	DgwFrame frame;
	DgwReadResult result = DGW_READ_OK;

	while (!association->pending &&
		   (result = dgw_channel_next(&association->channel, &frame)) == DGW_READ_OK)
	{
		bool well;

		if (frame.type == DGW_MSG_REQUESTED)
			well = take_requested(association, &frame);
		else if (frame.type == DGW_MSG_OPENED)
			well = true;
		else if (frame.type == DGW_MSG_RECEIVED)
			well = take_received(association, &frame);
		else
			well = take_closed(association, &frame);
		if (!well)
		{
			(void) dgw_channel_malformed(&association->channel, &frame);
			return false;
		}
	}
	return result != DGW_READ_ERROR;
}

static void
read_association(Association *association)
{
	DgwReadResult result;

	if (association->pending)
		return;
	result = dgw_channel_fill(&association->channel);
	if (result == DGW_READ_AGAIN)
		return;
	if (result != DGW_READ_OK || !take_messages(association))
		drop_association(association);
}

/* ---------- the batch ---------- */

/* Tell the association process what became of its object. */
static bool
answer(const DgwArrival *arrival, DgwChannel *channel)
{
	if (arrival->status == 0)
	{
		DgwCommitted m = {.seq = arrival->object.seq};

		dgw_encode_committed(&channel->writer, &m);
	}
	else
	{
		DgwRefused m = {.seq = arrival->object.seq,
						.status = arrival->status,
						.comment = dgw_slice(arrival->comment)};

		dgw_encode_refused(&channel->writer, &m);
	}
	return dgw_channel_send(channel);
}

/*
 * Commit, answer, and go on with what stands behind the RECEIVED messages in
 * the same reads.
 */
static void
finish_batch(void)
{
	int n = n_arrivals;
	int refused = 0;
	Association **answered = palloc(n * sizeof(Association *));

	dgw_batch_commit(arrivals, n, storage_path, dgw_mirror_directory());
	for (int i = 0; i < n; i++)
	{
		answered[i] = arrived[i];
		answered[i]->pending = false;
		refused += arrivals[i].status != 0;
		if (!answer(&arrivals[i], &answered[i]->channel))
		{
			drop_association(answered[i]);
			answered[i] = NULL;
		}
	}
	n_arrivals = 0;
	n_committed += n - refused;
	if (refused == 0)
		dgw_clear_error();
	if (n > refused)
		dgw_wake(DGW_ROUTER);

	for (int i = 0; i < n; i++)
		if (answered[i] != NULL && !take_messages(answered[i]))
			drop_association(answered[i]);
}

/* ---------- the helper ---------- */

/* Make the storage folder if it is not there; ERROR if it can't be used. */
static void
ensure_storage(const char *path)
{
	if (mkdir(path, S_IRWXU) != 0 && errno != EEXIST)
		ereport(ERROR, (errcode_for_file_access(),
						errmsg("could not create storage directory \"%s\": %m", path),
						errhint("dicomgw.storage_path names it.")));
	if (access(path, R_OK | W_OK | X_OK) != 0)
		ereport(ERROR, (errcode_for_file_access(),
						errmsg("could not use storage directory \"%s\": %m", path),
						errhint("The user that runs the server must own it; dicomgw.storage_path "
								"names it.")));
	fsync_fname(path, true);
}

/* Read the enabled listeners into the configuration; the strings live in turn_context. */
static void
read_listeners(DgwConfig *config)
{
	static SPIPlanPtr plan = NULL;

	dgw_begin("reading the listeners");
	dgw_plan(&plan,
			 "SELECT id, bind_address, port, max_pdu,"
			 " extract(epoch FROM association_timeout)::int, extract(epoch FROM idle_timeout)::int"
			 " FROM dicomgw.listener WHERE enabled ORDER BY id LIMIT $1",
			 1, (Oid[]){INT4OID});
	if (SPI_execute_plan(plan, (Datum[]){Int32GetDatum(DGW_MAX_LISTENERS)}, NULL, true, 0) !=
		SPI_OK_SELECT)
		elog(ERROR, "could not read dicomgw.listener");

	config->n_listeners = (uint32_t) SPI_processed;
	for (uint32_t i = 0; i < config->n_listeners; i++)
	{
		HeapTuple row = SPI_tuptable->vals[i];
		TupleDesc desc = SPI_tuptable->tupdesc;
		DgwListener *l = &config->listeners[i];

		l->id = atoi(SPI_getvalue(row, desc, 1));
		l->bind_address = dgw_slice(MemoryContextStrdup(turn_context, SPI_getvalue(row, desc, 2)));
		l->port = atoi(SPI_getvalue(row, desc, 3));
		l->max_pdu = atoi(SPI_getvalue(row, desc, 4));
		l->association_timeout = atoi(SPI_getvalue(row, desc, 5));
		l->idle_timeout = atoi(SPI_getvalue(row, desc, 6));
	}
	dgw_commit();
}

static void
send_config(void)
{
	DgwConfig *config = palloc0(sizeof(DgwConfig));
	char *path = dgw_storage_directory();

	config_generation = pg_atomic_read_u64(&dgw_shared->config_generation);
	ensure_storage(path);
	read_listeners(config);
	config->storage_path = dgw_slice(path);
	config->max_associations = dgw_max_associations;

	if (storage_path != NULL)
		pfree(storage_path);
	storage_path = MemoryContextStrdup(TopMemoryContext, path);
	n_listeners = 0;
	dgw_encode_config(&helper.channel.writer, config);
	(void) dgw_channel_send(&helper.channel); /* if not, its end is seen next */
}

static void
take_listener_state(const DgwListenerState *m)
{
	ListenerNote *note = NULL;

	for (int i = 0; i < n_listeners && note == NULL; i++)
		if (listener_notes[i].id == m->id)
			note = &listener_notes[i];
	if (note == NULL && n_listeners < DGW_MAX_LISTENERS)
		note = &listener_notes[n_listeners++];
	if (note == NULL)
		return;
	note->id = m->id;
	note->listening = m->listening != 0;
	snprintf(note->message, sizeof(note->message), "%.*s", (int) Min(m->message.len, 190),
			 m->message.data);
	if (!note->listening)
	{
		ereport(LOG, (errmsg("listener %u is not listening: %s", note->id, note->message)));
		dgw_note_error("listener %u is not listening: %s", note->id, note->message);
	}
	else
		dgw_clear_error();
}

/* One message of the listening parent; false if it breaks the protocol. */
static bool
take_helper_message(DgwFrame *frame)
{
	if (frame->type == DGW_MSG_HELLO)
	{
		if (!dgw_helper_greet(&helper, frame))
			return false;
		send_config();
		return true;
	}
	if (frame->type == DGW_MSG_LISTENER_STATE)
	{
		DgwListenerState m;

		if (!dgw_decode_listener_state(frame, &m))
			return false;
		take_listener_state(&m);
		return true;
	}
	if (frame->type == DGW_MSG_ASSOCIATION)
	{
		DgwAssociation m;
		int fd = dgw_reader_take_fd(&helper.channel.reader);

		if (fd < 0 || !dgw_decode_association(frame, &m))
			return false;
		add_association(fd, &m);
		return true;
	}
	return false;
}

/* The helper has ended or is of no use: end it and its associations, and set its next start. */
static void
lose_helper(void)
{
	TimestampTz now = GetCurrentTimestamp();
	dlist_mutable_iter iter;
	char *how;

	dlist_foreach_modify(iter, &associations)
		drop_association(dlist_container(Association, node, iter.cur));
	n_arrivals = 0;

	how = dgw_helper_stop(&helper);
	if (TimestampDifferenceExceeds(helper_started, now, WELL_AFTER_MS))
		helper_wait_ms = FIRST_RESTART_MS;
	ereport(LOG, (errmsg("helper program %s %s; it is started anew in %d ms", HELPER, how,
						 helper_wait_ms)));
	dgw_note_error("helper program %s %s", HELPER, how);
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
		return DGW_POLL_MS;
	now = GetCurrentTimestamp();
	if (now < helper_start_at)
		return Max(TimestampDifferenceMilliseconds(now, helper_start_at), 1);
	helper_started = now;
	dgw_helper_start(&helper, HELPER, DGW_CHANNEL_CONTROL);
	dgw_channel_watch(&helper.channel, epoll_fd, &helper);
	return DGW_POLL_MS;
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
		else
			read_association((Association *) events[i].data.ptr);
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
			 listening, n_listeners, n_associations, n_committed);
}

void
dgw_receiver_run(void)
{
	WaitEventSet *wait_set;

	raise_descriptor_limit();
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_fd < 0)
		ereport(ERROR, (errcode_for_socket_access(), errmsg("could not create epoll set: %m")));
	turn_context =
		AllocSetContextCreate(TopMemoryContext, "dicomgw receiver turn", ALLOCSET_DEFAULT_SIZES);
	max_arrivals = MAX_EVENTS;
	arrivals = MemoryContextAlloc(TopMemoryContext, max_arrivals * sizeof(DgwArrival));
	arrived = MemoryContextAlloc(TopMemoryContext, max_arrivals * sizeof(Association *));
	wait_set = dgw_wait_set(epoll_fd);

	for (;;)
	{
		long sleep_ms;

		MemoryContextReset(turn_context);
		MemoryContextSwitchTo(turn_context);
		sleep_ms = ensure_helper();
		show_idle();
		dgw_wait(wait_set, n_arrivals > 0 ? 0 : sleep_ms);
		if (dgw_between_turns() && helper.greeted)
			send_config();
		if (helper.greeted &&
			config_generation != pg_atomic_read_u64(&dgw_shared->config_generation))
			send_config();

		read_everything();
		if (n_arrivals > 0)
			finish_batch();
	}
}
