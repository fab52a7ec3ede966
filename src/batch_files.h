/*-------------------------------------------------------------------------
 *
 * batch_files.h
 *	  The files of received objects, as the receiver sees to them.
 *
 * A helper program has written each file and put it on the disk, in the storage
 * folder and, if there is one, at the mirror; a small one it has only written.
 * What is left to do is to look whether a file is there, and to read the bytes
 * of the small ones for the journal (journal.h).
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
 * The journal has no room: sync the files that are not, with their directories.
 * An object for which that can't be done is refused.
 */
extern void dgw_sync_files(DgwArrival *arrivals, int n, const DgwPlaces *places);

/*
 * Refuse the objects whose files have been removed meanwhile, which nobody
 * does while we have the ingest lock (ingest_lock.h); read the content of those
 * that are for the journal.
 */
extern void dgw_check_files(DgwArrival *arrivals, int n, const DgwPlaces *places);

/* There is a file at this path below root, with no fewer bytes than the dataset has. */
extern bool dgw_file_is_there(const char *root, DgwSlice path, uint64 size);

#endif /* DGW_BATCH_FILES_H */
