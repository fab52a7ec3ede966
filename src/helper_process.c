/*-------------------------------------------------------------------------
 *
 * helper_process.c
 *	  Starting helper programs and talking with them (see helper_process.h).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libpq/pqsignal.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/latch.h"
#include "utils/timestamp.h"

#include "guc.h"
#include "helper_process.h"

/* ---------- the conversation ---------- */

void
dgw_channel_open(DgwChannel *channel, int fd, DgwChannelKind kind)
{
	memset(channel, 0, sizeof(*channel));
	channel->fd = fd;
	channel->epoll_fd = -1;
	channel->kind = kind;
	dgw_reader_init(&channel->reader);
	fcntl(fd, F_SETFL, O_NONBLOCK);
}

void
dgw_channel_watch(DgwChannel *channel, int epoll_fd, void *whose)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = whose};

	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, channel->fd, &event) != 0)
		ereport(ERROR, (errcode_for_socket_access(), errmsg("could not watch a socket: %m")));
	channel->epoll_fd = epoll_fd;
}

void
dgw_channel_close(DgwChannel *channel)
{
	if (channel->epoll_fd >= 0)
		(void) epoll_ctl(channel->epoll_fd, EPOLL_CTL_DEL, channel->fd, NULL);
	if (channel->fd >= 0)
		close(channel->fd);
	channel->fd = -1;
	channel->epoll_fd = -1;
	dgw_reader_free(&channel->reader);
	dgw_writer_free(&channel->writer);
}

DgwReadResult
dgw_channel_fill(DgwChannel *channel)
{
	DgwReadResult result = dgw_reader_fill(&channel->reader, channel->fd);

	/* One that was killed with data unread looks like this: no more than its end. */
	if (result == DGW_READ_ERROR && errno == ECONNRESET)
		return DGW_READ_EOF;
	if (result == DGW_READ_ERROR)
		ereport(LOG, (errmsg("could not read from a helper program: %m")));
	return result;
}

static void
relay_log(const DgwLog *message)
{
	int level = message->level == DGW_LOG_DEBUG	 ? DEBUG1
				: message->level == DGW_LOG_INFO ? LOG
												 : WARNING;

	ereport(level,
			(errmsg_internal("%.*s", (int) Min(message->text.len, 1000), message->text.data)));
}

DgwReadResult
dgw_channel_next(DgwChannel *channel, DgwFrame *frame)
{
	for (;;)
	{
		DgwReadResult result = dgw_reader_next(&channel->reader, frame);
		DgwLog message;

		if (result == DGW_READ_ERROR)
			ereport(LOG, (errmsg("a helper program sent what is no message")));
		if (result != DGW_READ_OK)
			return result;
		if (!dgw_message_permitted(frame->type, channel->kind, DGW_TO_WORKER, frame->len))
		{
			ereport(LOG, (errmsg("a helper program sent message %s, which it may not send here",
								 dgw_message_name(frame->type))));
			return DGW_READ_ERROR;
		}
		if (frame->type != DGW_MSG_LOG)
			return DGW_READ_OK;
		if (!dgw_decode_log(frame, &message))
			return dgw_channel_malformed(channel, frame);
		relay_log(&message);
	}
}

DgwReadResult
dgw_channel_malformed(DgwChannel *channel, const DgwFrame *frame)
{
	ereport(LOG, (errmsg("a helper program sent a malformed message %s",
						 dgw_message_name(frame->type))));
	return DGW_READ_ERROR;
}

bool
dgw_channel_send(DgwChannel *channel)
{
	return dgw_channel_send_fd(channel, -1);
}

bool
dgw_channel_send_fd(DgwChannel *channel, int pass_fd)
{
	bool sent = dgw_writer_send(&channel->writer, channel->fd, pass_fd);

	if (!sent && errno != EPIPE && errno != ECONNRESET)
		ereport(LOG, (errmsg("could not write to a helper program: %m")));
	dgw_writer_reset(&channel->writer);
	return sent;
}

char *
dgw_peer_words(DgwSlice words)
{
	int len = pg_encoding_mbcliplen(PG_UTF8, words.data, (int) words.len, 500);
	char *text = pnstrdup(words.data, len);

	if (!pg_verify_mbstr(PG_UTF8, text, (int) strlen(text), true))
		for (char *c = text; *c != '\0'; c++)
			if (IS_HIGHBIT_SET(*c))
				*c = '?';
	return text;
}

/* ---------- the process ---------- */

/*
 * In the child, between fork and exec: only async-signal-safe calls.
 */
static void
become_program(const char *path, const char *program, int channel_fd, pid_t parent)
{
	char *const argv[] = {(char *) program, NULL};
	sigset_t none;
	int null_fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	setsid();

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);

	null_fd = open("/dev/null", O_RDONLY);
	if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0)
		_exit(1);
	if (channel_fd == DGW_CHANNEL_FD)
		fcntl(channel_fd, F_SETFD, 0);
	else if (dup2(channel_fd, DGW_CHANNEL_FD) < 0)
		_exit(1);
	closefrom(DGW_CHANNEL_FD + 1);

	execv(path, argv);
	_exit(127);
}

void
dgw_helper_start(DgwHelper *helper, const char *program, DgwChannelKind kind)
{
	char *path = dgw_helper_program(program);
	pid_t parent = getpid();
	int fds[2];
	pid_t pid;

	if (access(path, X_OK) != 0)
		ereport(ERROR, (errcode_for_file_access(),
						errmsg("could not find helper program \"%s\": %m", path),
						errhint("It is installed together with the extension; dicomgw.helper_path "
								"names its folder.")));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
		ereport(ERROR, (errcode_for_socket_access(), errmsg("could not create socket pair: %m")));

	fflush(stdout);
	fflush(stderr);
	pid = fork();
	if (pid < 0)
	{
		int save_errno = errno;

		close(fds[0]);
		close(fds[1]);
		errno = save_errno;
		ereport(ERROR, (errcode(ERRCODE_SYSTEM_ERROR),
						errmsg("could not start helper program \"%s\": %m", path)));
	}
	if (pid == 0)
		become_program(path, program, fds[1], parent);

	close(fds[1]);
	pfree(path);
	helper->program = program;
	helper->pid = pid;
	helper->greeted = false;
	dgw_channel_open(&helper->channel, fds[0], kind);
	dgw_encode_hello(&helper->channel.writer, &(DgwHello){.protocol = DGW_PROTOCOL_VERSION,
														  .program = dgw_slice("dicomgw")});
}

bool
dgw_helper_greet(DgwHelper *helper, DgwFrame *frame)
{
	DgwHello theirs;

	if (frame->type != DGW_MSG_HELLO || helper->greeted || !dgw_decode_hello(frame, &theirs))
		return false;
	if (theirs.protocol != DGW_PROTOCOL_VERSION)
	{
		ereport(LOG, (errmsg("helper program %s speaks protocol version %u, this library %u",
							 helper->program, theirs.protocol, DGW_PROTOCOL_VERSION),
					  errhint("Install the extension and its programs together, then restart the "
							  "server.")));
		return false;
	}
	helper->greeted = true;
	return true;
}

bool
dgw_helper_await(DgwHelper *helper, uint16 type, long timeout_ms, DgwFrame *frame)
{
	TimestampTz deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), timeout_ms);

	for (;;)
	{
		DgwReadResult result;
		long left;

		while ((result = dgw_channel_next(&helper->channel, frame)) == DGW_READ_OK)
		{
			if (helper->greeted && frame->type == type)
				return true;
			if (!dgw_helper_greet(helper, frame))
				return false;
		}
		if (result == DGW_READ_AGAIN)
			result = dgw_channel_fill(&helper->channel);
		if (result == DGW_READ_OK)
			continue;
		left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), deadline);
		if (result != DGW_READ_AGAIN || left == 0)
			return false;
		(void) WaitLatchOrSocket(
			MyLatch, WL_LATCH_SET | WL_SOCKET_READABLE | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
			helper->channel.fd, left, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

char *
dgw_helper_stop(DgwHelper *helper)
{
	int status = 0;

	dgw_channel_close(&helper->channel);
	if (helper->pid == 0)
		return pstrdup("was not running");

	/* Let it end by itself if it is doing so: its status is then the true one. */
	for (int i = 0; i < 20; i++)
	{
		if (waitpid(helper->pid, &status, WNOHANG) == helper->pid)
			goto reaped;
		pg_usleep(1000L);
	}
	kill(helper->pid, SIGKILL);
	while (waitpid(helper->pid, &status, 0) < 0 && errno == EINTR)
		;
reaped:
	helper->pid = 0;
	helper->greeted = false;
	if (WIFSIGNALED(status))
		return psprintf("was killed by signal %d (%s)", WTERMSIG(status),
						pg_strsignal(WTERMSIG(status)));
	if (WEXITSTATUS(status) == 127)
		return pstrdup("could not be executed");
	return psprintf("exited with status %d", WEXITSTATUS(status));
}
