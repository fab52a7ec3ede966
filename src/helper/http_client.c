/*-------------------------------------------------------------------------
 *
 * http_client.c
 *	  Requests to one HTTP server, by libcurl (see http_client.h).
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE
#include "http_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "ascii.h"
#include "http_setup.h"

/* Longest header of all responses to a request together (bytes). */
#define MAX_HEADER (64 * 1024)

/*
 * Slower than this a server is as good as dead.  Without such a floor one that
 * takes a few bytes before each timeout could hold the sender for ever.
 */
#define MIN_BYTES_PER_SECOND 4096

struct DgwHttpClient
{
	DgwHttpServer server;
	CURL *handle; /* NULL: no connection */
	struct curl_slist *connect_to;
	DgwHttpHandshake handshake;
	char error[CURL_ERROR_SIZE];

	/* of the request under way */
	const DgwHttpContent *content;
	DgwHttpAnswer *answer;
	uint64_t content_read; /* what curl has been given of it */
	bool connected;		   /* and the request may have been sent */
	bool header_complete;
	size_t header_len;
	int64_t started_at; /* ms: connecting, then the request */
	int64_t moved_at;	/* ms: when the server last took something of the request */
	curl_off_t moved_to;

	/* of the answer; kept from request to request */
	char *body;
	size_t body_cap;
};

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool
dgw_http_global_init(void)
{
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

DgwHttpClient *
dgw_http_client_new(DgwHttpServer *server)
{
	DgwHttpClient *client = calloc(1, sizeof(*client));

	if (client == NULL)
		return NULL;
	client->server = *server;
	memset(server, 0, sizeof(*server));
	return client;
}

void
dgw_http_client_close(DgwHttpClient *client)
{
	curl_easy_cleanup(client->handle);
	client->handle = NULL;
	curl_slist_free_all(client->connect_to);
	client->connect_to = NULL;
}

void
dgw_http_client_free(DgwHttpClient *client)
{
	dgw_http_client_close(client);
	dgw_http_server_free(&client->server);
	free(client->body);
	free(client);
}

bool
dgw_http_client_is_open(const DgwHttpClient *client)
{
	curl_socket_t fd = CURL_SOCKET_BAD;

	return client->handle != NULL &&
		   curl_easy_getinfo(client->handle, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK &&
		   fd != CURL_SOCKET_BAD;
}

/* ---------- while a request is under way ---------- */

static void
describe_tls(CURL *handle, DgwHttpAnswer *answer)
{
	struct curl_tlssessioninfo *info = NULL;
	X509 *certificate;
	const SSL *ssl;
	BIO *text;
	char *data;

	if (curl_easy_getinfo(handle, CURLINFO_TLS_SSL_PTR, &info) != CURLE_OK || info == NULL ||
		info->backend != CURLSSLBACKEND_OPENSSL || info->internals == NULL)
		return;
	ssl = info->internals;
	snprintf(answer->tls_version, sizeof(answer->tls_version), "%s", SSL_get_version(ssl));
	snprintf(answer->tls_cipher, sizeof(answer->tls_cipher), "%s", SSL_get_cipher_name(ssl));
	certificate = SSL_get1_peer_certificate(ssl);
	text = certificate != NULL ? BIO_new(BIO_s_mem()) : NULL;
	if (text != NULL &&
		X509_NAME_print_ex(text, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253) >= 0)
	{
		long len = BIO_get_mem_data(text, &data);

		dgw_copy_ascii(answer->tls_subject, sizeof(answer->tls_subject), data,
					   len > 0 ? (size_t) len : 0);
	}
	BIO_free(text);
	X509_free(certificate);
}

static int
before_request(void *arg, char *address, char *local_address, int port, int local_port)
{
	DgwHttpClient *client = arg;

	(void) address;
	(void) local_address;
	(void) port;
	(void) local_port;
	client->connected = true;
	client->started_at = client->moved_at = now_ms();
	describe_tls(client->handle, client->answer);
	return CURL_PREREQFUNC_OK;
}

static size_t
read_content(char *dest, size_t size, size_t n, void *arg)
{
	DgwHttpClient *client = arg;
	size_t got = client->content->read(client->content->source, dest, size * n);

	if (got != CURL_READFUNC_ABORT)
		client->content_read += got;
	return got;
}

/* A connection that was kept may have died: then curl begins again, over another one. */
static int
seek_content(void *arg, curl_off_t offset, int origin)
{
	DgwHttpClient *client = arg;

	if (offset != 0 || origin != SEEK_SET || !client->content->rewind(client->content->source))
		return CURL_SEEKFUNC_CANTSEEK;
	client->content_read = 0;
	return CURL_SEEKFUNC_OK;
}

static bool
is_field(const char *line, size_t len, const char *name, const char **value, size_t *value_len)
{
	size_t name_len = strlen(name);

	if (len <= name_len || strncasecmp(line, name, name_len) != 0)
		return false;
	*value = line + name_len;
	*value_len = len - name_len;
	return true;
}

static void
take_location(DgwHttpAnswer *answer, const char *value, size_t len)
{
	const char *host = memmem(value, len, "://", 3);
	size_t host_len;

	if (host == NULL)
		return;
	host += 3;
	len -= (size_t) (host - value);
	for (host_len = 0; host_len < len && strchr("/?#\r\n", host[host_len]) == NULL;)
		host_len++;
	dgw_copy_ascii(answer->location_host, sizeof(answer->location_host), host, host_len);
}

static size_t
take_header(char *line, size_t size, size_t n, void *arg)
{
	DgwHttpClient *client = arg;
	DgwHttpAnswer *answer = client->answer;
	size_t len = size * n;
	const char *value;
	size_t value_len;

	client->header_len += len;
	if (client->header_len > MAX_HEADER)
		return 0;
	if (is_field(line, len, "HTTP/", &value, &value_len))
	{
		client->header_complete = false;
		answer->server[0] = answer->location_host[0] = answer->retry_after[0] = '\0';
	}
	else if (line[0] == '\r' || line[0] == '\n')
		client->header_complete = true;
	else if (is_field(line, len, "Server:", &value, &value_len))
		dgw_copy_ascii(answer->server, sizeof(answer->server), value, value_len);
	else if (is_field(line, len, "Retry-After:", &value, &value_len))
		dgw_copy_ascii(answer->retry_after, sizeof(answer->retry_after), value, value_len);
	else if (is_field(line, len, "Location:", &value, &value_len))
		take_location(answer, value, value_len);
	return len;
}

static size_t
take_body(char *data, size_t size, size_t n, void *arg)
{
	DgwHttpClient *client = arg;
	DgwHttpAnswer *answer = client->answer;
	size_t len = size * n;

	if (len > DGW_HTTP_MAX_BODY - answer->body_len)
	{
		answer->body_lost = true;
		return 0;
	}
	if (answer->body_len + len > client->body_cap)
	{
		size_t cap = (answer->body_len + len) * 2;
		char *larger = realloc(client->body, cap);

		if (larger == NULL)
			return 0;
		client->body = larger;
		client->body_cap = cap;
	}
	memcpy(client->body + answer->body_len, data, len);
	answer->body_len += len;
	answer->body = client->body;
	return len;
}

static bool
give_up(DgwHttpClient *client, const char *format, uint32_t seconds)
{
	DgwHttpAnswer *answer = client->answer;

	answer->failure = client->connected ? DGW_FAIL_TIMEOUT : DGW_FAIL_CONNECT;
	snprintf(answer->message, sizeof(answer->message), format, seconds);
	return true;
}

/*
 * Too late?  Called once a second at least.  The response has its time from
 * when the last of the request was taken, however many bytes of it have come.
 */
static int
watch(void *arg, curl_off_t down_total, curl_off_t down_now, curl_off_t up_total, curl_off_t up_now)
{
	DgwHttpClient *client = arg;
	const DgwHttpServer *server = &client->server;
	uint64_t size = client->content != NULL ? client->content->size : 0;
	int64_t now = now_ms();
	int64_t patience = (int64_t) server->response_timeout * 1000;

	(void) down_total;
	(void) down_now;
	(void) up_total;
	if (!client->connected)
		return !client->handshake.begun &&
			   now - client->started_at > (int64_t) server->connect_timeout * 1000 &&
			   give_up(client, "no connection within %u s", server->connect_timeout);
	if (up_now != client->moved_to)
	{
		client->moved_to = up_now;
		client->moved_at = now;
	}
	if (now - client->moved_at <= patience &&
		now - client->started_at <= patience * 2 + (int64_t) (size / MIN_BYTES_PER_SECOND) * 1000)
		return 0;
	if ((uint64_t) up_now < size)
		return give_up(client, "server was too slow in taking the request", 0);
	return give_up(client, "server did not respond within %u s", server->response_timeout);
}

/* ---------- a request ---------- */

static bool
open_handle(DgwHttpClient *client)
{
	CURL *handle;

	if (client->handle != NULL)
		return true;
	handle = client->handle = curl_easy_init();
	if (handle != NULL &&
		dgw_http_configure(handle, &client->server, &client->connect_to, &client->handshake) &&
		curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, client->error) == CURLE_OK &&
		curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
		curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, watch) == CURLE_OK &&
		curl_easy_setopt(handle, CURLOPT_XFERINFODATA, client) == CURLE_OK &&
		curl_easy_setopt(handle, CURLOPT_PREREQFUNCTION, before_request) == CURLE_OK &&
		curl_easy_setopt(handle, CURLOPT_PREREQDATA, client) == CURLE_OK &&
		curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, take_header) == CURLE_OK &&
		curl_easy_setopt(handle, CURLOPT_HEADERDATA, client) == CURLE_OK &&
		curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
		curl_easy_setopt(handle, CURLOPT_WRITEDATA, client) == CURLE_OK &&
		curl_easy_setopt(handle, CURLOPT_READFUNCTION, read_content) == CURLE_OK &&
		curl_easy_setopt(handle, CURLOPT_READDATA, client) == CURLE_OK &&
		curl_easy_setopt(handle, CURLOPT_SEEKFUNCTION, seek_content) == CURLE_OK &&
		curl_easy_setopt(handle, CURLOPT_SEEKDATA, client) == CURLE_OK)
		return true;
	dgw_http_client_close(client);
	return false;
}

static bool
address_request(DgwHttpClient *client, const char *url, struct curl_slist *header)
{
	const DgwHttpContent *content = client->content;
	CURL *handle = client->handle;

	return url != NULL && header != NULL &&
		   curl_easy_setopt(handle, CURLOPT_URL, url) == CURLE_OK &&
		   curl_easy_setopt(handle, CURLOPT_HTTPHEADER, header) == CURLE_OK &&
		   (content == NULL ? curl_easy_setopt(handle, CURLOPT_HTTPGET, 1L) == CURLE_OK
							: curl_easy_setopt(handle, CURLOPT_POST, 1L) == CURLE_OK &&
								  curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE,
												   (curl_off_t) content->size) == CURLE_OK);
}

/* What went wrong, in curl's words; they hold no credentials. */
static void
explain(DgwHttpClient *client, CURLcode code)
{
	DgwHttpAnswer *answer = client->answer;
	const char *why = client->error[0] != '\0' ? client->error : curl_easy_strerror(code);
	char clean[256];

	if (answer->message[0] != '\0')
		return; /* we gave up, and have said why */
	dgw_copy_ascii(clean, sizeof(clean), why, strlen(why));
	if (!client->connected)
		answer->failure = DGW_FAIL_CONNECT;
	else if (code == CURLE_WRITE_ERROR || code == CURLE_WEIRD_SERVER_REPLY ||
			 code == CURLE_UNSUPPORTED_PROTOCOL)
		answer->failure = DGW_FAIL_PROTOCOL;
	else
		answer->failure = DGW_FAIL_ABORTED;
	if (code == CURLE_WRITE_ERROR && !client->header_complete)
		snprintf(clean, sizeof(clean), "the header of its response is too long");
	snprintf(answer->message, sizeof(answer->message), "%s: %s%s",
			 client->connected ? "connection broke during the request" : "could not connect", clean,
			 client->handshake.certificate_wanted && client->server.tls_certificate[0] == '\0'
				 ? " (the server asks for a certificate of ours, and there is none)"
				 : "");
}

/* TLS 1.3 refuses a client's certificate only after it has begun to talk. */
static bool
refused_by_tls(const DgwHttpClient *client)
{
	return client->answer->tls_version[0] != '\0' && !client->header_complete &&
		   strstr(client->error, "alert") != NULL;
}

static DgwHttpOutcome
judge(DgwHttpClient *client, CURLcode code)
{
	DgwHttpAnswer *answer = client->answer;
	long status = 0;
	bool answered;

	(void) curl_easy_getinfo(client->handle, CURLINFO_RESPONSE_CODE, &status);
	answer->status = (int) status;
	answered = client->header_complete && status >= 200 && status <= 599;
	if (code == CURLE_OK && answered &&
		(status >= 300 || client->content == NULL || client->content_read == client->content->size))
		return DGW_HTTP_ANSWERED;
	/* A refusal counts though the rest of it is lost; a success needs all of it. */
	if (code != CURLE_OK && answered && (status >= 300 || answer->body_lost))
	{
		answer->body_lost = true;
		return DGW_HTTP_ANSWERED;
	}
	if (code == CURLE_ABORTED_BY_CALLBACK && answer->message[0] == '\0')
		return DGW_HTTP_BROKEN_OFF;
	if (code == CURLE_OK)
	{
		answer->failure = DGW_FAIL_PROTOCOL;
		snprintf(answer->message, sizeof(answer->message),
				 answered ? "server answered %d before it had the whole request"
						  : "server answered with status %d, which is none",
				 answer->status);
	}
	else
		explain(client, code);
	return client->connected && !refused_by_tls(client) ? DGW_HTTP_BROKEN : DGW_HTTP_UNREACHABLE;
}

static void
take_times(DgwHttpClient *client)
{
	DgwHttpAnswer *answer = client->answer;
	long connections = 0;
	curl_off_t ready = 0;
	curl_off_t total = 0;

	(void) curl_easy_getinfo(client->handle, CURLINFO_NUM_CONNECTS, &connections);
	(void) curl_easy_getinfo(client->handle, CURLINFO_PRETRANSFER_TIME_T, &ready);
	(void) curl_easy_getinfo(client->handle, CURLINFO_TOTAL_TIME_T, &total);
	if (connections > 0)
		answer->connect_us = (uint32_t) (ready < UINT32_MAX ? ready : UINT32_MAX);
	if (total > ready)
		answer->round_trip_us =
			(uint32_t) (total - ready < UINT32_MAX ? total - ready : UINT32_MAX);
}

static void
begin(DgwHttpClient *client, const DgwHttpContent *content, DgwHttpAnswer *answer)
{
	memset(answer, 0, sizeof(*answer));
	client->content = content;
	client->answer = answer;
	client->content_read = 0;
	client->connected = false;
	memset(&client->handshake, 0, sizeof(client->handshake));
	client->header_complete = false;
	client->header_len = 0;
	client->moved_to = 0;
	client->error[0] = '\0';
	client->started_at = client->moved_at = now_ms();
}

DgwHttpOutcome
dgw_http_request(DgwHttpClient *client, const char *path, const DgwHttpContent *content,
				 DgwHttpAnswer *answer)
{
	char *url = dgw_http_request_url(&client->server, path);
	struct curl_slist *header =
		dgw_http_request_header(&client->server, content != NULL ? content->type : NULL);
	DgwHttpOutcome outcome = DGW_HTTP_UNREACHABLE;

	begin(client, content, answer);
	if (open_handle(client) && address_request(client, url, header))
	{
		CURLcode code = curl_easy_perform(client->handle);

		outcome = judge(client, code);
		take_times(client);
		(void) curl_easy_setopt(client->handle, CURLOPT_HTTPHEADER, NULL);
	}
	else
	{
		answer->failure = DGW_FAIL_CONNECT;
		snprintf(answer->message, sizeof(answer->message), "could not set up an HTTP request");
	}
	curl_slist_free_all(header);
	free(url);
	return outcome;
}
