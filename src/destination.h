/*-------------------------------------------------------------------------
 *
 * destination.h
 *	  A row of dicomgw.destination, and how a sender is told of it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_DESTINATION_H
#define DGW_DESTINATION_H

#include "executor/spi.h"

#include "protocol/message.h"

/*
 * The columns that dgw_destination_read() expects of a query's result, in
 * their order; times are in whole seconds.
 */
#define DGW_DESTINATION_COLUMNS                                                                    \
	"id, name, host, port, ae_title, calling_ae_title, max_pdu, max_associations,"                 \
	" extract(epoch FROM connect_timeout)::int, extract(epoch FROM association_timeout)::int,"     \
	" extract(epoch FROM response_timeout)::int"

typedef struct DgwDestinationRow
{
	int32 id;
	int max_associations;
	int port;
	int max_pdu;			 /* bytes */
	int connect_timeout;	 /* seconds */
	int association_timeout; /* seconds */
	int response_timeout;	 /* seconds */
	char *name;
	char *host;
	char *ae_title;
	char *calling_ae_title;
} DgwDestinationRow;

/* Strings are palloc'ed in the given context. */
extern void dgw_destination_read(DgwDestinationRow *row, HeapTuple tuple, TupleDesc desc,
								 MemoryContext context);

/* Append the DESTINATION message for a sender. */
extern void dgw_destination_encode(DgwFrameWriter *w, const DgwDestinationRow *row,
								   uint32 linger_ms);

#endif /* DGW_DESTINATION_H */
