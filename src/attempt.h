/*-------------------------------------------------------------------------
 *
 * attempt.h
 *	  Runs something that may raise an ERROR, such as somebody else's
 *	  expression, so that it costs no more than itself.
 *
 * It runs in a subtransaction, whose work is kept if all goes well.  A cancelled
 * query is no failure of what was tried: that ERROR goes on to the caller.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_ATTEMPT_H
#define DGW_ATTEMPT_H

typedef void (*DgwRisky)(void *arg);

/* The message of the ERROR, palloc'ed in the current memory context; NULL if all went well. */
extern char *dgw_attempt(DgwRisky risky, void *arg);

#endif /* DGW_ATTEMPT_H */
