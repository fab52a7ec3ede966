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
 *-------------------------------------------------------------------------
 */
#ifndef DGW_LISTENER_H
#define DGW_LISTENER_H

#include <chrono>
#include <string>
#include <vector>

#include "association.h"
#include "channel.h"

namespace dicomgw
{

struct Listener
{
	ListenerConfig config;
	int fd = -1; /* non-blocking, or -1 */
	std::string error;
	std::chrono::milliseconds backoff{0};
	std::chrono::steady_clock::time_point next_try;
};

class ListenerSet
{
public:
	~ListenerSet();

	/* Open and close to match, then report the state of each. */
	void apply(const std::vector<ListenerConfig> &configs, Channel &worker);

	/* Try those again whose time has come, and report what has changed. */
	void retry(Channel &worker);

	/* Milliseconds until retry() has something to do, -1 if nothing. */
	int retry_in() const;

	/* In a child: it has no business with them. */
	void close_all();

	const std::vector<Listener> &all() const
	{
		return listeners_;
	}

private:
	std::vector<Listener> listeners_;
};

} // namespace dicomgw

#endif /* DGW_LISTENER_H */
