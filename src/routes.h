/*-------------------------------------------------------------------------
 *
 * routes.h
 *	  The enabled routes, compiled, and what they make of received objects.
 *
 * Used by the router, which keeps them until the configuration changes, and by
 * a backend that asks what the routes of now say (dicomgw._evaluate_routes).
 * Needs a transaction and SPI; reads only.
 *
 * Routes are applied in their order to a batch of objects: one that says stop
 * hides what it took from those after it, the default ones see what no other
 * one took.  A predicate that fails on an object, or takes too long, costs
 * neither the other objects nor the other routes: it is a finding of its own.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_ROUTES_H
#define DGW_ROUTES_H

#include "executor/spi.h"

typedef struct DgwRoutes DgwRoutes;

/* Arrays: pairs of object and route that belong together, and triples that failed. */
typedef enum DgwFinding
{
	DGW_MATCH_INSTANCE, /* bigint */
	DGW_MATCH_ROUTE,	/* integer */
	DGW_ERROR_INSTANCE, /* bigint */
	DGW_ERROR_ROUTE,	/* text: its name */
	DGW_ERROR_MESSAGE,	/* text */
	DGW_MATCH_EXPECTED /* integer: how many objects make the match's study or series complete, or NULL */
} DgwFinding;

#define DGW_N_FINDINGS (DGW_MATCH_EXPECTED + 1)

/* Read and compile them, in a memory context of their own below this one. */
extern DgwRoutes *dgw_routes_read(MemoryContext parent);
extern void dgw_routes_free(DgwRoutes *routes);

/* Apply them to objects: rows of dicomgw.route_row. */
extern void dgw_routes_apply(const DgwRoutes *routes, SPITupleTable *rows,
							 Datum findings[DGW_N_FINDINGS]);

#endif /* DGW_ROUTES_H */
