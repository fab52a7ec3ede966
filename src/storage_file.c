/*-------------------------------------------------------------------------
 *
 * storage_file.c
 *	  The stored files, for those who look after them (see storage_file.h).
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

#include "guc.h"
#include "storage_file.h"

#define TOKEN_DIGITS 32
#define OBJECT_SUFFIX ".dcm"
#define TEMPORARY_PREFIX ".tmp-"

static const char *const place_names[DGW_N_PLACES] = {
	[DGW_STORAGE] = "storage",
	[DGW_MIRROR] = "mirror",
};

/* ---------- places ---------- */

const char *
dgw_place_name(DgwPlace place)
{
	return place_names[place];
}

DgwPlace
dgw_place_named(const char *name)
{
	for (int place = 0; place < DGW_N_PLACES; place++)
		if (strcmp(place_names[place], name) == 0)
			return (DgwPlace) place;
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("there is no storage place \"%s\"", name),
					errhint("The places are \"storage\" and \"mirror\".")));
}

char *
dgw_place_root(DgwPlace place)
{
	return place == DGW_STORAGE ? dgw_storage_directory() : dgw_mirror_directory();
}

/* ---------- names ---------- */

DgwFileKind
dgw_file_kind(const char *name)
{
	size_t token = strspn(name, "0123456789abcdef");

	if (token == TOKEN_DIGITS && strcmp(name + token, OBJECT_SUFFIX) == 0)
		return DGW_FILE_OBJECT;
	if (strncmp(name, TEMPORARY_PREFIX, strlen(TEMPORARY_PREFIX)) == 0)
	{
		name += strlen(TEMPORARY_PREFIX);
		if (name[0] != '\0' && strlen(name) <= 2 * TOKEN_DIGITS &&
			strspn(name, "0123456789abcdefghijklmnopqrstuvwxyz-") == strlen(name))
			return DGW_FILE_TEMPORARY;
	}
	return DGW_FILE_OTHER;
}

DgwFileKind
dgw_path_kind(const char *file_path)
{
	static const char shape[] = "dddd/dd/dd/dddd/";

	for (const char *at = shape; *at != '\0'; at++, file_path++)
	{
		if (*at == 'd' ? !isdigit((unsigned char) *file_path) : *file_path != *at)
			return DGW_FILE_OTHER;
	}
	return dgw_file_kind(file_path);
}

char *
dgw_file_full_path(DgwPlace place, const char *file_path)
{
	char *root = dgw_place_root(place);

	if (root == NULL || dgw_path_kind(file_path) == DGW_FILE_OTHER)
	{
		errno = root == NULL ? ENOENT : EINVAL;
		return NULL;
	}
	return psprintf("%s/%s", root, file_path);
}

/* ---------- files ---------- */

bool
dgw_file_size_fits(int64 file_size, int64 dataset_size)
{
	return file_size - dataset_size >= DGW_HEAD_MIN && file_size - dataset_size <= DGW_HEAD_MAX;
}

static const char *
problem_of_errno(int error)
{
	if (error == ENOENT || error == ENOTDIR)
		return DGW_MISSING;
	if (error == EINVAL)
		return "has no path of ours";
	return psprintf("cannot be read: %s", strerror(error));
}

/*
 * Compare the dataset with its digest.  What the kernel has cached of the file
 * is let go first: it is the disk that is asked.
 */
static const char *
digest_problem(int fd, int64 head_size, int64 dataset_size, const uint8 *sha256)
{
	pg_cryptohash_ctx *digest = pg_cryptohash_create(PG_SHA256);
	char *buffer = palloc(DGW_READ_SIZE);
	uint8 result[PG_SHA256_DIGEST_LENGTH];
	off_t at = head_size;
	const char *problem = NULL;

	if (digest == NULL || pg_cryptohash_init(digest) < 0)
		elog(ERROR, "could not initialize SHA-256 context");
	(void) posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	(void) posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	while (at < head_size + dataset_size)
	{
		ssize_t n = pg_pread(fd, buffer, Min(DGW_READ_SIZE, head_size + dataset_size - at), at);

		CHECK_FOR_INTERRUPTS();
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
		{
			problem = n < 0 ? problem_of_errno(errno) : "has another size";
			break;
		}
		if (pg_cryptohash_update(digest, (uint8 *) buffer, (size_t) n) < 0)
			elog(ERROR, "could not update SHA-256 context");
		at += n;
	}
	if (pg_cryptohash_final(digest, result, sizeof(result)) < 0)
		elog(ERROR, "could not finalize SHA-256 context");
	pg_cryptohash_free(digest);
	pfree(buffer);
	if (problem == NULL && memcmp(result, sha256, sizeof(result)) != 0)
		problem = "damaged: its SHA-256 is not that of the object received";
	return problem;
}

const char *
dgw_file_problem(DgwPlace place, const char *file_path, int64 dataset_size, const uint8 *sha256)
{
	char *path = dgw_file_full_path(place, file_path);
	const char *problem = NULL;
	struct stat st;
	int fd;

	if (path == NULL || lstat(path, &st) != 0)
		return problem_of_errno(errno);
	if (!S_ISREG(st.st_mode))
		return "is no regular file";
	if (!dgw_file_size_fits(st.st_size, dataset_size))
		return "has another size";
	if (sha256 == NULL)
		return NULL;

	fd = OpenTransientFile(path, O_RDONLY | O_NOFOLLOW | PG_BINARY);
	if (fd < 0)
		return problem_of_errno(errno);
	problem = digest_problem(fd, st.st_size - dataset_size, dataset_size, sha256);
	CloseTransientFile(fd);
	return problem;
}

bool
dgw_file_remove(DgwPlace place, const char *file_path)
{
	char *path = dgw_file_full_path(place, file_path);

	return path != NULL ? unlink(path) == 0 || errno == ENOENT : errno == ENOENT;
}
