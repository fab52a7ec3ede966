/*-------------------------------------------------------------------------
 *
 * stow.c
 *	  dicomgw-stow: sends stored objects to one DICOMweb server (STOW-RS,
 *	  PS3.18 10.5).
 *
 * Started by the forwarder, or by a backend that runs dicomgw.echo(), with a
 * sender channel (protocol/message.h) on descriptor 3, as dicomgw-scu is.  The
 * program reads what a server on the network says, so it holds nothing that is
 * worth taking but that server's own credentials: no database, no shared
 * memory, and the name of the storage folder.  If it dies, its jobs are late
 * by one lease.
 *
 *		stow.c				start and end of the program
 *		stow_sender.c		jobs and results
 *		stow_request.c		the body of a request
 *		stow_verdict.c		what an answer means
 *		stow_response.c		what it says of each instance,
 *		stow_json.c			in DICOM JSON
 *		stow_xml.c			or in XML
 *		stow_echo.c			is the server there?
 *		http_client.c		one request and its answer
 *		http_setup.c		TLS, credentials, proxy
 *		stored_file.c		the bytes of a stored object
 *		ascii.c				what a server calls itself
 *		worker_channel.c	messages from and to the worker
 *
 *-------------------------------------------------------------------------
 */
#include "stow_sender.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <openssl/crypto.h>

#ifndef DGW_VERSION
#define DGW_VERSION "0.1.0"
#endif

static const char PROGRAM[] = "dicomgw-stow " DGW_VERSION;

static char *
copy(DgwSlice slice)
{
	char *text = strndup(slice.data, slice.len);

	if (text == NULL)
	{
		fprintf(stderr, "%s: out of memory\n", PROGRAM);
		exit(1);
	}
	return text;
}

/* A secret is nowhere but in its copy. */
static char *
move_secret(DgwSlice slice)
{
	char *text = copy(slice);

	OPENSSL_cleanse((char *) slice.data, slice.len);
	return text;
}

static DgwHttpServer
server_of(const DgwDestination *destination)
{
	DgwHttpServer server = {
		.url = copy(destination->url),
		.username = move_secret(destination->username),
		.password = move_secret(destination->password),
		.bearer_token = move_secret(destination->bearer_token),
		.proxy = copy(destination->proxy),
		.tls = (DgwTlsCheck) destination->tls,
		.tls_ca = copy(destination->tls_ca),
		.tls_certificate = copy(destination->tls_certificate),
		.tls_key = copy(destination->tls_key),
		.tls_server_name = copy(destination->tls_server_name),
		.connect_timeout = destination->connect_timeout,
		.handshake_timeout = destination->association_timeout,
		.response_timeout = destination->response_timeout,
	};

	for (size_t len = strlen(server.url); len > 0 && server.url[len - 1] == '/'; len--)
		server.url[len - 1] = '\0';
	return server;
}

/* Talk to the destination of the worker's first message. */
static int
serve_destination(DgwWorkerChannel *channel, const DgwDestination *destination)
{
	char *storage_path = copy(destination->storage_path);
	DgwHttpServer server = server_of(destination);
	DgwHttpClient *client = dgw_http_client_new(&server);
	int exit_status = 1;

	if (client != NULL)
	{
		exit_status = dgw_stow_run(channel, client, destination, storage_path);
		dgw_http_client_free(client);
	}
	dgw_http_server_free(&server);
	free(storage_path);
	return exit_status;
}

static int
serve_worker(DgwWorkerChannel *channel)
{
	DgwDestination destination;
	DgwFrame frame;
	int exit_status;

	if (!dgw_worker_channel_first(channel, PROGRAM, &frame, &exit_status))
		return exit_status;
	if (frame.type != DGW_MSG_DESTINATION || !dgw_decode_destination(&frame, &destination))
	{
		dgw_worker_channel_log(channel, DGW_LOG_WARNING,
							   "dicomgw-stow needs a destination before %s",
							   dgw_message_name(frame.type));
		return 1;
	}
	return serve_destination(channel, &destination);
}

int
main(void)
{
	DgwWorkerChannel channel;
	int exit_status;

	dgw_die_with_parent(getppid());
	signal(SIGPIPE, SIG_IGN);
	/* A core would have the credentials in it. */
	(void) setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	if (!dgw_http_global_init())
	{
		fprintf(stderr, "%s: could not set up libcurl\n", PROGRAM);
		return 1;
	}
	dgw_worker_channel_open(&channel, DGW_CHANNEL_FD, DGW_CHANNEL_SENDER);
	exit_status = serve_worker(&channel);
	dgw_worker_channel_free(&channel);
	curl_global_cleanup();
	return exit_status;
}
