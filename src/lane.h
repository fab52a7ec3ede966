/*-------------------------------------------------------------------------
 *
 * lane.h
 *	  A lane of the forwarder: one dicomgw-scu, with one association to one
 *	  destination, and the claimed jobs that it has been given.
 *
 * A lane holds at most DGW_LANE_WINDOW jobs.  It ends when its sender ends:
 * because the association failed, because the destination's row has changed
 * since, or because there was nothing to do for a while.  What it has not
 * reported by then goes back to the queue.
 *
 * Lanes run no transaction: they turn what senders say into Report entries,
 * which the forwarder records for all lanes at once.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_LANE_H
#define DGW_LANE_H

#include "datatype/timestamp.h"
#include "lib/ilist.h"

#include "destination.h"
#include "helper_process.h"

#define DGW_LANE_WINDOW 32

typedef struct DgwHeldJob
{
	int64 id;
	int64 token;
} DgwHeldJob;

typedef struct DgwLane
{
	dlist_node node;
	DgwHelper sender;
	int32 destination_id;
	char *destination_name;
	uint64 config_generation; /* of the configuration that it was started with */
	bool associated;		  /* its association was accepted */
	bool retiring;			  /* gets no more jobs, ends when it has none */
	TimestampTz busy_at;	  /* when it last had jobs */
	int n_held;
	DgwHeldJob held[DGW_LANE_WINDOW]; /* in the order in which they were given */
} DgwLane;

/* What happened to a job: reported by a sender, or to be given back. */
typedef struct DgwReport
{
	int64 id;
	int64 token;
	bool release; /* not tried: back to the queue, no attempt spent */
	int outcome;  /* DgwOutcome */
	int status;	  /* DIMSE status, with DGW_OUTCOME_RESPONSE */
	uint32 duration_us;
	char *comment;
} DgwReport;

/* How an association attempt went, for dicomgw.destination_state. */
typedef struct DgwAnswer
{
	int32 destination_id;
	char *reason; /* NULL: accepted */
} DgwAnswer;

/* Everything the lanes have said since the last transaction; palloc'ed entries. */
typedef struct DgwReports
{
	List *jobs;	   /* of DgwReport * */
	List *answers; /* of DgwAnswer * */
} DgwReports;

extern DgwLane *dgw_lane_start(const DgwDestinationRow *destination, uint64 config_generation);

/* Room for so many more jobs. */
extern int dgw_lane_room(const DgwLane *lane);

/* Give it a job; sent with the next dgw_lane_flush(). */
extern void dgw_lane_add(DgwLane *lane, const DgwJob *job);
extern bool dgw_lane_flush(DgwLane *lane);

/*
 * Read what its sender has said; false if the lane is at its end: then
 * dgw_lane_end() is due.
 */
extern bool dgw_lane_read(DgwLane *lane, DgwReports *reports);

/* Stop the sender, give back its jobs, free the lane. */
extern void dgw_lane_end(DgwLane *lane, DgwReports *reports);

#endif /* DGW_LANE_H */
