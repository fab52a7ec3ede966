/*-------------------------------------------------------------------------
 *
 * storage_write.h
 *	  Putting a file in its place.
 *
 * It is there under its final name, synced with its folders, or not at all: it
 * is written under a temporary name, synced, renamed, and the folders are
 * synced.  A file that was there before is replaced.  The root of a place is
 * never made: it may be the mount point of a file system that is not mounted.
 *
 * For a worker between its transactions: nothing here needs or opens one.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_STORAGE_WRITE_H
#define DGW_STORAGE_WRITE_H

#include "storage_file.h"

/* Writes all bytes of the file; NULL, or in words (palloc'ed) why it could not. */
typedef const char *(*DgwFileFill)(int fd, void *arg);

/* NULL, or in words (palloc'ed) why there is no new file. */
extern const char *dgw_file_write(DgwPlace place, const char *file_path, DgwFileFill fill,
								  void *arg);

/* False with errno set. */
extern bool dgw_write_all(int fd, const char *data, size_t len);

/* "could not do this: why", from errno; palloc'ed. */
extern const char *dgw_failed_to(const char *what);

#endif /* DGW_STORAGE_WRITE_H */
