/*-------------------------------------------------------------------------
 *
 * dry_run.c
 *	  Evaluates a predicate over what was received: the part of
 *	  dicomgw.route_dry_run() that is not SQL.
 *
 * The objects are read with a cursor, a window of them at a time, so memory is
 * bounded however many there are.  An object on which the predicate fails costs
 * the others nothing.  Nothing is written; it can be cancelled at any object.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "attempt.h"
#include "predicate.h"

PG_FUNCTION_INFO_V1(dgw_try_predicate);

#define WINDOW 200

/* The columns of route_row that are given on, before "has_header", "matched" and "error". */
static const char *const kept_columns[] = {"instance_id", "modality", "calling_ae",
										   "study_instance_uid", "size"};

#define N_KEPT ((int) lengthof(kept_columns))

typedef struct Trial
{
	Expr *predicate;
	SPITupleTable *rows;
	uint64 first; /* of the window, and last */
	uint64 last;
	bool matched[WINDOW];
	ErrorData *error[WINDOW];
} Trial;

static void
evaluate(void *arg)
{
	Trial *trial = arg;
	EState *estate = CreateExecutorState();
	TupleTableSlot *slot = MakeSingleTupleTableSlot(trial->rows->tupdesc, &TTSOpsHeapTuple);
	DgwPredicateState *state = dgw_predicate_begin(trial->predicate, NULL, estate);

	for (uint64 i = trial->first; i <= trial->last; i++)
	{
		CHECK_FOR_INTERRUPTS();
		ExecStoreHeapTuple(trial->rows->vals[i], slot, false);
		trial->matched[i] = dgw_predicate_matches(state, estate, slot);
	}
	ExecDropSingleTupleTableSlot(slot);
	FreeExecutorState(estate);
}

/* A window at once; if it fails on any of its objects, each of them alone. */
static void
try_window(Trial *trial)
{
	uint64 n = trial->rows->numvals;

	memset(trial->error, 0, sizeof(trial->error));
	trial->first = 0;
	trial->last = n - 1;
	if (dgw_attempt(evaluate, trial) == NULL)
		return;
	for (uint64 i = 0; i < n; i++)
	{
		trial->first = trial->last = i;
		trial->matched[i] = false;
		trial->error[i] = dgw_attempt(evaluate, trial);
	}
}

static void
emit_window(ReturnSetInfo *result, const Trial *trial)
{
	TupleDesc desc = trial->rows->tupdesc;

	for (uint64 i = 0; i < trial->rows->numvals; i++)
	{
		Datum values[N_KEPT + 3];
		bool nulls[N_KEPT + 3] = {false};
		bool headless;

		for (int c = 0; c < N_KEPT; c++)
			values[c] =
				SPI_getbinval(trial->rows->vals[i], trial->rows->tupdesc,
							  SPI_fnumber(trial->rows->tupdesc, kept_columns[c]), &nulls[c]);
		(void) SPI_getbinval(trial->rows->vals[i], desc, SPI_fnumber(desc, "header"), &headless);
		values[N_KEPT] = BoolGetDatum(!headless);
		values[N_KEPT + 1] = BoolGetDatum(trial->matched[i]);
		nulls[N_KEPT + 2] = trial->error[i] == NULL;
		if (trial->error[i] != NULL)
			values[N_KEPT + 2] = CStringGetTextDatum(trial->error[i]->message);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

static Portal
open_cursor(TimestampTz since, TimestampTz until)
{
	Oid types[2] = {TIMESTAMPTZOID, TIMESTAMPTZOID};
	Datum values[2] = {TimestampTzGetDatum(since), TimestampTzGetDatum(until)};

	return SPI_cursor_open_with_args(
		NULL, "SELECT * FROM dicomgw.route_row WHERE received_at >= $1 AND received_at < $2", 2,
		types, values, NULL, true, CURSOR_OPT_NO_SCROLL);
}

/* dicomgw._try_predicate(predicate text, since timestamptz, until timestamptz) returns setof record */
Datum
dgw_try_predicate(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Trial *trial = palloc0(sizeof(Trial));
	MemoryContext window;
	MemoryContext caller;
	Portal cursor;

	InitMaterializedSRF(fcinfo, 0);
	trial->predicate = dgw_predicate_compile(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	SPI_connect();
	window = AllocSetContextCreate(CurrentMemoryContext, "dicomgw dry run", ALLOCSET_DEFAULT_SIZES);
	cursor = open_cursor(PG_GETARG_TIMESTAMPTZ(1), PG_GETARG_TIMESTAMPTZ(2));
	for (;;)
	{
		SPI_cursor_fetch(cursor, true, WINDOW);
		if (SPI_processed == 0)
			break;
		trial->rows = SPI_tuptable;
		caller = MemoryContextSwitchTo(window);
		try_window(trial);
		emit_window(result, trial);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(window);
		SPI_freetuptable(trial->rows);
	}
	SPI_cursor_close(cursor);
	SPI_finish();
	return (Datum) 0;
}
