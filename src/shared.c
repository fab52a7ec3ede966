/*-------------------------------------------------------------------------
 *
 * shared.c
 *	  What the workers share (see shared.h), and the SQL functions that show
 *	  it and that wake them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "storage/shmem.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "login_attempts.h"
#include "receiver_shared.h"
#include "shared.h"

DgwShared *dgw_shared = NULL;

static shmem_request_hook_type prev_shmem_request_hook = NULL;
static shmem_startup_hook_type prev_shmem_startup_hook = NULL;

static DgwWorkerSlot *my_slot = NULL;

/* What the current transaction asks for at its commit. */
static bool wake_requested = false;
static bool config_changed_in_xact = false;
static bool audited_in_xact = false;

static const char *const worker_names[DGW_N_WORKERS] = {
	[DGW_LAUNCHER] = "launcher",   [DGW_RECEIVER] = "receiver",		  [DGW_ROUTER] = "router",
	[DGW_FORWARDER] = "forwarder", [DGW_MAINTENANCE] = "maintenance", [DGW_AUDIT] = "audit",
};

PG_FUNCTION_INFO_V1(dgw_worker_status);
PG_FUNCTION_INFO_V1(dgw_notify_config_change);
PG_FUNCTION_INFO_V1(dgw_notify_work);

const char *
dgw_worker_name(DgwWorkerKind kind)
{
	return worker_names[kind];
}

static void
request_shmem(void)
{
	if (prev_shmem_request_hook)
		prev_shmem_request_hook();
	RequestAddinShmemSpace(sizeof(DgwShared));
	RequestAddinShmemSpace(dgw_receiver_shared_size());
	RequestAddinShmemSpace(dgw_login_attempts_size());
	RequestNamedLWLockTranche("dicomgw", 3);
}

static void
startup_shmem(void)
{
	bool found;

	if (prev_shmem_startup_hook)
		prev_shmem_startup_hook();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	dgw_shared = ShmemInitStruct("dicomgw", sizeof(DgwShared), &found);
	if (!found)
	{
		memset(dgw_shared, 0, sizeof(DgwShared));
		dgw_shared->lock = &GetNamedLWLockTranche("dicomgw")->lock;
		pg_atomic_init_u64(&dgw_shared->config_generation, 1);
	}
	dgw_receiver_shared_init(&GetNamedLWLockTranche("dicomgw")[1].lock);
	dgw_login_attempts_init(&GetNamedLWLockTranche("dicomgw")[2].lock);
	LWLockRelease(AddinShmemInitLock);
}

/* ---------- a worker's slot ---------- */

static void
release_slot(int code, Datum arg)
{
	LWLockAcquire(dgw_shared->lock, LW_EXCLUSIVE);
	if (my_slot->pid == MyProcPid)
	{
		my_slot->pid = 0;
		my_slot->since = GetCurrentTimestamp();
	}
	LWLockRelease(dgw_shared->lock);
	my_slot = NULL;
}

void
dgw_slot_acquire(DgwWorkerKind kind)
{
	my_slot = &dgw_shared->slots[kind];
	LWLockAcquire(dgw_shared->lock, LW_EXCLUSIVE);
	my_slot->pid = MyProcPid;
	my_slot->since = GetCurrentTimestamp();
	LWLockRelease(dgw_shared->lock);
	before_shmem_exit(release_slot, (Datum) 0);
}

static void
note(char *field, size_t size, TimestampTz *at, const char *text)
{
	TimestampTz now = text[0] != '\0' ? GetCurrentTimestamp() : 0;

	LWLockAcquire(dgw_shared->lock, LW_EXCLUSIVE);
	strlcpy(field, text, size);
	*at = now;
	LWLockRelease(dgw_shared->lock);
}

void
dgw_note_action(const char *fmt, ...)
{
	char text[sizeof(my_slot->action)];
	va_list args;

	if (my_slot == NULL)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	note(my_slot->action, sizeof(my_slot->action), &my_slot->action_at, text);
}

void
dgw_note_error(const char *fmt, ...)
{
	char text[sizeof(my_slot->error)];
	va_list args;

	if (my_slot == NULL)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	note(my_slot->error, sizeof(my_slot->error), &my_slot->error_at, text);
}

void
dgw_note_error_of(DgwWorkerKind kind, const char *message)
{
	DgwWorkerSlot *slot = &dgw_shared->slots[kind];

	note(slot->error, sizeof(slot->error), &slot->error_at, message);
}

/* What was wrong is well again. */
void
dgw_clear_error(void)
{
	if (my_slot != NULL && my_slot->error[0] != '\0')
		note(my_slot->error, sizeof(my_slot->error), &my_slot->error_at, "");
}

/* ---------- waking ---------- */

pid_t
dgw_worker_pid(DgwWorkerKind kind)
{
	pid_t pid;

	if (dgw_shared == NULL)
		return 0;
	LWLockAcquire(dgw_shared->lock, LW_SHARED);
	pid = dgw_shared->slots[kind].pid;
	LWLockRelease(dgw_shared->lock);
	return pid;
}

void
dgw_wake(DgwWorkerKind kind)
{
	pid_t pid = dgw_worker_pid(kind);
	PGPROC *proc = pid != 0 ? BackendPidGetProc(pid) : NULL;

	if (proc != NULL)
		SetLatch(&proc->procLatch);
}

void
dgw_wake_all(void)
{
	for (int kind = 0; kind < DGW_N_WORKERS; kind++)
		dgw_wake(kind);
}

bool
dgw_on_hold(void)
{
	pid_t pid;

	LWLockAcquire(dgw_shared->lock, LW_SHARED);
	pid = dgw_shared->hold_pid;
	LWLockRelease(dgw_shared->lock);
	return pid != 0 && BackendPidGetProc(pid) != NULL;
}

void
dgw_wake_at_commit(bool config_changed)
{
	wake_requested = true;
	config_changed_in_xact = config_changed_in_xact || config_changed;
}

void
dgw_wake_audit_at_commit(void)
{
	audited_in_xact = true;
}

static void
at_end_of_xact(XactEvent event, void *arg)
{
	if (!wake_requested && !audited_in_xact)
		return;
	switch (event)
	{
		case XACT_EVENT_COMMIT:
			if (dgw_shared != NULL)
			{
				if (config_changed_in_xact)
					pg_atomic_fetch_add_u64(&dgw_shared->config_generation, 1);
				if (wake_requested)
					dgw_wake_all();
				else
					dgw_wake(DGW_AUDIT);
			}
			break;
		case XACT_EVENT_PRE_PREPARE:
			/* nobody would be told when it is committed, maybe by another session */
			if (config_changed_in_xact)
				ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
								errmsg("cannot PREPARE a transaction that has changed the "
									   "configuration of dicomgw")));
			return;
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			break;
		default:
			return; /* not over yet */
	}
	wake_requested = false;
	config_changed_in_xact = false;
	audited_in_xact = false;
}

/* In every process that loads the library; the shared area only while preloading. */
void
dgw_shared_init(void)
{
	RegisterXactCallback(at_end_of_xact, NULL);
	if (!process_shared_preload_libraries_in_progress)
		return;
	prev_shmem_request_hook = shmem_request_hook;
	shmem_request_hook = request_shmem;
	prev_shmem_startup_hook = shmem_startup_hook;
	shmem_startup_hook = startup_shmem;
}

/* ---------- SQL functions ---------- */

/*
 * dicomgw.worker_status() returns setof record, one a worker.  Without the
 * shared area each says that it can't run.
 */
Datum
dgw_worker_status(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int kind = 0; kind < DGW_N_WORKERS; kind++)
	{
		DgwWorkerSlot slot = {0};
		Datum values[9];
		bool nulls[9] = {false};

		if (dgw_shared != NULL)
		{
			LWLockAcquire(dgw_shared->lock, LW_SHARED);
			slot = dgw_shared->slots[kind];
			LWLockRelease(dgw_shared->lock);
		}
		else
			strlcpy(slot.error, "dicomgw is not in shared_preload_libraries", sizeof(slot.error));

		values[0] = CStringGetTextDatum(worker_names[kind]);
		values[1] = BoolGetDatum(slot.pid != 0);
		values[2] = Int32GetDatum(slot.pid);
		nulls[2] = slot.pid == 0;
		values[3] = TimestampTzGetDatum(slot.since);
		nulls[3] = slot.since == 0;
		values[4] = CStringGetTextDatum(slot.action);
		nulls[4] = slot.action[0] == '\0';
		values[5] = TimestampTzGetDatum(slot.action_at);
		nulls[5] = slot.action_at == 0;
		values[6] = CStringGetTextDatum(slot.error);
		nulls[6] = slot.error[0] == '\0';
		values[7] = TimestampTzGetDatum(slot.error_at);
		nulls[7] = slot.error_at == 0;
		values[8] = Int32GetDatum(slot.restarts);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

Datum
dgw_notify_config_change(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("function \"%s\" was not called by trigger manager",
							   "dicomgw.notify_config_change")));
	dgw_wake_at_commit(true);
	return PointerGetDatum(NULL);
}

Datum
dgw_notify_work(PG_FUNCTION_ARGS)
{
	dgw_wake_at_commit(false);
	PG_RETURN_VOID();
}
