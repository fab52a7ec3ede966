/*-------------------------------------------------------------------------
 *
 * predicate_terms.h
 *	  A predicate in parts: the terms that its outermost AND or OR joins.
 *
 * They are slices of the text as it was written, found by PostgreSQL's own
 * scanner; each is a predicate by itself.  OR binds least, so a predicate with
 * an OR outside of all parentheses is parted there, else at each AND; with
 * neither it is one term.  Parentheses around the whole are looked into.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_PREDICATE_TERMS_H
#define DGW_PREDICATE_TERMS_H

#include "nodes/pg_list.h"

typedef struct DgwPredicateTerms
{
	const char *connective; /* "AND", "OR", or NULL: one term */
	List *texts;			/* of char * */
} DgwPredicateTerms;

/* The text must be one that dgw_predicate_compile() accepts. */
extern DgwPredicateTerms dgw_predicate_terms(const char *text);

#endif /* DGW_PREDICATE_TERMS_H */
