/*-------------------------------------------------------------------------
 *
 * audit_session.h
 *	  One batch of the audit log on its way to a repository: a dicomgw-syslog,
 *	  what it was told, and what it makes of it.
 *
 * The program is told everything at once, and then that there is no more: the
 * worker neither waits for it nor writes to it again.  It says one thing, that
 * all of the batch is delivered or that nobody knows, and ends.  Whatever else it
 * does, dying and being stuck included, means that nobody knows.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_AUDIT_SESSION_H
#define DGW_AUDIT_SESSION_H

#include "datatype/timestamp.h"

#include "helper_process.h"

typedef struct DgwAuditSession
{
	DgwHelper helper; /* helper.pid 0: there is no batch under way */
	TimestampTz deadline;
	int64 last; /* position of the batch's last record */
} DgwAuditSession;

typedef enum DgwAuditOutcome
{
	DGW_AUDIT_UNDER_WAY,
	DGW_AUDIT_DONE,
	DGW_AUDIT_FAILED
} DgwAuditOutcome;

/*
 * Start it with these messages, AUDIT_REPOSITORY first; ERROR if the program can't be
 * started.  It is stuck if it takes longer than timeout_ms.
 */
extern void dgw_audit_session_start(DgwAuditSession *session, const DgwFrameWriter *messages,
									int64 last, long timeout_ms, int epoll_fd);

/* What has become of it by now; unless it is under way it is over.  *why is palloc'ed. */
extern DgwAuditOutcome dgw_audit_session_read(DgwAuditSession *session, char **why);

/* End it, whatever it is doing. */
extern void dgw_audit_session_drop(DgwAuditSession *session);

#endif /* DGW_AUDIT_SESSION_H */
