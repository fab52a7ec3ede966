/*-------------------------------------------------------------------------
 *
 * router.c
 *	  The worker "dicomgw router": decides where received objects go.
 *
 * One turn is one transaction: lock the oldest objects of dicomgw.ingest, move
 * them to study, series and instance, evaluate every route over them, write
 * jobs and decisions.  It need not wait for the disk: what a crash takes back
 * is still in ingest, and is routed again.
 *
 * What the routes make of an object, and what becomes of predicates that fail,
 * is the affair of routes.c.  An object that can't be routed at all is set
 * aside with the reason (dicomgw.unrouted), and tried again later.
 *
 * When nothing is left to be routed it looks for studies and series that are
 * complete (sql/gathering.sql), and makes the jobs of what was gathered.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "attempt.h"
#include "guc.h"
#include "routes.h"
#include "worker.h"

#define BATCH_SIZE 1000

static DgwRoutes *routes;
static uint64 routes_generation;

static uint64 n_routed;
static TimestampTz next_look; /* for what is complete */

/* ---------- a batch ---------- */

/* Read and compile the enabled routes, if they have changed since. */
static void
refresh_routes(void)
{
	uint64 generation = dgw_config_generation();

	if (routes != NULL && generation == routes_generation)
		return;
	dgw_routes_free(routes);
	routes = NULL;
	routes = dgw_routes_read(TopMemoryContext);
	routes_generation = generation;
}

/* What becomes of objects: jobs, and objects that are gathered until their study or series is complete. */
typedef struct Outcome
{
	int jobs;
	int gathered;
} Outcome;

static Outcome
enqueue(Datum ids, Datum findings[DGW_N_FINDINGS])
{
	static SPIPlanPtr plan = NULL;
	Datum parameters[DGW_N_FINDINGS + 1] = {ids};
	Outcome outcome;
	bool isnull;

	memcpy(parameters + 1, findings, DGW_N_FINDINGS * sizeof(Datum));
	dgw_plan(&plan, "SELECT jobs, gathered FROM dicomgw._enqueue($1, $2, $3, $4, $5, $6, $7)",
			 DGW_N_FINDINGS + 1,
			 (Oid[]){INT8ARRAYOID, INT8ARRAYOID, INT4ARRAYOID, INT8ARRAYOID, TEXTARRAYOID,
					 TEXTARRAYOID, INT4ARRAYOID});
	if (SPI_execute_plan(plan, parameters, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not write jobs");
	outcome.jobs =
		DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	outcome.gathered =
		DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull));
	return outcome;
}

/* File, evaluate and enqueue the objects with these numbers. */
static Outcome
route_objects(Datum ids)
{
	static SPIPlanPtr plan = NULL;
	Datum findings[DGW_N_FINDINGS];
	SPITupleTable *rows;

	dgw_plan(&plan, "SELECT * FROM dicomgw._file_instances($1)", 1, (Oid[]){INT8ARRAYOID});
	if (SPI_execute_plan(plan, &ids, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not file received objects");
	rows = SPI_tuptable;

	refresh_routes();
	dgw_routes_apply(routes, rows, findings);
	SPI_freetuptable(rows);
	return enqueue(ids, findings);
}

/* Lock the objects that are to be routed; returns how many. */
static int
claim(int limit, Datum *ids)
{
	static SPIPlanPtr plan = NULL;
	bool isnull;

	dgw_plan(&plan, "SELECT dicomgw._claim_ingest($1)", 1, (Oid[]){INT4OID});
	if (SPI_execute_plan(plan, (Datum[]){Int32GetDatum(limit)}, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not claim received objects");
	*ids = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	return ArrayGetNItems(ARR_NDIM(DatumGetArrayTypeP(*ids)), ARR_DIMS(DatumGetArrayTypeP(*ids)));
}

/* Objects, and what became of them: all of it or nothing. */
typedef struct Portion
{
	Datum ids;
	Outcome outcome;
} Portion;

static void
route_portion(void *arg)
{
	Portion *portion = arg;

	portion->outcome = route_objects(portion->ids);
}

static void
defer(int64 id, const char *error)
{
	static SPIPlanPtr plan = NULL;

	ereport(LOG, (errmsg("could not route object " INT64_FORMAT ": %s", id, error)));
	dgw_note_error("could not route object " INT64_FORMAT ": %s", id, error);
	dgw_plan(&plan, "SELECT dicomgw._defer_ingest($1, $2)", 2, (Oid[]){INT8OID, TEXTOID});
	if (SPI_execute_plan(plan, (Datum[]){Int64GetDatum(id), CStringGetTextDatum(error)}, NULL,
						 false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not set an object aside");
}

/* Each object alone, since they could not be routed together. */
static Outcome
route_one_by_one(Datum ids)
{
	Outcome sum = {0};
	Datum *elements;
	int n;

	deconstruct_array(DatumGetArrayTypeP(ids), INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
					  &elements, NULL, &n);
	for (int i = 0; i < n; i++)
	{
		Portion one = {.ids = PointerGetDatum(construct_array(&elements[i], 1, INT8OID, 8,
															  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE))};
		ErrorData *error = dgw_attempt(route_portion, &one);

		if (error != NULL)
		{
			defer(DatumGetInt64(elements[i]), error->message);
			continue;
		}
		sum.jobs += one.outcome.jobs;
		sum.gathered += one.outcome.gathered;
	}
	return sum;
}

/*
 * One batch, in one transaction: all of it at once, or, if that fails, each
 * object alone.  Returns how many objects.
 */
static int
route_batch(void)
{
	Portion batch = {0};
	int n;

	dgw_begin("routing received objects");
	n = claim(BATCH_SIZE, &batch.ids);
	if (n > 0 && dgw_attempt(route_portion, &batch) != NULL)
		batch.outcome = route_one_by_one(batch.ids);
	dgw_commit();

	n_routed += n;
	if (batch.outcome.jobs > 0)
		dgw_wake(DGW_FORWARDER);
	if (batch.outcome.gathered > 0)
		next_look = 0;
	return n;
}

/* ---------- what waits for completeness ---------- */

typedef struct Completion
{
	int jobs;
	TimestampTz next;
} Completion;

static void
complete_due(void *arg)
{
	static SPIPlanPtr plan = NULL;
	Completion *completion = arg;
	Datum next;
	bool isnull;

	dgw_plan(&plan, "SELECT jobs, next_at FROM dicomgw._complete_due()", 0, NULL);
	if (SPI_execute_plan(plan, NULL, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not complete studies");
	completion->jobs =
		DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	next = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull);
	if (!isnull)
		completion->next = DatumGetTimestampTz(next);
}

/*
 * Only when everything that was received is routed: else objects that wait
 * here would come too late for their study.
 */
static void
look_for_complete(void)
{
	TimestampTz now = GetCurrentTimestamp();
	Completion completion = {.next = DT_NOEND};
	ErrorData *error;

	if (now < next_look)
		return;
	/* At the latest: the configuration may have changed, or a person have had a hand in it. */
	next_look = TimestampTzPlusMilliseconds(now, DGW_POLL_MS);
	dgw_begin("completing studies and series");
	error = dgw_attempt(complete_due, &completion);
	if (error != NULL)
	{
		ereport(LOG, (errmsg("could not complete studies: %s", error->message)));
		dgw_note_error("could not complete studies: %s", error->message);
	}
	dgw_commit();

	next_look = Min(next_look, completion.next);
	if (completion.jobs > 0)
		dgw_wake(DGW_FORWARDER);
}

void
dgw_router_run(void)
{
	WaitEventSet *wait_set = dgw_wait_set(-1);

	SetConfigOption("synchronous_commit", "off", PGC_USERSET, PGC_S_OVERRIDE);

	for (;;)
	{
		TimestampTz began;
		int n;

		do
		{
			if (dgw_between_turns())
				next_look = 0;
			began = GetCurrentTimestamp();
			n = dgw_routing ? route_batch() : 0;
		} while (n == BATCH_SIZE);
		if (dgw_routing)
		{
			look_for_complete();
			dgw_idle("waits for received objects; " UINT64_FORMAT " routed", n_routed);
			dgw_rest(began);
			dgw_wait(wait_set, Min(DGW_POLL_MS, TimestampDifferenceMilliseconds(
													GetCurrentTimestamp(), next_look)));
		}
		else
		{
			dgw_idle("routes nothing: dicomgw.routing is off");
			dgw_rest(began);
			dgw_wait(wait_set, DGW_POLL_MS);
		}
	}
}
