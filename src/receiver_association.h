/*-------------------------------------------------------------------------
 *
 * receiver_association.h
 *	  The receiver's side of the association processes: who is let in, what
 *	  they have received, how they end.
 *
 * An association has at most one object under way.  All objects that have
 * come in since the last time are one batch: dgw_associations_commit() makes
 * it durable and answers each.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_RECEIVER_ASSOCIATION_H
#define DGW_RECEIVER_ASSOCIATION_H

#include "protocol/message.h"

typedef struct DgwReceiverAssociation DgwReceiverAssociation;

/* At the start of the receiver; descriptors to read from go into this epoll set. */
extern void dgw_associations_begin(int epoll_fd);

/* dicomgw-scp has accepted a connection. */
extern void dgw_association_add(int fd, const DgwAssociation *announced);

/* dicomgw-scp has closed some without a process for them. */
extern void dgw_association_turned_away(const DgwTurnedAway *m);

/* Its channel has something to read, or has ended; it may be gone afterwards. */
extern void dgw_association_read(DgwReceiverAssociation *association);

/* Is a batch waiting? */
extern bool dgw_associations_pending(void);
extern void dgw_associations_commit(void);

/* dicomgw-scp has ended, and they with it. */
extern void dgw_associations_lose(void);

extern int dgw_associations_open(void);
extern uint64 dgw_objects_received(void);

#endif /* DGW_RECEIVER_ASSOCIATION_H */
