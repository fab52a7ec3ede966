/*-------------------------------------------------------------------------
 *
 * space.c
 *	  How full the storage's file systems are (see space.h).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/statvfs.h>

#include "space.h"

bool
dgw_space_of(const char *path, DgwSpace *space)
{
	struct statvfs fs;
	uint64 used;
	uint64 usable;

	if (statvfs(path, &fs) != 0)
		return false;
	/* What is kept back for root counts as neither used nor free. */
	used = (uint64) (fs.f_blocks - fs.f_bfree);
	usable = used + fs.f_bavail;
	space->total = (uint64) fs.f_blocks * fs.f_frsize;
	space->available = (uint64) fs.f_bavail * fs.f_frsize;
	space->used_percent = usable == 0 ? 100 : (int) ((used * 100 + usable - 1) / usable);
	return true;
}
