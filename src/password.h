/*-------------------------------------------------------------------------
 *
 * password.h
 *	  Argon2id (RFC 9106): what passwords of users and passcodes of remote
 *	  AEs are kept as.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_PASSWORD_H
#define DGW_PASSWORD_H

/* What the hashes that we make begin with (PHC string format). */
#define DGW_ARGON2_PREFIX "$argon2id$"

/* Hash with a new salt, in a palloc'd string that has its parameters in it; "what" is for the error. */
extern char *dgw_argon2_hash(const char *secret, int time_cost, int memory_kib, const char *what);

#endif /* DGW_PASSWORD_H */
