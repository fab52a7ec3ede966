/*-------------------------------------------------------------------------
 *
 * association.h
 *	  One association of dicomgw-scp, in a process of its own.
 *
 * The listening parent forks for every connection.  The child has the
 * connection, an association channel to the receiver, and nothing else; it
 * reads what the network says, so it is the part that may crash, and then
 * costs one sender one abort.
 *
 * The promise to the sender is kept here: C-STORE-RSP 0000H goes out only
 * after the receiver has said COMMITTED, which it says only when the file
 * that we have synced, its directory and its row are all on disk.  If the
 * receiver goes away meanwhile, this process exits without an answer.
 *
 * The process reports OPENED at most once and CLOSED always, as the last
 * thing.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_ASSOCIATION_H
#define DGW_ASSOCIATION_H

#include <cstdint>
#include <string>

#include "channel.h"
#include "store.h"

namespace dicomgw
{

/* One row of dicomgw.listener; of an association, how it was accepted. */
struct ListenerConfig
{
	uint32_t id;
	std::string bind_address;
	uint16_t port;
	uint32_t max_pdu;
	uint32_t association_timeout;
	uint32_t idle_timeout;
};

/*
 * Serve the connection until it ends; takes peer_fd over.  To be called once,
 * in a process forked for it; the process exits with what is returned.
 */
extern int serve_association(int peer_fd, Channel &worker, const ListenerConfig &listener,
							 const StoragePlaces &places);

/* Read the A-ASSOCIATE-RQ and reject it: local limit exceeded. */
extern int refuse_association(int peer_fd, const ListenerConfig &listener);

} // namespace dicomgw

#endif /* DGW_ASSOCIATION_H */
