/*-------------------------------------------------------------------------
 *
 * listener.h
 *	  The listening sockets of dicomgw-scp.
 *
 * Each new configuration is compared with what is open: listeners whose
 * address and port stay the same keep their socket, so no connection is
 * refused because something else was changed.  An address that can't be bound
 * is tried again and again (its network may come up later), and the receiver
 * is told of every change.
 *
 * Certificates are read anew with each configuration.  As long as that can't
 * be done, the listener goes on with what it had; if it had nothing, it does
 * not listen.  Either way it is tried again, and said.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_LISTENER_H
#define DGW_LISTENER_H

#include <chrono>
#include <string>
#include <vector>

#include "channel.h"
#include "clock.h"
#include "listener_config.h"

namespace dicomgw
{

struct Listener
{
	SharedListenerConfig config;
	int fd = -1;		 /* non-blocking, or -1 */
	std::string message; /* why it does not listen, or what is wrong though it does */
	bool retry = false;	 /* something is to be tried again */
	std::chrono::milliseconds backoff{0};
	Clock::time_point next_try;
};

class ListenerSet
{
public:
	~ListenerSet();

	/* Open and close to match, then report the state of each. */
	void apply(std::vector<ListenerConfig> configs, Channel &worker);

	/* Try those again whose time has come, and report what has changed. */
	void retry(Channel &worker);

	/* Milliseconds until retry() has something to do, -1 if nothing. */
	int retry_in() const;

	const std::vector<Listener> &all() const
	{
		return listeners_;
	}

private:
	void close_all();

	std::vector<Listener> listeners_;
};

} // namespace dicomgw

#endif /* DGW_LISTENER_H */
