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
#include <linux/sockios.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "clock.h"
#include "dial.h"
#include "tls_stream.h"

namespace dicomgw
{

/* Nothing says when the last byte is acknowledged, so it is looked at that often. */
constexpr int ACKNOWLEDGED_POLL_MS = 2;

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

/* A receiver that has gone may have said why in an alert, which is still here to be read. */
bool
SyslogSession::fail_last_words(const char *what)
{
	int error = errno;
	char byte;

	(void) stream_->read(&byte, 1);
	errno = error;
	return fail(what);
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

/* Everything is in the receiver's kernel; false if that has reset the connection. */
bool
SyslogSession::await_acknowledged(Clock::time_point deadline)
{
	static const char what[] = "it does not take all messages";

	for (;;)
	{
		struct pollfd pfd = {fd_, 0, 0};
		socklen_t len = sizeof(errno);
		int left = 0;

		if (getsockopt(fd_, SOL_SOCKET, SO_ERROR, &errno, &len) != 0 || errno != 0 ||
			ioctl(fd_, SIOCOUTQ, &left) != 0)
			return fail_last_words(what);
		if (left == 0)
			return true;
		if (ms_until(deadline) == 0)
		{
			errno = ETIMEDOUT;
			return fail(what);
		}
		(void) poll(&pfd, 1, ACKNOWLEDGED_POLL_MS);
	}
}

/* Its close_notify, or what else there is in its place. */
bool
SyslogSession::hear_end(Clock::time_point deadline)
{
	static const char what[] = "it did not confirm the end of the connection";
	char byte;

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
		if (errno == EPROTO && receiver_.needs_close &&
			ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		{
			why_ = "it closed the connection without a close_notify, so it is not known what it "
				   "has read (see needs_close_notify)";
			return false;
		}
		if (errno != EAGAIN)
			return fail(what);
		if (!await(stream_->events(), deadline, what))
			return false;
	}
}

/* The end of what TLS is carried by: in order, not by a reset. */
bool
SyslogSession::await_fin(Clock::time_point deadline)
{
	static const char what[] = "the connection did not come to its end in order";
	char bytes[256];

	for (;;)
	{
		ssize_t n = recv(fd_, bytes, sizeof(bytes), MSG_DONTWAIT);

		if (n == 0)
			return true;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return fail(what);
		if (!await(POLLIN, deadline, what))
			return false;
	}
}

bool
SyslogSession::finish()
{
	auto deadline = Clock::now() + receiver_.response_timeout;

	if (!await_acknowledged(deadline))
		return false;
	if (stream_->has_input())
	{
		if (hear_end(deadline))
			why_ = "it ended the connection before all was said";
		return false;
	}
	stream_->say_end();
	(void) shutdown(fd_, SHUT_WR);
	return hear_end(deadline) && await_fin(deadline) && await_acknowledged(deadline);
}

} // namespace dicomgw
