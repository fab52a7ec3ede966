/*-------------------------------------------------------------------------
 *
 * dial.h
 *	  From a host name to a connected socket, within a given time.
 *
 * DCMTK's own connect takes the first IPv4 address only, waits for the
 * resolver as long as that likes to, and has one timeout for the whole
 * program.  Here every address of the name is tried, IPv6 and IPv4, and the
 * time limit covers all of it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_DIAL_H
#define DGW_DIAL_H

#include <chrono>
#include <cstdint>
#include <string>

namespace dicomgw
{

/*
 * A connected, tuned, non-blocking TCP socket to host and port; -1 with the
 * reason in why if there is none before the deadline.
 */
extern int dial(const std::string &host, uint16_t port,
				std::chrono::steady_clock::time_point deadline, std::string &why);

} // namespace dicomgw

#endif /* DGW_DIAL_H */
