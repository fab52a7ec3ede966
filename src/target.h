/*-------------------------------------------------------------------------
 *
 * target.h
 *	  What the forwarder knows of a destination: its row, whether it may be
 *	  sent to and whether it answers, how many lanes it may have, how fast it
 *	  may be sent to, and where in the queue its next jobs are.
 *
 * The database has the truth of all but the last three; it is read again once
 * a second, and after each change of configuration.  What is only here
 * (concurrency, pace, cursors) is found out anew by a forwarder that starts.
 *
 * Cursors: for each priority the lowest number of a job that may be waiting.
 * Claims begin there, so neither what was sent before (dead tuples that
 * somebody's snapshot still needs) nor another destination's backlog costs
 * them anything.  Jobs that come are seen by their numbers; what turns up
 * below a cursor is found by a sweep (see queue_head.h).
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_TARGET_H
#define DGW_TARGET_H

#include "datatype/timestamp.h"
#include "lib/ilist.h"

#include "destination.h"
#include "pace.h"

#define DGW_N_PRIORITIES 10
#define DGW_NO_JOB PG_INT64_MAX

/* So many different jobs in a row, and it is not the objects: the destination is in trouble. */
#define DGW_MOST_BROKEN 3
#define DGW_MOST_REFUSED 10

typedef enum DgwTargetState
{
	DGW_TARGET_UP,
	DGW_TARGET_DOWN,
	DGW_TARGET_PROBING
} DgwTargetState;

typedef struct DgwTarget
{
	dlist_node node;
	int32 id;
	MemoryContext context; /* of the row */
	DgwDestinationRow row;
	char *settings; /* the DESTINATION message for its senders */
	size_t settings_len;
	uint32 version; /* grows when that changes: older lanes are recalled */
	bool listed;	/* the last reading had it; false: the destination was deleted */

	bool may_send; /* not paused, window open */
	bool recorded; /* there is a row in dicomgw.destination_state */
	DgwTargetState state;
	int failures;
	TimestampTz next_probe_at;

	int n_troubled; /* jobs that the peer did not take since it last took one */
	int64 troubled[DGW_MOST_REFUSED];
	bool probing;			   /* a probe is under way */
	bool on_trial;			   /* it answered a probe, and has not taken anything since */
	int concurrency;		   /* lanes that it may have now */
	int successes;			   /* since that last grew */
	TimestampTz crowded_until; /* it turned a further lane away: none until then */
	int n_lanes;
	int shown_lanes; /* in destination_state */
	int shown_concurrency;

	DgwPace pace;
	int64 cursor[DGW_N_PRIORITIES];
} DgwTarget;

/* All of them, in no order that means something. */
extern dlist_head *dgw_targets(void);

extern DgwTarget *dgw_target_find(int32 id);

/* Read them anew, in a transaction. */
extern void dgw_targets_refresh(void);

/* Forget those that were deleted and have no lanes left. */
extern void dgw_targets_forget(void);

/* May jobs be handed out to it now, as far as its state says? */
extern bool dgw_target_open(const DgwTarget *target);

/* A job with this number may be waiting. */
extern void dgw_target_lower(DgwTarget *target, int priority, int64 id);
extern bool dgw_target_has_jobs(const DgwTarget *target);

/* ---------- what its lanes make of it ---------- */

/* It took a job: said 0000H, or refused it for good. */
extern void dgw_target_succeeded(DgwTarget *target);

/*
 * It did not take this job, though that may change.  True if that has
 * happened with so many jobs in a row that the destination itself is in trouble.
 */
extern bool dgw_target_troubled(DgwTarget *target, int64 job, bool broken);

/* It turned a further lane away while so many work. */
extern void dgw_target_crowded(DgwTarget *target, int n_working);

/* A lane's association broke. */
extern void dgw_target_broken(DgwTarget *target);

#endif /* DGW_TARGET_H */
