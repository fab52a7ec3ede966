/*-------------------------------------------------------------------------
 *
 * water_marks.c
 *	  Whether there is room for new objects (see water_marks.h).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <unistd.h>

#include "utils/timestamp.h"

#include "guc.h"
#include "space.h"
#include "water_marks.h"

static bool accepting = true;
static bool known = false; /* looked at with these settings */
static TimestampTz looked_at;
static const char *comment = "";
static char problem[200];

/* One place: false, with comment and problem set, if it takes no objects. */
static bool
has_room(const char *what, const char *path, const char *full, const char *unusable)
{
	DgwSpace space;
	/* Closed is closed until the low mark; 100 is no mark at all. */
	int limit =
		accepting ? dgw_storage_high_water : Min(dgw_storage_low_water, dgw_storage_high_water);

	if (access(path, R_OK | W_OK | X_OK) != 0 || !dgw_space_of(path, &space))
	{
		snprintf(problem, sizeof(problem), "could not use the %s directory \"%s\": %m", what, path);
		comment = unusable;
		return false;
	}
	if (dgw_storage_high_water == 100 || space.used_percent < limit)
		return true;
	snprintf(
		problem, sizeof(problem),
		"no objects are accepted: the file system of the %s is %d%% full, and they are below %d%%",
		what, space.used_percent, Min(dgw_storage_low_water, dgw_storage_high_water));
	comment = full;
	return false;
}

bool
dgw_water_check(const char *storage, const char *mirror)
{
	TimestampTz now = GetCurrentTimestamp();
	bool before = accepting;
	bool first = !known;
	char old_problem[sizeof(problem)];

	if (known && !TimestampDifferenceExceeds(looked_at, now, DGW_WATER_CHECK_MS))
		return false;
	looked_at = now;
	if (!known)
		accepting = true;
	known = true;
	strlcpy(old_problem, problem, sizeof(old_problem));
	problem[0] = '\0';
	comment = "";

	if (mirror != NULL && dgw_mirror_failure == DGW_MIRROR_REFUSE)
		accepting = has_room("mirror", mirror, "the mirror's storage is full",
							 "the mirror cannot be used") &&
					has_room("storage", storage, "storage is full", "storage cannot be used");
	else
		accepting = has_room("storage", storage, "storage is full", "storage cannot be used");
	return first || accepting != before || strcmp(problem, old_problem) != 0;
}

void
dgw_water_forget(void)
{
	known = false;
}

bool
dgw_water_accepting(void)
{
	return accepting;
}

const char *
dgw_water_comment(void)
{
	return comment;
}

const char *
dgw_water_problem(void)
{
	return problem;
}
