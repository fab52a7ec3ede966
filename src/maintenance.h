/*-------------------------------------------------------------------------
 *
 * maintenance.h
 *	  The tasks of maintenance that are more than one SQL function.
 *
 * A task works in slices: each call does a little, in short transactions of
 * its own, and returns true if there is more to do at once.  Between two calls the
 * worker looks at its other tasks, and leaves if it is told to.  What it did,
 * in words, goes into "did"; what a person must see to is an ERROR, or, if the
 * task goes on all the same, goes into "trouble".
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_MAINTENANCE_H
#define DGW_MAINTENANCE_H

#include "lib/stringinfo.h"

/* How long a slice may take before others have their turn. */
#define DGW_SLICE_MS 200

typedef bool (*DgwTaskFunction)(StringInfo did, StringInfo trouble);

extern bool dgw_check_storage_slice(StringInfo did, StringInfo trouble);
extern bool dgw_retention_slice(StringInfo did, StringInfo trouble);
extern bool dgw_repair_slice(StringInfo did, StringInfo trouble);
extern bool dgw_picture_cache_slice(StringInfo did, StringInfo trouble);
extern bool dgw_task_slice(StringInfo did, StringInfo trouble);

#endif /* DGW_MAINTENANCE_H */
