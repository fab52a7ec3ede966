/*-------------------------------------------------------------------------
 *
 * listener.cpp
 *	  The listening sockets of dicomgw-scp (see listener.h).
 *
 *-------------------------------------------------------------------------
 */
#include "listener.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace dicomgw
{

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds FIRST_BACKOFF(200);
constexpr milliseconds LAST_BACKOFF(5000);

static bool
is_wildcard(const std::string &address)
{
	return address.empty() || address == "*";
}

/* A socket bound to the address and listening, or -1 with errno set. */
static int
listen_on(const struct sockaddr *address, socklen_t len)
{
	int on = 1;
	int off = 0;
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
		(address->sa_family != AF_INET6 ||
		 setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) == 0) &&
		bind(fd, address, len) == 0 && listen(fd, SOMAXCONN) == 0)
		return fd;

	int saved_errno = errno;

	close(fd);
	errno = saved_errno;
	return -1;
}

/* All addresses: IPv6 takes IPv4 along, unless the kernel has no IPv6. */
static int
listen_on_all(uint16_t port)
{
	struct sockaddr_in6 any6 = {};
	struct sockaddr_in any4 = {};

	any6.sin6_family = AF_INET6;
	any6.sin6_addr = in6addr_any;
	any6.sin6_port = htons(port);
	int fd = listen_on((struct sockaddr *) &any6, sizeof(any6));

	if (fd >= 0 || (errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL))
		return fd;
	any4.sin_family = AF_INET;
	any4.sin_addr.s_addr = htonl(INADDR_ANY);
	any4.sin_port = htons(port);
	return listen_on((struct sockaddr *) &any4, sizeof(any4));
}

/* Only numeric addresses: nothing here may wait for a name server. */
static int
open_socket(const ListenerConfig &config, std::string &why)
{
	int fd;

	if (is_wildcard(config.bind_address))
		fd = listen_on_all(config.port);
	else
	{
		struct addrinfo hints = {};
		struct addrinfo *found = NULL;

		hints.ai_socktype = SOCK_STREAM;
		hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
		if (getaddrinfo(config.bind_address.c_str(), std::to_string(config.port).c_str(), &hints,
						&found) != 0)
		{
			why = "not an IP address";
			return -1;
		}
		fd = listen_on(found->ai_addr, found->ai_addrlen);
		int saved_errno = errno;

		freeaddrinfo(found);
		errno = saved_errno;
	}
	if (fd < 0)
		why = strerror(errno);
	return fd;
}

static void
try_to_open(Listener &listener)
{
	const ListenerConfig &config = listener.config;
	std::string why;

	listener.fd = open_socket(config, why);
	if (listener.fd >= 0)
	{
		listener.error.clear();
		listener.backoff = milliseconds(0);
		return;
	}
	listener.error = "could not bind to address \"" + config.bind_address + "\", port " +
					 std::to_string(config.port) + ": " + why;
	listener.backoff = std::clamp(listener.backoff * 2, FIRST_BACKOFF, LAST_BACKOFF);
	listener.next_try = steady_clock::now() + listener.backoff;
}

static void
report(const Listener &listener, Channel &worker)
{
	DgwListenerState state = {listener.config.id, listener.fd >= 0, slice(listener.error), 0};

	if (!worker.send(dgw_encode_listener_state, state))
		_exit(1);
}

ListenerSet::~ListenerSet()
{
	close_all();
}

void
ListenerSet::close_all()
{
	for (Listener &listener : listeners_)
	{
		if (listener.fd >= 0)
			close(listener.fd);
	}
	listeners_.clear();
}

void
ListenerSet::apply(const std::vector<ListenerConfig> &configs, Channel &worker)
{
	std::vector<Listener> next;

	for (const ListenerConfig &config : configs)
	{
		auto same = [&config](const Listener &l)
		{ return l.config.port == config.port && l.config.bind_address == config.bind_address; };
		auto old = std::find_if(listeners_.begin(), listeners_.end(), same);
		Listener listener;

		if (old != listeners_.end())
		{
			listener = *old;
			listeners_.erase(old);
		}
		listener.config = config;
		next.push_back(listener);
	}

	/* What is gone first: a new one may want its port. */
	close_all();
	listeners_ = next;
	for (Listener &listener : listeners_)
	{
		if (listener.fd < 0)
			try_to_open(listener);
		report(listener, worker);
	}
}

void
ListenerSet::retry(Channel &worker)
{
	for (Listener &listener : listeners_)
	{
		std::string error = listener.error;

		if (listener.fd >= 0 || listener.next_try > steady_clock::now())
			continue;
		try_to_open(listener);
		if (listener.error != error)
			report(listener, worker);
	}
}

int
ListenerSet::retry_in() const
{
	int wait = -1;

	for (const Listener &listener : listeners_)
	{
		if (listener.fd >= 0)
			continue;
		auto left =
			std::chrono::duration_cast<milliseconds>(listener.next_try - steady_clock::now())
				.count() +
			1;
		int ms = (int) std::clamp<long long>(left, 0, INT_MAX);

		wait = wait < 0 ? ms : std::min(wait, ms);
	}
	return wait;
}

} // namespace dicomgw
