/*-------------------------------------------------------------------------
 *
 * attempt.h
 *	  Something that may raise an ERROR, in a subtransaction of its own.
 *
 * What it wrote is undone by an ERROR, the transaction goes on.  A query that
 * is cancelled is no failure of what was attempted: that ERROR goes on, too.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_ATTEMPT_H
#define DGW_ATTEMPT_H

/* The error, palloc'ed in the caller's memory context, or NULL if all went well. */
extern ErrorData *dgw_attempt(void (*risky)(void *arg), void *arg);

#endif /* DGW_ATTEMPT_H */
