/*-------------------------------------------------------------------------
 *
 * lane.c
 *	  A lane of the forwarder: one dicomgw-scu and its jobs (see lane.h).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/socket.h>

#include "nodes/pg_list.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "lane.h"
#include "worker.h"

DgwLane *
dgw_lane_start(DgwTarget *target, bool probe)
{
	DgwLane *lane = MemoryContextAllocZero(TopMemoryContext, sizeof(DgwLane));

	dgw_helper_start(&lane->sender, dgw_destination_sender(&target->row), DGW_CHANNEL_SENDER);
	lane->target = target;
	lane->version = target->version;
	lane->probe = probe;
	lane->opened_at = lane->busy_at = GetCurrentTimestamp();
	if (probe)
		target->probing = true;
	else
		target->n_lanes++;

	dgw_destination_encode(&lane->sender.channel.writer, &target->row, DGW_LANE_LINGER_MS);
	if (probe)
		dgw_encode_echo(&lane->sender.channel.writer);
	return lane;
}

int
dgw_lane_room(const DgwLane *lane)
{
	return lane->retiring || lane->probe ? 0 : DGW_LANE_WINDOW - lane->n_held;
}

void
dgw_lane_add(DgwLane *lane, const DgwJob *job, int priority)
{
	Assert(lane->n_held < DGW_LANE_WINDOW);
	lane->held[lane->n_held++] =
		(DgwHeldJob){.id = (int64) job->id, .token = (int64) job->token, .priority = priority};
	lane->busy_at = GetCurrentTimestamp();
	dgw_encode_job(&lane->sender.channel.writer, job);
}

void
dgw_lane_recall(DgwLane *lane)
{
	if (lane->retiring)
		return;
	lane->retiring = true;
	dgw_lane_flush(lane);
	(void) shutdown(lane->sender.channel.fd, SHUT_WR);
}

void
dgw_lane_flush(DgwLane *lane)
{
	if (lane->sender.channel.writer.len > 0 && !dgw_channel_send(&lane->sender.channel))
		(void) shutdown(lane->sender.channel.fd, SHUT_RDWR);
}

/* Take a job out of those held; false if it is not among them. */
static bool
let_go(DgwLane *lane, int64 id, int64 token)
{
	for (int i = 0; i < lane->n_held; i++)
	{
		if (lane->held[i].id != id || lane->held[i].token != token)
			continue;
		lane->n_held--;
		memmove(&lane->held[i], &lane->held[i + 1], (lane->n_held - i) * sizeof(DgwHeldJob));
		lane->busy_at = GetCurrentTimestamp();
		return true;
	}
	return false;
}

static DgwReport *
add_report(DgwReports *reports, DgwTarget *target, const DgwHeldJob *job)
{
	DgwReport *report = palloc0(sizeof(DgwReport));

	report->target = target;
	report->id = job->id;
	report->token = job->token;
	report->comment = "";
	report->offending = "";
	report->sent_syntax = "";
	reports->jobs = lappend(reports->jobs, report);
	return report;
}

void
dgw_report_not_edited(DgwReports *reports, DgwTarget *target, const DgwJob *job, char *reason)
{
	DgwHeldJob held = {.id = (int64) job->id, .token = (int64) job->token};
	DgwReport *report = add_report(reports, target, &held);

	report->outcome = DGW_OUTCOME_NOT_EDITED;
	report->comment = reason;
}

static void
add_news(DgwReports *reports, DgwTarget *target, char *reason)
{
	DgwNews *news = palloc(sizeof(DgwNews));

	news->target = target;
	news->reason = reason;
	reports->news = lappend(reports->news, news);
}

void
dgw_report_down(DgwReports *reports, DgwTarget *target, char *reason)
{
	ereport(LOG, (errmsg("destination \"%s\" is down: %s", target->row.name, reason)));
	dgw_note_error("destination \"%s\": %s", target->row.name, reason);
	add_news(reports, target, reason);
}

static bool
take_result(DgwLane *lane, DgwFrame *frame, DgwReports *reports)
{
	DgwResult m;
	DgwReport *report;
	DgwHeldJob job;

	if (!dgw_decode_result(frame, &m) || m.outcome < DGW_OUTCOME_RESPONSE ||
		(m.outcome > DGW_OUTCOME_DEFERRED && m.outcome != DGW_OUTCOME_NOT_EDITED))
		return false;
	job = (DgwHeldJob){.id = (int64) m.id, .token = (int64) m.token};
	if (!let_go(lane, job.id, job.token))
		return false;
	report = add_report(reports, lane->target, &job);
	report->outcome = m.outcome;
	report->status = m.status;
	report->duration_us = m.duration_us;
	report->comment = dgw_peer_words(m.comment);
	report->offending = dgw_peer_words(m.offending);
	report->sent_syntax = dgw_peer_words(m.sent_transfer_syntax_uid);
	return true;
}

/* The job that was on its way when the association broke has spent an attempt. */
static void
charge(DgwLane *lane, const DgwHeldJob *held, char *message, DgwReports *reports)
{
	DgwHeldJob job = *held;
	DgwReport *report;

	let_go(lane, job.id, job.token);
	report = add_report(reports, lane->target, &job);
	report->outcome = DGW_OUTCOME_BROKEN;
	report->comment = message;
}

/*
 * The association failed, and the sender is about to exit.  The destination is
 * down only if it did not get as far as taking an object.
 */
static bool
take_failure(DgwLane *lane, DgwFrame *frame, DgwReports *reports)
{
	DgwAssociationFailed m;
	char *message;

	if (!dgw_decode_association_failed(frame, &m))
		return false;
	message = dgw_peer_words(m.message);
	ereport(LOG, (errmsg("association with destination \"%s\" failed: %s", lane->target->row.name,
						 message)));
	lane->retiring = true;
	if (m.during_job == 0)
	{
		dgw_report_down(reports, lane->target, message);
		return true;
	}
	for (int i = 0; i < lane->n_held; i++)
	{
		if (lane->held[i].id != (int64) m.during_job)
			continue;
		charge(lane, &lane->held[i], message, reports);
		return true;
	}
	return false;
}

static bool
take_echo_result(DgwLane *lane, DgwFrame *frame, DgwReports *reports)
{
	DgwEchoResult m;

	if (!lane->probe || !dgw_decode_echo_result(frame, &m))
		return false;
	/* One that takes associations, but not for Verification, answers. */
	if (m.ok || m.associated)
		add_news(reports, lane->target, NULL);
	else
		add_news(reports, lane->target, dgw_peer_words(m.message));
	lane->retiring = true;
	return true;
}

static bool
take_message(DgwLane *lane, DgwFrame *frame, DgwReports *reports)
{
	DgwAssociated associated;

	switch (frame->type)
	{
		case DGW_MSG_HELLO:
			return dgw_helper_greet(&lane->sender, frame);

		case DGW_MSG_ASSOCIATED:
			if (!dgw_decode_associated(frame, &associated))
				return false;
			if (!lane->associated)
				add_news(reports, lane->target, NULL);
			lane->associated = true;
			return true;

		case DGW_MSG_RESULT:
			return take_result(lane, frame, reports);

		case DGW_MSG_ASSOCIATION_FAILED:
			return take_failure(lane, frame, reports);

		case DGW_MSG_ECHO_RESULT:
			return take_echo_result(lane, frame, reports);

		default:
			return false;
	}
}

bool
dgw_lane_read(DgwLane *lane, DgwReports *reports)
{
	DgwReadResult result = dgw_channel_fill(&lane->sender.channel);
	DgwFrame frame;

	while (result == DGW_READ_OK &&
		   (result = dgw_channel_next(&lane->sender.channel, &frame)) == DGW_READ_OK)
	{
		if (!take_message(lane, &frame, reports))
			result = dgw_channel_malformed(&lane->sender.channel, &frame);
	}
	return result == DGW_READ_AGAIN;
}

/* The sender is gone, and has not said why. */
static void
mourn(DgwLane *lane, const char *how, DgwReports *reports)
{
	char *message = psprintf("helper program %s %s", lane->sender.program, how);

	ereport(LOG, (errmsg("%s; its %d job(s) go back to the queue", message, lane->n_held)));
	if (lane->associated && lane->n_held > 0)
		charge(lane, &lane->held[0], message, reports);
	else
		dgw_report_down(reports, lane->target, message);
}

void
dgw_lane_end(DgwLane *lane, DgwReports *reports)
{
	bool expected = lane->retiring || (lane->n_held == 0 && !lane->probe);
	char *how = dgw_helper_stop(&lane->sender);

	if (!expected)
		mourn(lane, how, reports);
	for (int i = 0; i < lane->n_held; i++)
	{
		add_report(reports, lane->target, &lane->held[i])->release = true;
		dgw_target_lower(lane->target, lane->held[i].priority, lane->held[i].id);
	}
	if (lane->probe)
		lane->target->probing = false;
	else
		lane->target->n_lanes--;
	pfree(lane);
}
