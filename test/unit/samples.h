/*-------------------------------------------------------------------------
 *
 * samples.h
 *	  One sample of every message, and TAP, for the tests of the protocol.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_SAMPLES_H
#define DGW_SAMPLES_H

#include "message.h"

#define LAST_TYPE DGW_MSG_SYNCED

/* A check: says so on standard output. */
extern void ok(bool passed, const char *name);

/* The plan, at the end; returns the exit status. */
extern int done(void);

extern DgwSlice slice(const char *text);

/* Appends the sample of this type. */
extern bool encode_sample(DgwFrameWriter *w, uint16_t type);

/* Decodes a message of any type; encodes it anew unless again is NULL. */
extern bool decode_sample(DgwFrame *f, DgwFrameWriter *again);

#endif /* DGW_SAMPLES_H */
