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
 * A predicate that fails on an object costs neither the other objects nor the
 * other routes: the decision records the message.  An object that can't be
 * routed at all is set aside with the reason (dicomgw.unrouted), and tried
 * again later.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "guc.h"
#include "predicate.h"
#include "worker.h"

#define BATCH_SIZE 1000

typedef struct Route
{
	int32 id;
	char *name;
	Expr *predicate; /* NULL: it could not be compiled */
	char *error;	 /* then why */
} Route;

/* What a batch comes to: pairs of object and route, and what failed. */
typedef struct Findings
{
	ArrayBuildState *match_instance;
	ArrayBuildState *match_route;
	ArrayBuildState *error_instance;
	ArrayBuildState *error_route;
	ArrayBuildState *error_message;
} Findings;

static MemoryContext routes_context;
static Route *routes;
static int n_routes;
static uint64 routes_generation;

static uint64 n_routed;

/* ---------- routes ---------- */

/*
 * Run something that may raise an ERROR in a subtransaction; its message,
 * palloc'ed, or NULL if all went well.
 */
typedef void (*Risky)(void *arg);

static char *
attempt(Risky risky, void *arg)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	char *volatile message = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(caller);
	PG_TRY();
	{
		risky(arg);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData *edata;

		MemoryContextSwitchTo(caller);
		edata = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		message = edata->message;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
	return message;
}

typedef struct Compilation
{
	const char *text;
	Expr *result;
} Compilation;

static void
compile(void *arg)
{
	Compilation *compilation = arg;

	compilation->result = dgw_predicate_compile(compilation->text);
}

/* Read and compile the enabled routes, if they have changed since. */
static void
refresh_routes(void)
{
	static SPIPlanPtr plan = NULL;
	uint64 generation = dgw_config_generation();
	MemoryContext caller = CurrentMemoryContext;
	SPITupleTable *rows;

	if (generation == routes_generation)
		return;
	MemoryContextReset(routes_context);
	n_routes = 0;
	routes_generation = 0;

	dgw_plan(&plan,
			 "SELECT id, name, predicate FROM dicomgw.route WHERE enabled"
			 " ORDER BY priority DESC, id",
			 0, NULL);
	if (SPI_execute_plan(plan, NULL, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read dicomgw.route");
	rows = SPI_tuptable;

	MemoryContextSwitchTo(routes_context);
	routes = palloc0(Max(SPI_processed, 1) * sizeof(Route));
	for (uint64 i = 0; i < rows->numvals; i++)
	{
		Route *route = &routes[i];
		Compilation compilation = {0};

		route->id = atoi(SPI_getvalue(rows->vals[i], rows->tupdesc, 1));
		route->name = SPI_getvalue(rows->vals[i], rows->tupdesc, 2);
		compilation.text = SPI_getvalue(rows->vals[i], rows->tupdesc, 3);
		route->name = MemoryContextStrdup(routes_context, route->name);
		route->error = attempt(compile, &compilation);
		if (route->error == NULL)
			route->predicate = compilation.result;
		else
			ereport(LOG,
					(errmsg("the predicate of route \"%s\" fails: %s", route->name, route->error)));
	}
	n_routes = (int) rows->numvals;
	routes_generation = generation;
	MemoryContextSwitchTo(caller);
	SPI_freetuptable(rows);
}

/* ---------- evaluation ---------- */

/* One route over rows first..last of the batch; results are kept only if all goes well. */
typedef struct Evaluation
{
	Route *route;
	SPITupleTable *rows;
	uint64 first;
	uint64 last;
	bool *matches; /* as many as rows */
} Evaluation;

static void
evaluate(void *arg)
{
	Evaluation *e = arg;
	EState *estate = CreateExecutorState();
	TupleTableSlot *slot = MakeSingleTupleTableSlot(e->rows->tupdesc, &TTSOpsHeapTuple);
	DgwPredicateState *state = dgw_predicate_begin(e->route->predicate, estate);

	for (uint64 i = e->first; i <= e->last; i++)
	{
		ExecStoreHeapTuple(e->rows->vals[i], slot, false);
		e->matches[i] = dgw_predicate_matches(state, estate, slot);
	}
	ExecDropSingleTupleTableSlot(slot);
	FreeExecutorState(estate);
}

static int64
row_instance(SPITupleTable *rows, uint64 i)
{
	bool isnull;

	return DatumGetInt64(SPI_getbinval(rows->vals[i], rows->tupdesc, 1, &isnull));
}

static void
add_match(Findings *f, int64 instance, const Route *route)
{
	f->match_instance = accumArrayResult(f->match_instance, Int64GetDatum(instance), false, INT8OID,
										 CurrentMemoryContext);
	f->match_route = accumArrayResult(f->match_route, Int32GetDatum(route->id), false, INT4OID,
									  CurrentMemoryContext);
}

static void
add_error(Findings *f, int64 instance, const Route *route, const char *message)
{
	f->error_instance = accumArrayResult(f->error_instance, Int64GetDatum(instance), false, INT8OID,
										 CurrentMemoryContext);
	f->error_route = accumArrayResult(f->error_route, CStringGetTextDatum(route->name), false,
									  TEXTOID, CurrentMemoryContext);
	f->error_message = accumArrayResult(f->error_message, CStringGetTextDatum(message), false,
										TEXTOID, CurrentMemoryContext);
}

/* A route over the batch; if it fails on any of the objects, over each of them alone. */
static void
apply_route(Route *route, SPITupleTable *rows, Findings *f)
{
	Evaluation whole = {.route = route, .rows = rows, .first = 0, .last = rows->numvals - 1};
	bool failed;

	if (route->predicate == NULL)
	{
		for (uint64 i = 0; i < rows->numvals; i++)
			add_error(f, row_instance(rows, i), route, route->error);
		return;
	}
	whole.matches = palloc0(rows->numvals * sizeof(bool));
	failed = attempt(evaluate, &whole) != NULL;
	for (uint64 i = 0; i < rows->numvals; i++)
	{
		if (failed)
		{
			Evaluation single = whole;
			char *message;

			single.first = single.last = i;
			single.matches[i] = false;
			message = attempt(evaluate, &single);
			if (message != NULL)
			{
				add_error(f, row_instance(rows, i), route, message);
				continue;
			}
		}
		if (whole.matches[i])
			add_match(f, row_instance(rows, i), route);
	}
	pfree(whole.matches);
}

/* ---------- a batch ---------- */

static Datum
finished_array(ArrayBuildState *state, Oid type)
{
	if (state == NULL)
		return PointerGetDatum(construct_empty_array(type));
	return makeArrayResult(state, CurrentMemoryContext);
}

/* Not "read only" to SPI: the rows were written by this very transaction. */
static SPITupleTable *
fetch_rows(Datum ids)
{
	static SPIPlanPtr plan = NULL;

	dgw_plan(&plan, "SELECT * FROM dicomgw.route_row WHERE instance_id = ANY ($1)", 1,
			 (Oid[]){INT8ARRAYOID});
	if (SPI_execute_plan(plan, &ids, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read dicomgw.route_row");
	return SPI_tuptable;
}

static int
enqueue(Datum ids, Findings *f)
{
	static SPIPlanPtr plan = NULL;
	bool isnull;
	Datum parameters[6] = {
		ids,
		finished_array(f->match_instance, INT8OID),
		finished_array(f->match_route, INT4OID),
		finished_array(f->error_instance, INT8OID),
		finished_array(f->error_route, TEXTOID),
		finished_array(f->error_message, TEXTOID),
	};

	dgw_plan(&plan, "SELECT dicomgw._enqueue($1, $2, $3, $4, $5, $6)", 6,
			 (Oid[]){INT8ARRAYOID, INT8ARRAYOID, INT4ARRAYOID, INT8ARRAYOID, TEXTARRAYOID,
					 TEXTARRAYOID});
	if (SPI_execute_plan(plan, parameters, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not write jobs");
	return DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
}

/* File, evaluate and enqueue the objects with these numbers; returns how many jobs. */
static int
route_objects(Datum ids)
{
	static SPIPlanPtr plan = NULL;
	Findings findings = {0};
	SPITupleTable *rows;

	dgw_plan(&plan, "SELECT dicomgw._file_instances($1)", 1, (Oid[]){INT8ARRAYOID});
	if (SPI_execute_plan(plan, &ids, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not file received objects");

	refresh_routes();
	rows = n_routes > 0 ? fetch_rows(ids) : NULL;
	if (rows != NULL && rows->numvals > 0)
		for (int i = 0; i < n_routes; i++)
			apply_route(&routes[i], rows, &findings);
	return enqueue(ids, &findings);
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

typedef struct RouteOne
{
	Datum ids;
	int jobs;
} RouteOne;

static void
route_one(void *arg)
{
	RouteOne *one = arg;

	one->jobs = route_objects(one->ids);
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

/*
 * One batch, in one transaction: all of it at once, or, if that fails, each
 * object alone.  Returns how many objects.
 */
static int
route_batch(void)
{
	RouteOne batch = {0};
	int n;

	dgw_begin("routing received objects");
	n = claim(BATCH_SIZE, &batch.ids);
	if (n > 0 && attempt(route_one, &batch) != NULL)
	{
		Datum *elements;

		deconstruct_array(DatumGetArrayTypeP(batch.ids), INT8OID, 8, FLOAT8PASSBYVAL,
						  TYPALIGN_DOUBLE, &elements, NULL, &n);
		batch.jobs = 0;
		for (int i = 0; i < n; i++)
		{
			RouteOne one = {.ids = PointerGetDatum(construct_array(
								&elements[i], 1, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE))};
			char *message = attempt(route_one, &one);

			if (message != NULL)
				defer(DatumGetInt64(elements[i]), message);
			batch.jobs += one.jobs;
		}
	}
	dgw_commit();

	n_routed += n;
	if (batch.jobs > 0)
		dgw_wake(DGW_FORWARDER);
	return n;
}

void
dgw_router_run(void)
{
	WaitEventSet *wait_set = dgw_wait_set(-1);

	routes_context =
		AllocSetContextCreate(TopMemoryContext, "dicomgw routes", ALLOCSET_DEFAULT_SIZES);
	SetConfigOption("synchronous_commit", "off", PGC_USERSET, PGC_S_OVERRIDE);

	for (;;)
	{
		int n;

		do
		{
			(void) dgw_between_turns();
			n = dgw_routing ? route_batch() : 0;
		} while (n == BATCH_SIZE);
		if (dgw_routing)
			dgw_idle("waits for received objects; " UINT64_FORMAT " routed", n_routed);
		else
			dgw_idle("routes nothing: dicomgw.routing is off");
		dgw_wait(wait_set, DGW_POLL_MS);
	}
}
