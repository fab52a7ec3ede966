/*-------------------------------------------------------------------------
 *
 * scp_driver.c
 *	  Stands in for the receiver worker, to test dicomgw-scp without a server.
 *
 * usage: scp_driver [name=value ...] program
 *
 * It starts the program with a control channel on descriptor 3, as the worker
 * does, configures its listeners, and plays the worker's part: every REQUESTED
 * and RECEIVED is answered at once, as the settings say (with the object's
 * directories synced first, if asked to).  What the program says is printed,
 * one line a message, so that a test can wait for it:
 *
 *		hello <program>
 *		listener <id> <0|1> <message>
 *		expires <id> <seconds since 1970>			before "listener", if there is a certificate
 *		association <pid> <address>
 *		turned_away <listener> <connections> <address> <message>
 *		identity <pid> <type> <username>			before "requested", if there is one
 *		tls <pid> <version> <cipher> <subject>		before "requested", if there is TLS
 *		requested <pid> <max PDU> <contexts> <calling> <called> <implementation version>
 *		opened <pid> <contexts>
 *		received <pid> <seq> <path> <class> <instance> <syntax> <size> <sha256> <mirrored> <header error>
 *		closed <pid> <reason> <objects> <bytes> <message>
 *		gone <pid>					the channel ended
 *		log <level> <text>
 *		exit <status>				the program ended
 *
 * Settings are arguments, and later lines on stdin (then in force with the
 * line "config"); they are in scp_settings.h.  Other lines:
 *
 *		full <comment>, room		no objects are accepted; they are again
 *		abort <pid>					a person wants this association to end
 *		commit <pid> <seq>			an answer that was held back (answer=none)
 *		quit						as the end of stdin: closes the control channel
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../src/protocol/message.h"
#include "scp_settings.h"

#define MAX_CHANNELS 8192
/* For "%.*s". */
#define TEXT(slice) (int) (slice).len, (slice).data

/* The first channel is the control channel; the others are of associations. */
typedef struct Peer
{
	int fd;
	unsigned pid;
	bool admitted;
	DgwFrameReader reader;
} Peer;

static Peer peers[MAX_CHANNELS];
static int n_peers;
static DgwFrameWriter writer;

static void
die(const char *what)
{
	fprintf(stderr, "scp_driver: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void
send_to(int fd)
{
	if (!dgw_writer_send(&writer, fd, -1) && errno != EPIPE && errno != ECONNRESET)
		die("could not send");
	dgw_writer_reset(&writer);
}

static void
send_config(void)
{
	static DgwConfig config;
	uint32_t n = number("listeners");

	config.storage_path = dgw_slice(setting("storage"));
	config.mirror_path = dgw_slice(setting("mirror"));
	config.mirror_needed = (uint8_t) number("mirror_needed");
	config.max_associations = number("max_associations");
	config.n_listeners = n;
	for (uint32_t i = 0; i < n; i++)
	{
		bool tls = i == 1;

		config.listeners[i] = (DgwListener){
			.id = i + 1,
			.bind_address = dgw_slice(setting("bind")),
			.port = (uint16_t) number(tls ? "tls_port" : "port"),
			.max_pdu = number("max_pdu"),
			.association_timeout = number("association_timeout"),
			.idle_timeout = number("idle_timeout"),
			.tls = tls,
			.tls_client = (uint8_t) number("tls_client"),
			.tls_certificate = dgw_slice(setting("tls_certificate")),
			.tls_key = dgw_slice(setting("tls_key")),
			.tls_ca = dgw_slice(setting("tls_ca")),
			.tls_crl = dgw_slice(setting("tls_crl")),
		};
	}
	dgw_encode_config(&writer, &config);
	send_to(peers[0].fd);
}

static void
send_storage(uint8_t accepting, const char *comment)
{
	DgwStorage storage = {accepting, dgw_slice(comment)};

	dgw_encode_storage(&writer, &storage);
	send_to(peers[0].fd);
}

static void
send_abort(unsigned pid)
{
	DgwAbort abort = {pid};

	dgw_encode_abort(&writer, &abort);
	send_to(peers[0].fd);
}

static void
send_committed(unsigned pid, unsigned long long seq)
{
	DgwCommitted committed = {seq};

	for (int i = 1; i < n_peers; i++)
	{
		if (peers[i].pid != pid)
			continue;
		dgw_encode_committed(&writer, &committed);
		send_to(peers[i].fd);
	}
}

static void
add_peer(int fd, unsigned pid)
{
	Peer *peer = &peers[n_peers];

	if (n_peers == MAX_CHANNELS)
		die("too many channels");
	n_peers++;
	peer->fd = fd;
	peer->pid = pid;
	peer->admitted = false;
	dgw_reader_init(&peer->reader);
}

static pid_t
start_program(char *program)
{
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		die("could not create a channel");
	pid = fork();
	if (pid < 0)
		die("could not fork");
	if (pid == 0)
	{
		int null = open("/dev/null", O_RDONLY);

		dup2(null, STDIN_FILENO);
		dup2(STDERR_FILENO, STDOUT_FILENO);
		dup2(ends[1], DGW_CHANNEL_FD);
		if (ends[1] == DGW_CHANNEL_FD)
			fcntl(DGW_CHANNEL_FD, F_SETFD, 0);
		execl(program, program, (char *) NULL);
		die(program);
	}
	close(ends[1]);
	add_peer(ends[0], (unsigned) pid);
	return pid;
}

/* ---------- the worker's part ---------- */

/* Sync the object's directory and those above it, down from the storage path. */
static void
sync_directories(DgwSlice path)
{
	char name[4096];
	char *slash;

	snprintf(name, sizeof(name), "%s/%.*s", setting("storage"), TEXT(path));
	slash = strrchr(name, '/');
	*slash = '\0';
	int fd = open(name, O_RDONLY | O_DIRECTORY);

	if (fd < 0 || fsync(fd) != 0)
		die(name);
	close(fd);
}

static void
keep_header(const DgwReceived *m)
{
	const char *token = memrchr(m->path.data, '/', m->path.len);
	char name[4096];
	FILE *file;

	if (token == NULL)
		die("path without a slash");
	snprintf(name, sizeof(name), "%s/%.32s.json", setting("headers"), token + 1);
	file = fopen(name, "w");
	if (file == NULL || fwrite(m->header.data, 1, m->header.len, file) != m->header.len ||
		fclose(file) != 0)
		die(name);
}

static void
print_received(const Peer *peer, const DgwReceived *m)
{
	printf("received %u %llu %.*s %.*s %.*s %.*s %llu ", peer->pid, (unsigned long long) m->seq,
		   TEXT(m->path), TEXT(m->sop_class_uid), TEXT(m->sop_instance_uid),
		   TEXT(m->transfer_syntax_uid), (unsigned long long) m->size);
	for (int i = 0; i < DGW_SHA256_LEN; i++)
		printf("%02x", m->sha256[i]);
	printf(" %d %.*s\n", m->mirrored, TEXT(m->header_error));
}

static void
answer_received(const Peer *peer, const DgwReceived *m)
{
	const char *answer = setting("answer");

	print_received(peer, m);
	if (setting("headers")[0] != '\0')
		keep_header(m);
	if (strcmp(answer, "none") == 0)
		return;
	if (strcmp(answer, "commit") == 0)
	{
		DgwCommitted committed = {m->seq};

		if (number("sync"))
			sync_directories(m->path);
		dgw_encode_committed(&writer, &committed);
	}
	else
	{
		DgwRefused refused = {m->seq, (uint16_t) strtoul(answer, NULL, 16),
							  dgw_slice("by the driver")};

		dgw_encode_refused(&writer, &refused);
	}
	send_to(peer->fd);
}

static void
print_requested(const Peer *peer, const DgwRequested *m)
{
	if (m->identity_type != 0)
		printf("identity %u %d %.*s\n", peer->pid, m->identity_type, TEXT(m->username));
	if (m->tls_version.len > 0)
		printf("tls %u %.*s %.*s %.*s\n", peer->pid, TEXT(m->tls_version), TEXT(m->tls_cipher),
			   TEXT(m->tls_subject));
	printf("requested %u %u %u %.*s %.*s %.*s\n", peer->pid, m->max_pdu, m->contexts,
		   TEXT(m->calling_ae), TEXT(m->called_ae), TEXT(m->implementation_version));
}

static uint32_t
transfer_syntaxes(DgwSlice *list)
{
	static char text[MAX_SETTING];
	char *rest = text;
	uint32_t n = 0;
	char *uid;

	snprintf(text, sizeof(text), "%s", setting("transfer_syntaxes"));
	while (n < DGW_MAX_TRANSFER_SYNTAXES && (uid = strsep(&rest, ",")) != NULL)
	{
		if (uid[0] != '\0')
			list[n++] = dgw_slice(uid);
	}
	return n;
}

static void
encode_admitted(void)
{
	DgwAdmitted admitted = {.may_store = (uint8_t) number("may_store"),
							.may_echo = (uint8_t) number("may_echo"),
							.keep_mismatch = (uint8_t) number("keep_mismatch"),
							.max_object_size = strtoull(setting("max_object_size"), NULL, 10),
							.passcode_hash = dgw_slice(setting("passcode_hash"))};

	admitted.n_transfer_syntaxes = transfer_syntaxes(admitted.transfer_syntaxes);
	dgw_encode_admitted(&writer, &admitted);
}

/* The called AE title has to be ours, and there are not too many already. */
static void
answer_requested(Peer *peer, const DgwRequested *m)
{
	const char *ae = setting("ae");
	uint32_t admitted = 0;

	print_requested(peer, m);
	if (number("admit") == 0)
		return;
	for (int i = 1; i < n_peers; i++)
		admitted += peers[i].admitted;
	if (m->called_ae.len != strlen(ae) || memcmp(m->called_ae.data, ae, m->called_ae.len) != 0)
		dgw_encode_rejected(&writer, &(DgwRejected){1, 1, 7});
	else if (admitted >= number("max_associations"))
		dgw_encode_rejected(&writer, &(DgwRejected){2, 3, 2});
	else
	{
		peer->admitted = true;
		encode_admitted();
	}
	send_to(peer->fd);
}

static bool
serve_control(Peer *peer, DgwFrame *frame)
{
	DgwHello hello;
	DgwLog log;
	DgwListenerState state;
	DgwAssociation association;
	DgwTurnedAway turned_away;

	if (frame->type == DGW_MSG_HELLO && dgw_decode_hello(frame, &hello))
	{
		printf("hello %.*s\n", TEXT(hello.program));
		hello = (DgwHello){DGW_PROTOCOL_VERSION, dgw_slice("scp_driver")};
		dgw_encode_hello(&writer, &hello);
		send_to(peer->fd);
		send_config();
		return true;
	}
	if (frame->type == DGW_MSG_LOG && dgw_decode_log(frame, &log))
		printf("log %d %.*s\n", log.level, TEXT(log.text));
	else if (frame->type == DGW_MSG_LISTENER_STATE && dgw_decode_listener_state(frame, &state))
	{
		if (state.certificate_expires != 0)
			printf("expires %u %llu\n", state.id, (unsigned long long) state.certificate_expires);
		printf("listener %u %d %.*s\n", state.id, state.listening, TEXT(state.message));
	}
	else if (frame->type == DGW_MSG_TURNED_AWAY && dgw_decode_turned_away(frame, &turned_away))
		printf("turned_away %u %u %.*s %.*s\n", turned_away.listener_id, turned_away.connections,
			   TEXT(turned_away.peer_address), TEXT(turned_away.message));
	else if (frame->type == DGW_MSG_ASSOCIATION && dgw_decode_association(frame, &association))
	{
		int fd = dgw_reader_take_fd(&peer->reader);

		if (fd < 0)
			return false;
		printf("association %u %.*s\n", association.pid, TEXT(association.peer_address));
		add_peer(fd, association.pid);
	}
	else
		return false;
	return true;
}

static bool
serve_association(Peer *peer, DgwFrame *frame)
{
	DgwLog log;
	DgwRequested requested;
	DgwOpened opened;
	DgwReceived received;
	DgwClosed closed;

	if (frame->type == DGW_MSG_LOG && dgw_decode_log(frame, &log))
		printf("log %d %.*s\n", log.level, TEXT(log.text));
	else if (frame->type == DGW_MSG_REQUESTED && dgw_decode_requested(frame, &requested))
		answer_requested(peer, &requested);
	else if (frame->type == DGW_MSG_OPENED && dgw_decode_opened(frame, &opened))
		printf("opened %u %u\n", peer->pid, opened.contexts);
	else if (frame->type == DGW_MSG_RECEIVED && dgw_decode_received(frame, &received))
		answer_received(peer, &received);
	else if (frame->type == DGW_MSG_CLOSED && dgw_decode_closed(frame, &closed))
		printf("closed %u %d %u %llu %.*s\n", peer->pid, closed.reason, closed.objects,
			   (unsigned long long) closed.bytes, TEXT(closed.message));
	else
		return false;
	return true;
}

/*
 * Read a channel once and serve every whole frame; false when it has ended.
 * A descriptor is passed with each ASSOCIATION, so the reader is emptied
 * before it is filled again.
 */
static bool
serve_peer(int index)
{
	DgwChannelKind kind = index == 0 ? DGW_CHANNEL_CONTROL : DGW_CHANNEL_ASSOCIATION;
	DgwReadResult result = dgw_reader_fill(&peers[index].reader, peers[index].fd);
	DgwFrame frame;

	if (result == DGW_READ_EOF || (result == DGW_READ_ERROR && errno == ECONNRESET))
		return false;
	if (result == DGW_READ_ERROR)
		die("could not read a channel");
	while ((result = dgw_reader_next(&peers[index].reader, &frame)) == DGW_READ_OK)
	{
		if (!dgw_message_permitted(frame.type, kind, DGW_TO_WORKER, frame.len) ||
			!(index == 0 ? serve_control(&peers[0], &frame)
						 : serve_association(&peers[index], &frame)))
		{
			errno = EPROTO;
			die(dgw_message_name(frame.type));
		}
	}
	if (result == DGW_READ_ERROR)
		die("bad frame");
	return true;
}

/* False at "quit" or the end of stdin. */
static bool
serve_stdin(void)
{
	char line[MAX_SETTING * 2];
	unsigned long long seq;
	unsigned pid;

	if (fgets(line, sizeof(line), stdin) == NULL)
		return false;
	line[strcspn(line, "\n")] = '\0';
	if (strcmp(line, "quit") == 0)
		return false;
	if (strcmp(line, "config") == 0)
		send_config();
	else if (strncmp(line, "full ", 5) == 0)
		send_storage(0, line + 5);
	else if (sscanf(line, "abort %u", &pid) == 1)
		send_abort(pid);
	else if (sscanf(line, "commit %u %llu", &pid, &seq) == 2)
		send_committed(pid, seq);
	else if (strcmp(line, "room") == 0)
		send_storage(1, "");
	else if (!set_setting(line))
		fprintf(stderr, "scp_driver: unknown command: %s\n", line);
	return true;
}

static void
serve(void)
{
	for (;;)
	{
		static struct pollfd fds[MAX_CHANNELS + 1];

		fds[0] = (struct pollfd){STDIN_FILENO, POLLIN, 0};
		for (int i = 0; i < n_peers; i++)
			fds[i + 1] = (struct pollfd){peers[i].fd, POLLIN, 0};
		int n = n_peers;

		fflush(stdout);
		if (poll(fds, (nfds_t) n + 1, -1) < 0)
			die("poll");
		if (fds[0].revents != 0 && !serve_stdin())
			return;
		/* From the end, so that removing one moves none still to be seen. */
		for (int i = n - 1; i >= 0; i--)
		{
			if (fds[i + 1].revents == 0 || serve_peer(i))
				continue;
			if (i == 0)
				return;
			printf("gone %u\n", peers[i].pid);
			close(peers[i].fd);
			dgw_reader_free(&peers[i].reader);
			peers[i] = peers[--n_peers];
		}
	}
}

/* One for every association; the program has its own. */
static void
raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
	{
		limit.rlim_cur = limit.rlim_max;
		(void) setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int
main(int argc, char **argv)
{
	int status;
	pid_t pid;

	for (int i = 1; i < argc - 1; i++)
	{
		if (!set_setting(argv[i]))
		{
			fprintf(stderr, "scp_driver: unknown setting: %s\n", argv[i]);
			return 2;
		}
	}
	if (argc < 2)
	{
		fprintf(stderr, "usage: scp_driver [name=value ...] program\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	raise_descriptor_limit();
	setvbuf(stdin, NULL, _IONBF, 0);
	pid = start_program(argv[argc - 1]);
	serve();
	for (int i = 0; i < n_peers; i++)
		close(peers[i].fd);
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	printf("exit %d\n", status);
	return status == 0 ? 0 : 1;
}
