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
#include "guc.h"

/* The storage folder, or the mirror. */
typedef struct Place
{
	const char *root;

	/* The last directory whose way up to the root is known to be on disk. */
	char rooted_directory[MAXPGPATH];

	/* The directory of the object before, and whether it could be synced. */
	char last[MAXPGPATH];
	bool last_synced;
} Place;

static Place storage;
static Place mirror;

static void
begin(Place *place, const char *root)
{
	place->root = root;
	place->last[0] = '\0';
}

static bool
sync_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool synced;

	if (fd < 0)
	{
		ereport(LOG,
				(errcode_for_file_access(), errmsg("could not open directory \"%s\": %m", path)));
		return false;
	}
	synced = fsync(fd) == 0;
	if (!synced)
		ereport(LOG,
				(errcode_for_file_access(), errmsg("could not sync directory \"%s\": %m", path)));
	close(fd);
	return synced;
}

/* A directory, and if it is a new one every directory above it up to the root. */
static bool
sync_up_to_root(Place *place, const char *directory)
{
	char path[MAXPGPATH];

	if (!sync_directory(directory))
		return false;
	if (strcmp(directory, place->rooted_directory) == 0)
		return true;
	strlcpy(path, directory, sizeof(path));
	while (strlen(path) > strlen(place->root))
	{
		get_parent_directory(path);
		if (!sync_directory(path))
			return false;
	}
	strlcpy(place->rooted_directory, directory, sizeof(place->rooted_directory));
	return true;
}

/* Neighbours of one directory share one sync. */
static bool
sync_directory_of(Place *place, DgwSlice file)
{
	char directory[MAXPGPATH];

	snprintf(directory, sizeof(directory), "%s/%.*s", place->root, (int) file.len, file.data);
	get_parent_directory(directory);
	if (strcmp(directory, place->last) != 0)
	{
		strlcpy(place->last, directory, sizeof(place->last));
		place->last_synced = sync_up_to_root(place, directory);
	}
	return place->last_synced;
}

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

void
dgw_sync_directories(DgwArrival *arrivals, int n, const DgwPlaces *places)
{
	begin(&storage, places->storage_path);
	begin(&mirror, places->mirror_path);
	for (int i = 0; i < n; i++)
	{
		DgwReceived *o = &arrivals[i].object;

		if (!sync_directory_of(&storage, o->path))
			refuse(&arrivals[i], "could not sync the storage directory");
		else if (mirror.root != NULL && o->mirrored && !sync_directory_of(&mirror, o->path))
			lose_mirror(&arrivals[i], "could not sync the mirror's directory");
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

void
dgw_check_files(DgwArrival *arrivals, int n, const DgwPlaces *places)
{
	for (int i = 0; i < n; i++)
	{
		DgwReceived *o = &arrivals[i].object;

		if (arrivals[i].status != 0)
			continue;
		if (!dgw_file_is_there(places->storage_path, o->path, o->size))
			refuse(&arrivals[i], "the object's file is gone");
		else if (places->mirror_path != NULL && o->mirrored &&
				 !dgw_file_is_there(places->mirror_path, o->path, o->size))
			lose_mirror(&arrivals[i], "the object's copy at the mirror is gone");
	}
}
