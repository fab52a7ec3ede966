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

/* The columns that dgw_destination_read() expects first of a query's result. */
#define DGW_DESTINATION_COLUMNS                                                                    \
	"id, name, kind, max_associations, host, port, ae_title, calling_ae_title, max_pdu,"           \
	" connect_timeout, association_timeout, response_timeout, tls, tls_ca, tls_certificate,"       \
	" tls_key, tls_server_name, conversion, compression, url, username, password, bearer_token,"   \
	" proxy, batch"
#define DGW_N_DESTINATION_COLUMNS 25

/* A row of the view dicomgw.sender_destination.  Strings are empty where the column is NULL. */
typedef struct DgwDestinationRow
{
	int32 id;
	char *name;
	bool dicomweb; /* else DIMSE */
	int max_associations;
	char *host;
	int port;
	char *ae_title;
	char *calling_ae_title;
	int max_pdu;			 /* bytes */
	int connect_timeout;	 /* seconds */
	int association_timeout; /* seconds */
	int response_timeout;	 /* seconds */
	int tls;				 /* DgwTlsCheck */
	char *tls_ca;
	char *tls_certificate;
	char *tls_key;
	char *tls_server_name;
	int conversion;	   /* DgwConversion, or'ed */
	char *compression; /* transfer syntax */
	char *url;
	char *username;
	char *password;
	char *bearer_token;
	char *proxy;
	int batch;
} DgwDestinationRow;

/* Strings are palloc'ed in the given context. */
extern void dgw_destination_read(DgwDestinationRow *row, HeapTuple tuple, TupleDesc desc,
								 MemoryContext context);

/* File name of the helper program that talks to such a destination. */
extern const char *dgw_destination_sender(const DgwDestinationRow *row);

/* Append the DESTINATION message for a sender. */
extern void dgw_destination_encode(DgwFrameWriter *w, const DgwDestinationRow *row,
								   uint32 linger_ms);

#endif /* DGW_DESTINATION_H */
