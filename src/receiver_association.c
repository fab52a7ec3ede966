/*-------------------------------------------------------------------------
 *
 * receiver_association.c
 *	  The receiver's side of the association processes (see
 *	  receiver_association.h).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/ilist.h"
#include "mb/pg_wchar.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "admission.h"
#include "association_log.h"
#include "conditions.h"
#include "helper_process.h"
#include "receiver_association.h"
#include "receiver_batch.h"
#include "receiver_config.h"
#include "receiver_shared.h"
#include "worker.h"

#define FIRST_ARRIVALS 256

/* dicomgw.association_id_seq goes up by this. */
#define ID_BLOCK 1000

struct DgwReceiverAssociation
{
	dlist_node node;
	DgwChannel channel;
	DgwAssociationInfo info;
	int slot; /* in shared memory */
	DgwCaller caller;
	bool pending; /* its object is in the batch */
	bool ended;	  /* how it ended is logged */
	char rejection[200];
};

static int epoll_set = -1;
static dlist_head associations = DLIST_STATIC_INIT(associations);
static int n_associations;
static uint64 n_received;
static int64 next_id;
static int64 end_of_ids;

static DgwArrival *arrivals;
static DgwReceiverAssociation **arrived; /* parallel to arrivals */
static int n_arrivals;
static int max_arrivals;

void
dgw_associations_begin(int epoll_fd)
{
	epoll_set = epoll_fd;
	max_arrivals = FIRST_ARRIVALS;
	arrivals = MemoryContextAlloc(TopMemoryContext, max_arrivals * sizeof(DgwArrival));
	arrived = MemoryContextAlloc(TopMemoryContext, max_arrivals * sizeof(DgwReceiverAssociation *));
}

int
dgw_associations_open(void)
{
	return n_associations;
}

uint64
dgw_objects_received(void)
{
	return n_received;
}

/* ---------- beginning and end ---------- */

static int64
new_id(void)
{
	if (next_id == end_of_ids)
	{
		MemoryContext caller = CurrentMemoryContext;
		bool isnull;

		dgw_begin("numbering associations");
		if (SPI_execute("SELECT nextval('dicomgw.association_id_seq')", false, 1) != SPI_OK_SELECT)
			elog(ERROR, "could not number associations");
		next_id =
			DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
		end_of_ids = next_id + ID_BLOCK;
		dgw_commit();
		MemoryContextSwitchTo(caller);
	}
	return next_id++;
}

static void
copy_address(char *to, DgwSlice address)
{
	snprintf(to, DGW_ADDRESS_LEN, "%.*s", (int) Min(address.len, DGW_ADDRESS_LEN - 1),
			 address.data);
}

void
dgw_association_add(int fd, const DgwAssociation *announced)
{
	DgwReceiverAssociation *a = MemoryContextAllocZero(TopMemoryContext, sizeof(*a));

	dgw_channel_open(&a->channel, fd, DGW_CHANNEL_ASSOCIATION);
	a->info.id = new_id();
	a->info.pid = announced->pid;
	a->info.listener_id = announced->listener_id;
	a->info.peer_port = announced->peer_port;
	a->info.started_at = a->info.last_active_at = GetCurrentTimestamp();
	copy_address(a->info.peer_address, announced->peer_address);
	a->slot = dgw_show_association(&a->info);
	dlist_push_tail(&associations, &a->node);
	n_associations++;
	dgw_channel_watch(&a->channel, epoll_set, a);
}

void
dgw_association_turned_away(const DgwTurnedAway *m)
{
	DgwAssociationInfo info = {0};
	char reason[200];

	/* Health checks and port scans: nothing was refused. */
	if (m->left)
	{
		ereport(DEBUG1,
				(errmsg("%u connection(s) from %.*s: %.*s", m->connections,
						(int) Min(m->peer_address.len, DGW_ADDRESS_LEN), m->peer_address.data,
						(int) Min(m->message.len, 150), m->message.data)));
		return;
	}
	info.id = new_id();
	info.listener_id = m->listener_id;
	info.started_at = GetCurrentTimestamp();
	copy_address(info.peer_address, m->peer_address);
	snprintf(reason, sizeof(reason), "%u connection(s): %.*s", m->connections,
			 (int) Min(m->message.len, 150), m->message.data);
	dgw_log_association(&info, "turned away", reason, m->connections);
	ereport(LOG, (errmsg("turned away from %s: %s", info.peer_address, reason)));
}

static void
drop(DgwReceiverAssociation *a, const char *why)
{
	if (!a->ended)
		dgw_log_association(&a->info, "lost", why, 1);
	dgw_hide_association(a->slot);
	dgw_channel_close(&a->channel);
	dlist_delete(&a->node);
	n_associations--;
	pfree(a);
}

void
dgw_associations_lose(void)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &associations)
		drop(dlist_container(DgwReceiverAssociation, node, iter.cur), "dicomgw-scp ended");
	n_arrivals = 0;
}

/* ---------- messages ---------- */

/* A string from a helper that goes into the database: valid UTF-8 without NUL. */
static bool
is_clean(DgwSlice slice)
{
	return memchr(slice.data, '\0', slice.len) == NULL &&
		   pg_verify_mbstr(PG_UTF8, slice.data, slice.len, true);
}

/* Into a field of this size, whole characters only; false if it is not clean. */
static bool
take_text(char *field, size_t size, DgwSlice slice)
{
	int len;

	if (!is_clean(slice))
		return false;
	len = pg_encoding_mbcliplen(PG_UTF8, slice.data, slice.len, size - 1);
	memcpy(field, slice.data, len);
	field[len] = '\0';
	return true;
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

static void
count_open(const DgwAssociationInfo *info, DgwOpenCounts *counts)
{
	dlist_iter iter;

	memset(counts, 0, sizeof(*counts));
	dlist_foreach(iter, &associations)
	{
		DgwReceiverAssociation *a = dlist_container(DgwReceiverAssociation, node, iter.cur);
		bool same_listener = a->info.listener_id == info->listener_id;
		bool same_ae;

		if (!a->info.admitted || a->ended)
			continue;
		same_ae = strcmp(a->info.calling_ae, info->calling_ae) == 0;
		counts->total++;
		counts->listener += same_listener;
		counts->ae += same_ae;
		counts->listener_ae += same_listener && same_ae;
	}
}

static bool
take_requested(DgwReceiverAssociation *a, DgwFrame *frame)
{
	DgwAssociationInfo *info = &a->info;
	DgwOpenCounts counts;
	DgwDecision decision;
	DgwRequested m;

	if (info->called_ae[0] != '\0' || info->admitted || !dgw_decode_requested(frame, &m) ||
		!take_text(info->calling_ae, sizeof(info->calling_ae), m.calling_ae) ||
		!take_text(info->called_ae, sizeof(info->called_ae), m.called_ae) ||
		!take_text(info->implementation_class_uid, sizeof(info->implementation_class_uid),
				   m.implementation_class_uid) ||
		!take_text(info->implementation_version, sizeof(info->implementation_version),
				   m.implementation_version) ||
		!take_text(info->username, sizeof(info->username), m.username) ||
		!take_text(info->tls_version, sizeof(info->tls_version), m.tls_version) ||
		!take_text(info->tls_cipher, sizeof(info->tls_cipher), m.tls_cipher) ||
		!take_text(info->tls_subject, sizeof(info->tls_subject), m.tls_subject))
		return false;

	count_open(info, &counts);
	dgw_admission_decide(info, m.identity_type, &counts, &decision);
	if (decision.admitted)
	{
		info->admitted = true;
		a->caller.listener_id = info->listener_id;
		a->caller.duplicates = decision.duplicates;
		strlcpy(a->caller.calling_ae, info->calling_ae, sizeof(a->caller.calling_ae));
		strlcpy(a->caller.called_ae, info->called_ae, sizeof(a->caller.called_ae));
		strlcpy(a->caller.peer_address, info->peer_address, sizeof(a->caller.peer_address));
		dgw_encode_admitted(&a->channel.writer, &decision.terms);
	}
	else
	{
		strlcpy(a->rejection, decision.reason, sizeof(a->rejection));
		dgw_encode_rejected(&a->channel.writer, &decision.rejection);
	}
	dgw_update_association(a->slot, info);
	return dgw_channel_send(&a->channel);
}

static bool
take_received(DgwReceiverAssociation *a, DgwFrame *frame)
{
	DgwArrival *arrival;

	if (n_arrivals == max_arrivals)
	{
		max_arrivals *= 2;
		arrivals = repalloc(arrivals, max_arrivals * sizeof(DgwArrival));
		arrived = repalloc(arrived, max_arrivals * sizeof(DgwReceiverAssociation *));
	}
	arrival = &arrivals[n_arrivals];
	memset(arrival, 0, sizeof(*arrival));
	if (!a->info.admitted || !dgw_decode_received(frame, &arrival->object) ||
		!is_clean_object(&arrival->object))
		return false;
	if (!is_clean(arrival->object.header))
	{
		arrival->object.header = dgw_slice("");
		arrival->object.header_error = dgw_slice("the header is not valid UTF-8");
	}
	arrival->caller = &a->caller;
	arrived[n_arrivals] = a;
	n_arrivals++;
	a->pending = true;
	return true;
}

/* As association_history has it. */
static const char *
outcome_of(uint8_t reason)
{
	switch (reason)
	{
		case DGW_CLOSE_RELEASED:
			return "released";
		case DGW_CLOSE_PEER_ABORTED:
			return "aborted by the peer";
		case DGW_CLOSE_PEER_GONE:
			return "closed by the peer";
		case DGW_CLOSE_TIMEOUT:
			return "timed out";
		case DGW_CLOSE_REJECTED:
			return "rejected";
		case DGW_CLOSE_PROTOCOL:
			return "broke the protocol";
		case DGW_CLOSE_TLS:
			return "TLS failed";
		case DGW_CLOSE_TOLD:
			return "aborted by us";
		default:
			return "failed";
	}
}

static bool
take_closed(DgwReceiverAssociation *a, DgwFrame *frame)
{
	char reason[200];
	DgwClosed m;

	if (a->ended || !dgw_decode_closed(frame, &m) || m.bytes > PG_INT64_MAX ||
		!take_text(reason, sizeof(reason), m.message))
		return false;
	if (a->rejection[0] != '\0')
		strlcpy(reason, a->rejection, sizeof(reason));
	/* The helper may reject what we admitted: a wrong passcode. */
	if (m.reason == DGW_CLOSE_REJECTED)
		a->info.admitted = false;
	a->info.objects = m.objects;
	a->info.bytes = m.bytes;
	a->ended = true;
	dgw_log_association(&a->info, outcome_of(m.reason), reason, 1);
	dgw_hide_association(a->slot);
	a->slot = -1;
	ereport(m.reason == DGW_CLOSE_RELEASED ? DEBUG1 : LOG,
			(errmsg("association from \"%s\" at %s: %s after %u object(s)%s%s", a->info.calling_ae,
					a->info.peer_address, outcome_of(m.reason), m.objects,
					reason[0] != '\0' ? ": " : "", reason)));
	return true;
}

static bool
take_message(DgwReceiverAssociation *a, DgwFrame *frame)
{
	DgwOpened opened;

	switch (frame->type)
	{
		case DGW_MSG_REQUESTED:
			return take_requested(a, frame);
		case DGW_MSG_OPENED:
			return dgw_decode_opened(frame, &opened);
		case DGW_MSG_RECEIVED:
			return take_received(a, frame);
		case DGW_MSG_CLOSED:
			return take_closed(a, frame);
		default:
			return false;
	}
}

/*
 * Deal with the messages of an association up to a RECEIVED: its frame must
 * stay where it is until the batch is done.  False: drop the association.
 */
static bool
take_messages(DgwReceiverAssociation *a)
{
	DgwFrame frame;
	DgwReadResult result = DGW_READ_OK;

	while (!a->pending && (result = dgw_channel_next(&a->channel, &frame)) == DGW_READ_OK)
	{
		if (!take_message(a, &frame))
		{
			(void) dgw_channel_malformed(&a->channel, &frame);
			return false;
		}
	}
	return result != DGW_READ_ERROR;
}

void
dgw_association_read(DgwReceiverAssociation *a)
{
	DgwReadResult result;

	if (a->pending)
		return;
	result = dgw_channel_fill(&a->channel);
	if (result == DGW_READ_AGAIN)
		return;
	if (result == DGW_READ_EOF)
		drop(a, "its process ended");
	else if (result != DGW_READ_OK || !take_messages(a))
		drop(a, "its process broke the protocol between the programs");
}

/* ---------- the batch ---------- */

bool
dgw_associations_pending(void)
{
	return n_arrivals > 0;
}

/*
 * Tell the association process what became of its object.  One that is ignored
 * is refused with success: its files are not wanted.
 */
static bool
answer(const DgwArrival *arrival, DgwChannel *channel)
{
	if (arrival->status == 0 && !arrival->ignored)
	{
		DgwCommitted m = {.seq = arrival->object.seq};

		dgw_encode_committed(&channel->writer, &m);
	}
	else
	{
		DgwRefused m = {.seq = arrival->object.seq,
						.status = arrival->status,
						.comment = dgw_slice(arrival->comment != NULL ? arrival->comment : "")};

		dgw_encode_refused(&channel->writer, &m);
	}
	return dgw_channel_send(channel);
}

/* What was kept counts; what could not be recorded is said in dicomgw.status. */
static void
count_batch(int n)
{
	const DgwArrival *failed = NULL;
	TimestampTz now = GetCurrentTimestamp();
	int kept = 0;

	for (int i = 0; i < n; i++)
	{
		DgwAssociationInfo *info = &arrived[i]->info;

		if (arrivals[i].status == 0)
		{
			kept += !arrivals[i].ignored;
			info->objects++;
			info->bytes += arrivals[i].object.size;
		}
		else if (arrivals[i].status != DGW_STATUS_DUPLICATE_SOP_INSTANCE)
			failed = &arrivals[i];
		info->last_active_at = now;
		dgw_update_association(arrived[i]->slot, info);
	}
	n_received += kept;
	if (failed != NULL)
		dgw_condition(DGW_CONDITION_RECORDING,
					  psprintf("received objects are refused: %s%s%s", failed->comment,
							   dgw_batch_last_error()[0] != '\0' ? ": " : "",
							   dgw_batch_last_error()));
	else
		dgw_condition(DGW_CONDITION_RECORDING, "");
	if (kept > 0)
		dgw_wake(DGW_ROUTER);
}

/*
 * Commit, answer, and go on with what stands behind the RECEIVED messages in
 * the same reads.
 */
void
dgw_associations_commit(void)
{
	int n = n_arrivals;
	DgwReceiverAssociation **answered = palloc(n * sizeof(*answered));

	dgw_batch_commit(arrivals, n, dgw_receiver_storage, dgw_receiver_mirror);
	for (int i = 0; i < n; i++)
	{
		answered[i] = arrived[i];
		answered[i]->pending = false;
		if (!answer(&arrivals[i], &answered[i]->channel))
			answered[i] = NULL;
	}
	count_batch(n);
	for (int i = 0; i < n; i++)
		if (answered[i] == NULL)
			drop(arrived[i], "its process takes no answer");
	n_arrivals = 0;

	for (int i = 0; i < n; i++)
		if (answered[i] != NULL && !take_messages(answered[i]))
			drop(answered[i], "its process broke the protocol between the programs");
}
