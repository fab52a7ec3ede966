/*-------------------------------------------------------------------------
 *
 * shared.h
 *	  What the workers share: who runs, what each did last, who is to be woken.
 *
 * The area exists if dicomgw is in shared_preload_libraries; without it
 * dgw_shared is NULL and every function here that writes does nothing.
 * Processes are named by PID; no pointer of a process is kept.  All fields
 * but the atomics are protected by the one lock, which is never held across
 * anything that can fail.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_SHARED_H
#define DGW_SHARED_H

#include "datatype/timestamp.h"
#include "port/atomics.h"
#include "storage/lwlock.h"

typedef enum DgwWorkerKind
{
	DGW_LAUNCHER,
	DGW_RECEIVER,
	DGW_ROUTER,
	DGW_FORWARDER,
	DGW_MAINTENANCE,
	DGW_AUDIT
} DgwWorkerKind;

#define DGW_N_WORKERS (DGW_AUDIT + 1)

typedef struct DgwWorkerSlot
{
	pid_t pid; /* 0: not running */
	TimestampTz since;
	int restarts;
	TimestampTz action_at;
	TimestampTz error_at;
	char action[256];
	char error[512];
} DgwWorkerSlot;

typedef struct DgwShared
{
	LWLock *lock;
	pg_atomic_uint64 config_generation; /* grows when configuration is committed */
	pid_t hold_pid;						/* a backend that wants the workers out of the database */
	bool extension_found;				/* by the probe (launcher.c) */
	bool journal_mended;				/* files are as they should be after a crash (journal.c) */
	DgwWorkerSlot slots[DGW_N_WORKERS];
} DgwShared;

extern DgwShared *dgw_shared;

extern const char *dgw_worker_name(DgwWorkerKind kind);

extern void dgw_shared_init(void); /* hooks; only while preloading */

/* The running process is this worker, from now until it exits. */
extern void dgw_slot_acquire(DgwWorkerKind kind);

/* What this worker did last; what went wrong.  For people: one line, no patient data. */
extern void dgw_note_action(const char *fmt, ...) pg_attribute_printf(1, 2);
extern void dgw_note_error(const char *fmt, ...) pg_attribute_printf(1, 2);
extern void dgw_note_error_of(DgwWorkerKind kind, const char *message);
extern void dgw_clear_error(void);

extern pid_t dgw_worker_pid(DgwWorkerKind kind);
extern void dgw_wake(DgwWorkerKind kind);
extern void dgw_wake_all(void);

/* Is a backend asking the workers to stay out of their database? */
extern bool dgw_on_hold(void);

/* Wake workers when the current transaction commits. */
extern void dgw_wake_at_commit(bool config_changed);

/* The same for the audit worker alone: there is a new entry of the audit log. */
extern void dgw_wake_audit_at_commit(void);

#endif /* DGW_SHARED_H */
