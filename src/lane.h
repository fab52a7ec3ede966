/*-------------------------------------------------------------------------
 *
 * lane.h
 *	  A lane of the forwarder: one sender program, with one association to one
 *	  destination, and the claimed jobs that it has been given.
 *
 * A lane holds at most DGW_LANE_WINDOW jobs, and they are sent in the order in
 * which they were given.  It ends when its sender ends: because the association
 * failed, because it was recalled, or because there was nothing to do for a
 * while.  What it has not reported by then goes back to the queue.  A sender
 * that dies without a word was at work on the first job that it held: that one
 * is charged an attempt, lest an object that kills its sender is tried for ever.
 *
 * A probe is a lane that asks with C-ECHO whether the destination answers.
 *
 * Lanes run no transaction: they turn what senders say into DgwReport and
 * DgwNews entries, which the forwarder records for all lanes at once.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_LANE_H
#define DGW_LANE_H

#include "datatype/timestamp.h"
#include "lib/ilist.h"
#include "nodes/pg_list.h"

#include "helper_process.h"
#include "target.h"

#define DGW_LANE_WINDOW 32

/* How long a sender keeps an association open without a job (ms). */
#define DGW_LANE_LINGER_MS 2000

typedef struct DgwHeldJob
{
	int64 id;
	int64 token;
	int priority;
} DgwHeldJob;

typedef struct DgwLane
{
	dlist_node node;
	DgwHelper sender;
	DgwTarget *target;
	uint32 version; /* of the target's settings that it was started with */
	bool probe;
	bool associated; /* its association was accepted */
	bool retiring;	 /* gets no more jobs: recalled, or its association has failed */
	TimestampTz opened_at;
	TimestampTz busy_at; /* when it last had jobs */
	int64 series_id;	 /* of the job that it was given last; 0: none */
	int n_held;
	DgwHeldJob held[DGW_LANE_WINDOW]; /* in the order in which they were given */
} DgwLane;

/* What happened to a job: reported by a sender, or to be given back. */
typedef struct DgwReport
{
	DgwTarget *target;
	int64 id;
	int64 token;
	bool release; /* not tried: back to the queue, no attempt spent */
	int outcome;  /* DgwOutcome */
	int status;	  /* DIMSE status, with DGW_OUTCOME_RESPONSE */
	uint32 duration_us;
	char *comment;
	char *offending;
	char *sent_syntax; /* empty: as it was received */
} DgwReport;

/* How an association or a probe went, for dicomgw.destination_state. */
typedef struct DgwNews
{
	DgwTarget *target;
	char *reason; /* NULL: the destination answers */
} DgwNews;

/* Everything the lanes have said since the last transaction; palloc'ed entries. */
typedef struct DgwReports
{
	List *jobs; /* of DgwReport * */
	List *news; /* of DgwNews * */
} DgwReports;

extern DgwLane *dgw_lane_start(DgwTarget *target, bool probe);

/* Room for so many more jobs. */
extern int dgw_lane_room(const DgwLane *lane);

/* Give it a job; sent with the next dgw_lane_flush(). */
extern void dgw_lane_add(DgwLane *lane, const DgwJob *job, int priority);

/* If its sender is gone, what it said before is still there: dgw_lane_read() finds it, and the end. */
extern void dgw_lane_flush(DgwLane *lane);

/*
 * Let the sender finish the object that is on its way, and end; the other jobs
 * come back when it has.
 */
extern void dgw_lane_recall(DgwLane *lane);

/*
 * Read what its sender has said; false if the lane is at its end: then
 * dgw_lane_end() is due.
 */
extern bool dgw_lane_read(DgwLane *lane, DgwReports *reports);

/* Stop the sender, give back its jobs, free the lane. */
extern void dgw_lane_end(DgwLane *lane, DgwReports *reports);

/* A claimed job that can't be edited as its route wants it is given to no lane: it has failed. */
extern void dgw_report_not_edited(DgwReports *reports, DgwTarget *target, const DgwJob *job,
								  char *reason);

/* The destination does not answer, or does not take anything. */
extern void dgw_report_down(DgwReports *reports, DgwTarget *target, char *reason);

#endif /* DGW_LANE_H */
