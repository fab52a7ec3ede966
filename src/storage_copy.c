/*-------------------------------------------------------------------------
 *
 * storage_copy.c
 *	  Copying an object's file from one place to the other (see
 *	  storage_copy.h).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cryptohash.h"
#include "common/sha2.h"
#include "miscadmin.h"
#include "storage/fd.h"

#include "shared.h"
#include "storage_copy.h"

#define FILE_MODE 0600
#define FOLDER_MODE 0700

typedef struct Copy
{
	const char *from; /* full paths */
	const char *to;
	const char *temporary;
	const char *root; /* of the place that it goes to */
	int64 dataset_size;
	const uint8 *sha256;
	bool *interrupted;
} Copy;

static const char *
failed_to(const char *what)
{
	return psprintf("could not %s: %s", what, strerror(errno));
}

/* ---------- folders ---------- */

static bool
sync_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool synced = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return synced;
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
			if (!sync_folder(above))
				return false;
		}
		else if (errno != EEXIST)
			return false;
		*slash = '/';
	}
	return true;
}

/* ---------- bytes ---------- */

static bool
write_all(int fd, const char *data, size_t len)
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

/* Copy all bytes; the digest is that of the last dataset_size ones. */
static const char *
copy_bytes(Copy *copy, int from_fd, int to_fd, int64 head_size, pg_cryptohash_ctx *digest,
		   char *buffer)
{
	int64 at = 0;
	ssize_t n;

	while ((n = read(from_fd, buffer, DGW_READ_SIZE)) != 0)
	{
		int64 skip = Max(head_size - at, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return failed_to("read the good copy");
		if (ProcDiePending || dgw_on_hold())
		{
			*copy->interrupted = true;
			return "interrupted";
		}
		if (skip < n && pg_cryptohash_update(digest, (uint8 *) buffer + skip, n - skip) < 0)
			return "could not compute the SHA-256";
		if (!write_all(to_fd, buffer, n))
			return failed_to("write the new copy");
		at += n;
	}
	return NULL;
}

static const char *
copy_and_compare(Copy *copy, int from_fd, int to_fd)
{
	pg_cryptohash_ctx *digest;
	uint8 result[PG_SHA256_DIGEST_LENGTH];
	const char *problem;
	struct stat st;
	char *buffer;

	if (fstat(from_fd, &st) != 0)
		return failed_to("read the good copy");
	if (!dgw_file_size_fits(st.st_size, copy->dataset_size))
		return "the other copy has another size";
	digest = pg_cryptohash_create(PG_SHA256);
	if (digest == NULL || pg_cryptohash_init(digest) < 0)
		return "could not compute the SHA-256";
	buffer = palloc(DGW_READ_SIZE);
	problem = copy_bytes(copy, from_fd, to_fd, st.st_size - copy->dataset_size, digest, buffer);
	if (problem == NULL && pg_cryptohash_final(digest, result, sizeof(result)) < 0)
		problem = "could not compute the SHA-256";
	pg_cryptohash_free(digest);
	pfree(buffer);
	if (problem == NULL && memcmp(result, copy->sha256, sizeof(result)) != 0)
		problem = "the other copy is damaged: its SHA-256 is not that of the object received";
	if (problem == NULL && fsync(to_fd) != 0)
		problem = failed_to("sync the new copy");
	return problem;
}

static const char *
copy_to_temporary(Copy *copy)
{
	const char *problem;
	int from_fd = open(copy->from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int to_fd;

	if (from_fd < 0)
		return failed_to("open the good copy");
	to_fd = open(copy->temporary, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, FILE_MODE);
	if (to_fd < 0)
		problem = failed_to("make the new copy");
	else
	{
		problem = copy_and_compare(copy, from_fd, to_fd);
		if (close(to_fd) != 0 && problem == NULL)
			problem = failed_to("write the new copy");
	}
	close(from_fd);
	return problem;
}

/* ---------- the copy ---------- */

const char *
dgw_file_copy(DgwPlace from, DgwPlace to, const char *file_path, int64 dataset_size,
			  const uint8 *sha256, bool *interrupted)
{
	Copy copy = {
		.from = dgw_file_full_path(from, file_path),
		.to = dgw_file_full_path(to, file_path),
		.root = dgw_place_root(to),
		.dataset_size = dataset_size,
		.sha256 = sha256,
		.interrupted = interrupted,
	};
	const char *name = strrchr(file_path, '/');
	char folder[MAXPGPATH];
	const char *problem;

	*interrupted = false;
	if (copy.from == NULL || copy.to == NULL || dgw_path_kind(file_path) != DGW_FILE_OBJECT)
		return "its row names no file of ours";
	strlcpy(folder, copy.to, sizeof(folder));
	get_parent_directory(folder);
	copy.temporary = psprintf("%s/.tmp-%.32s", folder, name + 1);

	if (!make_folders(copy.root, copy.to))
		return failed_to("make the folder");
	/* One that was begun by a process that did not live to end it. */
	(void) unlink(copy.temporary);
	problem = copy_to_temporary(&copy);
	if (problem == NULL && rename(copy.temporary, copy.to) != 0)
		problem = failed_to("put the new copy in place");
	if (problem != NULL)
		(void) unlink(copy.temporary);
	else if (!sync_folder(folder))
		problem = failed_to("sync the folder");
	return problem;
}
