/*-------------------------------------------------------------------------
 *
 * launcher.c
 *	  Starts the workers when there is something to work in, and paces their
 *	  restarts (see launcher.h).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "commands/extension.h"
#include "libpq/pqsignal.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "guc.h"
#include "launcher.h"
#include "worker.h"

/* While there is nothing to work in, look that often by ourselves (ms). */
#define LOOK_INTERVAL_MS 10000

/* A worker that ran so long was well: its next restart is quick again (ms). */
#define WELL_AFTER_MS 60000
#define FIRST_RESTART_MS 1000
#define LAST_RESTART_MS 60000

/* What the launcher knows of one worker. */
typedef struct Charge
{
	BackgroundWorkerHandle *handle; /* NULL: not started, or ended */
	TimestampTz started;
	TimestampTz start_at; /* not before */
	int wait_ms;		  /* before the next restart */
} Charge;

static Charge charges[DGW_N_WORKERS];
static char started_in[NAMEDATALEN]; /* database of the running workers */

static bool holding; /* this backend keeps the workers out, until its transaction ends */

static BackgroundWorkerHandle *
start_in_database(const char *type, const char *function, Datum arg, const char *database)
{
	BackgroundWorker worker = {0};
	BackgroundWorkerHandle *handle;

	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	worker.bgw_main_arg = arg;
	worker.bgw_notify_pid = MyProcPid;
	strlcpy(worker.bgw_library_name, "dicomgw", BGW_MAXLEN);
	strlcpy(worker.bgw_function_name, function, BGW_MAXLEN);
	snprintf(worker.bgw_name, BGW_MAXLEN, "dicomgw %s", type);
	snprintf(worker.bgw_type, BGW_MAXLEN, "dicomgw %s", type);
	strlcpy(worker.bgw_extra, database, BGW_EXTRALEN);
	if (!RegisterDynamicBackgroundWorker(&worker, &handle))
	{
		dgw_note_error("no free background worker slot: raise max_worker_processes");
		return NULL;
	}
	return handle;
}

/* ---------- is there something to work in? ---------- */

/*
 * A plain scan, as the autovacuum launcher does it: a process without a
 * database may find no index of a shared catalog in its relation cache.
 */
static bool
database_accepts_connections(const char *name)
{
	bool accepts = false;
	Relation relation;
	TableScanDesc scan;
	HeapTuple tuple;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	relation = table_open(DatabaseRelationId, AccessShareLock);
	scan = table_beginscan_catalog(relation, 0, NULL);
	while (!accepts && (tuple = heap_getnext(scan, ForwardScanDirection)) != NULL)
	{
		Form_pg_database database = (Form_pg_database) GETSTRUCT(tuple);

		accepts = strcmp(NameStr(database->datname), name) == 0 && database->datallowconn;
	}
	table_endscan(scan);
	table_close(relation, AccessShareLock);
	PopActiveSnapshot();
	CommitTransactionCommand();
	return accepts;
}

/* The probe: a background worker that looks for the extension and ends. */
void
dgw_probe_main(Datum arg)
{
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(MyBgworkerEntry->bgw_extra, NULL, 0);

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	dgw_shared->extension_found = OidIsValid(get_extension_oid("dicomgw", true));
	PopActiveSnapshot();
	CommitTransactionCommand();
	proc_exit(0);
}

static bool
extension_is_there(const char *database)
{
	BackgroundWorkerHandle *handle;

	dgw_shared->extension_found = false;
	handle = start_in_database("probe", "dgw_probe_main", (Datum) 0, database);
	if (handle == NULL)
		return false;
	WaitForBackgroundWorkerShutdown(handle);
	pfree(handle);
	return dgw_shared->extension_found;
}

/* What keeps the workers from running, for dicomgw.status; NULL if nothing does. */
static const char *
find_obstacle(void)
{
	static char text[NAMEDATALEN + 100];

	if (dgw_on_hold())
		snprintf(text, sizeof(text), "another session wants database \"%s\" for itself",
				 dgw_database);
	else if (!database_accepts_connections(dgw_database))
		snprintf(text, sizeof(text), "database \"%s\" (dicomgw.database) does not exist",
				 dgw_database);
	else if (!extension_is_there(dgw_database))
		snprintf(text, sizeof(text), "extension dicomgw is not installed in database \"%s\"",
				 dgw_database);
	else
		return NULL;
	return text;
}

/* ---------- the workers ---------- */

static bool
any_running(void)
{
	for (int kind = DGW_LAUNCHER + 1; kind < DGW_N_WORKERS; kind++)
		if (charges[kind].handle != NULL)
			return true;
	return false;
}

/* Notice who has ended, and set the time at which it may start again. */
static void
reap(void)
{
	for (int kind = DGW_LAUNCHER + 1; kind < DGW_N_WORKERS; kind++)
	{
		Charge *charge = &charges[kind];
		TimestampTz now;
		pid_t pid;

		if (charge->handle == NULL || GetBackgroundWorkerPid(charge->handle, &pid) != BGWH_STOPPED)
			continue;
		pfree(charge->handle);
		charge->handle = NULL;

		now = GetCurrentTimestamp();
		if (TimestampDifferenceExceeds(charge->started, now, WELL_AFTER_MS))
			charge->wait_ms = FIRST_RESTART_MS;
		charge->start_at = TimestampTzPlusMilliseconds(now, charge->wait_ms);
		charge->wait_ms = Min(charge->wait_ms * 2, LAST_RESTART_MS);
	}
}

/* What a crash has left is the receiver's to put right, before anybody reads a file. */
static bool
may_start(int kind)
{
	return kind == DGW_RECEIVER || dgw_shared->journal_mended;
}

static void
start_missing(void)
{
	TimestampTz now = GetCurrentTimestamp();

	for (int kind = DGW_LAUNCHER + 1; kind < DGW_N_WORKERS; kind++)
	{
		Charge *charge = &charges[kind];

		if (charge->handle != NULL || charge->start_at > now || !may_start(kind))
			continue;
		if (charge->started != 0)
		{
			LWLockAcquire(dgw_shared->lock, LW_EXCLUSIVE);
			dgw_shared->slots[kind].restarts++;
			LWLockRelease(dgw_shared->lock);
		}
		charge->started = now;
		charge->handle = start_in_database(dgw_worker_name(kind), "dgw_worker_main",
										   Int32GetDatum(kind), started_in);
	}
}

/* The workers are to go; those that don't know it yet are told. */
static void
stop_all(void)
{
	for (int kind = DGW_LAUNCHER + 1; kind < DGW_N_WORKERS; kind++)
		if (charges[kind].handle != NULL)
			TerminateBackgroundWorker(charges[kind].handle);
}

static void
forget_restarts(void)
{
	for (int kind = DGW_LAUNCHER + 1; kind < DGW_N_WORKERS; kind++)
		charges[kind] = (Charge){.handle = charges[kind].handle, .wait_ms = FIRST_RESTART_MS};
}

/* Every worker that could run says why it does not. */
static void
publish_obstacle(const char *obstacle)
{
	dgw_idle("waits: %s", obstacle);
	for (int kind = DGW_LAUNCHER + 1; kind < DGW_N_WORKERS; kind++)
		dgw_note_error_of(kind, obstacle);
}

/* One turn; returns how long to sleep, in milliseconds. */
static long
launcher_turn(bool *working)
{
	long sleep_ms = LOOK_INTERVAL_MS;
	TimestampTz now;

	reap();
	if (*working &&
		(!dgw_shared->extension_found || dgw_on_hold() || strcmp(started_in, dgw_database) != 0))
	{
		stop_all();
		*working = false;
	}
	if (!*working)
	{
		const char *obstacle;

		if (any_running())
			return 100;
		obstacle = find_obstacle();
		if (obstacle != NULL)
		{
			publish_obstacle(obstacle);
			return dgw_on_hold() ? 100 : LOOK_INTERVAL_MS;
		}
		strlcpy(started_in, dgw_database, sizeof(started_in));
		forget_restarts();
		for (int kind = DGW_LAUNCHER + 1; kind < DGW_N_WORKERS; kind++)
			dgw_note_error_of(kind, "");
		dgw_shared->journal_mended = false;
		*working = true;
	}

	start_missing();
	dgw_idle("looks after the workers in database \"%s\"", started_in);
	now = GetCurrentTimestamp();
	for (int kind = DGW_LAUNCHER + 1; kind < DGW_N_WORKERS; kind++)
		if (charges[kind].handle == NULL && may_start(kind))
			sleep_ms = Min(sleep_ms,
						   Max(TimestampDifferenceMilliseconds(now, charges[kind].start_at), 10));
	return sleep_ms;
}

void
dgw_launcher_main(Datum arg)
{
	bool working = false;
	WaitEventSet *wait_set;

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	dgw_slot_acquire(DGW_LAUNCHER);
	wait_set = dgw_wait_set(-1);
	ereport(LOG, (errmsg("dicomgw launcher started")));

	for (;;)
	{
		dgw_wait(wait_set, launcher_turn(&working));
		if (ProcDiePending)
			proc_exit(1); /* 0 would mean: never again */
		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}
	}
}

/* ---------- for backends ---------- */

/*
 * Ask the workers out of their database and wait until they are gone (or for
 * five seconds: then the command itself says who is in the way).
 */
void
dgw_hold_workers(void)
{
	LWLockAcquire(dgw_shared->lock, LW_EXCLUSIVE);
	dgw_shared->hold_pid = MyProcPid;
	LWLockRelease(dgw_shared->lock);
	holding = true;
	dgw_wake_all();

	for (int i = 0; i < 500; i++)
	{
		bool running = false;

		for (int kind = DGW_LAUNCHER + 1; kind < DGW_N_WORKERS; kind++)
			running = running || dgw_worker_pid(kind) != 0;
		if (!running)
			return;
		CHECK_FOR_INTERRUPTS();
		pg_usleep(10 * 1000L);
	}
}

/* The command has committed or was rolled back. */
static void
release_workers(XactEvent event, void *arg)
{
	if (!holding || (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT))
		return;
	holding = false;
	LWLockAcquire(dgw_shared->lock, LW_EXCLUSIVE);
	if (dgw_shared->hold_pid == MyProcPid)
		dgw_shared->hold_pid = 0;
	LWLockRelease(dgw_shared->lock);
	dgw_wake(DGW_LAUNCHER);
}

/* ---------- start ---------- */

void
dgw_launcher_register(void)
{
	BackgroundWorker worker = {0};

	RegisterXactCallback(release_workers, NULL);
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = 1;
	strlcpy(worker.bgw_library_name, "dicomgw", BGW_MAXLEN);
	strlcpy(worker.bgw_function_name, "dgw_launcher_main", BGW_MAXLEN);
	strlcpy(worker.bgw_name, "dicomgw launcher", BGW_MAXLEN);
	strlcpy(worker.bgw_type, "dicomgw launcher", BGW_MAXLEN);
	RegisterBackgroundWorker(&worker);
}
