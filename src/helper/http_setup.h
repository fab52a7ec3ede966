/*-------------------------------------------------------------------------
 *
 * http_setup.h
 *	  What a curl handle has to know of its server before the first request.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_HTTP_SETUP_H
#define DGW_HTTP_SETUP_H

#include "http_client.h"

/* The URL to request: with tls_server_name as its host, if there is one. */
extern char *dgw_http_request_url(const DgwHttpServer *server, const char *path);

/* The header fields that curl does not make by itself; content_type may be NULL.  NULL: no memory. */
extern struct curl_slist *dgw_http_request_header(const DgwHttpServer *server,
												  const char *content_type);

/* How far a handshake has come. */
typedef struct DgwHttpHandshake
{
	bool begun;				 /* so TCP is connected */
	bool certificate_wanted; /* the server asks for one of ours */
} DgwHttpHandshake;

/*
 * Everything that is the same for all requests.  connect_to is to be freed after
 * the handle; the handshakes to come are described in the last parameter.
 */
extern bool dgw_http_configure(CURL *handle, const DgwHttpServer *server,
							   struct curl_slist **connect_to, DgwHttpHandshake *handshake);

#endif /* DGW_HTTP_SETUP_H */
