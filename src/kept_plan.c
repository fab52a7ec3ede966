/*-------------------------------------------------------------------------
 *
 * kept_plan.c
 *	  SQL statements that are prepared once (see kept_plan.h).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "kept_plan.h"

SPIPlanPtr
dgw_plan(SPIPlanPtr *plan, const char *sql, int nargs, Oid *argtypes)
{
	if (*plan == NULL)
	{
		SPIPlanPtr prepared = SPI_prepare(sql, nargs, argtypes);

		if (prepared == NULL || SPI_keepplan(prepared) != 0)
			elog(ERROR, "could not prepare \"%s\": %s", sql, SPI_result_code_string(SPI_result));
		*plan = prepared;
	}
	return *plan;
}
