/*-------------------------------------------------------------------------
 *
 * ingest_lock.h
 *	  Keeps those who tidy up the storage folder from those who commit rows.
 *
 * Between the moment at which an object's file is in place and the COMMIT of
 * its row, which a synchronous standby may hold up for any time, nobody can
 * see that the file is wanted.  So:
 *
 * - The receiver takes this lock in share mode at the beginning of each
 *	 transaction that records objects, and then looks whether their files are
 *	 still there.  It is given back when the commit is done.
 * - Whoever removes files that no row names takes it in exclusive mode, looks
 *	 again for the rows, and unlinks while it holds the lock.
 *
 * A file without a row is then either removed before the receiver looks, and
 * the object refused, or it has its row.
 *
 * In SQL it is pg_advisory_xact_lock(0, 1684502377), and _shared.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_INGEST_LOCK_H
#define DGW_INGEST_LOCK_H

#include "miscadmin.h"
#include "storage/lock.h"

/* "dgwi" */
#define DGW_INGEST_LOCK_KEY 0x64677769

/* In the open transaction, until its end; waits for those who hold it otherwise. */
static inline void
dgw_ingest_lock(LOCKMODE mode)
{
	LOCKTAG tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, 0, DGW_INGEST_LOCK_KEY, 2);
	(void) LockAcquire(&tag, mode, false, false);
}

#endif /* DGW_INGEST_LOCK_H */
