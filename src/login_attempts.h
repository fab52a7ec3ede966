/*-------------------------------------------------------------------------
 *
 * login_attempts.h
 *	  Sign-ins whose transaction was rolled back, in shared memory.
 *
 * A failed sign-in is a row (sql/sign_in.sql), and whoever makes its
 * transaction fail makes the row vanish: a request may have filters on a
 * function's result, and one of them that raises an error only if the
 * password was wrong would let him guess for ever.  So what was rolled back
 * after a password was looked at is counted here, where nothing is taken back.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_LOGIN_ATTEMPTS_H
#define DGW_LOGIN_ATTEMPTS_H

#include "storage/lwlock.h"

extern Size dgw_login_attempts_size(void);
extern void dgw_login_attempts_init(LWLock *lock); /* while preloading */

#endif /* DGW_LOGIN_ATTEMPTS_H */
