/*-------------------------------------------------------------------------
 *
 * batch_files.h
 *	  The files of received objects, as the receiver sees to them.
 *
 * A helper program has written and synced each file, in the storage folder
 * and, if there is one, at the mirror.  What is left to do is to sync the
 * directories, once for all the files of a batch that lie in one, and to look
 * whether a file is there.  Small files are not synced: their bytes are read,
 * for the journal (journal.h).
 *
 * Runs in the receiver.  Takes no lock and raises no ERROR.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_BATCH_FILES_H
#define DGW_BATCH_FILES_H

#include "receiver_batch.h"

/* Where files lie; of no mirror the path is NULL. */
typedef struct DgwPlaces
{
	const char *storage_path;
	const char *mirror_path;
} DgwPlaces;

/*
 * Sync the directories of the files that are synced, and those files that are
 * not and for which the journal has no room; an object for which that can't be is
 * refused.  One whose copy at the mirror is not safe is refused or goes on
 * without, as dicomgw.mirror_failure says.
 */
extern void dgw_sync_batch(DgwArrival *arrivals, int n, const DgwPlaces *places);

/*
 * Refuse the objects whose files have been removed meanwhile, which nobody
 * does while we have the ingest lock (ingest_lock.h); read the content of those
 * that are for the journal.
 */
extern void dgw_check_files(DgwArrival *arrivals, int n, const DgwPlaces *places);

/* There is a file at this path below root, with no fewer bytes than the dataset has. */
extern bool dgw_file_is_there(const char *root, DgwSlice path, uint64 size);

#endif /* DGW_BATCH_FILES_H */
