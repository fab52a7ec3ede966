/*-------------------------------------------------------------------------
 *
 * check_expression.c
 *	  What is wrong with an expression, and where, for those who get no more of
 *	  an ERROR than its texts: PostgREST does not pass on the position, so the
 *	  detail says it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "attempt.h"

PG_FUNCTION_INFO_V1(dgw_check_expression);

extern Datum dgw_check_predicate(PG_FUNCTION_ARGS);
extern Datum dgw_check_expected_instances(PG_FUNCTION_ARGS);
extern Datum dgw_check_edit_expression(PG_FUNCTION_ARGS);

typedef struct Check
{
	PGFunction function;
	Datum expression;
} Check;

static PGFunction
function_for(const char *kind)
{
	if (strcmp(kind, "predicate") == 0)
		return dgw_check_predicate;
	if (strcmp(kind, "expected_instances") == 0)
		return dgw_check_expected_instances;
	if (strcmp(kind, "edit_expression") == 0)
		return dgw_check_edit_expression;
	elog(ERROR, "there is no kind \"%s\" of expressions", kind);
}

static void
check(void *arg)
{
	Check *work = arg;

	(void) DirectFunctionCall1(work->function, work->expression);
}

/* dicomgw._check_expression(kind text, expression text) returns void */
Datum
dgw_check_expression(PG_FUNCTION_ARGS)
{
	Check work = {.function = function_for(text_to_cstring(PG_GETARG_TEXT_PP(0))),
				  .expression = PG_GETARG_DATUM(1)};
	ErrorData *error = dgw_attempt(check, &work);

	if (error == NULL)
		PG_RETURN_VOID();
	if (error->internalpos > 0)
		error->detail = error->detail == NULL
							? psprintf("At character %d.", error->internalpos)
							: psprintf("At character %d. %s", error->internalpos, error->detail);
	ReThrowError(error);
}
