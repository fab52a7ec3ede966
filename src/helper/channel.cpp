/*-------------------------------------------------------------------------
 *
 * channel.cpp
 *	  A helper program's end of its channel to a background worker
 *	  (see channel.h).
 *
 *-------------------------------------------------------------------------
 */
#include "channel.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace dicomgw
{

Channel::Channel(int fd, DgwChannelKind kind)
	: fd_(fd),
	  kind_(kind),
	  writer_()
{
	int status_flags = fcntl(fd, F_GETFL);

	dgw_reader_init(&reader_);
	if (status_flags >= 0)
		fcntl(fd, F_SETFL, status_flags & ~O_NONBLOCK);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
}

Channel::~Channel()
{
	close();
	dgw_reader_free(&reader_);
	dgw_writer_free(&writer_);
}

void
Channel::close()
{
	if (fd_ >= 0)
		::close(fd_);
	fd_ = -1;
}

bool
Channel::hello(const char *program)
{
	DgwHello ours = {DGW_PROTOCOL_VERSION, {program, strlen(program)}};
	DgwHello theirs;
	DgwFrame frame;

	if (!send(dgw_encode_hello, ours) || receive(frame) != DGW_READ_OK)
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

DgwReadResult
Channel::receive(DgwFrame &frame, int timeout_ms)
{
	using namespace std::chrono;
	auto deadline = steady_clock::now() + milliseconds(timeout_ms);

	for (;;)
	{
		DgwReadResult result = dgw_reader_next(&reader_, &frame);

		if (result == DGW_READ_OK &&
			!dgw_message_permitted(frame.type, kind_, DGW_TO_HELPER, frame.len))
		{
			errno = EPROTO;
			return DGW_READ_ERROR;
		}
		if (result != DGW_READ_AGAIN)
			return result;

		if (timeout_ms >= 0)
		{
			struct pollfd pfd = {fd_, POLLIN, 0};
			auto left = duration_cast<milliseconds>(deadline - steady_clock::now()).count();
			int ready = poll(&pfd, 1, left > 0 ? (int) left : 0);

			if (ready < 0 && errno == EINTR)
				continue;
			if (ready < 0)
				return DGW_READ_ERROR;
			if (ready == 0)
				return DGW_READ_AGAIN;
		}
		result = dgw_reader_fill(&reader_, fd_);
		if (result != DGW_READ_OK)
			return result;
	}
}

void
Channel::log(DgwLogLevel level, const char *format, ...)
{
	char text[1024];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (len < 0)
		return;

	/* A lost line is not worth a check: a lost channel shows on the next receive. */
	DgwLog message = {(uint8_t) level,
					  {text, (size_t) len < sizeof(text) ? (size_t) len : sizeof(text) - 1}};

	(void) send(dgw_encode_log, message);
}

void
die_with_parent(pid_t expected_parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != expected_parent)
		_exit(1);
}

} // namespace dicomgw
