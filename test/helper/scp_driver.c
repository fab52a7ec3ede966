/*-------------------------------------------------------------------------
 *
 * scp_driver.c
 *	  Stands in for the receiver worker, to test dicomgw-scp without a server.
 *
 * usage: scp_driver [name=value ...] program
 *
 * It starts the program with a control channel on descriptor 3, as the worker
 * does, configures one listener, and plays the worker's part: every RECEIVED
 * is answered at once (with its directories synced first, if asked to).  What
 * the program says is printed, one line a message, so that a test can wait
 * for it:
 *
 *		hello <program>
 *		listener <id> <0|1> <message>
 *		association <pid> <address>
 *		requested <pid> <calling> <called> <implementation version>
 *		opened <pid> <contexts>
 *		received <pid> <seq> <path> <class> <instance> <syntax> <size> <sha256> <mirrored> <header error>
 *		closed <pid> <reason> <objects> <bytes> <message>
 *		gone <pid>					the channel ended
 *		log <level> <text>
 *		exit <status>				the program ended
 *
 * Settings, as arguments and later as lines on stdin (then in force with the
 * line "config"): port, bind, ae, storage, max_associations, max_pdu,
 * association_timeout, idle_timeout, listeners (0 or 1), answer (commit |
 * none | a status to refuse with, in hexadecimal), headers (a directory: the
 * JSON of each object is written to <token>.json in it), sync (0 or 1), mirror,
 * mirror_needed, keep_mismatch (0 or 1), max_object_size.  The line "full
 * <comment>" says that no objects are accepted, "room" that they are again;
 * "quit", or the end of stdin, closes the control channel.
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
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../src/protocol/message.h"

#define MAX_CHANNELS 1024
#define MAX_SETTING 256

typedef struct Setting
{
	const char *name;
	char value[MAX_SETTING];
} Setting;

static Setting settings[] = {{"port", "11112"},
							 {"bind", "127.0.0.1"},
							 {"ae", "DICOMGW"},
							 {"storage", "."},
							 {"max_associations", "100"},
							 {"max_pdu", "131072"},
							 {"association_timeout", "10"},
							 {"idle_timeout", "60"},
							 {"listeners", "1"},
							 {"answer", "commit"},
							 {"headers", ""},
							 {"sync", "0"},
							 {"mirror", ""},
							 {"mirror_needed", "0"},
							 {"keep_mismatch", "0"},
							 {"max_object_size", "0"}};

#define N_SETTINGS (sizeof(settings) / sizeof(settings[0]))

/* The first channel is the control channel; the others are of associations. */
typedef struct Peer
{
	int fd;
	unsigned pid;
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

static const char *
setting(const char *name)
{
	for (size_t i = 0; i < N_SETTINGS; i++)
	{
		if (strcmp(settings[i].name, name) == 0)
			return settings[i].value;
	}
	abort();
}

/* name=value; false if there is no such setting. */
static bool
set_setting(const char *text)
{
	const char *equals = strchr(text, '=');

	for (size_t i = 0; equals != NULL && i < N_SETTINGS; i++)
	{
		size_t len = (size_t) (equals - text);

		if (strlen(settings[i].name) == len && strncmp(settings[i].name, text, len) == 0)
		{
			snprintf(settings[i].value, MAX_SETTING, "%s", equals + 1);
			return true;
		}
	}
	return false;
}

static DgwSlice
slice(const char *text)
{
	return (DgwSlice){text, strlen(text)};
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
	DgwListener *listener = &config.listeners[0];

	config.storage_path = slice(setting("storage"));
	config.mirror_path = slice(setting("mirror"));
	config.mirror_needed = (uint8_t) atoi(setting("mirror_needed"));
	config.max_associations = (uint32_t) atoi(setting("max_associations"));
	config.n_listeners = (uint32_t) atoi(setting("listeners"));
	listener->id = 1;
	listener->bind_address = slice(setting("bind"));
	listener->port = (uint16_t) atoi(setting("port"));
	listener->max_pdu = (uint32_t) atoi(setting("max_pdu"));
	listener->association_timeout = (uint32_t) atoi(setting("association_timeout"));
	listener->idle_timeout = (uint32_t) atoi(setting("idle_timeout"));
	dgw_encode_config(&writer, &config);
	send_to(peers[0].fd);
}

static void
send_storage(uint8_t accepting, const char *comment)
{
	DgwStorage storage = {accepting, slice(comment)};

	dgw_encode_storage(&writer, &storage);
	send_to(peers[0].fd);
}

static Peer *
add_peer(int fd, unsigned pid)
{
	Peer *peer = &peers[n_peers];

	if (n_peers == MAX_CHANNELS)
		die("too many channels");
	n_peers++;
	peer->fd = fd;
	peer->pid = pid;
	dgw_reader_init(&peer->reader);
	return peer;
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

	snprintf(name, sizeof(name), "%s/%.*s", setting("storage"), (int) path.len, path.data);
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
		   (int) m->path.len, m->path.data, (int) m->sop_class_uid.len, m->sop_class_uid.data,
		   (int) m->sop_instance_uid.len, m->sop_instance_uid.data,
		   (int) m->transfer_syntax_uid.len, m->transfer_syntax_uid.data,
		   (unsigned long long) m->size);
	for (int i = 0; i < DGW_SHA256_LEN; i++)
		printf("%02x", m->sha256[i]);
	printf(" %d %.*s\n", m->mirrored, (int) m->header_error.len, m->header_error.data);
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

		if (atoi(setting("sync")))
			sync_directories(m->path);
		dgw_encode_committed(&writer, &committed);
	}
	else
	{
		DgwRefused refused = {m->seq, (uint16_t) strtoul(answer, NULL, 16), slice("by the driver")};

		dgw_encode_refused(&writer, &refused);
	}
	send_to(peer->fd);
}

/* The called AE title has to be ours; everybody else may do everything. */
static void
answer_requested(const Peer *peer, const DgwRequested *m)
{
	const char *ae = setting("ae");

	printf("requested %u %.*s %.*s %.*s\n", peer->pid, (int) m->calling_ae.len, m->calling_ae.data,
		   (int) m->called_ae.len, m->called_ae.data, (int) m->implementation_version.len,
		   m->implementation_version.data);
	if (m->called_ae.len == strlen(ae) && memcmp(m->called_ae.data, ae, m->called_ae.len) == 0)
	{
		DgwAdmitted admitted = {.may_store = 1,
								.may_echo = 1,
								.keep_mismatch = (uint8_t) atoi(setting("keep_mismatch")),
								.max_object_size = strtoull(setting("max_object_size"), NULL, 10)};

		dgw_encode_admitted(&writer, &admitted);
	}
	else
	{
		DgwRejected rejected = {1, 1, 7};

		dgw_encode_rejected(&writer, &rejected);
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

	if (frame->type == DGW_MSG_HELLO && dgw_decode_hello(frame, &hello))
	{
		printf("hello %.*s\n", (int) hello.program.len, hello.program.data);
		hello = (DgwHello){DGW_PROTOCOL_VERSION, slice("scp_driver")};
		dgw_encode_hello(&writer, &hello);
		send_to(peer->fd);
		send_config();
		return true;
	}
	if (frame->type == DGW_MSG_LOG && dgw_decode_log(frame, &log))
		printf("log %d %.*s\n", log.level, (int) log.text.len, log.text.data);
	else if (frame->type == DGW_MSG_LISTENER_STATE && dgw_decode_listener_state(frame, &state))
		printf("listener %u %d %.*s\n", state.id, state.listening, (int) state.message.len,
			   state.message.data);
	else if (frame->type == DGW_MSG_ASSOCIATION && dgw_decode_association(frame, &association))
	{
		int fd = dgw_reader_take_fd(&peer->reader);

		if (fd < 0)
			return false;
		printf("association %u %.*s\n", association.pid, (int) association.peer_address.len,
			   association.peer_address.data);
		add_peer(fd, association.pid);
	}
	else
		return false;
	return true;
}

static bool
serve_association(const Peer *peer, DgwFrame *frame)
{
	DgwLog log;
	DgwRequested requested;
	DgwOpened opened;
	DgwReceived received;
	DgwClosed closed;

	if (frame->type == DGW_MSG_LOG && dgw_decode_log(frame, &log))
		printf("log %d %.*s\n", log.level, (int) log.text.len, log.text.data);
	else if (frame->type == DGW_MSG_REQUESTED && dgw_decode_requested(frame, &requested))
		answer_requested(peer, &requested);
	else if (frame->type == DGW_MSG_OPENED && dgw_decode_opened(frame, &opened))
		printf("opened %u %u\n", peer->pid, opened.contexts);
	else if (frame->type == DGW_MSG_RECEIVED && dgw_decode_received(frame, &received))
		answer_received(peer, &received);
	else if (frame->type == DGW_MSG_CLOSED && dgw_decode_closed(frame, &closed))
		printf("closed %u %d %u %llu %.*s\n", peer->pid, closed.reason, closed.objects,
			   (unsigned long long) closed.bytes, (int) closed.message.len, closed.message.data);
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

	if (fgets(line, sizeof(line), stdin) == NULL)
		return false;
	line[strcspn(line, "\n")] = '\0';
	if (strcmp(line, "quit") == 0)
		return false;
	if (strcmp(line, "config") == 0)
		send_config();
	else if (strncmp(line, "full ", 5) == 0)
		send_storage(0, line + 5);
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
