/*-------------------------------------------------------------------------
 *
 * worker.h
 *	  What all workers but the launcher have in common: start, transactions,
 *	  waiting.
 *
 * A worker's function only waits, dispatches and resets memory.  Rules:
 *
 * - Every transaction is opened by dgw_begin() and closed by dgw_commit();
 *	 it is short, and nobody waits for a network peer inside it.
 * - dgw_begin() takes a share lock on the extension: DROP EXTENSION waits for
 *	 the one transaction that is under way, and the next dgw_begin() finds the
 *	 extension gone and ends the process (exit 0).
 * - Told to end (SIGTERM) it does so between two turns, in silence.
 * - An ERROR ends the process with exit 1; the launcher starts it anew.  Its
 *	 message is kept for dicomgw.status.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_WORKER_H
#define DGW_WORKER_H

#include "storage/latch.h"

#include "kept_plan.h"
#include "shared.h"

/* How long a worker sleeps at most before it looks for itself, in milliseconds. */
#define DGW_POLL_MS 5000

/* Turns of a busy worker follow each other at this distance at least (ms). */
#define DGW_TURN_MS 10

/* Entry point of the dynamic background workers; the argument is a DgwWorkerKind. */
extern PGDLLEXPORT void dgw_worker_main(Datum kind);

extern void dgw_begin(const char *activity);
extern void dgw_commit(void);

/*
 * The configuration that the open transaction sees: this generation, or a
 * later one.  To be remembered with what is read of it: a change that is
 * committed meanwhile has another number, and is read next time.
 */
extern uint64 dgw_config_generation(void);

/* Give up the transaction after an error was caught; the process goes on. */
extern void dgw_abort(void);

/* What pg_stat_activity shows while the worker waits, and dicomgw.status as its last action. */
extern void dgw_idle(const char *fmt, ...) pg_attribute_printf(1, 2);

/*
 * Between two turns: interrupts, reload of the settings (true if there was
 * one), and leaving when a backend asks the workers to.
 */
extern bool dgw_between_turns(void);

/* A set of our latch, the postmaster's death, and one descriptor (or -1). */
extern WaitEventSet *dgw_wait_set(int fd);
extern void dgw_wait(WaitEventSet *set, long timeout_ms);

/*
 * Sleep until DGW_TURN_MS after the turn that began then: what comes in
 * meanwhile shares the next one, and much of what a turn costs.  Nor does it
 * cost those who bring it more than a look at our latch.
 */
extern void dgw_rest(TimestampTz turn_began);

/* What each worker does; they never return. */
extern void dgw_receiver_run(void) pg_attribute_noreturn();
extern void dgw_router_run(void) pg_attribute_noreturn();
extern void dgw_forwarder_run(void) pg_attribute_noreturn();
extern void dgw_maintenance_run(void) pg_attribute_noreturn();
extern void dgw_audit_run(void) pg_attribute_noreturn();

#endif /* DGW_WORKER_H */
