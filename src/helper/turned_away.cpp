/*-------------------------------------------------------------------------
 *
 * turned_away.cpp
 *	  Connections that were closed before they had a process, counted
 *	  (see turned_away.h).
 *
 *-------------------------------------------------------------------------
 */
#include "turned_away.h"

#include <algorithm>
#include <unistd.h>

#include "clock.h"

namespace dicomgw
{

constexpr std::chrono::seconds INTERVAL(1);

void
TurnedAway::add(uint32_t listener_id, const std::string &address, const std::string &why, bool left)
{
	counts_[{listener_id, address, why, left}]++;
}

void
TurnedAway::report(Channel &worker)
{
	if (counts_.empty() || Clock::now() < next_)
		return;
	for (const auto &[key, connections] : counts_)
	{
		DgwTurnedAway message = {std::get<0>(key), slice(std::get<1>(key)), connections,
								 std::get<3>(key), slice(std::get<2>(key))};

		if (!worker.send(dgw_encode_turned_away, message))
			_exit(1);
	}
	counts_.clear();
	next_ = Clock::now() + INTERVAL;
}

int
TurnedAway::due_in() const
{
	return counts_.empty() ? -1 : ms_until(next_);
}

} // namespace dicomgw
