/*-------------------------------------------------------------------------
 *
 * directory_sync.c
 *	  Syncing the directories of files (see directory_sync.h).
 *
 *-------------------------------------------------------------------------
 */
#include "directory_sync.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void
dgw_directories_begin(DgwDirectories *directories, const char *root)
{
	directories->root = root;
	directories->last[0] = '\0';
}

bool
dgw_sync_directory(const char *directory)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int saved_errno;
	bool synced;

	if (fd < 0)
		return false;
	synced = fsync(fd) == 0;
	saved_errno = errno;
	close(fd);
	errno = saved_errno;
	return synced;
}

/* The directory is below the root. */
static bool
sync_up_to_root(DgwDirectories *directories, const char *directory)
{
	char path[DGW_PATH_LEN];
	char *slash;

	if (!dgw_sync_directory(directory))
		return false;
	if (strcmp(directory, directories->rooted) == 0)
		return true;
	strcpy(path, directory);
	while ((slash = strrchr(path + strlen(directories->root), '/')) != NULL)
	{
		*slash = '\0';
		if (!dgw_sync_directory(path))
			return false;
	}
	strcpy(directories->rooted, directory);
	return true;
}

bool
dgw_directories_sync(DgwDirectories *directories, const char *path, size_t len)
{
	char directory[DGW_PATH_LEN];
	int n;

	while (len > 0 && path[len - 1] != '/')
		len--;
	n = snprintf(directory, sizeof(directory), "%s/%.*s", directories->root,
				 len > 0 ? (int) len - 1 : 0, path);
	if (n < 0 || (size_t) n >= sizeof(directory))
	{
		errno = ENAMETOOLONG;
		return false;
	}
	if (strcmp(directory, directories->last) != 0)
	{
		strcpy(directories->last, directory);
		directories->last_errno = sync_up_to_root(directories, directory) ? 0 : errno;
	}
	errno = directories->last_errno;
	return directories->last_errno == 0;
}
