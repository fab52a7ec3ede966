/*-------------------------------------------------------------------------
 *
 * pace.h
 *	  How fast a destination may be sent to: objects and bytes a second.
 *
 * Two token buckets, each a quarter of a second deep.  What is handed out is
 * taken from them, and they may fall below zero: an object is sent as a whole,
 * and what it was too much is waited for afterwards.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_PACE_H
#define DGW_PACE_H

#include "datatype/timestamp.h"

typedef struct DgwPace
{
	double max_objects; /* a second; 0: no limit */
	double max_bytes;	/* a second; 0: no limit */
	double objects;		/* tokens */
	double bytes;
	double usual_size; /* of an object: moving average, bytes */
	TimestampTz filled_at;
} DgwPace;

extern void dgw_pace_set(DgwPace *pace, double max_objects, double max_bytes);

/* How many of so many objects may be handed out now. */
extern int dgw_pace_allows(DgwPace *pace, int wanted);

extern void dgw_pace_take(DgwPace *pace, uint64 size);

/* Milliseconds until at least one may be; 0: now. */
extern long dgw_pace_wait(const DgwPace *pace);

#endif /* DGW_PACE_H */
