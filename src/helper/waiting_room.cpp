/*-------------------------------------------------------------------------
 *
 * waiting_room.cpp
 *	  Accepted connections that have no process yet (see waiting_room.h).
 *
 *-------------------------------------------------------------------------
 */
#include "waiting_room.h"

#include <algorithm>
#include <cerrno>
#include <new>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace dicomgw
{

constexpr size_t MAX_WAITING = 4096;
constexpr size_t MAX_OF_A_NETWORK = 1024;

/* Descriptors that are for other things: listeners, channels. */
constexpr size_t OTHER_DESCRIPTORS = 128;

static size_t
max_waiting()
{
	struct rlimit limit = {};

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur <= 2 * OTHER_DESCRIPTORS)
		return OTHER_DESCRIPTORS;
	return std::min<rlim_t>(MAX_WAITING, limit.rlim_cur - OTHER_DESCRIPTORS);
}

WaitingRoom::WaitingRoom(TurnedAway &turned_away)
	: turned_away_(turned_away),
	  epoll_fd_(epoll_create1(EPOLL_CLOEXEC)),
	  max_waiting_(max_waiting())
{
	if (epoll_fd_ < 0)
		throw std::bad_alloc();
}

/* One report for each connection: once it has spoken, there is nothing more to be told of it. */
static bool
watch(int epoll_fd, int operation, int fd)
{
	struct epoll_event event = {};

	event.events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT;
	event.data.fd = fd;
	return epoll_ctl(epoll_fd, operation, fd, &event) == 0;
}

void
WaitingRoom::enter(const Caller &caller)
{
	const char *why = NULL;
	auto network = networks_.find(caller.network);

	if (network != networks_.end() &&
		network->second.silent.size() + network->second.spoken.size() >= MAX_OF_A_NETWORK)
		why = "too many connections from there are waiting";
	else if (waiting_.size() >= max_waiting_ && !make_room(caller.network))
		why = "too many connections are waiting";
	else if (!watch(epoll_fd_, EPOLL_CTL_ADD, caller.fd))
		why = "no memory to wait for it";
	if (why != NULL)
	{
		turned_away_.add(caller.listener->id, caller.address, why);
		close(caller.fd);
		return;
	}

	std::list<int> &silent = networks_[caller.network].silent;

	waiting_[caller.fd] = {caller, false, silent.insert(silent.end(), caller.fd)};
	deadlines_.insert({caller.deadline, caller.fd});
}

/* False: it is this very network that takes the most. */
bool
WaitingRoom::make_room(const std::string &network)
{
	auto largest = std::max_element(networks_.begin(), networks_.end(),
									[](const auto &a, const auto &b)
									{ return a.second.silent.size() < b.second.silent.size(); });

	if (largest == networks_.end() || largest->first == network || largest->second.silent.empty())
		return false;
	turn_away(largest->second.silent.front(), "made room for others");
	return true;
}

void
WaitingRoom::look()
{
	struct epoll_event events[64];
	int n = epoll_wait(epoll_fd_, events, sizeof(events) / sizeof(events[0]), 0);

	for (int i = 0; i < n; i++)
	{
		int fd = events[i].data.fd;
		char byte;
		ssize_t peeked = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

		if (peeked == 1)
			speaks(waiting_.at(fd));
		else if (peeked == 0)
			turn_away(fd, "closed by the peer before it sent anything", true);
		else if (errno == EAGAIN || errno == EINTR)
			(void) watch(epoll_fd_, EPOLL_CTL_MOD, fd);
		else
			turn_away(fd, "reset by the peer before it sent anything", true);
	}
}

void
WaitingRoom::speaks(Waiting &waiting)
{
	Network &network = networks_.at(waiting.caller.network);

	if (network.spoken.empty())
		turn_.push_back(waiting.caller.network);
	network.spoken.splice(network.spoken.end(), network.silent, waiting.place);
	waiting.has_spoken = true;
}

/* Out of all the books; the descriptor stays open. */
Caller
WaitingRoom::leave(int fd)
{
	auto found = waiting_.find(fd);
	Waiting waiting = std::move(found->second);
	auto network = networks_.find(waiting.caller.network);

	(waiting.has_spoken ? network->second.spoken : network->second.silent).erase(waiting.place);
	if (waiting.has_spoken && network->second.spoken.empty())
		turn_.remove(waiting.caller.network);
	if (network->second.silent.empty() && network->second.spoken.empty())
		networks_.erase(network);
	deadlines_.erase({waiting.caller.deadline, fd});
	waiting_.erase(found);
	/* Before it is closed: a process may hold the connection, and keep it in the set. */
	(void) epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, NULL);
	return std::move(waiting.caller);
}

void
WaitingRoom::turn_away(int fd, const char *why, bool left)
{
	Caller caller = leave(fd);

	turned_away_.add(caller.listener->id, caller.address, why, left);
	close(fd);
}

void
WaitingRoom::expire()
{
	Clock::time_point now = Clock::now();

	while (!deadlines_.empty() && deadlines_.begin()->first <= now)
	{
		int fd = deadlines_.begin()->second;

		turn_away(fd, waiting_.at(fd).has_spoken ? "no association process was free in time"
												 : "nothing sent in time");
	}
}

int
WaitingRoom::expires_in() const
{
	if (deadlines_.empty() || deadlines_.begin()->first == Clock::time_point::max())
		return -1;
	return ms_until(deadlines_.begin()->first);
}

bool
WaitingRoom::next(const AssociationProcesses &processes, Caller &caller)
{
	if (!processes.room())
		return false;
	for (auto network = turn_.begin(); network != turn_.end(); ++network)
	{
		if (!processes.room_for(*network))
			continue;
		turn_.splice(turn_.end(), turn_, network);
		caller = leave(networks_.at(turn_.back()).spoken.front());
		return true;
	}
	return false;
}

} // namespace dicomgw
