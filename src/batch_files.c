/*-------------------------------------------------------------------------
 *
 * batch_files.c
 *	  The files of received objects, as the receiver sees to them (see
 *	  batch_files.h).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "batch_files.h"
#include "directory_sync.h"
#include "guc.h"
#include "journal.h"

static void
refuse(DgwArrival *arrival, const char *comment)
{
	arrival->status = DGW_STATUS_PROCESSING_FAILURE;
	arrival->comment = comment;
}

/* Its copy at the mirror can't be relied upon. */
static void
lose_mirror(DgwArrival *arrival, const char *comment)
{
	arrival->object.mirrored = 0;
	if (dgw_mirror_failure == DGW_MIRROR_REFUSE)
		refuse(arrival, comment);
}

static int
open_file(const DgwPlaces *places, DgwSlice path)
{
	char name[MAXPGPATH];

	snprintf(name, sizeof(name), "%s/%.*s", places->storage_path, (int) path.len, path.data);
	return open(name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

static bool
sync_file(DgwDirectories *directories, const DgwPlaces *places, DgwSlice path)
{
	int fd = open_file(places, path);
	bool synced =
		fd >= 0 && fdatasync(fd) == 0 && dgw_directories_sync(directories, path.data, path.len);

	if (!synced)
		ereport(LOG, (errcode_for_file_access(),
					  errmsg("could not sync file \"%.*s\": %m", (int) path.len, path.data)));
	if (fd >= 0)
		close(fd);
	return synced;
}

void
dgw_sync_files(DgwArrival *arrivals, int n, const DgwPlaces *places)
{
	static DgwDirectories directories;

	dgw_directories_begin(&directories, places->storage_path);
	for (int i = 0; i < n; i++)
	{
		DgwReceived *o = &arrivals[i].object;

		if (!o->synced && !sync_file(&directories, places, o->path))
			refuse(&arrivals[i], "could not sync the object's file");
		o->synced = 1;
	}
}

bool
dgw_file_is_there(const char *root, DgwSlice path, uint64 size)
{
	char name[MAXPGPATH];
	struct stat status;

	snprintf(name, sizeof(name), "%s/%.*s", root, (int) path.len, path.data);
	return stat(name, &status) == 0 && S_ISREG(status.st_mode) && (uint64) status.st_size >= size;
}

/* The whole file; NULL if it is gone, or shorter than the dataset. */
static bytea *
read_file(const DgwPlaces *places, const DgwReceived *o)
{
	int fd = open_file(places, o->path);
	bytea *content = NULL;
	struct stat status;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && (uint64) status.st_size >= o->size)
	{
		size_t size = (size_t) status.st_size;

		content = palloc(VARHDRSZ + size);
		SET_VARSIZE(content, VARHDRSZ + size);
		if (pg_pread(fd, VARDATA(content), size, 0) != (ssize_t) size)
			content = NULL;
	}
	close(fd);
	return content;
}

static bool
check_file(DgwArrival *arrival, const DgwPlaces *places)
{
	const DgwReceived *o = &arrival->object;

	if (o->synced)
		return dgw_file_is_there(places->storage_path, o->path, o->size);
	arrival->content = read_file(places, o);
	return arrival->content != NULL;
}

void
dgw_check_files(DgwArrival *arrivals, int n, const DgwPlaces *places)
{
	for (int i = 0; i < n; i++)
	{
		DgwReceived *o = &arrivals[i].object;

		if (arrivals[i].status != 0)
			continue;
		if (!check_file(&arrivals[i], places))
			refuse(&arrivals[i], "the object's file is gone");
		else if (places->mirror_path != NULL && o->mirrored &&
				 !dgw_file_is_there(places->mirror_path, o->path, o->size))
			lose_mirror(&arrivals[i], "the object's copy at the mirror is gone");
	}
}
