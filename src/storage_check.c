/*-------------------------------------------------------------------------
 *
 * storage_check.c
 *	  A task of maintenance: the check of the storage, once after each start of
 *	  the server and then daily, an hour of files a transaction.
 *
 * The work is that of dicomgw.check_storage(), which see (sql/storage.sql).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "maintenance.h"
#include "worker.h"

typedef struct Check
{
	bool running;
	TimestampTz started;
	char hour[32];		   /* done last; empty: the folders above the hours' */
	char ingest_from[128]; /* first file that is not routed yet */
	bool busy;			   /* a commit is under way that has not ended: remove nothing */
	int64 files;
	int64 problems;
	int64 removed;
} Check;

static Check check;

static const char *
text_column(int column)
{
	const char *value = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column);

	return value != NULL ? value : "";
}

static int64
number_column(int column)
{
	bool isnull;

	return DatumGetInt64(
		SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, &isnull));
}

static bool
truth_column(int column)
{
	bool isnull;

	return DatumGetBool(
		SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, &isnull));
}

static void
execute(const char *sql, int nargs, Oid *types, Datum *values)
{
	if (SPI_execute_with_args(sql, nargs, types, values, NULL, false, 1) != SPI_OK_SELECT ||
		SPI_processed != 1)
		elog(ERROR, "could not check the storage");
}

/* True if a check is due, and then has begun. */
static bool
begin_check(void)
{
	Check fresh = {.started = GetCurrentTimestamp()};

	dgw_begin("looking whether a check of the storage is due");
	execute("SELECT due, ingest_from FROM dicomgw._check_due()", 0, NULL, NULL);
	fresh.running = truth_column(1);
	strlcpy(fresh.ingest_from, text_column(2), sizeof(fresh.ingest_from));
	dgw_commit();
	if (fresh.running)
		check = fresh;
	return fresh.running;
}

static void
check_hour(void)
{
	Oid types[] = {TEXTOID, TEXTOID, BOOLOID};
	Datum values[] = {
		CStringGetTextDatum(check.hour),
		CStringGetTextDatum(check.ingest_from),
		BoolGetDatum(check.busy),
	};
	char hour[sizeof(check.hour)];

	dgw_begin("checking the storage");
	execute("SELECT files, problems, removed, busy, next_hour "
			"FROM dicomgw._check_step($1, $2, CASE WHEN $3 THEN 'busy' ELSE 'remove' END, false)",
			lengthof(types), types, values);
	check.files += number_column(1);
	check.problems += number_column(2);
	check.removed += number_column(3);
	check.busy = check.busy || truth_column(4);
	strlcpy(hour, text_column(5), sizeof(hour));
	dgw_commit();
	check.running = hour[0] != '\0';
	strlcpy(check.hour, hour, sizeof(check.hour));
}

static void
end_check(void)
{
	Oid types[] = {TIMESTAMPTZOID, INT8OID, INT8OID, INT8OID};
	Datum values[] = {
		TimestampTzGetDatum(check.started),
		Int64GetDatum(check.files),
		Int64GetDatum(check.problems),
		Int64GetDatum(check.removed),
	};

	dgw_begin("ending a check of the storage");
	execute("SELECT dicomgw._check_ended($1, $2, $3, $4)", lengthof(types), types, values);
	dgw_commit();
}

static void
report(StringInfo did, StringInfo trouble)
{
	static int64 open_problems = 0;

	if (!check.running)
	{
		dgw_begin("counting problems of the storage");
		execute("SELECT count(*) FROM dicomgw.storage_problem WHERE instance_id IS NOT NULL", 0,
				NULL, NULL);
		open_problems = number_column(1);
		dgw_commit();
	}
	appendStringInfo(did, "storage check: " INT64_FORMAT " files, " INT64_FORMAT " problems%s",
					 check.files, check.problems, check.running ? ", goes on" : "");
	if (open_problems > 0)
		appendStringInfo(trouble,
						 INT64_FORMAT " copies of objects are missing or damaged: see "
									  "dicomgw.storage_problem",
						 open_problems);
}

bool
dgw_check_storage_slice(StringInfo did, StringInfo trouble)
{
	MemoryContext context = CurrentMemoryContext;
	TimestampTz started = GetCurrentTimestamp();

	if (check.running || begin_check())
	{
		PG_TRY();
		{
			do
			{
				MemoryContextSwitchTo(context);
				check_hour();
				MemoryContextSwitchTo(context);
			} while (check.running && !ProcDiePending && !dgw_on_hold() &&
					 !TimestampDifferenceExceeds(started, GetCurrentTimestamp(), DGW_SLICE_MS));
			if (!check.running)
				end_check();
		}
		PG_CATCH();
		{
			/* The next one begins at the beginning. */
			check.running = false;
			PG_RE_THROW();
		}
		PG_END_TRY();
	}
	MemoryContextSwitchTo(context);
	report(did, trouble);
	MemoryContextSwitchTo(context);
	return check.running;
}
