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
#include "storage_write.h"

typedef struct Copy
{
	const char *from; /* full path */
	int64 dataset_size;
	const uint8 *sha256;
	bool *interrupted;
} Copy;

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
			return dgw_failed_to("read the good copy");
		if (ProcDiePending || dgw_on_hold())
		{
			*copy->interrupted = true;
			return "interrupted";
		}
		if (skip < n && pg_cryptohash_update(digest, (uint8 *) buffer + skip, n - skip) < 0)
			return "could not compute the SHA-256";
		if (!dgw_write_all(to_fd, buffer, n))
			return dgw_failed_to("write the new copy");
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
		return dgw_failed_to("read the good copy");
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
	return problem;
}

static const char *
fill(int to_fd, void *arg)
{
	Copy *copy = arg;
	const char *problem;
	int from_fd = open(copy->from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (from_fd < 0)
		return dgw_failed_to("open the good copy");
	problem = copy_and_compare(copy, from_fd, to_fd);
	close(from_fd);
	return problem;
}

const char *
dgw_file_copy(DgwPlace from, DgwPlace to, const char *file_path, int64 dataset_size,
			  const uint8 *sha256, bool *interrupted)
{
	Copy copy = {
		.from = dgw_file_full_path(from, file_path),
		.dataset_size = dataset_size,
		.sha256 = sha256,
		.interrupted = interrupted,
	};

	*interrupted = false;
	if (copy.from == NULL)
		return "its row names no file of ours";
	return dgw_file_write(to, file_path, fill, &copy);
}
