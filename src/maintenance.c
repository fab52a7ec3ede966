/*-------------------------------------------------------------------------
 *
 * maintenance.c
 *	  The worker "dicomgw maintenance": housekeeping, a table of tasks.
 *
 * A task is one SQL function, run in one transaction when its time has come,
 * or a C function that works in slices (see maintenance.h); it says what it
 * did, in words.  A task that fails is logged, shown in dicomgw.status until it
 * succeeds, and tried again at its next time; the others go on.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "maintenance.h"
#include "worker.h"

typedef struct Task
{
	const char *name;
	const char *sql; /* this or the next */
	DgwTaskFunction slice;
	int interval_ms;
	bool on_reload; /* what it does depends on settings: at once after a reload */
	TimestampTz due;
	char did[96];
	char error[256];
} Task;

static Task tasks[] = {
	{.name = "partitions",
	 .sql = "SELECT dicomgw._maintain_partitions()",
	 .interval_ms = 10 * 60 * 1000,
	 .on_reload = true},
	{.name = "repair", .slice = dgw_repair_slice, .interval_ms = 5000, .on_reload = true},
	{.name = "retention",
	 .slice = dgw_retention_slice,
	 .interval_ms = 60 * 1000,
	 .on_reload = true},
	{.name = "task", .slice = dgw_task_slice, .interval_ms = 1000},
	{.name = "counting", .sql = "SELECT dicomgw._fold_measurements()", .interval_ms = 5000},
	{.name = "ended tasks", .sql = "SELECT dicomgw._expire_tasks()", .interval_ms = 60 * 60 * 1000},
	{.name = "roll-ups", .sql = "SELECT dicomgw._expire_traffic()", .interval_ms = 60 * 60 * 1000},
	{.name = "storage check", .slice = dgw_check_storage_slice, .interval_ms = 60 * 1000},
	{.name = "picture cache",
	 .slice = dgw_picture_cache_slice,
	 .interval_ms = 60 * 1000,
	 .on_reload = true},
};

static void
run_sql(const Task *task, StringInfo did)
{
	char *result;

	dgw_begin(task->name);
	if (SPI_execute(task->sql, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not run task \"%s\"", task->name);
	result = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	appendStringInfoString(did, result != NULL ? result : "");
	dgw_commit();
}

/* One turn of a task; true if there is more to do at once. */
static bool
run_task(Task *task)
{
	MemoryContext caller = CurrentMemoryContext;
	StringInfoData did;
	StringInfoData trouble;
	volatile bool more = false;

	initStringInfo(&did);
	initStringInfo(&trouble);
	PG_TRY();
	{
		if (task->sql != NULL)
			run_sql(task, &did);
		else
			more = task->slice(&did, &trouble);
		MemoryContextSwitchTo(caller);
		strlcpy(task->did, did.data, sizeof(task->did));
		strlcpy(task->error, trouble.data, sizeof(task->error));
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(caller);
		EmitErrorReport();
		error = CopyErrorData();
		FlushErrorState();
		dgw_abort();
		MemoryContextSwitchTo(caller);
		snprintf(task->did, sizeof(task->did), "%s failed", task->name);
		strlcpy(task->error, error->message, sizeof(task->error));
		more = false;
	}
	PG_END_TRY();
	return more;
}

/* dicomgw.status: what each task did last, and the first trouble that there is. */
static void
show_tasks(void)
{
	StringInfoData did;
	const char *error = NULL;

	initStringInfo(&did);
	for (int i = 0; i < (int) lengthof(tasks); i++)
	{
		if (tasks[i].did[0] != '\0')
			appendStringInfo(&did, "%s%s", did.len > 0 ? "; " : "", tasks[i].did);
		if (error == NULL && tasks[i].error[0] != '\0')
			error = tasks[i].error;
	}
	dgw_idle("%s", did.data);
	if (error != NULL)
		dgw_note_error("%s", error);
	else
		dgw_clear_error();
}

/* Run what is due; returns how long there is nothing to do, in milliseconds. */
static long
run_due_tasks(bool reloaded)
{
	TimestampTz now = GetCurrentTimestamp();
	long wait_ms = DGW_POLL_MS;
	bool ran = false;

	for (int i = 0; i < (int) lengthof(tasks); i++)
	{
		Task *task = &tasks[i];

		if (task->due <= now || (reloaded && task->on_reload))
		{
			bool more = run_task(task);

			ran = true;
			task->due = more ? 0 : TimestampTzPlusMilliseconds(now, task->interval_ms);
			if (ProcDiePending)
				break;
		}
		wait_ms = Min(wait_ms, TimestampDifferenceMilliseconds(now, task->due));
	}
	if (ran)
		show_tasks();
	return wait_ms;
}

void
dgw_maintenance_run(void)
{
	WaitEventSet *wait_set = dgw_wait_set(-1);
	MemoryContext context =
		AllocSetContextCreate(TopMemoryContext, "dicomgw maintenance turn", ALLOCSET_DEFAULT_SIZES);

	for (;;)
	{
		bool reloaded = dgw_between_turns();
		long wait_ms;

		MemoryContextReset(context);
		MemoryContextSwitchTo(context);
		wait_ms = run_due_tasks(reloaded);

		/* Nothing to do, but to notice that the extension is gone. */
		dgw_begin("looking for the extension");
		dgw_commit();
		if (wait_ms > 0)
			dgw_wait(wait_set, wait_ms);
	}
}
