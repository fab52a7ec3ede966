/*-------------------------------------------------------------------------
 *
 * queue_head.h
 *	  Where the forwarder's next jobs are: what has come, what has turned up
 *	  behind its back, and claiming.
 *
 * All in the forwarder's transaction.  Numbers of jobs only grow, so what has
 * come since is found by number.  A sweep finds the rest, below the cursors:
 * jobs whose backoff is over, that a person put back, that were committed out
 * of order, or that another session held locked.  It is run about once a
 * second, and never for more than a fiftieth of the time.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_QUEUE_HEAD_H
#define DGW_QUEUE_HEAD_H

#include "executor/spi.h"

#include "target.h"

/* A claim is good for so long unless renewed (s). */
#define DGW_LEASE_SECONDS 60

/* Lower the cursors of the targets that jobs have come for. */
extern void dgw_queue_arrivals(void);

/* The same for what lies below them, if it is time for that; true if it was. */
extern bool dgw_queue_sweep(void);

/* Milliseconds until the next sweep is due. */
extern long dgw_queue_sweep_wait(void);

typedef struct DgwClaimedJob
{
	DgwJob job;
	int priority;
	int64 series_id;  /* 0: none */
	char *edit_error; /* why its route's edits can't be made on it; NULL: there is no reason */
} DgwClaimedJob;

/*
 * Claim up to limit jobs of a target, the first ones, and move its cursors
 * behind them; returns how many, palloc'ed in the current context.
 */
extern int dgw_queue_claim(DgwTarget *target, int limit, DgwClaimedJob **jobs);

#endif /* DGW_QUEUE_HEAD_H */
