/*-------------------------------------------------------------------------
 *
 * launcher.h
 *	  The launcher: starts the workers when there is something to work in,
 *	  and paces their restarts.
 *
 * It is connected to no database, so it never stands in the way of DROP
 * DATABASE.  While the workers are away it looks now and then (and whenever
 * it is woken) whether dicomgw.database exists; if so, a short-lived probe
 * goes there to see whether the extension is installed.  A worker that ends
 * with an error is started anew, after a wait that doubles up to a minute.
 *
 * Before commands that need the database without any session in it (DROP
 * DATABASE, RENAME, SET TABLESPACE, use as a template) the backend calls
 * dgw_hold_workers(): they leave, and come back when that command is over.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_LAUNCHER_H
#define DGW_LAUNCHER_H

#include "postgres.h"

extern void dgw_launcher_register(void); /* only while preloading */
extern PGDLLEXPORT void dgw_launcher_main(Datum arg);
extern PGDLLEXPORT void dgw_probe_main(Datum arg);

/* Until the end of the current transaction. */
extern void dgw_hold_workers(void);

#endif /* DGW_LAUNCHER_H */
