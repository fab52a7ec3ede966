/*-------------------------------------------------------------------------
 *
 * caller.cpp
 *	  An accepted connection, and who is at its other end (see caller.h).
 *
 *-------------------------------------------------------------------------
 */
#include "caller.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace dicomgw
{

/* Address, port and network; IPv4 looks like IPv4 on a socket for both. */
static void
describe(const struct sockaddr_storage &address, Caller &caller)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (address.ss_family == AF_INET)
	{
		const auto *v4 = (const struct sockaddr_in *) &address;

		inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text));
		caller.port = ntohs(v4->sin_port);
		caller.network = text;
	}
	else
	{
		const auto *v6 = (const struct sockaddr_in6 *) &address;
		const uint8_t *bytes = v6->sin6_addr.s6_addr;

		caller.port = ntohs(v6->sin6_port);
		if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		{
			inet_ntop(AF_INET, bytes + 12, text, sizeof(text));
			caller.network = text;
		}
		else
		{
			inet_ntop(AF_INET6, bytes, text, sizeof(text));
			caller.network.assign((const char *) bytes, 8);
		}
	}
	caller.address = text;
}

Caller
accept_caller(int listen_fd)
{
	struct sockaddr_storage address = {};
	socklen_t len = sizeof(address);
	Caller caller = {};

	caller.fd = accept4(listen_fd, (struct sockaddr *) &address, &len, SOCK_CLOEXEC);
	if (caller.fd >= 0)
		describe(address, caller);
	return caller;
}

} // namespace dicomgw
