/*-------------------------------------------------------------------------
 *
 * kept_plan.h
 *	  SQL statements that a process prepares once and keeps, for workers and
 *	  backends alike.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_KEPT_PLAN_H
#define DGW_KEPT_PLAN_H

#include "executor/spi.h"

/* Prepare once, keep for the life of the process. */
extern SPIPlanPtr dgw_plan(SPIPlanPtr *plan, const char *sql, int nargs, Oid *argtypes);

#endif /* DGW_KEPT_PLAN_H */
