/*-------------------------------------------------------------------------
 *
 * worker_channel.c
 *	  A helper program's end of its channel to a background worker
 *	  (see worker_channel.h).
 *
 *-------------------------------------------------------------------------
 */
#include "worker_channel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

void
dgw_worker_channel_open(DgwWorkerChannel *channel, int fd, DgwChannelKind kind)
{
	int status_flags = fcntl(fd, F_GETFL);

	memset(channel, 0, sizeof(*channel));
	channel->fd = fd;
	channel->kind = kind;
	dgw_reader_init(&channel->reader);
	if (status_flags >= 0)
		fcntl(fd, F_SETFL, status_flags & ~O_NONBLOCK);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
}

void
dgw_worker_channel_close(DgwWorkerChannel *channel)
{
	if (channel->fd >= 0)
		close(channel->fd);
	channel->fd = -1;
}

void
dgw_worker_channel_free(DgwWorkerChannel *channel)
{
	dgw_worker_channel_close(channel);
	dgw_reader_free(&channel->reader);
	dgw_writer_free(&channel->writer);
}

bool
dgw_worker_channel_hello(DgwWorkerChannel *channel, const char *program)
{
	DgwHello ours = {DGW_PROTOCOL_VERSION, dgw_slice(program)};
	DgwHello theirs;
	DgwFrame frame;

	if (!dgw_encode_hello(dgw_worker_channel_begin(channel), &ours) ||
		!dgw_worker_channel_send(channel, -1) ||
		dgw_worker_channel_receive(channel, &frame, -1) != DGW_READ_OK)
	{
		fprintf(stderr, "%s: no worker at the other end of the channel\n", program);
		return false;
	}
	if (frame.type != DGW_MSG_HELLO || !dgw_decode_hello(&frame, &theirs) ||
		theirs.protocol != DGW_PROTOCOL_VERSION)
	{
		fprintf(stderr, "%s: the worker does not speak version %d of the protocol\n", program,
				DGW_PROTOCOL_VERSION);
		return false;
	}
	return true;
}

static long long
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

DgwReadResult
dgw_worker_channel_receive(DgwWorkerChannel *channel, DgwFrame *frame, int timeout_ms)
{
	long long deadline = now_ms() + timeout_ms;

	for (;;)
	{
		DgwReadResult result = dgw_reader_next(&channel->reader, frame);

		if (result == DGW_READ_OK &&
			!dgw_message_permitted(frame->type, channel->kind, DGW_TO_HELPER, frame->len))
		{
			errno = EPROTO;
			return DGW_READ_ERROR;
		}
		if (result != DGW_READ_AGAIN)
			return result;

		if (timeout_ms >= 0)
		{
			struct pollfd pfd = {.fd = channel->fd, .events = POLLIN};
			long long left = deadline - now_ms();
			int ready = poll(&pfd, 1, left > 0 ? (int) left : 0);

			if (ready < 0 && errno == EINTR)
				continue;
			if (ready < 0)
				return DGW_READ_ERROR;
			if (ready == 0)
				return DGW_READ_AGAIN;
		}
		result = dgw_reader_fill(&channel->reader, channel->fd);
		if (result != DGW_READ_OK)
			return result;
	}
}

bool
dgw_worker_channel_first(DgwWorkerChannel *channel, const char *program, DgwFrame *frame,
						 int *exit_status)
{
	DgwReadResult result;

	*exit_status = 1;
	if (!dgw_worker_channel_hello(channel, program))
		return false;
	result = dgw_worker_channel_receive(channel, frame, -1);
	if (result == DGW_READ_EOF)
		*exit_status = 0;
	return result == DGW_READ_OK;
}

DgwFrameWriter *
dgw_worker_channel_begin(DgwWorkerChannel *channel)
{
	dgw_writer_reset(&channel->writer);
	return &channel->writer;
}

bool
dgw_worker_channel_send(DgwWorkerChannel *channel, int pass_fd)
{
	return dgw_writer_send(&channel->writer, channel->fd, pass_fd);
}

void
dgw_worker_channel_vlog(DgwWorkerChannel *channel, DgwLogLevel level, const char *format,
						va_list args)
{
	char text[1024];
	int len = vsnprintf(text, sizeof(text), format, args);

	if (len < 0)
		return;

	DgwLog message = {(uint8_t) level,
					  {text, (size_t) len < sizeof(text) ? (size_t) len : sizeof(text) - 1}};

	/* A lost line is not worth a check: a lost channel shows on the next receive. */
	if (dgw_encode_log(dgw_worker_channel_begin(channel), &message))
		(void) dgw_worker_channel_send(channel, -1);
}

void
dgw_worker_channel_log(DgwWorkerChannel *channel, DgwLogLevel level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	dgw_worker_channel_vlog(channel, level, format, args);
	va_end(args);
}

void
dgw_die_with_parent(pid_t expected_parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != expected_parent)
		_exit(1);
}
