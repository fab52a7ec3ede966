/*-------------------------------------------------------------------------
 *
 * maintenance.c
 *	  The worker "dicomgw maintenance": housekeeping, a table of tasks.
 *
 * Each task is one SQL function, run in one transaction when its time has
 * come; it returns what it did, in words.  A task that fails is logged, shown
 * in dicomgw.status, and tried again at its next time; the others go on.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "worker.h"

typedef struct Task
{
	const char *name;
	const char *sql;
	int interval_ms;
	TimestampTz due;
} Task;

static Task tasks[] = {
	{"partitions", "SELECT dicomgw._maintain_partitions()", 10 * 60 * 1000, 0},
};

static void
run_task(const Task *task)
{
	MemoryContext caller = CurrentMemoryContext;
	char *volatile did = NULL;

	PG_TRY();
	{
		char *result;

		dgw_begin(task->name);
		if (SPI_execute(task->sql, false, 1) != SPI_OK_SELECT)
			elog(ERROR, "could not run task \"%s\"", task->name);
		result = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
		did = MemoryContextStrdup(caller, result);
		dgw_commit();
		MemoryContextSwitchTo(caller);
		dgw_clear_error();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		EmitErrorReport();
		FlushErrorState();
		dgw_abort();
		MemoryContextSwitchTo(caller);
		did = psprintf("task \"%s\" failed", task->name);
	}
	PG_END_TRY();
	dgw_idle("%s", did);
}

void
dgw_maintenance_run(void)
{
	WaitEventSet *wait_set = dgw_wait_set(-1);
	MemoryContext context =
		AllocSetContextCreate(TopMemoryContext, "dicomgw maintenance turn", ALLOCSET_DEFAULT_SIZES);

	for (;;)
	{
		TimestampTz now;
		bool reloaded;

		reloaded = dgw_between_turns();
		MemoryContextReset(context);
		MemoryContextSwitchTo(context);
		now = GetCurrentTimestamp();
		for (int i = 0; i < (int) lengthof(tasks); i++)
		{
			if (tasks[i].due > now && !reloaded)
				continue;
			run_task(&tasks[i]);
			tasks[i].due = TimestampTzPlusMilliseconds(now, tasks[i].interval_ms);
		}

		/* Nothing to do, but to notice that the extension is gone. */
		dgw_begin("looking for the extension");
		dgw_commit();
		dgw_wait(wait_set, DGW_POLL_MS);
	}
}
