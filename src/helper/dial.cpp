/*-------------------------------------------------------------------------
 *
 * dial.cpp
 *	  From a host name to a connected socket, within a given time
 *	  (see dial.h).
 *
 * getaddrinfo() has no timeout: the resolver's own settings bound DNS, but a
 * name service module may hang for as long as it likes.  So getaddrinfo_a()
 * runs it in a thread of the C library, and when the time is up the request is
 * left to that thread.  The program ends soon after: a destination that could
 * not be connected to is the last thing a sender reports.
 *
 *-------------------------------------------------------------------------
 */
#include "dial.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <ctime>
#include <memory>
#include <utility>

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stream.h"

namespace dicomgw
{

namespace
{

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

struct FreeAddresses
{
	void operator()(struct addrinfo *addresses) const
	{
		freeaddrinfo(addresses);
	}
};

using Addresses = std::unique_ptr<struct addrinfo, FreeAddresses>;

/* What a request of getaddrinfo_a() points to, as long as it is on its way. */
struct Resolution
{
	std::string host;
	std::string service;
	struct addrinfo hints = {};
	struct gaicb request = {};
};

int
left_ms(Clock::time_point deadline)
{
	auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now()).count();

	return static_cast<int>(std::clamp<long long>(left, 0, INT_MAX));
}

/* Wait for the resolver; EAI_INPROGRESS if it is not done before the deadline. */
int
await_resolution(struct gaicb *request, Clock::time_point deadline)
{
	const struct gaicb *const list[] = {request};
	int status;

	while ((status = gai_error(request)) == EAI_INPROGRESS)
	{
		int left = left_ms(deadline);
		struct timespec timeout = {left / 1000, left % 1000 * 1000000L};

		if (left == 0)
			break;
		(void) gai_suspend(list, 1, &timeout);
	}
	return status;
}

Addresses
resolve(const std::string &host, uint16_t port, Clock::time_point deadline, std::string &why)
{
	auto resolution = std::make_unique<Resolution>();
	struct addrinfo *found = nullptr;

	resolution->host = host;
	resolution->service = std::to_string(port);
	resolution->hints.ai_family = AF_UNSPEC;
	resolution->hints.ai_socktype = SOCK_STREAM;

	/* An address needs no resolver. */
	resolution->hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
	if (getaddrinfo(host.c_str(), resolution->service.c_str(), &resolution->hints, &found) == 0)
		return Addresses(found);

	/* Not AI_ADDRCONFIG: it would hide ::1 on a machine without other IPv6 addresses. */
	resolution->hints.ai_flags = AI_NUMERICSERV;
	resolution->request.ar_name = resolution->host.c_str();
	resolution->request.ar_service = resolution->service.c_str();
	resolution->request.ar_request = &resolution->hints;
	struct gaicb *requests[] = {&resolution->request};
	int status = getaddrinfo_a(GAI_NOWAIT, requests, 1, nullptr);

	if (status == 0)
		status = await_resolution(requests[0], deadline);
	if (status == 0)
		return Addresses(resolution->request.ar_result);
	if (status == EAI_INPROGRESS)
	{
		why = "could not resolve host name \"" + host + "\": timed out";
		/* The thread may still write there; see the top of this file. */
		if (gai_cancel(requests[0]) != EAI_CANCELED)
			(void) resolution.release();
		return nullptr;
	}
	why = "could not resolve host name \"" + host +
		  "\": " + (status == EAI_SYSTEM ? strerror(errno) : gai_strerror(status));
	return nullptr;
}

/* Returns 0 or an errno. */
int
await_connection(int fd, int timeout_ms)
{
	auto deadline = Clock::now() + milliseconds(timeout_ms);
	struct pollfd pfd = {fd, POLLOUT, 0};
	int error = 0;
	socklen_t len = sizeof(error);
	int n;

	do
		n = poll(&pfd, 1, left_ms(deadline));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno;
	if (n == 0)
		return ETIMEDOUT;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		return errno;
	return error;
}

/* Returns 0 with the socket, or an errno. */
int
connect_to(const struct addrinfo *address, int timeout_ms, int &connected)
{
	int fd = socket(address->ai_family, address->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
					address->ai_protocol);
	int error = 0;

	if (fd < 0)
		return errno;
	tune_socket(fd);
	if (connect(fd, address->ai_addr, address->ai_addrlen) != 0)
	{
		error = errno;
		if (error == EINPROGRESS || error == EINTR)
			error = await_connection(fd, timeout_ms);
	}
	if (error != 0)
	{
		close(fd);
		return error;
	}
	connected = fd;
	return 0;
}

} // namespace

int
dial(const std::string &host, uint16_t port, Clock::time_point deadline, std::string &why)
{
	Addresses addresses = resolve(host, port, deadline, why);
	int untried = 0;
	int error = ETIMEDOUT;
	int fd = -1;

	if (!addresses)
		return -1;
	for (const struct addrinfo *a = addresses.get(); a != nullptr; a = a->ai_next)
		untried++;
	for (const struct addrinfo *a = addresses.get(); a != nullptr; a = a->ai_next)
	{
		int left = left_ms(deadline);

		if (left == 0)
			break;
		/* Each gets its share, so that one that swallows packets does not hide the next. */
		error = connect_to(a, std::max(1, left / untried--), fd);
		if (error == 0)
			return fd;
	}
	why = "could not connect to \"" + host + "\" port " + std::to_string(port) + ": " +
		  strerror(error);
	return -1;
}

} // namespace dicomgw
