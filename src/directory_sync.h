/*-------------------------------------------------------------------------
 *
 * directory_sync.h
 *	  Syncing the directories of files: the name of a file is on disk when its
 *	  directory is.
 *
 * Plain C, for the extension and for helper programs.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_DIRECTORY_SYNC_H
#define DGW_DIRECTORY_SYNC_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C"
{
#endif

#define DGW_PATH_LEN 1024

	/* The directories below one root; zeroed before the first use. */
	typedef struct DgwDirectories
	{
		const char *root; /* synced, too; what is above it is not */

		/* The last directory whose way up to the root is known to be on disk. */
		char rooted[DGW_PATH_LEN];

		/* The directory of the file before, and the errno of syncing it. */
		char last[DGW_PATH_LEN];
		int last_errno;
	} DgwDirectories;

	/* Forget which directory was synced last: it may have got new names since. */
	extern void dgw_directories_begin(DgwDirectories *directories, const char *root);

	/*
 * Sync the directory of this file, whose path is below the root, and if it is a
 * new one every directory above it up to the root.  Neighbours of one directory
 * share one sync.  False with errno set.
 */
	extern bool dgw_directories_sync(DgwDirectories *directories, const char *path, size_t len);

	/* Sync one directory.  False with errno set. */
	extern bool dgw_sync_directory(const char *directory);

#ifdef __cplusplus
}
#endif

#endif /* DGW_DIRECTORY_SYNC_H */
