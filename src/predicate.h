/*-------------------------------------------------------------------------
 *
 * predicate.h
 *	  A route's predicate: a boolean SQL expression over dicomgw.route_row.
 *
 * The text is parsed by PostgreSQL's own parser as one expression, analysed
 * against the columns of the view, and refused if it has subqueries,
 * aggregates or volatile functions.  tag('PatientID') is rewritten to read
 * the row's header; its keyword is resolved then.  It is evaluated as a role
 * that has no rights but those of PUBLIC, and for each row no longer than
 * dicomgw.predicate_timeout: then it is an ERROR of a code of its own.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_PREDICATE_H
#define DGW_PREDICATE_H

#include "executor/executor.h"
#include "nodes/primnodes.h"
#include "utils/plancache.h"

/* SQLSTATE of a predicate that took too long; class 57 is operator intervention. */
#define DGW_ERRCODE_PREDICATE_TIMEOUT MAKE_SQLSTATE('5', '7', 'P', 'T', '1')

/* ERROR with a position in the text if it is not a predicate; palloc'ed otherwise. */
extern Expr *dgw_predicate_compile(const char *text);

/* The same for a route's expected_instances: an expression of type integer. */
extern Expr *dgw_predicate_compile_integer(const char *text);

/* The same for an expression of any type, whose value as text is wanted. */
extern Expr *dgw_expression_compile(const char *text);

/*
 * Evaluate over the rows of route_row in slot after slot.  An ERROR of the
 * expression is the caller's to catch.
 *
 * Who does so again and again gives a place for the planned expression, NULL
 * at first: it is planned when there is none, or when something that it uses
 * has changed, and goes with FreeCachedExpression().
 */
typedef struct DgwPredicateState DgwPredicateState;

extern DgwPredicateState *dgw_predicate_begin(Expr *expr, CachedExpression **planned,
											  EState *estate);
extern Datum dgw_predicate_value(DgwPredicateState *state, EState *estate, TupleTableSlot *slot,
								 bool *isnull);
extern bool dgw_predicate_matches(DgwPredicateState *state, EState *estate, TupleTableSlot *slot);

#endif /* DGW_PREDICATE_H */
