/*-------------------------------------------------------------------------
 *
 * association.h
 *	  One association of dicomgw-scp, in a process of its own.
 *
 * The listening parent forks when a connection has said something.  The child
 * has the connection, an association channel to the receiver, and nothing
 * else; it reads what the network says, so it is the part that may crash, and
 * then costs one sender one abort.
 *
 * Whether the association is accepted, and what its caller may do, is the
 * receiver's decision (REQUESTED, answered by ADMITTED or REJECTED); only a
 * passcode is compared here.
 *
 * The promise to the sender is kept here: C-STORE-RSP 0000H goes out only
 * after the receiver has said COMMITTED, which it says only when the row is on
 * disk, and the bytes are: in the file that we have synced, with its directory,
 * or, of a small object, in the journal (../journal.h).  If the receiver goes
 * away meanwhile, this process exits without an answer.
 *
 * SIGTERM, from the parent, ends the association with an A-ABORT, whatever
 * this process waits for; but an object that the receiver has been told of is
 * decided first.
 *
 * The process reports OPENED at most once and CLOSED always, as the last
 * thing.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_ASSOCIATION_H
#define DGW_ASSOCIATION_H

#include <functional>

#include "channel.h"
#include "interrupt.h"
#include "listener_config.h"
#include "store.h"
#include "transport.h"

namespace dicomgw
{

/* What a process begins with. */
struct AssociationStart
{
	int peer_fd; /* is taken over */
	const ListenerConfig &listener;
	const StoragePlaces &places;
	const Interrupt &interrupt;
	MonotonicClock::time_point deadline; /* for the whole A-ASSOCIATE-RQ */
	std::function<void()> on_admission;	 /* called when the receiver has said ADMITTED */
};

/*
 * Serve the connection until it ends.  To be called once, in a process forked
 * for it; the process exits with what is returned.
 */
extern int serve_association(const AssociationStart &start, Channel &worker);

} // namespace dicomgw

#endif /* DGW_ASSOCIATION_H */
