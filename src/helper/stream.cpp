/*-------------------------------------------------------------------------
 *
 * stream.cpp
 *	  A byte stream over TCP (see stream.h).
 *
 *-------------------------------------------------------------------------
 */
#include "stream.h"

#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

namespace dicomgw
{

constexpr int KEEPALIVE_IDLE_S = 60;
constexpr int KEEPALIVE_INTERVAL_S = 15;
constexpr int KEEPALIVE_PROBES = 4;

ssize_t
TcpStream::read(void *buf, size_t len)
{
	ssize_t n;

	events_ = POLLIN;
	do
		n = recv(fd(), buf, len, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	return n;
}

ssize_t
TcpStream::write(const struct iovec *iov, size_t count, bool more)
{
	struct msghdr msg = {};
	ssize_t n;

	msg.msg_iov = const_cast<struct iovec *>(iov);
	msg.msg_iovlen = count;
	events_ = POLLOUT;
	do
		n = sendmsg(fd(), &msg, MSG_DONTWAIT | MSG_NOSIGNAL | (more ? MSG_MORE : 0));
	while (n < 0 && errno == EINTR);
	return n;
}

bool
TcpStream::handshake(bool)
{
	return true;
}

bool
TcpStream::has_input()
{
	struct pollfd pfd = {fd(), POLLIN, 0};

	return poll(&pfd, 1, 0) > 0;
}

static void
set_option(int fd, int level, int name, int value)
{
	/* An option that can't be set costs speed, not correctness. */
	(void) setsockopt(fd, level, name, &value, sizeof(value));
}

void
quick_ack(int fd)
{
	set_option(fd, IPPROTO_TCP, TCP_QUICKACK, 1);
}

void
tune_socket(int fd)
{
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	quick_ack(fd);
	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
	set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
	set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
}

} // namespace dicomgw
