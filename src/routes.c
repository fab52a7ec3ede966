/*-------------------------------------------------------------------------
 *
 * routes.c
 *	  The enabled routes, compiled, and what they make of received objects (see
 *	  routes.h).
 *
 * A route is evaluated over the whole batch at once; only if that fails, over
 * each object alone.  Headers are detoasted once an object, not once for each
 * route that looks into them, and in slices, so that a thousand large ones
 * need not be in memory together.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/detoast.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "attempt.h"
#include "guc.h"
#include "predicate.h"
#include "routes.h"
#include "worker.h"

/* Bytes of headers that are in memory at a time. */
#define SLICE_BYTES (32 * 1024 * 1024)

/* So many objects of a batch may run a predicate out of time; then it is left alone. */
#define MAX_TIMEOUTS_A_BATCH 3

PG_FUNCTION_INFO_V1(dgw_evaluate_routes);

typedef struct Route
{
	int32 id;
	char *name;
	Expr *predicate; /* NULL: it could not be compiled */
	char *error;	 /* then why */
	Expr *expected;	 /* NULL: it takes objects at once */
	CachedExpression *planned_predicate;
	CachedExpression *planned_expected;
	bool stop;
	bool is_default;
	TimestampTz valid_from;
	TimestampTz valid_until;
} Route;

struct DgwRoutes
{
	MemoryContext context;
	MemoryContextCallback end_of_context;
	int n;
	Route *routes; /* in the order of evaluation: the default ones last */
};

/* ---------- reading ---------- */

typedef struct Compilation
{
	Expr *(*compile)(const char *text);
	const char *text;
	Expr *result;
} Compilation;

static void
compile(void *arg)
{
	Compilation *compilation = arg;

	compilation->result = compilation->compile(compilation->text);
}

static Expr *
compiled(Expr *(*function)(const char *), const char *text, const char *route, char **error)
{
	Compilation compilation = {.compile = function, .text = text};
	ErrorData *failure = dgw_attempt(compile, &compilation);

	if (failure == NULL)
		return compilation.result;
	ereport(LOG, (errmsg("route \"%s\" fails: %s", route, failure->message)));
	if (error != NULL)
		*error = failure->message;
	return NULL;
}

/* What the route says makes a study or series complete, or else what its header says. */
static const char *
expected_of(const char *trigger, const char *expected)
{
#define COUNT_IN_HEADER(tag)                                                                       \
	"CASE WHEN tag('" tag "') ~ '^ *[0-9]{1,9} *$' THEN tag('" tag "')::integer END"

	if (expected != NULL)
		return expected;
	return strcmp(trigger, "series") == 0 ? COUNT_IN_HEADER("NumberOfSeriesRelatedInstances")
										  : COUNT_IN_HEADER("NumberOfStudyRelatedInstances");
}

static TimestampTz
time_or(HeapTuple row, TupleDesc desc, int column, TimestampTz otherwise)
{
	bool isnull;
	Datum value = SPI_getbinval(row, desc, column, &isnull);

	return isnull ? otherwise : DatumGetTimestampTz(value);
}

static void
read_route(Route *route, HeapTuple row, TupleDesc desc)
{
	bool isnull;
	char *trigger = SPI_getvalue(row, desc, 8);

	route->id = DatumGetInt32(SPI_getbinval(row, desc, 1, &isnull));
	route->name = SPI_getvalue(row, desc, 2);
	route->predicate =
		compiled(dgw_predicate_compile, SPI_getvalue(row, desc, 3), route->name, &route->error);
	route->stop = DatumGetBool(SPI_getbinval(row, desc, 4, &isnull));
	route->is_default = DatumGetBool(SPI_getbinval(row, desc, 5, &isnull));
	route->valid_from = time_or(row, desc, 6, DT_NOBEGIN);
	route->valid_until = time_or(row, desc, 7, DT_NOEND);
	if (strcmp(trigger, "instance") != 0)
		route->expected =
			compiled(dgw_predicate_compile_integer,
					 expected_of(trigger, SPI_getvalue(row, desc, 9)), route->name, NULL);
}

/* Planned expressions live in a context of the server's. */
static void
free_planned(void *arg)
{
	DgwRoutes *routes = arg;

	for (int i = 0; i < routes->n; i++)
	{
		if (routes->routes[i].planned_predicate != NULL)
			FreeCachedExpression(routes->routes[i].planned_predicate);
		if (routes->routes[i].planned_expected != NULL)
			FreeCachedExpression(routes->routes[i].planned_expected);
	}
}

DgwRoutes *
dgw_routes_read(MemoryContext parent)
{
	static SPIPlanPtr plan = NULL;
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(caller, "dicomgw routes", ALLOCSET_DEFAULT_SIZES);
	DgwRoutes *result = MemoryContextAllocZero(context, sizeof(DgwRoutes));
	SPITupleTable *rows;

	result->context = context;
	result->end_of_context = (MemoryContextCallback){.func = free_planned, .arg = result};
	MemoryContextRegisterResetCallback(context, &result->end_of_context);
	dgw_plan(&plan,
			 "SELECT id, name, predicate, stop, is_default, valid_from, valid_until, trigger,"
			 " expected_instances FROM dicomgw.route WHERE enabled"
			 " ORDER BY is_default, position, id",
			 0, NULL);
	if (SPI_execute_plan(plan, NULL, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read dicomgw.route");
	rows = SPI_tuptable;

	MemoryContextSwitchTo(context);
	result->routes = palloc0(Max(rows->numvals, 1) * sizeof(Route));
	for (uint64 i = 0; i < rows->numvals; i++)
		read_route(&result->routes[i], rows->vals[i], rows->tupdesc);
	result->n = (int) rows->numvals;
	MemoryContextSwitchTo(caller);
	SPI_freetuptable(rows);
	MemoryContextSetParent(context, parent);
	return result;
}

void
dgw_routes_free(DgwRoutes *routes)
{
	if (routes != NULL)
		MemoryContextDelete(routes->context);
}

/* ---------- findings ---------- */

static const Oid finding_types[DGW_N_FINDINGS] = {
	[DGW_MATCH_INSTANCE] = INT8OID, [DGW_MATCH_ROUTE] = INT4OID,   [DGW_ERROR_INSTANCE] = INT8OID,
	[DGW_ERROR_ROUTE] = TEXTOID,	[DGW_ERROR_MESSAGE] = TEXTOID, [DGW_MATCH_EXPECTED] = INT4OID,
};

/* The objects of a slice, and what was found of them so far. */
typedef struct Batch
{
	MemoryContext context; /* of the findings */
	MemoryContext scratch; /* of one evaluation */
	int n;
	TupleTableSlot **slots;
	int64 *instance;
	TimestampTz *received_at;
	bool *taken;   /* by a route that is not a default one */
	bool *stopped; /* by a route that says so */
	int *timeouts; /* of each route, in all slices */
	ArrayBuildState *findings[DGW_N_FINDINGS];
} Batch;

static void
add(Batch *batch, DgwFinding finding, Datum value, bool isnull)
{
	batch->findings[finding] = accumArrayResult(batch->findings[finding], value, isnull,
												finding_types[finding], batch->context);
}

static void
add_match(Batch *batch, int row, const Route *route, Datum expected, bool unknown)
{
	add(batch, DGW_MATCH_INSTANCE, Int64GetDatum(batch->instance[row]), false);
	add(batch, DGW_MATCH_ROUTE, Int32GetDatum(route->id), false);
	add(batch, DGW_MATCH_EXPECTED, expected, unknown);
	batch->taken[row] |= !route->is_default;
	batch->stopped[row] |= route->stop;
}

static void
add_error(Batch *batch, int row, const Route *route, const char *message)
{
	add(batch, DGW_ERROR_INSTANCE, Int64GetDatum(batch->instance[row]), false);
	add(batch, DGW_ERROR_ROUTE, CStringGetTextDatum(route->name), false);
	add(batch, DGW_ERROR_MESSAGE, CStringGetTextDatum(message), false);
}

/* ---------- evaluation ---------- */

/* An expression over some rows of the slice; the results are good only if all goes well. */
typedef struct Evaluation
{
	Batch *batch;
	Expr *expr;
	CachedExpression **planned;
	const int *rows;
	int n;
	Datum *values; /* one for each row */
	bool *nulls;
} Evaluation;

static void
evaluate(void *arg)
{
	Evaluation *e = arg;
	MemoryContext caller = MemoryContextSwitchTo(e->batch->scratch);
	EState *estate = CreateExecutorState();
	DgwPredicateState *state = dgw_predicate_begin(e->expr, e->planned, estate);

	for (int i = 0; i < e->n; i++)
		e->values[i] =
			dgw_predicate_value(state, estate, e->batch->slots[e->rows[i]], &e->nulls[i]);
	FreeExecutorState(estate);
	MemoryContextSwitchTo(caller);
}

/*
 * An expression of a route over rows of the slice, all at once or else each
 * alone; those on which it fails are findings, and NULL.
 */
static void
evaluate_all(Batch *batch, const Route *route, int *timeouts, Evaluation *whole)
{
	bool failed = *timeouts >= MAX_TIMEOUTS_A_BATCH || dgw_attempt(evaluate, whole) != NULL;

	for (int i = 0; failed && i < whole->n; i++)
	{
		Evaluation single = *whole;
		ErrorData *error;

		single.rows += i;
		single.values += i;
		single.nulls += i;
		single.n = 1;
		*single.nulls = true;
		if (*timeouts >= MAX_TIMEOUTS_A_BATCH)
		{
			add_error(batch, *single.rows, route,
					  "was not evaluated: it took too long for other objects of the batch");
			continue;
		}
		error = dgw_attempt(evaluate, &single);
		if (error != NULL)
		{
			*single.nulls = true;
			add_error(batch, *single.rows, route, error->message);
			if (error->sqlerrcode == DGW_ERRCODE_PREDICATE_TIMEOUT)
				(*timeouts)++;
		}
	}
	MemoryContextReset(batch->scratch);
}

static bool
is_offered(const Batch *batch, int row, const Route *route)
{
	return !batch->stopped[row] && !(route->is_default && batch->taken[row]) &&
		   batch->received_at[row] >= route->valid_from &&
		   batch->received_at[row] < route->valid_until;
}

static void
apply_route(Batch *batch, Route *route, int *timeouts)
{
	int *rows = palloc(batch->n * sizeof(int));
	int n_matches = 0;
	Evaluation e = {.batch = batch,
					.expr = route->predicate,
					.planned = &route->planned_predicate,
					.rows = rows};

	e.values = palloc0(batch->n * sizeof(Datum));
	e.nulls = palloc0(batch->n * sizeof(bool));
	for (int i = 0; i < batch->n; i++)
		if (is_offered(batch, i, route))
			rows[e.n++] = i;

	if (route->predicate == NULL)
		for (int i = 0; i < e.n; i++)
			add_error(batch, rows[i], route, route->error);
	else if (e.n > 0)
	{
		evaluate_all(batch, route, timeouts, &e);
		for (int i = 0; i < e.n; i++)
			if (!e.nulls[i] && DatumGetBool(e.values[i]))
				rows[n_matches++] = rows[i];
		memset(e.nulls, true, batch->n * sizeof(bool));
		e.n = n_matches;
		e.expr = route->expected;
		e.planned = &route->planned_expected;
		if (n_matches > 0 && route->expected != NULL)
			evaluate_all(batch, route, timeouts, &e);
		for (int i = 0; i < n_matches; i++)
			add_match(batch, rows[i], route, e.values[i], e.nulls[i]);
	}
	pfree(rows);
	pfree(e.values);
	pfree(e.nulls);
}

/* ---------- a batch ---------- */

/* The next rows, with their headers detoasted; returns how many. */
static int
load_slice(Batch *batch, SPITupleTable *rows, uint64 first)
{
	TupleDesc desc = rows->tupdesc;
	int header = SPI_fnumber(desc, "header") - 1;
	int received_at = SPI_fnumber(desc, "received_at") - 1;
	int most = (int) (rows->numvals - first);
	Size bytes = 0;

	batch->slots = palloc(most * sizeof(TupleTableSlot *));
	batch->instance = palloc(most * sizeof(int64));
	batch->received_at = palloc(most * sizeof(TimestampTz));
	batch->taken = palloc0(most * sizeof(bool));
	batch->stopped = palloc0(most * sizeof(bool));
	for (batch->n = 0; batch->n < most && bytes < SLICE_BYTES; batch->n++)
	{
		TupleTableSlot *slot = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);

		ExecClearTuple(slot);
		heap_deform_tuple(rows->vals[first + batch->n], desc, slot->tts_values, slot->tts_isnull);
		if (!slot->tts_isnull[header])
		{
			struct varlena *value =
				detoast_attr((struct varlena *) DatumGetPointer(slot->tts_values[header]));

			bytes += VARSIZE(value);
			slot->tts_values[header] = PointerGetDatum(value);
		}
		ExecStoreVirtualTuple(slot);
		batch->slots[batch->n] = slot;
		batch->instance[batch->n] = DatumGetInt64(slot->tts_values[0]);
		batch->received_at[batch->n] = DatumGetTimestampTz(slot->tts_values[received_at]);
	}
	return batch->n;
}

void
dgw_routes_apply(const DgwRoutes *routes, SPITupleTable *rows, Datum findings[DGW_N_FINDINGS])
{
	MemoryContext caller = CurrentMemoryContext;
	Batch batch = {.context = caller};
	MemoryContext slice = AllocSetContextCreate(caller, "dicomgw slice", ALLOCSET_DEFAULT_SIZES);

	batch.scratch = AllocSetContextCreate(caller, "dicomgw evaluation", ALLOCSET_DEFAULT_SIZES);
	batch.timeouts = palloc0(Max(routes->n, 1) * sizeof(int));
	for (uint64 first = 0; routes->n > 0 && first < rows->numvals;)
	{
		MemoryContextSwitchTo(slice);
		first += load_slice(&batch, rows, first);
		for (int i = 0; i < routes->n; i++)
			apply_route(&batch, &routes->routes[i], &batch.timeouts[i]);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(slice);
	}
	for (int i = 0; i < DGW_N_FINDINGS; i++)
		findings[i] = batch.findings[i] != NULL
						  ? makeArrayResult(batch.findings[i], caller)
						  : PointerGetDatum(construct_empty_array(finding_types[i]));
	MemoryContextDelete(batch.scratch);
	MemoryContextDelete(slice);
}

static SPITupleTable *
fetch_rows(Datum ids)
{
	static SPIPlanPtr plan = NULL;

	/* Not "read only" to SPI: the rows may have been written by this very transaction. */
	dgw_plan(&plan, "SELECT * FROM dicomgw._route_rows($1)", 1, (Oid[]){INT8ARRAYOID});
	if (SPI_execute_plan(plan, &ids, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read dicomgw.route_row");
	return SPI_tuptable;
}

/*
 * dicomgw._evaluate_routes(instance_ids bigint[]) returns a row of findings: what
 * the routes of now say of these objects.
 */
Datum
dgw_evaluate_routes(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	Datum findings[DGW_N_FINDINGS];
	bool nulls[DGW_N_FINDINGS] = {0};
	TupleDesc desc;
	DgwRoutes *routes;
	HeapTuple result;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE ||
		desc->natts != DGW_N_FINDINGS)
		elog(ERROR, "dicomgw._evaluate_routes returns other columns than this library");
	SPI_connect();
	routes = dgw_routes_read(CurrentMemoryContext);
	dgw_routes_apply(routes, fetch_rows(PG_GETARG_DATUM(0)), findings);
	MemoryContextSwitchTo(caller);
	result = heap_form_tuple(BlessTupleDesc(desc), findings, nulls);
	SPI_finish();
	PG_RETURN_DATUM(HeapTupleGetDatum(result));
}
