/*-------------------------------------------------------------------------
 *
 * queue_head.c
 *	  Where the forwarder's next jobs are (see queue_head.h).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "queue_head.h"
#include "worker.h"

/* Look at so many new jobs at a time. */
#define ARRIVALS 5000

#define SWEEP_INTERVAL_MS 500

/* After a sweep that took a millisecond, none for so many. */
#define SWEEP_SHARE 50

static int64 last_seen = -1; /* number of the last job that has come; -1: not looked yet */
static TimestampTz next_sweep;

static int64
int8_column(SPITupleTable *rows, uint64 i, int column)
{
	bool isnull;
	Datum value = SPI_getbinval(rows->vals[i], rows->tupdesc, column, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

static int32
int4_column(SPITupleTable *rows, uint64 i, int column)
{
	bool isnull;

	return DatumGetInt32(SPI_getbinval(rows->vals[i], rows->tupdesc, column, &isnull));
}

/* ---------- what has come ---------- */

/* What there was before is the first sweep's business. */
static void
begin_with_the_last(void)
{
	if (SPI_execute("SELECT coalesce(max(id), 0) FROM dicomgw.forward_job", true, 1) !=
		SPI_OK_SELECT)
		elog(ERROR, "could not read dicomgw.forward_job");
	last_seen = int8_column(SPI_tuptable, 0, 1);
}

void
dgw_queue_arrivals(void)
{
	static SPIPlanPtr plan = NULL;
	int64 n;

	if (last_seen < 0)
		begin_with_the_last();
	do
	{
		SPITupleTable *rows;

		dgw_plan(&plan, "SELECT * FROM dicomgw._arrivals($1, $2)", 2, (Oid[]){INT8OID, INT4OID});
		if (SPI_execute_plan(plan, (Datum[]){Int64GetDatum(last_seen), Int32GetDatum(ARRIVALS)},
							 NULL, false, 0) != SPI_OK_SELECT)
			elog(ERROR, "could not look for new jobs");
		rows = SPI_tuptable;
		n = 0;
		for (uint64 i = 0; i < rows->numvals; i++)
		{
			DgwTarget *target = dgw_target_find(int4_column(rows, i, 1));

			if (target != NULL)
				dgw_target_lower(target, int4_column(rows, i, 2), int8_column(rows, i, 3));
			last_seen = Max(last_seen, int8_column(rows, i, 4));
			n += int8_column(rows, i, 5);
		}
		SPI_freetuptable(rows);
	} while (n == ARRIVALS);
}

/* ---------- what has turned up ---------- */

static ArrayBuildState *
append_cursors(ArrayBuildState *array, const DgwTarget *target)
{
	for (int i = 0; i < DGW_N_PRIORITIES; i++)
		array = accumArrayResult(array, Int64GetDatum(target->cursor[i]), false, INT8OID,
								 CurrentMemoryContext);
	return array;
}

bool
dgw_queue_sweep(void)
{
	static SPIPlanPtr plan = NULL;
	TimestampTz start = GetCurrentTimestamp();
	ArrayBuildState *ids = NULL;
	ArrayBuildState *below = NULL;
	dlist_iter iter;
	SPITupleTable *rows;
	int64 took_ms;

	if (start < next_sweep)
		return false;
	dlist_foreach(iter, dgw_targets())
	{
		DgwTarget *target = dlist_container(DgwTarget, node, iter.cur);

		if (!dgw_target_open(target))
			continue;
		ids =
			accumArrayResult(ids, Int32GetDatum(target->id), false, INT4OID, CurrentMemoryContext);
		below = append_cursors(below, target);
	}
	if (ids != NULL)
	{
		dgw_plan(&plan, "SELECT * FROM dicomgw._sweep($1, $2)", 2,
				 (Oid[]){INT4ARRAYOID, INT8ARRAYOID});
		if (SPI_execute_plan(plan,
							 (Datum[]){makeArrayResult(ids, CurrentMemoryContext),
									   makeArrayResult(below, CurrentMemoryContext)},
							 NULL, false, 0) != SPI_OK_SELECT)
			elog(ERROR, "could not look for jobs that have become due");
		rows = SPI_tuptable;
		for (uint64 i = 0; i < rows->numvals; i++)
			dgw_target_lower(dgw_target_find(int4_column(rows, i, 1)), int4_column(rows, i, 2),
							 int8_column(rows, i, 3));
		SPI_freetuptable(rows);
	}
	took_ms = (GetCurrentTimestamp() - start) / 1000;
	next_sweep = TimestampTzPlusMilliseconds(start, Max(SWEEP_INTERVAL_MS, took_ms * SWEEP_SHARE));
	return true;
}

long
dgw_queue_sweep_wait(void)
{
	return TimestampDifferenceMilliseconds(GetCurrentTimestamp(), next_sweep);
}

/* ---------- claiming ---------- */

static DgwSlice
text_slice(SPITupleTable *rows, uint64 i, int column)
{
	return dgw_slice(SPI_getvalue(rows->vals[i], rows->tupdesc, column));
}

static void
read_job(SPITupleTable *rows, uint64 i, DgwClaimedJob *claimed)
{
	bool isnull;
	bytea *sha256 = DatumGetByteaPP(SPI_getbinval(rows->vals[i], rows->tupdesc, 8, &isnull));

	claimed->job = (DgwJob){
		.id = (uint64) int8_column(rows, i, 1),
		.token = (uint64) int8_column(rows, i, 2),
		.path = text_slice(rows, i, 3),
		.sop_class_uid = text_slice(rows, i, 4),
		.sop_instance_uid = text_slice(rows, i, 5),
		.transfer_syntax_uid = text_slice(rows, i, 6),
		.size = (uint64) int8_column(rows, i, 7),
	};
	memcpy(claimed->job.sha256, VARDATA_ANY(sha256),
		   Min(VARSIZE_ANY_EXHDR(sha256), DGW_SHA256_LEN));
	claimed->priority = int4_column(rows, i, 9);
	claimed->series_id = int8_column(rows, i, 10);
	if (SPI_getvalue(rows->vals[i], rows->tupdesc, 11) != NULL)
		claimed->job.edits = text_slice(rows, i, 11);
	claimed->edit_error = SPI_getvalue(rows->vals[i], rows->tupdesc, 12);
}

/* Nothing of these priorities is left. */
static void
exhaust_cursors(DgwTarget *target, int above)
{
	for (int i = above + 1; i < DGW_N_PRIORITIES; i++)
		target->cursor[i] = DGW_NO_JOB;
}

/* Behind what was claimed. */
static void
move_cursors(DgwTarget *target, const DgwClaimedJob *last)
{
	exhaust_cursors(target, last->priority);
	target->cursor[last->priority] = (int64) last->job.id + 1;
}

int
dgw_queue_claim(DgwTarget *target, int limit, DgwClaimedJob **jobs)
{
	static SPIPlanPtr plan = NULL;
	ArrayBuildState *from = append_cursors(NULL, target);
	SPITupleTable *rows;
	int n;

	dgw_plan(&plan,
			 "SELECT * FROM dicomgw._claim($1, $2, $3, interval '" CppAsString2(
				 DGW_LEASE_SECONDS) " seconds')",
			 3, (Oid[]){INT4OID, INT8ARRAYOID, INT4OID});
	if (SPI_execute_plan(plan,
						 (Datum[]){Int32GetDatum(target->id),
								   makeArrayResult(from, CurrentMemoryContext),
								   Int32GetDatum(limit)},
						 NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not claim jobs");
	rows = SPI_tuptable;
	n = (int) rows->numvals;
	*jobs = palloc(Max(n, 1) * sizeof(DgwClaimedJob));
	for (int i = 0; i < n; i++)
		read_job(rows, i, &(*jobs)[i]);
	if (n < limit)
		exhaust_cursors(target, -1);
	else
		move_cursors(target, &(*jobs)[n - 1]);
	return n;
}
