/*-------------------------------------------------------------------------
 *
 * waiting_room.h
 *	  Accepted connections that have no process yet.
 *
 * A connection costs a descriptor and some hundred bytes until its first byte
 * has come and there is room for its process.  So a peer that opens thousands
 * and says nothing costs others nothing, and a crowd that comes at once (after
 * a break of the network, all modalities) is served in turn instead of being
 * sent away: first come, first served, and fair between networks.
 *
 * There are bounds, for each network and in all.  When the room is full, the
 * network that has the most connections in it gives up its oldest silent one.
 *
 * Everything that is closed here is counted (turned_away.h).
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_WAITING_ROOM_H
#define DGW_WAITING_ROOM_H

#include <cstddef>
#include <cstdint>
#include <list>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "association_processes.h"
#include "caller.h"
#include "turned_away.h"

namespace dicomgw
{

class WaitingRoom
{
public:
	/* Throws std::bad_alloc if the kernel has nothing left for it. */
	explicit WaitingRoom(TurnedAway &turned_away);
	WaitingRoom(const WaitingRoom &) = delete;
	WaitingRoom &operator=(const WaitingRoom &) = delete;

	/* Readable when somebody has said something, or has gone. */
	int fd() const
	{
		return epoll_fd_;
	}

	/* Takes the descriptor over. */
	void enter(const Caller &caller);

	/* See who has said something, or has gone. */
	void look();

	/* Turn away whose time has passed. */
	void expire();

	/* Milliseconds until expire() has something to do, -1 if nothing. */
	int expires_in() const;

	/* Whose turn it is, of those for whom there is room; the descriptor is then the caller's. */
	bool next(const AssociationProcesses &processes, Caller &caller);

private:
	using Place = std::list<int>::iterator;

	struct Waiting
	{
		Caller caller;
		bool has_spoken;
		Place place; /* in one of the network's queues */
	};

	struct Network
	{
		std::list<int> silent; /* the oldest first */
		std::list<int> spoken;
	};

	bool make_room(const std::string &network);
	void speaks(Waiting &waiting);
	Caller leave(int fd);
	void turn_away(int fd, const char *why, bool left = false);

	TurnedAway &turned_away_;
	int epoll_fd_;
	size_t max_waiting_;
	std::unordered_map<int, Waiting> waiting_; /* by descriptor */
	std::unordered_map<std::string, Network> networks_;
	std::list<std::string> turn_; /* networks with somebody in "spoken", the next one first */
	std::set<std::pair<Clock::time_point, int>> deadlines_;
};

} // namespace dicomgw

#endif /* DGW_WAITING_ROOM_H */
