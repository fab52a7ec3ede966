/*-------------------------------------------------------------------------
 *
 * syslog_session.cpp
 *	  One connection to a syslog receiver (see syslog_session.h).
 *
 *-------------------------------------------------------------------------
 */
#include "syslog_session.h"

#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "clock.h"
#include "dial.h"
#include "tls_stream.h"

namespace dicomgw
{

SyslogSession::~SyslogSession()
{
	stream_.reset();
	if (fd_ >= 0)
		::close(fd_);
}

/* In TLS's words if it has any, else in the system's. */
bool
SyslogSession::fail(const char *what)
{
	int error = errno;
	std::string words = stream_ ? stream_->why() : std::string();

	why_ = std::string(what) + ": " + (words.empty() ? strerror(error) : words);
	return false;
}

bool
SyslogSession::await(short events, Clock::time_point deadline, const char *what)
{
	struct pollfd pfd = {fd_, events, 0};
	int n;

	do
		n = poll(&pfd, 1, ms_until(deadline));
	while (n < 0 && errno == EINTR);
	if (n > 0)
		return true;
	if (n == 0)
		errno = ETIMEDOUT;
	return fail(what);
}

bool
SyslogSession::shake_hands()
{
	static const char what[] = "no TLS connection";
	auto deadline = Clock::now() + receiver_.response_timeout;

	while (!stream_->handshake(false))
	{
		if (errno != EAGAIN)
			return fail(what);
		if (!await(stream_->events(), deadline, what))
			return false;
	}
	return true;
}

bool
SyslogSession::open()
{
	if (receiver_.tls.check != DGW_TLS_OFF)
	{
		context_ = TlsContext::build(receiver_.tls, why_);
		if (!context_)
			return false;
		/* Then an end without close_notify is an error, as TLS has it. */
		if (receiver_.needs_close)
			SSL_CTX_clear_options(context_->native(), SSL_OP_IGNORE_UNEXPECTED_EOF);
	}
	fd_ = dial(receiver_.host, receiver_.port, Clock::now() + receiver_.connect_timeout, why_);
	if (fd_ < 0)
		return false;
	if (context_)
		stream_ = std::make_unique<TlsStream>(fd_, context_->native(), receiver_.tls.server_name);
	else
		stream_ = std::make_unique<TcpStream>(fd_);
	return shake_hands();
}

/* Each time that it takes something it has its time anew. */
bool
SyslogSession::write_all(const std::string &bytes)
{
	static const char what[] = "the connection broke while messages were sent";
	size_t done = 0;

	while (done < bytes.size())
	{
		struct iovec iov = {const_cast<char *>(bytes.data()) + done, bytes.size() - done};
		ssize_t n = stream_->write(&iov, 1, false);

		if (n > 0)
			done += (size_t) n;
		else if (errno != EAGAIN)
			return fail(what);
		else if (!await(stream_->events(), Clock::now() + receiver_.response_timeout,
						"it takes no more messages"))
			return false;
	}
	return true;
}

bool
SyslogSession::send(const std::string &message)
{
	return write_all(std::to_string(message.size()) + " " + message);
}

bool
SyslogSession::finish()
{
	auto deadline = Clock::now() + receiver_.response_timeout;
	char byte;

	/* There has to be room for our last word, which is said only once. */
	if (!await(POLLOUT, deadline, "it takes no more messages"))
		return false;
	stream_->say_end();
	(void) shutdown(fd_, SHUT_WR);
	for (;;)
	{
		ssize_t n = stream_->read(&byte, 1);

		if (n == 0)
			return true;
		if (n > 0)
		{
			why_ = "it sent data, which no syslog receiver does";
			return false;
		}
		if (errno != EAGAIN)
			return fail("it did not confirm the end of the connection");
		if (!await(stream_->events(), deadline, "it did not confirm the end of the connection"))
			return false;
	}
}

} // namespace dicomgw
