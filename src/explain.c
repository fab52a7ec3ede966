/*-------------------------------------------------------------------------
 *
 * explain.c
 *	  dicomgw.explain_predicate(): what a predicate comes to on one object, and
 *	  each of its terms.
 *
 * Each term is evaluated by itself, also one that the whole never comes to,
 * because what stands before it has decided already.  A term that fails does
 * not keep the others from being shown.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "attempt.h"
#include "predicate.h"
#include "predicate_terms.h"

/* PostgREST answers 404, as for all else that was not received. */
#define ERRCODE_NOT_RECEIVED MAKE_SQLSTATE('P', 'T', '4', '0', '4')

PG_FUNCTION_INFO_V1(dgw_explain_predicate);

typedef struct Evaluation
{
	const char *text;
	HeapTuple row;
	TupleDesc desc;
	bool value;
	bool isnull;
	ErrorData *error; /* NULL: it has a value */
} Evaluation;

static void
evaluate(void *arg)
{
	Evaluation *e = arg;
	Expr *expr = dgw_predicate_compile(e->text);
	EState *estate = CreateExecutorState();
	TupleTableSlot *slot = MakeSingleTupleTableSlot(e->desc, &TTSOpsHeapTuple);

	Datum value;

	ExecStoreHeapTuple(e->row, slot, false);
	value = dgw_predicate_value(dgw_predicate_begin(expr, NULL, estate), estate, slot, &e->isnull);
	e->value = !e->isnull && DatumGetBool(value);
	ExecDropSingleTupleTableSlot(slot);
	FreeExecutorState(estate);
}

static Evaluation
evaluate_text(const char *text, SPITupleTable *rows)
{
	Evaluation e = {.text = text, .row = rows->vals[0], .desc = rows->tupdesc};

	e.error = dgw_attempt(evaluate, &e);
	return e;
}

/* A term decides if it is what the whole is: true if that is, else not true; or if it fails as that does. */
static bool
decides(const Evaluation *term, const Evaluation *whole)
{
	if (whole->error != NULL || term->error != NULL)
		return whole->error != NULL && term->error != NULL;
	return term->value == whole->value;
}

static void
emit(ReturnSetInfo *result, int number, const char *connective, const Evaluation *e,
	 const Evaluation *whole)
{
	Datum values[6] = {Int32GetDatum(number)};
	bool nulls[6] = {false};

	nulls[1] = connective == NULL;
	if (connective != NULL)
		values[1] = CStringGetTextDatum(connective);
	values[2] = CStringGetTextDatum(e->text);
	nulls[3] = e->error != NULL || e->isnull;
	values[3] = BoolGetDatum(e->value);
	nulls[4] = e->error == NULL;
	if (e->error != NULL)
		values[4] = CStringGetTextDatum(e->error->message);
	values[5] = BoolGetDatum(decides(e, whole));
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

static SPITupleTable *
fetch_row(int64 instance)
{
	Oid types[1] = {INT8OID};
	Datum values[1] = {Int64GetDatum(instance)};

	if (SPI_execute_with_args("SELECT * FROM dicomgw.route_row WHERE instance_id = $1", 1, types,
							  values, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read dicomgw.route_row");
	if (SPI_processed != 1)
		ereport(ERROR, (errcode(ERRCODE_NOT_RECEIVED),
						errmsg("object " INT64_FORMAT " was not received, or is not routed yet",
							   instance)));
	return SPI_tuptable;
}

/* dicomgw.explain_predicate(predicate text, instance_id bigint) returns setof record */
Datum
dgw_explain_predicate(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const char *predicate = text_to_cstring(PG_GETARG_TEXT_PP(0));
	DgwPredicateTerms terms;
	SPITupleTable *rows;
	Evaluation whole;
	ListCell *cell;
	int number = 0;

	InitMaterializedSRF(fcinfo, 0);
	(void) dgw_predicate_compile(predicate); /* what is none is an ERROR, with the position */
	SPI_connect();
	rows = fetch_row(PG_GETARG_INT64(1));
	terms = dgw_predicate_terms(predicate);
	whole = evaluate_text(predicate, rows);
	emit(result, number++, terms.connective, &whole, &whole);
	foreach (cell, terms.texts)
	{
		Evaluation term = evaluate_text(lfirst(cell), rows);

		emit(result, number++, terms.connective, &term, &whole);
	}
	SPI_finish();
	return (Datum) 0;
}
