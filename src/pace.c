/*-------------------------------------------------------------------------
 *
 * pace.c
 *	  How fast a destination may be sent to (see pace.h).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "utils/timestamp.h"

#include "pace.h"

#define DEPTH_SECONDS 0.25

/* Until an object was handed out its size is anybody's guess. */
#define FIRST_SIZE (512 * 1024)

void
dgw_pace_set(DgwPace *pace, double max_objects, double max_bytes)
{
	if (pace->max_objects == max_objects && pace->max_bytes == max_bytes)
		return;
	pace->max_objects = max_objects;
	pace->max_bytes = max_bytes;
	pace->objects = 1;
	pace->bytes = 1;
	pace->filled_at = GetCurrentTimestamp();
	if (pace->usual_size == 0)
		pace->usual_size = FIRST_SIZE;
}

static void
fill(DgwPace *pace)
{
	TimestampTz now = GetCurrentTimestamp();
	double seconds = (double) (now - pace->filled_at) / USECS_PER_SEC;

	/* Less than one object would never do. */
	pace->objects = Min(pace->objects + seconds * pace->max_objects,
						Max(1.0, pace->max_objects * DEPTH_SECONDS));
	pace->bytes =
		Min(pace->bytes + seconds * pace->max_bytes, Max(1.0, pace->max_bytes * DEPTH_SECONDS));
	pace->filled_at = now;
}

int
dgw_pace_allows(DgwPace *pace, int wanted)
{
	double allowed = wanted;

	if (pace->max_objects == 0 && pace->max_bytes == 0)
		return wanted;
	fill(pace);
	if (pace->max_objects > 0)
		allowed = Min(allowed, floor(pace->objects));
	if (pace->max_bytes > 0)
		allowed =
			pace->bytes > 0 ? Min(allowed, Max(1.0, floor(pace->bytes / pace->usual_size))) : 0;
	return (int) Max(allowed, 0.0);
}

void
dgw_pace_take(DgwPace *pace, uint64 size)
{
	if (pace->max_objects > 0)
		pace->objects -= 1;
	if (pace->max_bytes > 0)
	{
		pace->bytes -= (double) size;
		pace->usual_size += ((double) size - pace->usual_size) / 8;
	}
}

long
dgw_pace_wait(const DgwPace *pace)
{
	double seconds = 0;

	if (pace->max_objects > 0 && pace->objects < 1)
		seconds = (1 - pace->objects) / pace->max_objects;
	if (pace->max_bytes > 0 && pace->bytes <= 0)
		seconds = Max(seconds, (1 - pace->bytes) / pace->max_bytes);
	return (long) ceil(seconds * 1000);
}
