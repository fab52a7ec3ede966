/*-------------------------------------------------------------------------
 *
 * task.c
 *	  A task of maintenance: the long work that people have started, a portion a
 *	  transaction.
 *
 * What it is, and how it goes on after a crash, is in sql/task.sql.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

#include "maintenance.h"
#include "worker.h"

/* True if there is more to do at once. */
static bool
step(StringInfo did)
{
	char *text;
	bool isnull;
	bool more;

	dgw_begin("working on a task");
	if (SPI_execute("SELECT did, more FROM dicomgw._task_step()", false, 1) != SPI_OK_SELECT ||
		SPI_processed != 1)
		elog(ERROR, "could not work on dicomgw.task");
	text = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	more = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull));
	if (text != NULL)
	{
		resetStringInfo(did);
		appendStringInfoString(did, text);
	}
	dgw_commit();
	return more;
}

bool
dgw_task_slice(StringInfo did, StringInfo trouble)
{
	TimestampTz started = GetCurrentTimestamp();
	MemoryContext context = CurrentMemoryContext;
	bool more;

	do
	{
		more = step(did);
		MemoryContextSwitchTo(context);
	} while (more && !ProcDiePending && !dgw_on_hold() &&
			 !TimestampDifferenceExceeds(started, GetCurrentTimestamp(), DGW_SLICE_MS));
	return more;
}
