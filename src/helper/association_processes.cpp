/*-------------------------------------------------------------------------
 *
 * association_processes.cpp
 *	  The association processes that there are (see association_processes.h).
 *
 *-------------------------------------------------------------------------
 */
#include "association_processes.h"

#include <algorithm>

namespace dicomgw
{

void
AssociationProcesses::set_max_associations(uint32_t max_associations)
{
	limit_ = (size_t) max_associations + EXTRA;
}

bool
AssociationProcesses::room() const
{
	return processes_.size() < limit_;
}

bool
AssociationProcesses::room_for(const std::string &network) const
{
	auto found = on_probation_.find(network);

	if (!room() || found == on_probation_.end())
		return room();
	return found->second < std::min(MAX_ON_PROBATION, limit_ - processes_.size());
}

void
AssociationProcesses::started(pid_t pid, const std::string &network)
{
	processes_[pid] = {network, true};
	on_probation_[network]++;
}

void
AssociationProcesses::admitted(pid_t pid)
{
	auto process = processes_.find(pid);

	if (process == processes_.end() || !process->second.on_probation)
		return;
	process->second.on_probation = false;
	auto count = on_probation_.find(process->second.network);

	if (--count->second == 0)
		on_probation_.erase(count);
}

void
AssociationProcesses::ended(pid_t pid)
{
	admitted(pid);
	processes_.erase(pid);
}

bool
AssociationProcesses::has(pid_t pid) const
{
	return processes_.count(pid) > 0;
}

} // namespace dicomgw
