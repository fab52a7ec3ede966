/*-------------------------------------------------------------------------
 *
 * picture_cache.c
 *	  Pictures that were drawn (see picture_cache.h), and the task of
 *	  maintenance that throws them away: the oldest when there are too many,
 *	  and all after a day, since they are patients' data that nobody is to
 *	  find here for longer than they are of use.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "miscadmin.h"
#include "storage/fd.h"

#include "digest.h"
#include "guc.h"
#include "maintenance.h"
#include "picture_cache.h"

#define FILE_MODE 0600
#define FOLDER_MODE 0700

#define MAX_AGE_SECONDS (24 * 60 * 60)

/* Down to so many percent of the limit, so that it is not met at once again. */
#define KEEP_PERCENT 90

#define MAX_PICTURE (64 * 1024 * 1024)

/* How every PNG file ends: one that was cut short by a crash does not. */
static const uint8 png_end[] = {0, 0, 0, 0, 'I', 'E', 'N', 'D', 0xAE, 0x42, 0x60, 0x82};

static char *
cache_folder(void)
{
	return psprintf("%s/" DGW_PICTURE_CACHE, dgw_storage_directory());
}

/* "<cache>/ab"; the file in it is named by all digits. */
static char *
folder_and_name(const char *description, char *name)
{
	static const char digits[] = "0123456789abcdef";
	uint8 digest[PG_SHA256_DIGEST_LENGTH];

	dgw_sha256(description, strlen(description), digest);
	for (size_t i = 0; i < sizeof(digest); i++)
	{
		name[2 * i] = digits[digest[i] >> 4];
		name[2 * i + 1] = digits[digest[i] & 0xF];
	}
	name[2 * sizeof(digest)] = '\0';
	return psprintf("%s/%.2s", cache_folder(), name);
}

bytea *
dgw_picture_cache_get(const char *description)
{
	char name[2 * PG_SHA256_DIGEST_LENGTH + 1];
	char *folder;
	struct stat st;
	bytea *png = NULL;
	int fd;

	if (dgw_preview_cache == 0)
		return NULL;
	folder = folder_and_name(description, name);
	fd = OpenTransientFile(psprintf("%s/%s.png", folder, name), O_RDONLY | O_NOFOLLOW | PG_BINARY);
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && st.st_size > (off_t) sizeof(png_end) && st.st_size <= MAX_PICTURE)
	{
		png = palloc(VARHDRSZ + st.st_size);
		SET_VARSIZE(png, VARHDRSZ + st.st_size);
		if (pg_pread(fd, VARDATA(png), (size_t) st.st_size, 0) != st.st_size ||
			memcmp(VARDATA(png) + st.st_size - sizeof(png_end), png_end, sizeof(png_end)) != 0)
			png = NULL;
	}
	CloseTransientFile(fd);
	return png;
}

void
dgw_picture_cache_put(const char *description, const bytea *png)
{
	char name[2 * PG_SHA256_DIGEST_LENGTH + 1];
	size_t len = VARSIZE_ANY_EXHDR(png);
	char *folder;
	char *path;
	bool good;
	int fd;

	if (dgw_preview_cache == 0)
		return;
	folder = folder_and_name(description, name);
	(void) mkdir(cache_folder(), FOLDER_MODE);
	(void) mkdir(folder, FOLDER_MODE);
	path = psprintf("%s/%s.%d.tmp", folder, name, MyProcPid);
	fd = OpenTransientFilePerm(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | PG_BINARY,
							   FILE_MODE);
	if (fd < 0)
	{
		ereport(DEBUG1, (errmsg_internal("could not create file \"%s\": %m", path)));
		return;
	}
	good = pg_pwrite(fd, VARDATA_ANY(png), len, 0) == (ssize_t) len;
	CloseTransientFile(fd);
	if (!good || rename(path, psprintf("%s/%s.png", folder, name)) != 0)
		(void) unlink(path);
}

/* ---------- the task ---------- */

typedef struct CachedFile
{
	char *path;
	int64 size;
	time_t written_at;
} CachedFile;

typedef struct CachedFiles
{
	CachedFile *files;
	int n;
	int allocated;
	int64 size;
} CachedFiles;

static void
add_folder(CachedFiles *cached, const char *folder)
{
	DIR *dir = AllocateDir(folder);
	struct dirent *entry;

	if (dir == NULL)
		return;
	while ((entry = ReadDirExtended(dir, folder, DEBUG1)) != NULL)
	{
		char *path = psprintf("%s/%s", folder, entry->d_name);
		struct stat st;

		CHECK_FOR_INTERRUPTS();
		if (entry->d_name[0] == '.' || lstat(path, &st) != 0 || !S_ISREG(st.st_mode))
			continue;
		if (cached->n == cached->allocated)
		{
			cached->allocated = Max(2 * cached->allocated, 64);
			cached->files =
				cached->files == NULL
					? palloc_extended(cached->allocated * sizeof(CachedFile), MCXT_ALLOC_HUGE)
					: repalloc_huge(cached->files, cached->allocated * sizeof(CachedFile));
		}
		cached->files[cached->n++] =
			(CachedFile){.path = path, .size = st.st_size, .written_at = st.st_mtime};
		cached->size += st.st_size;
	}
	FreeDir(dir);
}

static int
older_first(const void *a, const void *b)
{
	time_t first = ((const CachedFile *) a)->written_at;
	time_t second = ((const CachedFile *) b)->written_at;

	return first < second ? -1 : first > second;
}

bool
dgw_picture_cache_slice(StringInfo did, StringInfo trouble)
{
	int64 limit = (int64) dgw_preview_cache * 1024 * 1024;
	time_t oldest = time(NULL) - MAX_AGE_SECONDS;
	CachedFiles cached = {0};
	char *root = cache_folder();
	int64 kept;
	int removed = 0;

	for (int i = 0; i < 256; i++)
		add_folder(&cached, psprintf("%s/%02x", root, i));
	if (cached.n == 0)
		return false;
	qsort(cached.files, (size_t) cached.n, sizeof(CachedFile), older_first);
	kept = cached.size > limit ? limit / 100 * KEEP_PERCENT : cached.size;
	for (int i = 0; i < cached.n; i++)
	{
		CachedFile *file = &cached.files[i];

		if (cached.size <= kept && file->written_at >= oldest)
			break;
		if (unlink(file->path) != 0 && errno != ENOENT)
			appendStringInfo(trouble, "%scould not remove cached picture \"%s\": %m",
							 trouble->len > 0 ? "; " : "", file->path);
		else
			removed++;
		cached.size -= file->size;
	}
	if (removed > 0)
		appendStringInfo(did, "removed %d cached pictures", removed);
	return false;
}
