/*-------------------------------------------------------------------------
 *
 * edit_expression.c
 *	  The expression of an edit (dicomgw.route_edit): what a copy gets as the
 *	  value of an attribute, said of the object as it was received.
 *
 * What is said of predicates (predicate.h) holds: one expression over the
 * columns of dicomgw.route_row, checked when written, evaluated as a role
 * without rights.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "utils/builtins.h"

#include "predicate.h"

PG_FUNCTION_INFO_V1(dgw_check_edit_expression);
PG_FUNCTION_INFO_V1(dgw_edit_value);

/* The expression's value for a row, in the current memory context; NULL: it is null. */
static char *
evaluate(const char *expression, TupleDesc descriptor, HeapTuple row)
{
	EState *estate = CreateExecutorState();
	TupleTableSlot *slot = MakeSingleTupleTableSlot(descriptor, &TTSOpsHeapTuple);
	Datum value;
	bool isnull;
	char *result;

	if (row != NULL)
		ExecStoreHeapTuple(row, slot, false);
	else
		ExecStoreAllNullTuple(slot);
	value =
		dgw_predicate_value(dgw_predicate_begin(dgw_expression_compile(expression), NULL, estate),
							estate, slot, &isnull);
	result = isnull ? NULL : TextDatumGetCString(value);
	ExecDropSingleTupleTableSlot(slot);
	FreeExecutorState(estate);
	return result;
}

/*
 * The row of this object; its number NULL: none, but what it would look like.
 * Between SPI_connect() and SPI_finish().
 */
static HeapTuple
read_row(Datum instance_id, bool none)
{
	if (SPI_execute_with_args("SELECT * FROM dicomgw.route_row WHERE instance_id = $1", 1,
							  (Oid[]){INT8OID}, &instance_id, none ? "n" : " ", true,
							  1) != SPI_OK_SELECT)
		elog(ERROR, "could not read the row of an object");
	return SPI_processed == 1 ? SPI_tuptable->vals[0] : NULL;
}

/* dicomgw.check_edit_expression(expression text) returns void: compile it, and try it on an empty row. */
Datum
dgw_check_edit_expression(PG_FUNCTION_ARGS)
{
	char *expression = text_to_cstring(PG_GETARG_TEXT_PP(0));

	SPI_connect();
	(void) read_row((Datum) 0, true);
	(void) evaluate(expression, SPI_tuptable->tupdesc, NULL);
	SPI_finish();
	PG_RETURN_VOID();
}

/* dicomgw._edit_value(expression text, instance_id bigint) returns text */
Datum
dgw_edit_value(PG_FUNCTION_ARGS)
{
	char *expression = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Datum instance_id = PG_GETARG_DATUM(1);
	MemoryContext caller = CurrentMemoryContext;
	HeapTuple row;
	char *value;

	SPI_connect();
	row = read_row(instance_id, false);
	if (row == NULL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("there is no object " INT64_FORMAT, DatumGetInt64(instance_id))));
	value = evaluate(expression, SPI_tuptable->tupdesc, row);
	if (value != NULL)
		value = MemoryContextStrdup(caller, value);
	SPI_finish();
	if (value == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(value));
}
