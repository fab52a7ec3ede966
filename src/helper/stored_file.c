/*-------------------------------------------------------------------------
 *
 * stored_file.c
 *	  Reading a stored object's file (see stored_file.h).
 *
 *-------------------------------------------------------------------------
 */
#include "stored_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREAMBLE_SIZE 128

/* "DICM", then (0002,0000) UL in explicit VR little endian, before its value. */
static const unsigned char META_HEAD[] = {'D',	'I',  'C', 'M', 0x02, 0x00,
										  0x00, 0x00, 'U', 'L', 0x04, 0x00};
#define GROUP_LENGTH_OFFSET (PREAMBLE_SIZE + sizeof(META_HEAD))
#define HEAD_SIZE (GROUP_LENGTH_OFFSET + 4)

/* From here on it pays to tell the kernel that all of it will be read. */
#define READ_AHEAD_FROM (1024 * 1024)

void
dgw_stored_file_init(DgwStoredFile *file)
{
	memset(file, 0, sizeof(*file));
	file->fd = -1;
	file->digest = EVP_MD_CTX_new();
}

void
dgw_stored_file_close(DgwStoredFile *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}

void
dgw_stored_file_free(DgwStoredFile *file)
{
	dgw_stored_file_close(file);
	EVP_MD_CTX_free(file->digest);
	file->digest = NULL;
}

static DgwFileState
fail(DgwStoredFile *file, DgwFileState state, const char *reason, int error)
{
	if (error != 0)
		snprintf(file->why, sizeof(file->why), "%s: %s", reason, strerror(error));
	else
		snprintf(file->why, sizeof(file->why), "%s", reason);
	dgw_stored_file_close(file);
	return state;
}

/* Relative, and never up: what the worker names must lie below the storage path. */
static bool
path_stays_below(const char *path)
{
	if (path[0] == '\0' || path[0] == '/')
		return false;
	for (const char *at = path; *at != '\0';)
	{
		size_t len = strcspn(at, "/");

		if (len == 2 && memcmp(at, "..", 2) == 0)
			return false;
		at += len + (at[len] == '/');
	}
	return true;
}

static DgwFileState
read_fully(DgwStoredFile *file, char *dest, size_t len, uint64_t offset)
{
	while (len > 0)
	{
		ssize_t n = pread(file->fd, dest, len, (off_t) offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(file, DGW_FILE_MISSING, "could not read file", errno);
		if (n == 0)
			return fail(file, DGW_FILE_DAMAGED, "file ends too early", 0);
		dest += n;
		len -= (size_t) n;
		offset += (uint64_t) n;
	}
	return DGW_FILE_GOOD;
}

/* The dataset begins where the file meta group ends. */
static DgwFileState
find_dataset(DgwStoredFile *file)
{
	unsigned char head[HEAD_SIZE];
	const unsigned char *value = head + GROUP_LENGTH_OFFSET;
	DgwFileState state = read_fully(file, (char *) head, sizeof(head), 0);

	if (state != DGW_FILE_GOOD)
		return state;
	if (memcmp(head + PREAMBLE_SIZE, META_HEAD, sizeof(META_HEAD)) != 0)
		return fail(file, DGW_FILE_DAMAGED, "not a DICOM file with a file meta group length", 0);
	file->dataset_offset = HEAD_SIZE + (value[0] | (uint64_t) value[1] << 8 |
										(uint64_t) value[2] << 16 | (uint64_t) value[3] << 24);
	return DGW_FILE_GOOD;
}

/* Not to wait for ever, should the name lead to a FIFO. */
static int
open_below(const char *root, const char *path)
{
	char full[PATH_MAX];

	if ((size_t) snprintf(full, sizeof(full), "%s/%s", root, path) >= sizeof(full))
	{
		errno = ENAMETOOLONG;
		return -1;
	}
	return open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

DgwFileState
dgw_stored_file_open(DgwStoredFile *file, const char *root, const char *path, uint64_t dataset_size,
					 const uint8_t *sha256)
{
	struct stat status;
	DgwFileState state;

	dgw_stored_file_close(file);
	file->sha256 = sha256;
	file->position = 0;
	if (!path_stays_below(path))
		return fail(file, DGW_FILE_MISSING, "path of the file leaves the storage path", 0);
	file->fd = open_below(root, path);
	if (file->fd < 0)
		return fail(file, DGW_FILE_MISSING, "could not open file", errno);
	if (fstat(file->fd, &status) != 0)
		return fail(file, DGW_FILE_MISSING, "could not stat file", errno);
	if (!S_ISREG(status.st_mode))
		return fail(file, DGW_FILE_DAMAGED, "not a regular file", 0);
	state = find_dataset(file);
	if (state != DGW_FILE_GOOD)
		return state;
	file->size = (uint64_t) status.st_size;
	if (file->size < file->dataset_offset || file->size - file->dataset_offset != dataset_size)
		return fail(file, DGW_FILE_DAMAGED, "size of the dataset differs from what was received",
					0);
	if (file->digest == NULL || EVP_DigestInit_ex(file->digest, EVP_sha256(), NULL) != 1)
		return fail(file, DGW_FILE_MISSING, "could not compute SHA-256", 0);
	if (file->size >= READ_AHEAD_FROM)
		(void) posix_fadvise(file->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return DGW_FILE_GOOD;
}

static DgwFileState
check_digest(DgwStoredFile *file)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int digest_len = 0;

	if (EVP_DigestFinal_ex(file->digest, digest, &digest_len) != 1)
		return fail(file, DGW_FILE_MISSING, "could not compute SHA-256", 0);
	if (digest_len != DGW_SHA256_LEN || memcmp(digest, file->sha256, DGW_SHA256_LEN) != 0)
		return fail(file, DGW_FILE_DAMAGED, "SHA-256 differs from what was received", 0);
	dgw_stored_file_close(file);
	return DGW_FILE_GOOD;
}

DgwFileState
dgw_stored_file_read(DgwStoredFile *file, char *dest, size_t len)
{
	DgwFileState state = read_fully(file, dest, len, file->position);
	size_t head = 0; /* of these bytes, what lies before the dataset */

	if (state != DGW_FILE_GOOD)
		return state;
	if (file->position < file->dataset_offset)
	{
		uint64_t left = file->dataset_offset - file->position;

		head = left < len ? (size_t) left : len;
	}
	if (EVP_DigestUpdate(file->digest, dest + head, len - head) != 1)
		return fail(file, DGW_FILE_MISSING, "could not compute SHA-256", 0);
	file->position += len;
	return file->position < file->size ? DGW_FILE_GOOD : check_digest(file);
}
