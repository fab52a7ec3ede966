/*-------------------------------------------------------------------------
 *
 * http_setup.c
 *	  What a curl handle has to know of its server (see http_setup.h).
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE
#include "http_setup.h"

#include <stdio.h>
#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/ssl.h>

/* 112 bits: RSA and DH of 2048, EC of 224, no SHA-1 in signatures. */
#define SECURITY_LEVEL 2

/* For TLS 1.2: what RFC 9325 4.2 recommends, and with RSA what PS3.15 B.9 has besides. */
#define CIPHERS                                                                                    \
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"                                   \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"                                   \
	"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"                                   \
	"DHE-RSA-AES256-GCM-SHA384:DHE-RSA-AES128-GCM-SHA256"

/* Also the most that it asks of a body at a time. */
#define UPLOAD_BUFFER (256 * 1024L)

#define ACCEPT "application/dicom+json, application/dicom+xml;q=0.9, application/json;q=0.8"

/* A name that is not the URL's, for the certificate and SNI. */
static bool
has_other_name(const DgwHttpServer *server)
{
	return server->tls != DGW_TLS_OFF && server->tls_server_name[0] != '\0';
}

/* "https://host:port/path": where the host begins, and how long host and port are. */
static const char *
find_authority(const char *url, size_t *len)
{
	const char *at = strstr(url, "://");

	at = at != NULL ? at + 3 : url;
	*len = strcspn(at, "/");
	return at;
}

/* What follows the host: port and path. */
static const char *
find_rest(const char *authority, size_t len)
{
	for (size_t i = len; i > 0 && authority[i - 1] != ']'; i--)
		if (authority[i - 1] == ':')
			return authority + i - 1;
	return authority + len;
}

char *
dgw_http_request_url(const DgwHttpServer *server, const char *path)
{
	size_t len;
	const char *authority = find_authority(server->url, &len);
	char *url;
	int n;

	if (has_other_name(server))
		n = asprintf(&url, "https://%s%s%s", server->tls_server_name, find_rest(authority, len),
					 path);
	else
		n = asprintf(&url, "%s%s", server->url, path);
	return n < 0 ? NULL : url;
}

static bool
append(struct curl_slist **list, const char *format, const char *text, int len)
{
	struct curl_slist *longer = NULL;
	char *line;

	if (asprintf(&line, format, len, text) >= 0)
	{
		longer = curl_slist_append(*list, line);
		free(line);
	}
	if (longer != NULL)
		*list = longer;
	return longer != NULL;
}

struct curl_slist *
dgw_http_request_header(const DgwHttpServer *server, const char *content_type)
{
	struct curl_slist *list = NULL;
	size_t len;
	const char *authority = find_authority(server->url, &len);
	bool good = append(&list, "Accept: %.*s", ACCEPT, (int) strlen(ACCEPT));

	/* The certificate has another name, but the host that is asked is still the URL's. */
	if (good && has_other_name(server))
		good = append(&list, "Host: %.*s", authority, (int) len);
	if (good && content_type != NULL)
		good = append(&list, "Content-Type: %.*s", content_type, (int) strlen(content_type));
	if (good)
		return list;
	curl_slist_free_all(list);
	return NULL;
}

/* Whatever name the URL has, the connection goes to this host. */
static bool
connect_to_host(const DgwHttpServer *server, struct curl_slist **connect_to)
{
	size_t len;
	const char *authority = find_authority(server->url, &len);

	return append(connect_to, "::%.*s:", authority, (int) (find_rest(authority, len) - authority));
}

static int
note_certificate_wanted(SSL *ssl, void *handshake)
{
	(void) ssl;
	((DgwHttpHandshake *) handshake)->certificate_wanted = true;
	return 1;
}

static CURLcode
begin_handshake(CURL *handle, void *context, void *handshake)
{
	(void) handle;
	((DgwHttpHandshake *) handshake)->begun = true;
	SSL_CTX_set_security_level(context, SECURITY_LEVEL);
	SSL_CTX_set_cert_cb(context, note_certificate_wanted, handshake);
	return CURLE_OK;
}

static bool
configure_tls(CURL *handle, const DgwHttpServer *server, DgwHttpHandshake *handshake)
{
	bool good = true;

#define SET(option, value) good = good && curl_easy_setopt(handle, option, value) == CURLE_OK
	SET(CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_CIPHER_LIST, CIPHERS);
	SET(CURLOPT_SSL_CTX_FUNCTION, begin_handshake);
	SET(CURLOPT_SSL_CTX_DATA, handshake);
	SET(CURLOPT_SSL_VERIFYPEER, server->tls >= DGW_TLS_VERIFY_CA ? 1L : 0L);
	SET(CURLOPT_SSL_VERIFYHOST, server->tls >= DGW_TLS_VERIFY_FULL ? 2L : 0L);
	if (server->tls_ca[0] != '\0')
	{
		SET(CURLOPT_CAINFO, server->tls_ca);
		SET(CURLOPT_CAPATH, NULL);
	}
	if (server->tls_certificate[0] != '\0')
	{
		SET(CURLOPT_SSLCERT, server->tls_certificate);
		SET(CURLOPT_SSLKEY, server->tls_key);
		SET(CURLOPT_KEYPASSWD, ""); /* nobody is there to be asked for one */
	}
	return good;
}

static bool
configure_credentials(CURL *handle, const DgwHttpServer *server)
{
	bool good = true;

	if (server->bearer_token[0] != '\0')
	{
		SET(CURLOPT_HTTPAUTH, (long) CURLAUTH_BEARER);
		SET(CURLOPT_XOAUTH2_BEARER, server->bearer_token);
	}
	else if (server->username[0] != '\0')
	{
		SET(CURLOPT_HTTPAUTH, (long) CURLAUTH_BASIC);
		SET(CURLOPT_USERNAME, server->username);
		SET(CURLOPT_PASSWORD, server->password);
	}
	return good;
}

bool
dgw_http_configure(CURL *handle, const DgwHttpServer *server, struct curl_slist **connect_to,
				   DgwHttpHandshake *handshake)
{
	bool good = true;

	if (has_other_name(server) && !connect_to_host(server, connect_to))
		return false;
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_2TLS);
	SET(CURLOPT_HTTP09_ALLOWED, 0L);
	SET(CURLOPT_USERAGENT, "dicomgw");
	SET(CURLOPT_CONNECT_TO, *connect_to);
	SET(CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER);
	SET(CURLOPT_MAXCONNECTS, 1L);
	SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	/* Empty is none, whatever the environment says. */
	SET(CURLOPT_PROXY, server->proxy);
	SET(CURLOPT_NOPROXY, "");
	SET(CURLOPT_CONNECTTIMEOUT, (long) server->connect_timeout +
									(server->tls != DGW_TLS_OFF ? server->handshake_timeout : 0));
	return good && configure_tls(handle, server, handshake) &&
		   configure_credentials(handle, server);
}
#undef SET

static void
free_secret(char *secret)
{
	if (secret != NULL)
		OPENSSL_cleanse(secret, strlen(secret));
	free(secret);
}

void
dgw_http_server_free(DgwHttpServer *server)
{
	free(server->url);
	free(server->proxy);
	free(server->tls_ca);
	free(server->tls_certificate);
	free(server->tls_key);
	free(server->tls_server_name);
	free_secret(server->username);
	free_secret(server->password);
	free_secret(server->bearer_token);
	memset(server, 0, sizeof(*server));
}
