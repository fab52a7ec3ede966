/*-------------------------------------------------------------------------
 *
 * stow_sender.c
 *	  The jobs of dicomgw-stow: what is sent next, and what the worker hears
 *	  (see stow_sender.h).
 *
 *-------------------------------------------------------------------------
 */
#include "stow_sender.h"

#include <limits.h>
#include <stdio.h>
#include <time.h>

#include "stow_verdict.h"

#define STUDIES "/studies"

static uint64_t
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
}

static uint32_t
microseconds_since(uint64_t start)
{
	uint64_t spent = now_us() - start;

	return spent < UINT32_MAX ? (uint32_t) spent : UINT32_MAX;
}

/* ---------- the worker ---------- */

/* Nobody is left to hear results; jobs that wait will be sent by another sender. */
static void
finish(DgwStowSender *sender, int exit_status)
{
	sender->finished = true;
	sender->exit_status = exit_status;
}

static void
take_message(DgwStowSender *sender, DgwFrame *frame)
{
	DgwStowJob *job;
	DgwJob message;

	if (frame->type == DGW_MSG_JOB && dgw_decode_job(frame, &message) &&
		(job = dgw_stow_job_new(&message)) != NULL)
		TAILQ_INSERT_TAIL(&sender->queue, job, link);
	else if (frame->type == DGW_MSG_ECHO && TAILQ_EMPTY(&sender->queue) && !sender->asked)
	{
		dgw_stow_echo(sender->channel, sender->client);
		finish(sender, 0);
	}
	else
	{
		dgw_worker_channel_log(sender->channel, DGW_LOG_WARNING,
							   "dicomgw-stow cannot take a message %s here",
							   dgw_message_name(frame->type));
		finish(sender, 1);
	}
}

/* All that the worker has said, waiting timeout_ms (-1: for ever) for the first of it. */
static void
take_messages(DgwStowSender *sender, int timeout_ms)
{
	DgwFrame frame;

	while (!sender->finished)
	{
		switch (dgw_worker_channel_receive(sender->channel, &frame, timeout_ms))
		{
			case DGW_READ_OK:
				take_message(sender, &frame);
				break;
			case DGW_READ_AGAIN:
				return;
			case DGW_READ_EOF:
				finish(sender, 0);
				return;
			case DGW_READ_ERROR:
				finish(sender, 1);
				return;
		}
		timeout_ms = 0;
	}
}

/* Wait for the worker; an open connection is kept for a while, in case there is more. */
static void
wait_for_work(DgwStowSender *sender)
{
	bool open = dgw_http_client_is_open(sender->client);

	take_messages(sender, !open ? -1 : sender->linger < INT_MAX ? (int) sender->linger : INT_MAX);
	if (open && !sender->finished && TAILQ_EMPTY(&sender->queue))
		dgw_http_client_close(sender->client);
}

static void
report(DgwStowSender *sender, DgwStowJob *job, DgwOutcome outcome, uint16_t status,
	   const char *comment, uint32_t duration_us)
{
	DgwResult result = {.id = job->id,
						.token = job->token,
						.outcome = (uint8_t) outcome,
						.status = status,
						.comment = dgw_slice(comment),
						.offending = dgw_slice(""),
						.sent_transfer_syntax_uid = dgw_slice(""),
						.duration_us = duration_us};

	TAILQ_REMOVE(&sender->queue, job, link);
	dgw_stow_job_free(job);
	if (!dgw_encode_result(dgw_worker_channel_begin(sender->channel), &result) ||
		!dgw_worker_channel_send(sender->channel, -1))
		finish(sender, 1);
}

static void
report_file(DgwStowSender *sender, DgwStowJob *job, DgwFileState state)
{
	report(sender, job,
		   state == DGW_FILE_DAMAGED ? DGW_OUTCOME_FILE_DAMAGED : DGW_OUTCOME_FILE_MISSING, 0,
		   sender->request.file.why, 0);
}

static void
report_failure(DgwStowSender *sender, DgwFailure kind, uint64_t during_job, const char *message)
{
	DgwAssociationFailed failed = {
		.failure = (uint8_t) kind, .during_job = during_job, .message = dgw_slice(message)};

	if (dgw_encode_association_failed(dgw_worker_channel_begin(sender->channel), &failed))
		(void) dgw_worker_channel_send(sender->channel, -1);
	finish(sender, 0);
}

static void
report_associated(DgwStowSender *sender, const DgwHttpAnswer *answer)
{
	DgwAssociated associated = {.proposed = 1,
								.accepted = 1,
								.implementation_class_uid = dgw_slice(""),
								.implementation_version = dgw_slice(answer->server)};

	if (sender->associated)
		return;
	sender->associated = true;
	if (!dgw_encode_associated(dgw_worker_channel_begin(sender->channel), &associated) ||
		!dgw_worker_channel_send(sender->channel, -1))
		finish(sender, 1);
}

/* ---------- what came of a request ---------- */

/* The one object whose fault it may be, or 0. */
static uint64_t
suspect(const DgwStowRequest *request)
{
	return request->n_parts == 1 ? request->parts[0].job->id : 0;
}

static void
send_again_alone(const DgwStowRequest *request)
{
	for (unsigned i = 0; i < request->n_parts; i++)
		request->parts[i].job->alone = true;
}

/* Of several objects it may be any that made it break: which, shows when each is alone. */
static void
broken(DgwStowSender *sender, DgwFailure kind, const char *message)
{
	if (suspect(&sender->request) != 0)
	{
		report_failure(sender, kind, suspect(&sender->request), message);
		return;
	}
	dgw_worker_channel_log(sender->channel, DGW_LOG_INFO,
						   "request with %u instances failed, they are sent one by one: %s",
						   sender->request.n_parts, message);
	send_again_alone(&sender->request);
}

static void
judge_each(DgwStowSender *sender, const DgwHttpAnswer *answer, uint32_t duration_us)
{
	const DgwStowRequest *request = &sender->request;
	DgwStowResponse response = {.n_instances = request->n_parts};

	for (unsigned i = 0; i < request->n_parts; i++)
		response.instances[i].sop_instance_uid = request->parts[i].job->sop_instance_uid;
	if (!answer->body_lost)
		dgw_stow_response_read(&response, answer->body, answer->body_len);
	report_associated(sender, answer);
	for (unsigned i = 0; i < request->n_parts && !sender->finished; i++)
	{
		DgwStowVerdict verdict = dgw_stow_judge(answer, &response, i);

		if (verdict.again_alone)
			request->parts[i].job->alone = true;
		else
			report(sender, request->parts[i].job, verdict.outcome, verdict.status, verdict.comment,
				   duration_us);
	}
}

static void
answered(DgwStowSender *sender, const DgwHttpAnswer *answer, uint32_t duration_us)
{
	DgwStowConcern concern = dgw_stow_concern(answer->status);
	char words[256];

	dgw_stow_describe(answer, words, sizeof(words));
	switch (concern)
	{
		case DGW_STOW_CONCERNS_OBJECTS:
			judge_each(sender, answer, duration_us);
			break;
		case DGW_STOW_CONCERNS_SERVER:
			report_failure(sender, DGW_FAIL_REJECTED, 0, words);
			break;
		case DGW_STOW_CONCERNS_EITHER:
			report_failure(sender, DGW_FAIL_REJECTED, suspect(&sender->request), words);
			break;
		case DGW_STOW_CONCERNS_TRANSFER:
			broken(sender, DGW_FAIL_ABORTED, words);
			break;
	}
}

/* ---------- sending ---------- */

/* From those that wait, in their order; what can't be read is reported at once. */
static void
fill_request(DgwStowSender *sender)
{
	DgwStowJob *job = TAILQ_FIRST(&sender->queue);

	dgw_stow_request_clear(&sender->request);
	while (job != NULL && !sender->finished)
	{
		DgwStowJob *next = TAILQ_NEXT(job, link);

		if (dgw_stow_request_takes(&sender->request, job, sender->batch))
		{
			DgwFileState state = dgw_stow_request_add(&sender->request, job);

			if (state != DGW_FILE_GOOD)
				report_file(sender, job, state);
		}
		job = next;
	}
}

static void
send_request(DgwStowSender *sender)
{
	uint64_t start = now_us();
	DgwHttpContent content;
	DgwHttpAnswer answer;

	fill_request(sender);
	if (sender->finished || sender->request.n_parts == 0)
		return;
	if (!dgw_stow_request_content(&sender->request, &content))
	{
		report_failure(sender, DGW_FAIL_CONNECT, 0, "could not make up a boundary");
		return;
	}
	sender->asked = true;
	switch (dgw_http_request(sender->client, STUDIES, &content, &answer))
	{
		case DGW_HTTP_ANSWERED:
			answered(sender, &answer, microseconds_since(start));
			break;
		case DGW_HTTP_UNREACHABLE:
			report_failure(sender, answer.failure, 0, answer.message);
			break;
		case DGW_HTTP_BROKEN:
			broken(sender, answer.failure, answer.message);
			break;
		case DGW_HTTP_BROKEN_OFF:
			report_file(sender, sender->request.parts[0].job, sender->request.file_state);
			break;
	}
}

int
dgw_stow_run(DgwWorkerChannel *channel, DgwHttpClient *client, const DgwDestination *destination,
			 const char *storage_path)
{
	DgwStowSender sender = {.channel = channel,
							.client = client,
							.linger = destination->linger,
							.batch = destination->batch > 0 ? destination->batch : 1};
	DgwStowJob *job;

	TAILQ_INIT(&sender.queue);
	dgw_stow_request_init(&sender.request, storage_path);
	while (!sender.finished)
	{
		if (TAILQ_EMPTY(&sender.queue))
		{
			wait_for_work(&sender);
			continue;
		}
		/* The worker may have closed its side: then what is left is for another sender. */
		take_messages(&sender, 0);
		if (!sender.finished)
			send_request(&sender);
	}
	dgw_stow_request_free(&sender.request);
	while ((job = TAILQ_FIRST(&sender.queue)) != NULL)
	{
		TAILQ_REMOVE(&sender.queue, job, link);
		dgw_stow_job_free(job);
	}
	return sender.exit_status;
}
