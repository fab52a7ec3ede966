/*-------------------------------------------------------------------------
 *
 * storage_write.c
 *	  Putting a file in its place (see storage_write.h).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directory_sync.h"
#include "storage_write.h"

#define FILE_MODE 0600
#define FOLDER_MODE 0700

const char *
dgw_failed_to(const char *what)
{
	return psprintf("could not %s: %s", what, strerror(errno));
}

bool
dgw_write_all(int fd, const char *data, size_t len)
{
	while (len > 0)
	{
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		data += n;
		len -= (size_t) n;
	}
	return true;
}

/* Make the folders of a file below the root; each one made is synced into the one above it. */
static bool
make_folders(const char *root, const char *file)
{
	char path[MAXPGPATH];

	strlcpy(path, file, sizeof(path));
	for (char *slash = strchr(path + strlen(root) + 1, '/'); slash != NULL;
		 slash = strchr(slash + 1, '/'))
	{
		*slash = '\0';
		if (mkdir(path, FOLDER_MODE) == 0)
		{
			char above[MAXPGPATH];

			strlcpy(above, path, sizeof(above));
			get_parent_directory(above);
			if (!dgw_sync_directory(above))
				return false;
		}
		else if (errno != EEXIST)
			return false;
		*slash = '/';
	}
	return true;
}

static const char *
write_temporary(const char *temporary, DgwFileFill fill, void *arg)
{
	const char *problem;
	int fd = open(temporary, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, FILE_MODE);

	if (fd < 0)
		return dgw_failed_to("make the new copy");
	problem = fill(fd, arg);
	if (problem == NULL && fsync(fd) != 0)
		problem = dgw_failed_to("sync the new copy");
	if (close(fd) != 0 && problem == NULL)
		problem = dgw_failed_to("write the new copy");
	return problem;
}

const char *
dgw_file_write(DgwPlace place, const char *file_path, DgwFileFill fill, void *arg)
{
	const char *path = dgw_file_full_path(place, file_path);
	const char *name = strrchr(file_path, '/');
	const char *temporary;
	const char *problem;
	char folder[MAXPGPATH];

	if (path == NULL || dgw_path_kind(file_path) != DGW_FILE_OBJECT)
		return "its row names no file of ours";
	strlcpy(folder, path, sizeof(folder));
	get_parent_directory(folder);
	temporary = psprintf("%s/.tmp-%.32s", folder, name + 1);

	if (!make_folders(dgw_place_root(place), path))
		return dgw_failed_to("make the folder");
	/* One that was begun by a process that did not live to end it. */
	(void) unlink(temporary);
	problem = write_temporary(temporary, fill, arg);
	if (problem == NULL && rename(temporary, path) != 0)
		problem = dgw_failed_to("put the new copy in place");
	if (problem != NULL)
		(void) unlink(temporary);
	else if (!dgw_sync_directory(folder))
		problem = dgw_failed_to("sync the folder");
	return problem;
}
