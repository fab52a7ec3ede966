/*-------------------------------------------------------------------------
 *
 * clock.h
 *	  Deadlines, how long poll() may sleep until then, and how long something took.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_CLOCK_H
#define DGW_CLOCK_H

#include <algorithm>
#include <chrono>
#include <climits>
#include <cstdint>

namespace dicomgw
{

using Clock = std::chrono::steady_clock;

/* Rounded up, so that a wait never ends just before its time; 0 if it has passed. */
inline int
ms_until(Clock::time_point when)
{
	using std::chrono::milliseconds;
	auto now = Clock::now();

	if (when <= now)
		return 0;
	auto left = std::chrono::duration_cast<milliseconds>(when - now).count();

	return (int) std::min<long long>(left, INT_MAX - 1) + 1;
}

/* As far as 32 bits reach. */
inline uint32_t
microseconds_since(Clock::time_point start)
{
	auto spent = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start);

	return (uint32_t) std::min<long long>(spent.count(), UINT32_MAX);
}

/* The earlier of two timeouts of poll(), of which -1 is none. */
inline int
earlier(int a, int b)
{
	return a < 0 ? b : b < 0 ? a : std::min(a, b);
}

} // namespace dicomgw

#endif /* DGW_CLOCK_H */
