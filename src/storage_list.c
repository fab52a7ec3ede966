/*-------------------------------------------------------------------------
 *
 * storage_list.c
 *	  What lies in the storage's folders: listed by the hour, for the check.
 *
 * Files are in folders YYYY/MM/DD/HHMM.  An hour ("YYYY/MM/DD/HH") is what
 * is listed at once, so that the list of a storage with millions of files is
 * never held in memory as a whole, and the check that compares it with the
 * rows can stop after each.  What is not of our naming is listed, too, and not
 * entered.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/stat.h>
#include <unistd.h>

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "picture_cache.h"
#include "storage_file.h"

PG_FUNCTION_INFO_V1(dgw_list_files);
PG_FUNCTION_INFO_V1(dgw_next_hour);
PG_FUNCTION_INFO_V1(dgw_tidy_hour);

#define HOUR_LENGTH 13 /* YYYY/MM/DD/HH */
#define DAY_LENGTH 10
#define LEVELS 4

/* Digits of a folder's name at each level below the root: year, month, day, minute. */
static const int level_width[LEVELS] = {4, 2, 2, 4};

/* Digits of it that belong to the name of the hour. */
static const int hour_width[LEVELS] = {4, 2, 2, 2};

typedef struct Listing
{
	ReturnSetInfo *result;
	const char *root;
} Listing;

static bool
is_folder_name(const char *name, int level)
{
	return strlen(name) == (size_t) level_width[level] &&
		   strspn(name, "0123456789") == (size_t) level_width[level];
}

static char *
join(const char *above, const char *name)
{
	return above[0] == '\0' ? pstrdup(name) : psprintf("%s/%s", above, name);
}

/* Open a folder below the root; NULL if it is not there (any more), or can't be read. */
static DIR *
open_folder(const char *root, const char *folder)
{
	char *path = join(root, folder);
	DIR *dir = AllocateDir(folder[0] == '\0' ? root : path);

	pfree(path);
	return dir;
}

/* The next entry that is not "." or ".."; a folder that fails midway is one that ends. */
static struct dirent *
next_entry(DIR *dir, const char *folder)
{
	struct dirent *entry;

	CHECK_FOR_INTERRUPTS();
	do
		entry = ReadDirExtended(dir, folder, LOG);
	while (entry != NULL && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
	return entry;
}

static bool
valid_hour(const char *hour)
{
	static const char shape[] = "dddd/dd/dd/dd";

	if (strlen(hour) != HOUR_LENGTH)
		return false;
	for (int i = 0; i < HOUR_LENGTH; i++)
		if (shape[i] == 'd' ? !isdigit((unsigned char) hour[i]) : hour[i] != shape[i])
			return false;
	return true;
}

/* ---------- dicomgw._list_files ---------- */

static void
emit(Listing *listing, const char *file_path, const struct stat *st, const char *kind)
{
	Datum values[4];
	bool nulls[4] = {false};

	values[0] = CStringGetTextDatum(file_path);
	values[1] = Int64GetDatum(st != NULL ? (int64) st->st_size : 0);
	values[2] = TimestampTzGetDatum(st != NULL ? time_t_to_timestamptz(st->st_mtime) : 0);
	nulls[1] = nulls[2] = st == NULL;
	values[3] = CStringGetTextDatum(kind);
	tuplestore_putvalues(listing->result->setResult, listing->result->setDesc, values, nulls);
	pfree(DatumGetPointer(values[0]));
	pfree(DatumGetPointer(values[3]));
}

/* One entry; what has vanished since it was read is none. */
static void
list_entry(Listing *listing, const char *folder, const char *name, bool may_be_ours)
{
	char *file_path = join(folder, name);
	char *path = join(listing->root, file_path);
	DgwFileKind kind = may_be_ours ? dgw_file_kind(name) : DGW_FILE_OTHER;
	struct stat st;

	if (lstat(path, &st) == 0)
	{
		if (!S_ISREG(st.st_mode))
			kind = DGW_FILE_OTHER;
		emit(listing, file_path, &st,
			 kind == DGW_FILE_OBJECT	  ? "object"
			 : kind == DGW_FILE_TEMPORARY ? "temporary"
										  : "other");
	}
	else if (errno != ENOENT)
		emit(listing, file_path, NULL, "unreadable");
	pfree(path);
	pfree(file_path);
}

static DIR *
open_listed(Listing *listing, const char *folder)
{
	DIR *dir = open_folder(listing->root, folder);

	if (dir == NULL && errno != ENOENT)
		emit(listing, folder, NULL, "unreadable");
	return dir;
}

static void
list_minute(Listing *listing, const char *folder)
{
	DIR *dir = open_listed(listing, folder);
	struct dirent *entry;

	if (dir == NULL)
		return;
	while ((entry = next_entry(dir, folder)) != NULL)
		list_entry(listing, folder, entry->d_name, true);
	FreeDir(dir);
}

/*
 * The files of an hour.  The first hour of a day brings along what does not
 * belong into the day's folder.
 */
static void
list_hour(Listing *listing, const char *hour)
{
	char *day = pnstrdup(hour, DAY_LENGTH);
	const char *digits = hour + DAY_LENGTH + 1;
	bool is_first = true;
	DIR *dir = open_listed(listing, day);
	struct dirent *entry;

	if (dir == NULL)
		return;
	while ((entry = next_entry(dir, day)) != NULL)
	{
		if (!is_folder_name(entry->d_name, LEVELS - 1))
			continue;
		if (strncmp(entry->d_name, digits, 2) < 0)
			is_first = false;
		else if (strncmp(entry->d_name, digits, 2) == 0)
			list_minute(listing, join(day, entry->d_name));
	}
	FreeDir(dir);
	if (!is_first || (dir = open_folder(listing->root, day)) == NULL)
		return;
	while ((entry = next_entry(dir, day)) != NULL)
		if (!is_folder_name(entry->d_name, LEVELS - 1))
			list_entry(listing, day, entry->d_name, false);
	FreeDir(dir);
}

/* What does not belong into the folders above the days'. */
static void
list_strays(Listing *listing, const char *folder, int level)
{
	DIR *dir = open_listed(listing, folder);
	struct dirent *entry;

	if (dir == NULL)
		return;
	while ((entry = next_entry(dir, folder)) != NULL)
	{
		/* every ext4 file system has the one; the other is ours, and comes and goes */
		if (level == 0 && (strcmp(entry->d_name, "lost+found") == 0 ||
						   strcmp(entry->d_name, DGW_PICTURE_CACHE) == 0))
			continue;
		if (!is_folder_name(entry->d_name, level))
			list_entry(listing, folder, entry->d_name, false);
		else if (level < LEVELS - 2)
			list_strays(listing, join(folder, entry->d_name), level + 1);
	}
	FreeDir(dir);
}

/*
 * dicomgw._list_files(place text, hour text) returns setof record
 */
Datum
dgw_list_files(PG_FUNCTION_ARGS)
{
	DgwPlace place = dgw_place_named(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	char *hour = text_to_cstring(PG_GETARG_TEXT_PP(1));
	Listing listing;

	InitMaterializedSRF(fcinfo, 0);
	listing.result = (ReturnSetInfo *) fcinfo->resultinfo;
	listing.root = dgw_place_root(place);
	if (listing.root == NULL)
		return (Datum) 0;
	if (hour[0] == '\0')
		list_strays(&listing, "", 0);
	else if (valid_hour(hour))
		list_hour(&listing, hour);
	return (Datum) 0;
}

/* ---------- dicomgw._next_hour ---------- */

static int
compare_names(const void *a, const void *b)
{
	return strcmp((const char *) a, (const char *) b);
}

/* Names of the folders in a folder, sorted; each in a field of its own. */
static char (*folder_names(const char *root, const char *folder, int level, int *n))[8]
{
	DIR *dir = open_folder(root, folder);
	struct dirent *entry;
	int allocated = 32;
	char(*names)[8] = palloc(allocated * sizeof(*names));

	*n = 0;
	while (dir != NULL && (entry = next_entry(dir, folder)) != NULL)
	{
		if (!is_folder_name(entry->d_name, level))
			continue;
		if (*n == allocated)
			names = repalloc(names, (allocated *= 2) * sizeof(*names));
		strlcpy(names[(*n)++], entry->d_name, sizeof(*names));
	}
	if (dir != NULL)
		FreeDir(dir);
	qsort(names, *n, sizeof(*names), compare_names);
	return names;
}

/* The first hour after this one that has a folder at or below the given one; NULL: none. */
static char *
first_hour(const char *root, const char *folder, int level, const char *after)
{
	int n;
	char(*names)[8] = folder_names(root, folder, level, &n);
	char *found = NULL;

	for (int i = 0; i < n && found == NULL; i++)
	{
		char *name = join(folder, pnstrdup(names[i], hour_width[level]));
		int order = strncmp(name, after, strlen(name));

		if (level < LEVELS - 1 && order >= 0)
			found = first_hour(root, name, level + 1, after);
		else if (order > 0)
			found = name;
	}
	pfree(names);
	return found;
}

/*
 * dicomgw._next_hour(place text, after text) returns text
 */
Datum
dgw_next_hour(PG_FUNCTION_ARGS)
{
	char *root = dgw_place_root(dgw_place_named(text_to_cstring(PG_GETARG_TEXT_PP(0))));
	char *found =
		root != NULL ? first_hour(root, "", 0, text_to_cstring(PG_GETARG_TEXT_PP(1))) : NULL;

	if (found == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(found));
}

/* ---------- dicomgw._tidy_hour ---------- */

/*
 * dicomgw._tidy_hour(place text, hour text) returns integer
 *
 * rmdir does nothing to a folder that is not empty; the receiver makes anew
 * what it finds gone.
 */
Datum
dgw_tidy_hour(PG_FUNCTION_ARGS)
{
	char *root = dgw_place_root(dgw_place_named(text_to_cstring(PG_GETARG_TEXT_PP(0))));
	char *hour = text_to_cstring(PG_GETARG_TEXT_PP(1));
	char *folder;
	char(*names)[8];
	int n;
	int removed = 0;

	if (root == NULL || !valid_hour(hour))
		PG_RETURN_INT32(0);
	folder = pnstrdup(hour, DAY_LENGTH);
	names = folder_names(root, folder, LEVELS - 1, &n);
	for (int i = 0; i < n; i++)
		if (strncmp(names[i], hour + DAY_LENGTH + 1, 2) == 0 &&
			rmdir(psprintf("%s/%s/%s", root, folder, names[i])) == 0)
			removed++;
	for (int level = 0; removed > 0 && level < LEVELS - 1; level++)
	{
		if (rmdir(psprintf("%s/%s", root, folder)) != 0)
			break;
		removed++;
		if (level < LEVELS - 2)
			*strrchr(folder, '/') = '\0';
	}
	PG_RETURN_INT32(removed);
}
