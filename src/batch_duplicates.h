/*-------------------------------------------------------------------------
 *
 * batch_duplicates.h
 *	  Received objects whose SOP Instance UID was received before.
 *
 * Each listener has a policy: keep every version, ignore a repeat that is the
 * same byte for byte, or refuse.  All objects of all senders pass through one
 * process and one batch after the other, so what is found here stays true until
 * the rows are committed: two senders of one object can't both be the first.
 *
 * What retention has removed does not count, and a repeat is only ignored if
 * the file of the object before is really there.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_BATCH_DUPLICATES_H
#define DGW_BATCH_DUPLICATES_H

#include "receiver_batch.h"

/*
 * Mark the duplicates of a batch as refused or ignored, in the transaction
 * that is to record the others.  Costs nothing if no listener asks for it.
 */
extern void dgw_apply_duplicates(DgwArrival *arrivals, int n, const char *storage_path);

#endif /* DGW_BATCH_DUPLICATES_H */
