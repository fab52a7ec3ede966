/*-------------------------------------------------------------------------
 *
 * association_processes.h
 *	  The association processes that there are, and whether there is room for
 *	  one more.
 *
 * There may be as many as associations are allowed, and EXTRA ones in which
 * further callers are told that there are too many: an A-ASSOCIATE-RJ can be
 * sent only after the request was read.
 *
 * A process is "on probation" until the receiver has admitted its caller.  A
 * network may have MAX_ON_PROBATION of these, and never more than what it
 * leaves free: however many connections one peer opens and lets drip, half of
 * the room that the others have left is still there for the others.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_ASSOCIATION_PROCESSES_H
#define DGW_ASSOCIATION_PROCESSES_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <sys/types.h>
#include <unordered_map>

namespace dicomgw
{

class AssociationProcesses
{
public:
	void set_max_associations(uint32_t max_associations);

	/* One more, for a caller of this network? */
	bool room() const;
	bool room_for(const std::string &network) const;

	void started(pid_t pid, const std::string &network);
	void admitted(pid_t pid);
	void ended(pid_t pid);

	/* It is ours, and not yet waited for: its number is nobody else's. */
	bool has(pid_t pid) const;

private:
	static constexpr size_t EXTRA = 32;
	static constexpr size_t MAX_ON_PROBATION = 64;

	struct Process
	{
		std::string network;
		bool on_probation;
	};

	size_t limit_ = 0;
	std::unordered_map<pid_t, Process> processes_;
	std::unordered_map<std::string, size_t> on_probation_; /* by network */
};

} // namespace dicomgw

#endif /* DGW_ASSOCIATION_PROCESSES_H */
