/*-------------------------------------------------------------------------
 *
 * turned_away.h
 *	  Connections that were closed before they had a process, counted.
 *
 * A flood of them must not become a flood of messages: the receiver is told at
 * once of the first, then at most once a second of all that came since.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_TURNED_AWAY_H
#define DGW_TURNED_AWAY_H

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>

#include "channel.h"

namespace dicomgw
{

class TurnedAway
{
public:
	/* left: the peer went by itself. */
	void add(uint32_t listener_id, const std::string &address, const std::string &why,
			 bool left = false);

	/* Tell the receiver, if it is time; exits if there is none. */
	void report(Channel &worker);

	/* Milliseconds until report() has something to say, -1 if nothing. */
	int due_in() const;

private:
	/* Listener, address, reason, left: how often. */
	std::map<std::tuple<uint32_t, std::string, std::string, bool>, uint32_t> counts_;
	std::chrono::steady_clock::time_point next_;
};

} // namespace dicomgw

#endif /* DGW_TURNED_AWAY_H */
