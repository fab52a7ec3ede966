/*-------------------------------------------------------------------------
 *
 * http_client.h
 *	  Requests to one HTTP server, by libcurl.
 *
 * A client has one connection, which is kept alive between requests: HTTP/2
 * where TLS negotiates it, else HTTP/1.1.  Everything that the server may do
 * is bounded: the time until it is connected, until it has taken the request
 * and until it has answered, and the length of its header and of its body.
 * No redirect is followed, nothing is taken from the environment, and
 * credentials are in no message.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_HTTP_CLIENT_H
#define DGW_HTTP_CLIENT_H

#include <curl/curl.h>

#include "../protocol/message.h"

/* Longest response body that is looked at (bytes); 32 instances need a part of it. */
#define DGW_HTTP_MAX_BODY (1024 * 1024)

/* What is said to a server, and how; the strings are the client's own. */
typedef struct DgwHttpServer
{
	char *url; /* base URL without a slash at its end */
	char *username;
	char *password;
	char *bearer_token;
	char *proxy;
	DgwTlsCheck tls;
	char *tls_ca;
	char *tls_certificate;
	char *tls_key;
	char *tls_server_name;
	uint32_t connect_timeout; /* seconds */
	uint32_t handshake_timeout;
	uint32_t response_timeout;
} DgwHttpServer;

/* A request's body, made while it is sent. */
typedef struct DgwHttpContent
{
	char type[160];
	uint64_t size;
	/* Fills dest; 0 at the end; CURL_READFUNC_ABORT: there is no rest, break it off. */
	size_t (*read)(void *source, char *dest, size_t room);
	bool (*rewind)(void *source);
	void *source;
} DgwHttpContent;

typedef enum DgwHttpOutcome
{
	DGW_HTTP_ANSWERED,	  /* status is valid; body too, unless body_lost */
	DGW_HTTP_UNREACHABLE, /* there was no connection over which to send anything */
	DGW_HTTP_BROKEN,	  /* the request was on its way; whether it was carried out is not known */
	DGW_HTTP_BROKEN_OFF	  /* by us: there is no rest of its body */
} DgwHttpOutcome;

/* What came back, valid until the next request.  Its texts are printable ASCII. */
typedef struct DgwHttpAnswer
{
	int status;
	char *body;
	size_t body_len;
	bool body_lost; /* it did not come whole, or is too long */
	char server[65];
	char location_host[129]; /* where it redirects to */
	char retry_after[33];
	DgwFailure failure; /* if there was no answer: why */
	char message[400];
	char tls_version[16]; /* empty: no TLS */
	char tls_cipher[64];
	char tls_subject[256];
	uint32_t connect_us;	/* name, TCP and TLS; 0: over a connection that was open */
	uint32_t round_trip_us; /* request and response */
} DgwHttpAnswer;

extern void dgw_http_server_free(DgwHttpServer *server);

typedef struct DgwHttpClient DgwHttpClient;

/* Once, before the first client. */
extern bool dgw_http_global_init(void);

/* The client takes over the server's strings, and wipes the secret ones in the end. */
extern DgwHttpClient *dgw_http_client_new(DgwHttpServer *server);
extern void dgw_http_client_free(DgwHttpClient *client);

/* Close the connection, if there is one; the next request opens another. */
extern void dgw_http_client_close(DgwHttpClient *client);
extern bool dgw_http_client_is_open(const DgwHttpClient *client);

/* GET url + path, or POST if there is content. */
extern DgwHttpOutcome dgw_http_request(DgwHttpClient *client, const char *path,
									   const DgwHttpContent *content, DgwHttpAnswer *answer);

#endif /* DGW_HTTP_CLIENT_H */
