/*-------------------------------------------------------------------------
 *
 * audit_session.c
 *	  One batch of the audit log on its way to a repository (see
 *	  audit_session.h).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/socket.h>

#include "utils/timestamp.h"

#include "audit_session.h"

#define PROGRAM "dicomgw-syslog"

/* Beyond what one batch can have (dicomgw._audit_records), as the kernel counts it. */
#define SOCKET_BUFFER (200 * 1024)

void
dgw_audit_session_start(DgwAuditSession *session, const DgwFrameWriter *messages, int64 last,
						long timeout_ms, int epoll_fd)
{
	DgwChannel *channel = &session->helper.channel;
	int size = SOCKET_BUFFER;

	dgw_helper_start(&session->helper, PROGRAM, DGW_CHANNEL_AUDIT);
	session->last = last;
	session->deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), timeout_ms);
	dgw_channel_watch(channel, epoll_fd, session);
	(void) setsockopt(channel->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));

	/* One that does not take it all has ended, which is seen next. */
	dgw_put_bytes(&channel->writer, messages->data, messages->len);
	if (dgw_channel_send(channel))
		(void) shutdown(channel->fd, SHUT_WR);
	else
		(void) shutdown(channel->fd, SHUT_RDWR);
}

/* Its answer, if this message is one; false: it may not say that now. */
static bool
take_message(DgwAuditSession *session, DgwFrame *frame, DgwAuditOutcome *outcome, char **why)
{
	DgwAuditDelivered delivered;
	DgwAuditFailed failed;

	if (frame->type == DGW_MSG_HELLO)
		return dgw_helper_greet(&session->helper, frame);
	if (!session->helper.greeted)
		return false;
	if (frame->type == DGW_MSG_AUDIT_DELIVERED)
	{
		*outcome = DGW_AUDIT_DONE;
		return dgw_decode_audit_delivered(frame, &delivered) &&
			   (int64) delivered.position == session->last;
	}
	if (frame->type != DGW_MSG_AUDIT_FAILED || !dgw_decode_audit_failed(frame, &failed))
		return false;
	*outcome = DGW_AUDIT_FAILED;
	*why = dgw_peer_words(failed.message);
	return true;
}

DgwAuditOutcome
dgw_audit_session_read(DgwAuditSession *session, char **why)
{
	DgwChannel *channel = &session->helper.channel;
	DgwAuditOutcome outcome = DGW_AUDIT_UNDER_WAY;
	DgwReadResult result;
	DgwFrame frame;

	do
	{
		result = dgw_channel_next(channel, &frame);
		if (result == DGW_READ_OK && !take_message(session, &frame, &outcome, why))
			result = dgw_channel_malformed(channel, &frame);
		if (result == DGW_READ_AGAIN)
			result = dgw_channel_fill(channel);
	} while (result == DGW_READ_OK && outcome == DGW_AUDIT_UNDER_WAY);

	if (result == DGW_READ_OK)
		dgw_audit_session_drop(session);
	else if (result != DGW_READ_AGAIN)
	{
		*why = psprintf("helper program %s %s", PROGRAM, dgw_helper_stop(&session->helper));
		outcome = DGW_AUDIT_FAILED;
	}
	else if (session->deadline <= GetCurrentTimestamp())
	{
		*why = psprintf("helper program %s was stuck", PROGRAM);
		outcome = DGW_AUDIT_FAILED;
		dgw_audit_session_drop(session);
	}
	return outcome;
}

void
dgw_audit_session_drop(DgwAuditSession *session)
{
	pfree(dgw_helper_stop(&session->helper));
}
