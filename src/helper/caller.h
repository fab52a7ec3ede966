/*-------------------------------------------------------------------------
 *
 * caller.h
 *	  An accepted connection, and who is at its other end.
 *
 * What is counted and bounded by "address" goes by network: an IPv4 address, or
 * the first 64 bits of an IPv6 address, which one machine may have all of.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_CALLER_H
#define DGW_CALLER_H

#include <cstdint>
#include <string>

#include "clock.h"
#include "listener_config.h"

namespace dicomgw
{

struct Caller
{
	int fd;
	std::string address; /* as text */
	uint16_t port;
	std::string network;
	SharedListenerConfig listener;
	Clock::time_point deadline; /* for its whole A-ASSOCIATE-RQ */
};

/* The next one that waits at a listening socket; fd is -1, with errno, if there is none. */
extern Caller accept_caller(int listen_fd);

} // namespace dicomgw

#endif /* DGW_CALLER_H */
