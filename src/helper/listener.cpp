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
#include <cstring>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace dicomgw
{

using std::chrono::milliseconds;

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

/*
 * New certificates, or else the ones that are in use (none, at first).  False:
 * they are to be tried again.
 */
static bool
load_certificates(Listener &listener)
{
	std::string why;
	auto context = TlsContext::build(listener.config->tls_files, why);

	if (context)
	{
		auto config = std::make_shared<ListenerConfig>(*listener.config);

		config->tls_context = context;
		listener.config = config;
		listener.message = context->warning();
		return true;
	}
	listener.message = why;
	if (listener.config->tls_context)
		listener.message += "; the certificate that was loaded before stays in use";
	return false;
}

/* Everything that is not as it should be, if it can be done now. */
static void
set_up(Listener &listener)
{
	std::string why;

	listener.message.clear();
	listener.retry = listener.config->tls && !load_certificates(listener);
	const ListenerConfig &config = *listener.config;

	if (config.tls && !config.tls_context)
	{
		if (listener.fd >= 0)
			close(listener.fd);
		listener.fd = -1;
	}
	else if (listener.fd < 0)
	{
		listener.fd = open_socket(config, why);
		if (listener.fd < 0)
		{
			listener.message = "could not bind to address \"" + config.bind_address + "\", port " +
							   std::to_string(config.port) + ": " + why;
			listener.retry = true;
		}
	}
	listener.backoff = listener.retry
						   ? std::clamp(listener.backoff * 2, FIRST_BACKOFF, LAST_BACKOFF)
						   : milliseconds(0);
	listener.next_try = Clock::now() + listener.backoff;
}

static void
report(const Listener &listener, Channel &worker)
{
	const auto &context = listener.config->tls_context;
	DgwListenerState state = {listener.config->id, listener.fd >= 0, slice(listener.message),
							  context ? context->expires() : 0};

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
ListenerSet::apply(std::vector<ListenerConfig> configs, Channel &worker)
{
	std::vector<Listener> next;

	for (ListenerConfig &config : configs)
	{
		auto same_row = [&config](const Listener &l) { return l.config->id == config.id; };
		auto before = std::find_if(listeners_.begin(), listeners_.end(), same_row);

		if (config.tls && before != listeners_.end())
			config.tls_context = before->config->tls_context;
	}
	for (ListenerConfig &config : configs)
	{
		auto same_port = [&config](const Listener &l)
		{ return l.config->port == config.port && l.config->bind_address == config.bind_address; };
		auto old = std::find_if(listeners_.begin(), listeners_.end(), same_port);
		Listener listener;

		if (old != listeners_.end())
		{
			listener = *old;
			listeners_.erase(old);
		}
		listener.config = std::make_shared<ListenerConfig>(config);
		next.push_back(listener);
	}

	/* What is gone first: a new one may want its port. */
	close_all();
	listeners_ = next;
	for (Listener &listener : listeners_)
	{
		set_up(listener);
		report(listener, worker);
	}
}

void
ListenerSet::retry(Channel &worker)
{
	for (Listener &listener : listeners_)
	{
		std::string message = listener.message;
		bool listened = listener.fd >= 0;

		if (!listener.retry || listener.next_try > Clock::now())
			continue;
		set_up(listener);
		if (listener.message != message || (listener.fd >= 0) != listened)
			report(listener, worker);
	}
}

int
ListenerSet::retry_in() const
{
	int wait = -1;

	for (const Listener &listener : listeners_)
	{
		if (listener.retry)
			wait = earlier(wait, ms_until(listener.next_try));
	}
	return wait;
}

} // namespace dicomgw
