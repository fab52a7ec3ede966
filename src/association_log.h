/*-------------------------------------------------------------------------
 *
 * association_log.h
 *	  Associations that have ended, on their way into association_history and
 *	  the callers' counters.
 *
 * The receiver collects them and records a batch when enough have come or
 * some time has passed, in a transaction of its own that waits for no disk:
 * receiving is not held up by it.  What a crash takes along is history only.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_ASSOCIATION_LOG_H
#define DGW_ASSOCIATION_LOG_H

#include "receiver_shared.h"

/*
 * Remember how an association ended; outcome as in association_history, a
 * constant; reason may be empty.  connections: how many it stands for.
 */
extern void dgw_log_association(const DgwAssociationInfo *info, const char *outcome,
								const char *reason, int connections);

/* Record what is due.  Returns the milliseconds until something is, -1 if nothing waits. */
extern long dgw_flush_association_log(void);

#endif /* DGW_ASSOCIATION_LOG_H */
