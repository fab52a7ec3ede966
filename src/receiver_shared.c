/*-------------------------------------------------------------------------
 *
 * receiver_shared.c
 *	  What the receiver shows of itself in shared memory (see
 *	  receiver_shared.h), and the SQL functions that show it to people.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/shmem.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "receiver_shared.h"
#include "shared.h"

typedef struct Slot
{
	bool abort_wanted;
	DgwAssociationInfo info;
} Slot;

typedef struct ReceiverShared
{
	LWLock *lock;
	pg_atomic_uint32 aborts_wanted;
	bool accepts_objects;
	TimestampTz receiving_since; /* 0: the receiver has not said anything yet */
	char reason[200];
	int n_listeners;
	DgwListenerNote listeners[DGW_MAX_LISTENERS];
	int n_slots; /* slots that may be in use: those below */
	Slot slots[DGW_MAX_OPEN];
} ReceiverShared;

static ReceiverShared *shared = NULL;

/* The receiver's own: slots below n_slots that are free. */
static int *free_slots;
static int n_free;

PG_FUNCTION_INFO_V1(dgw_open_associations);
PG_FUNCTION_INFO_V1(dgw_abort_association);
PG_FUNCTION_INFO_V1(dgw_listener_states);
PG_FUNCTION_INFO_V1(dgw_receiving);

Size
dgw_receiver_shared_size(void)
{
	return sizeof(ReceiverShared);
}

/* The slots are not touched: pages that no association reaches cost nothing. */
void
dgw_receiver_shared_init(LWLock *lock)
{
	bool found;

	shared = ShmemInitStruct("dicomgw receiver", sizeof(ReceiverShared), &found);
	if (found)
		return;
	memset(shared, 0, offsetof(ReceiverShared, slots));
	shared->lock = lock;
	pg_atomic_init_u32(&shared->aborts_wanted, 0);
}

static void
clear(void)
{
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	shared->n_slots = 0;
	shared->n_listeners = 0;
	shared->receiving_since = 0;
	LWLockRelease(shared->lock);
}

static void
clear_at_exit(int code, Datum arg)
{
	clear();
}

void
dgw_receiver_shared_begin(void)
{
	free_slots = MemoryContextAlloc(TopMemoryContext, DGW_MAX_OPEN * sizeof(int));
	n_free = 0;
	clear();
	before_shmem_exit(clear_at_exit, (Datum) 0);
}

int
dgw_show_association(const DgwAssociationInfo *info)
{
	int slot;

	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	if (n_free > 0)
		slot = free_slots[--n_free];
	else if (shared->n_slots < DGW_MAX_OPEN)
		slot = shared->n_slots++;
	else
		slot = -1;
	if (slot >= 0)
	{
		shared->slots[slot].abort_wanted = false;
		shared->slots[slot].info = *info;
	}
	LWLockRelease(shared->lock);
	return slot;
}

void
dgw_update_association(int slot, const DgwAssociationInfo *info)
{
	if (slot < 0)
		return;
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	shared->slots[slot].info = *info;
	LWLockRelease(shared->lock);
}

void
dgw_hide_association(int slot)
{
	if (slot < 0)
		return;
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	shared->slots[slot].info.id = 0;
	LWLockRelease(shared->lock);
	free_slots[n_free++] = slot;
}

void
dgw_show_listeners(const DgwListenerNote *notes, int n)
{
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	shared->n_listeners = n;
	memcpy(shared->listeners, notes, n * sizeof(DgwListenerNote));
	LWLockRelease(shared->lock);
}

void
dgw_show_receiving(bool accepts_objects, const char *reason)
{
	TimestampTz now = GetCurrentTimestamp();

	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	if (shared->receiving_since == 0 || shared->accepts_objects != accepts_objects)
		shared->receiving_since = now;
	shared->accepts_objects = accepts_objects;
	strlcpy(shared->reason, reason, sizeof(shared->reason));
	LWLockRelease(shared->lock);
}

uint32
dgw_take_abort(void)
{
	uint32 pid = 0;

	if (pg_atomic_read_u32(&shared->aborts_wanted) == 0)
		return 0;
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	for (int i = 0; i < shared->n_slots && pid == 0; i++)
	{
		Slot *slot = &shared->slots[i];

		if (slot->info.id == 0 || !slot->abort_wanted)
			continue;
		slot->abort_wanted = false;
		pid = slot->info.pid;
	}
	if (pid == 0)
		pg_atomic_write_u32(&shared->aborts_wanted, 0);
	LWLockRelease(shared->lock);
	return pid;
}

/* ---------- SQL functions ---------- */

static Datum
text_or_null(const char *text, bool *isnull)
{
	*isnull = text[0] == '\0';
	return CStringGetTextDatum(text);
}

static void
put_association(ReturnSetInfo *rsinfo, const DgwAssociationInfo *a)
{
	Datum values[17];
	bool nulls[17] = {false};

	values[0] = Int64GetDatum(a->id);
	values[1] = Int32GetDatum(a->listener_id);
	values[2] = dgw_inet_of(a->peer_address);
	values[3] = Int32GetDatum(a->peer_port);
	values[4] = text_or_null(a->calling_ae, &nulls[4]);
	values[5] = text_or_null(a->called_ae, &nulls[5]);
	values[6] = text_or_null(a->username, &nulls[6]);
	values[7] = text_or_null(a->implementation_class_uid, &nulls[7]);
	values[8] = text_or_null(a->implementation_version, &nulls[8]);
	values[9] = text_or_null(a->tls_version, &nulls[9]);
	values[10] = text_or_null(a->tls_cipher, &nulls[10]);
	values[11] = text_or_null(a->tls_subject, &nulls[11]);
	values[12] = TimestampTzGetDatum(a->started_at);
	values[13] = TimestampTzGetDatum(a->last_active_at);
	values[14] = Int64GetDatum(a->objects);
	values[15] = Int64GetDatum(a->bytes);
	values[16] = CStringGetTextDatum(a->admitted ? "open" : "connected");
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* dicomgw.open_associations() returns setof record */
Datum
dgw_open_associations(PG_FUNCTION_ARGS)
{
	DgwAssociationInfo *copies;
	int n = 0;

	InitMaterializedSRF(fcinfo, 0);
	if (shared == NULL)
		return (Datum) 0;
	copies = palloc(DGW_MAX_OPEN * sizeof(DgwAssociationInfo));
	LWLockAcquire(shared->lock, LW_SHARED);
	for (int i = 0; i < shared->n_slots; i++)
		if (shared->slots[i].info.id != 0)
			copies[n++] = shared->slots[i].info;
	LWLockRelease(shared->lock);

	for (int i = 0; i < n; i++)
		put_association((ReturnSetInfo *) fcinfo->resultinfo, &copies[i]);
	pfree(copies);
	return (Datum) 0;
}

/* dicomgw.abort_association(association_id bigint) returns boolean */
Datum
dgw_abort_association(PG_FUNCTION_ARGS)
{
	int64 id = PG_GETARG_INT64(0);
	bool found = false;

	if (shared == NULL)
		PG_RETURN_BOOL(false);
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	for (int i = 0; i < shared->n_slots && id != 0 && !found; i++)
	{
		if (shared->slots[i].info.id != id)
			continue;
		found = shared->slots[i].abort_wanted = true;
		pg_atomic_write_u32(&shared->aborts_wanted, 1);
	}
	LWLockRelease(shared->lock);
	if (found)
		dgw_wake(DGW_RECEIVER);
	PG_RETURN_BOOL(found);
}

/* dicomgw.listener_states() returns setof record */
Datum
dgw_listener_states(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	DgwListenerNote notes[DGW_MAX_LISTENERS];
	int n;

	InitMaterializedSRF(fcinfo, 0);
	if (shared == NULL)
		return (Datum) 0;
	LWLockAcquire(shared->lock, LW_SHARED);
	n = shared->n_listeners;
	memcpy(notes, shared->listeners, n * sizeof(DgwListenerNote));
	LWLockRelease(shared->lock);

	for (int i = 0; i < n; i++)
	{
		Datum values[4];
		bool nulls[4] = {false};

		values[0] = Int32GetDatum(notes[i].id);
		values[1] = BoolGetDatum(notes[i].listening);
		values[2] = text_or_null(notes[i].message, &nulls[2]);
		values[3] = TimestampTzGetDatum(notes[i].certificate_expires_at);
		nulls[3] = notes[i].certificate_expires_at == 0;
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* dicomgw._receiving() returns record */
Datum
dgw_receiving(PG_FUNCTION_ARGS)
{
	TupleDesc desc;
	Datum values[3] = {BoolGetDatum(false)};
	bool nulls[3] = {false, false, true};
	char reason[sizeof(shared->reason)] = "the receiver is not running";
	TimestampTz since = 0;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (shared != NULL)
	{
		LWLockAcquire(shared->lock, LW_SHARED);
		since = shared->receiving_since;
		if (since != 0)
		{
			values[0] = BoolGetDatum(shared->accepts_objects);
			strlcpy(reason, shared->reason, sizeof(reason));
		}
		LWLockRelease(shared->lock);
	}
	values[1] = text_or_null(reason, &nulls[1]);
	values[2] = TimestampTzGetDatum(since);
	nulls[2] = since == 0;
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}
