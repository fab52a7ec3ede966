/*-------------------------------------------------------------------------
 *
 * storage_copy.h
 *	  Copying an object's file from one place to the other.
 *
 * The copy is in place, under its final name and synced, or not there at all:
 * it is written under a temporary name, compared with the SHA-256 on the way,
 * synced, renamed, and the folders are synced.  The root of a place is
 * never made: it may be the mount point of a file system that is not mounted.
 *
 * For a worker between its transactions: nothing here needs or opens one, and
 * a copy ends early when the worker is to leave.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_STORAGE_COPY_H
#define DGW_STORAGE_COPY_H

#include "storage_file.h"

/*
 * NULL, or in words (palloc'ed) why there is no copy.  *interrupted: because
 * this process is to leave; nothing is wrong with the file.
 */
extern const char *dgw_file_copy(DgwPlace from, DgwPlace to, const char *file_path,
								 int64 dataset_size, const uint8 *sha256, bool *interrupted);

#endif /* DGW_STORAGE_COPY_H */
