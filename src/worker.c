/*-------------------------------------------------------------------------
 *
 * worker.c
 *	  What all workers but the launcher have in common (see worker.h).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <malloc.h>

#include "access/xact.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "libpq/pqsignal.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/lmgr.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "launcher.h"
#include "worker.h"

#define KEPT_MEMORY (16 * 1024 * 1024)

static void (*const worker_functions[DGW_N_WORKERS])(void) = {
	[DGW_RECEIVER] = dgw_receiver_run,	 [DGW_ROUTER] = dgw_router_run,
	[DGW_FORWARDER] = dgw_forwarder_run, [DGW_MAINTENANCE] = dgw_maintenance_run,
	[DGW_AUDIT] = dgw_audit_run,
};

static emit_log_hook_type prev_emit_log_hook = NULL;

/* Keep the last error's text for dicomgw.status. */
static void
remember_error(ErrorData *edata)
{
	if (edata->elevel >= ERROR && edata->sqlerrcode != ERRCODE_ADMIN_SHUTDOWN)
		dgw_note_error("%s", edata->message ? edata->message : "unknown error");
	if (prev_emit_log_hook)
		prev_emit_log_hook(edata);
}

/*
 * A turn's memory is freed at its end and wanted again in the next: giving it
 * back to the kernel meanwhile was a tenth of the receiver's work.
 */
static void
keep_freed_memory(void)
{
	(void) mallopt(M_MMAP_THRESHOLD, KEPT_MEMORY);
	(void) mallopt(M_TRIM_THRESHOLD, KEPT_MEMORY);
}

void
dgw_worker_main(Datum arg)
{
	DgwWorkerKind kind = (DgwWorkerKind) DatumGetInt32(arg);

	keep_freed_memory();
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();

	dgw_slot_acquire(kind);
	prev_emit_log_hook = emit_log_hook;
	emit_log_hook = remember_error;

	BackgroundWorkerInitializeConnection(MyBgworkerEntry->bgw_extra, NULL, 0);
	SetConfigOption("search_path", "pg_catalog, pg_temp", PGC_SUSET, PGC_S_OVERRIDE);
	SetConfigOption("statement_timeout", "0", PGC_SUSET, PGC_S_OVERRIDE);
	SetConfigOption("idle_in_transaction_session_timeout", "0", PGC_SUSET, PGC_S_OVERRIDE);

	worker_functions[kind]();
	pg_unreachable();
}

/* In order, without a word in the log. */
static void
leave(const char *why)
{
	dgw_note_action("%s", why);
	dgw_wake(DGW_LAUNCHER);
	proc_exit(0);
}

static uint64 config_generation;

uint64
dgw_config_generation(void)
{
	return config_generation;
}

void
dgw_begin(const char *activity)
{
	static Oid extension = InvalidOid;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	pgstat_report_activity(STATE_RUNNING, activity);

	/* Looked for twice at first, as it may be gone before the lock is ours; then it is known what to lock. */
	if (!OidIsValid(extension))
		extension = get_extension_oid("dicomgw", true);
	if (OidIsValid(extension))
	{
		LockDatabaseObject(ExtensionRelationId, extension, 0, AccessShareLock);
		if (get_extension_oid("dicomgw", true) != extension)
			extension = InvalidOid;
	}
	if (!OidIsValid(extension))
	{
		AbortCurrentTransaction();
		dgw_shared->extension_found = false;
		leave("the extension is not there");
	}
	/* In this order: what is counted here is committed, so the snapshot has it. */
	config_generation = pg_atomic_read_u64(&dgw_shared->config_generation);
	pg_memory_barrier();
	PushActiveSnapshot(GetTransactionSnapshot());
	SPI_connect();
}

void
dgw_commit(void)
{
	SPI_finish();
	PopActiveSnapshot();
	CommitTransactionCommand();
}

void
dgw_abort(void)
{
	AbortCurrentTransaction();
}

void
dgw_idle(const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	pgstat_report_activity(STATE_IDLE, text);
	dgw_note_action("%s", text);
}

bool
dgw_between_turns(void)
{
	if (ProcDiePending)
		leave("was told to end");
	CHECK_FOR_INTERRUPTS();
	if (dgw_on_hold())
		leave("the database is wanted for itself by another session");
	if (!ConfigReloadPending)
		return false;
	ConfigReloadPending = false;
	ProcessConfigFile(PGC_SIGHUP);
	return true;
}

WaitEventSet *
dgw_wait_set(int fd)
{
#if PG_VERSION_NUM >= 170000
	WaitEventSet *set = CreateWaitEventSet(NULL, 3);
#else
	WaitEventSet *set = CreateWaitEventSet(TopMemoryContext, 3);
#endif

	AddWaitEventToSet(set, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
	AddWaitEventToSet(set, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, NULL, NULL);
	if (fd >= 0)
		AddWaitEventToSet(set, WL_SOCKET_READABLE, fd, NULL, NULL);
	return set;
}

void
dgw_wait(WaitEventSet *set, long timeout_ms)
{
	WaitEvent event;

	/* Statistics that are held back for now are due in so many milliseconds. */
	if (timeout_ms > 0)
	{
		long statistics_due_ms = pgstat_report_stat(false);

		if (statistics_due_ms > 0)
			timeout_ms = Min(timeout_ms, statistics_due_ms);
	}
	WaitEventSetWait(set, timeout_ms, &event, 1, PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
}

void
dgw_rest(TimestampTz turn_began)
{
	long rest_ms = DGW_TURN_MS - TimestampDifferenceMilliseconds(turn_began, GetCurrentTimestamp());

	if (rest_ms > 0)
		pg_usleep(rest_ms * 1000);
}
