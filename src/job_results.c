/*-------------------------------------------------------------------------
 *
 * job_results.c
 *	  Recording what the lanes have said (see job_results.h).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "job_results.h"
#include "queue_head.h"
#include "worker.h"

static ArrayBuildState *
append(ArrayBuildState *array, Datum value, Oid type)
{
	return accumArrayResult(array, value, false, type, CurrentMemoryContext);
}

static Datum
finish(ArrayBuildState *array)
{
	return makeArrayResult(array, CurrentMemoryContext);
}

static ArrayBuildState *
append_text(ArrayBuildState *array, const char *text)
{
	return append(array, CStringGetTextDatum(text), TEXTOID);
}

/* ---------- how jobs ended ---------- */

static DgwReport *
find_report(const DgwReports *reports, int64 id)
{
	ListCell *lc;

	foreach (lc, reports->jobs)
	{
		DgwReport *report = lfirst(lc);

		if (report->id == id && !report->release)
			return report;
	}
	return NULL;
}

/* What the outcome of a job says of its destination. */
static void
judge_destination(DgwReports *reports, DgwReport *report, bool taken)
{
	bool broken = report->outcome == DGW_OUTCOME_BROKEN;

	if (report->outcome == DGW_OUTCOME_FILE_MISSING ||
		report->outcome == DGW_OUTCOME_FILE_DAMAGED || report->outcome == DGW_OUTCOME_NOT_EDITED)
		return;
	if (taken)
	{
		dgw_target_succeeded(report->target);
		return;
	}
	if (broken)
		dgw_target_broken(report->target);
	if (dgw_target_troubled(report->target, report->id, broken) &&
		report->target->state == DGW_TARGET_UP)
	{
		report->target->state = DGW_TARGET_DOWN;
		dgw_report_down(
			reports, report->target,
			broken ? psprintf("associations break while objects are sent: %s", report->comment)
			: report->outcome == DGW_OUTCOME_RESPONSE
				? psprintf("takes no objects for now: status %04XH %s", report->status,
						   report->comment)
				: psprintf("takes no objects for now: %s", report->comment));
	}
}

int
dgw_results_record(DgwReports *reports)
{
	static SPIPlanPtr plan = NULL;
	ArrayBuildState *arrays[8] = {NULL};
	Datum parameters[8];
	ListCell *lc;
	int n_sent = 0;
	SPITupleTable *rows;

	foreach (lc, reports->jobs)
	{
		DgwReport *r = lfirst(lc);

		if (r->release)
			continue;
		arrays[0] = append(arrays[0], Int64GetDatum(r->id), INT8OID);
		arrays[1] = append(arrays[1], Int64GetDatum(r->token), INT8OID);
		arrays[2] = append(arrays[2], Int32GetDatum(r->outcome), INT4OID);
		arrays[3] = append(arrays[3], Int32GetDatum(r->status), INT4OID);
		arrays[4] = append_text(arrays[4], r->comment);
		arrays[5] = append_text(arrays[5], r->offending);
		arrays[6] = append_text(arrays[6], r->sent_syntax);
		arrays[7] = append(arrays[7], Int64GetDatum((int64) r->duration_us), INT8OID);
	}
	if (arrays[0] == NULL)
		return 0;
	for (int i = 0; i < 8; i++)
		parameters[i] = finish(arrays[i]);
	dgw_plan(&plan,
			 "SELECT id, verdict, taken FROM dicomgw._record_results($1, $2, $3, $4, $5, $6,"
			 " $7, $8)",
			 8,
			 (Oid[]){INT8ARRAYOID, INT8ARRAYOID, INT4ARRAYOID, INT4ARRAYOID, TEXTARRAYOID,
					 TEXTARRAYOID, TEXTARRAYOID, INT8ARRAYOID});
	if (SPI_execute_plan(plan, parameters, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not record results");
	rows = SPI_tuptable;
	for (uint64 i = 0; i < rows->numvals; i++)
	{
		bool isnull;
		int64 id = DatumGetInt64(SPI_getbinval(rows->vals[i], rows->tupdesc, 1, &isnull));
		char *verdict = SPI_getvalue(rows->vals[i], rows->tupdesc, 2);
		bool taken = DatumGetBool(SPI_getbinval(rows->vals[i], rows->tupdesc, 3, &isnull));
		DgwReport *report = find_report(reports, id);

		n_sent += strcmp(verdict, "sent") == 0;
		if (report != NULL)
			judge_destination(reports, report, taken);
	}
	SPI_freetuptable(rows);
	return n_sent;
}

/* ---------- leases ---------- */

/* dicomgw._release() or _renew() for many jobs. */
static void
execute_for_jobs(SPIPlanPtr *plan, const char *sql, ArrayBuildState *ids, ArrayBuildState *tokens)
{
	if (ids == NULL)
		return;
	dgw_plan(plan, sql, 2, (Oid[]){INT8ARRAYOID, INT8ARRAYOID});
	if (SPI_execute_plan(*plan, (Datum[]){finish(ids), finish(tokens)}, NULL, false, 1) !=
		SPI_OK_SELECT)
		elog(ERROR, "could not execute \"%s\"", sql);
}

void
dgw_results_release(const DgwReports *reports)
{
	static SPIPlanPtr plan = NULL;
	ArrayBuildState *ids = NULL;
	ArrayBuildState *tokens = NULL;
	ListCell *lc;

	foreach (lc, reports->jobs)
	{
		DgwReport *r = lfirst(lc);

		if (!r->release)
			continue;
		ids = append(ids, Int64GetDatum(r->id), INT8OID);
		tokens = append(tokens, Int64GetDatum(r->token), INT8OID);
	}
	execute_for_jobs(&plan, "SELECT dicomgw._release($1, $2)", ids, tokens);
}

void
dgw_leases_renew(dlist_head *lanes)
{
	static SPIPlanPtr plan = NULL;
	ArrayBuildState *ids = NULL;
	ArrayBuildState *tokens = NULL;
	dlist_iter iter;

	dlist_foreach(iter, lanes)
	{
		DgwLane *lane = dlist_container(DgwLane, node, iter.cur);

		for (int i = 0; i < lane->n_held; i++)
		{
			ids = append(ids, Int64GetDatum(lane->held[i].id), INT8OID);
			tokens = append(tokens, Int64GetDatum(lane->held[i].token), INT8OID);
		}
	}
	execute_for_jobs(
		&plan,
		"SELECT dicomgw._renew($1, $2, interval '" CppAsString2(DGW_LEASE_SECONDS) " seconds')",
		ids, tokens);
}

void
dgw_leases_void(void)
{
	static SPIPlanPtr plan = NULL;

	dgw_plan(&plan, "SELECT dicomgw._release_all()", 0, NULL);
	if (SPI_execute_plan(plan, NULL, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not void old leases");
}

/* ---------- which destinations answer ---------- */

static void
execute_for_targets(SPIPlanPtr *plan, const char *sql, ArrayBuildState *ids,
					ArrayBuildState *reasons)
{
	Datum parameters[2];
	int n = reasons != NULL ? 2 : 1;

	if (ids == NULL)
		return;
	parameters[0] = finish(ids);
	if (reasons != NULL)
		parameters[1] = finish(reasons);
	dgw_plan(plan, sql, n, (Oid[]){INT4ARRAYOID, TEXTARRAYOID});
	if (SPI_execute_plan(*plan, parameters, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not execute \"%s\"", sql);
}

bool
dgw_news_record(const DgwReports *reports)
{
	static SPIPlanPtr up_plan = NULL;
	static SPIPlanPtr down_plan = NULL;
	static SPIPlanPtr settled_plan = NULL;
	ArrayBuildState *up = NULL;
	ArrayBuildState *down = NULL;
	ArrayBuildState *reasons = NULL;
	ArrayBuildState *settled = NULL;
	dlist_iter iter;
	ListCell *lc;

	foreach (lc, reports->news)
	{
		DgwNews *news = lfirst(lc);
		Datum id = Int32GetDatum(news->target->id);

		if (news->reason != NULL)
		{
			down = append(down, id, INT4OID);
			reasons = append_text(reasons, news->reason);
		}
		else if (!news->target->recorded || news->target->state != DGW_TARGET_UP)
			up = append(up, id, INT4OID);
	}
	dlist_foreach(iter, dgw_targets())
	{
		DgwTarget *target = dlist_container(DgwTarget, node, iter.cur);

		if (target->state == DGW_TARGET_UP && target->failures > 0 && !target->on_trial)
			settled = append(settled, Int32GetDatum(target->id), INT4OID);
	}
	/* What went wrong counts more than that an association was accepted before. */
	execute_for_targets(&up_plan, "SELECT dicomgw._destinations_up($1)", up, NULL);
	execute_for_targets(&settled_plan, "SELECT dicomgw._destinations_settled($1)", settled, NULL);
	execute_for_targets(&down_plan, "SELECT dicomgw._destinations_down($1, $2)", down, reasons);
	return up != NULL || down != NULL || settled != NULL;
}

void
dgw_probing_record(DgwTarget *target)
{
	static SPIPlanPtr plan = NULL;

	execute_for_targets(&plan, "SELECT dicomgw._destinations_probing($1)",
						append(NULL, Int32GetDatum(target->id), INT4OID), NULL);
	target->state = DGW_TARGET_PROBING;
}

void
dgw_concurrency_record(void)
{
	static SPIPlanPtr plan = NULL;
	ArrayBuildState *arrays[3] = {NULL};
	dlist_iter iter;

	dlist_foreach(iter, dgw_targets())
	{
		DgwTarget *target = dlist_container(DgwTarget, node, iter.cur);

		if (!target->recorded || (target->shown_lanes == target->n_lanes &&
								  target->shown_concurrency == target->concurrency))
			continue;
		target->shown_lanes = target->n_lanes;
		target->shown_concurrency = target->concurrency;
		arrays[0] = append(arrays[0], Int32GetDatum(target->id), INT4OID);
		arrays[1] = append(arrays[1], Int32GetDatum(target->n_lanes), INT4OID);
		arrays[2] = append(arrays[2], Int32GetDatum(target->concurrency), INT4OID);
	}
	if (arrays[0] == NULL)
		return;
	dgw_plan(&plan, "SELECT dicomgw._destinations_busy($1, $2, $3)", 3,
			 (Oid[]){INT4ARRAYOID, INT4ARRAYOID, INT4ARRAYOID});
	if (SPI_execute_plan(plan, (Datum[]){finish(arrays[0]), finish(arrays[1]), finish(arrays[2])},
						 NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not show how busy destinations are");
}
