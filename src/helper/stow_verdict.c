/*-------------------------------------------------------------------------
 *
 * stow_verdict.c
 *	  What an HTTP answer to a STOW-RS request means (see stow_verdict.h).
 *
 *-------------------------------------------------------------------------
 */
#include "stow_verdict.h"

#include <stdio.h>

#define STATUS_SUCCESS 0x0000
#define STATUS_COERCION 0xB000			 /* warning: coercion of data elements */
#define STATUS_PROCESSING_FAILURE 0x0110 /* may be better next time */

DgwStowConcern
dgw_stow_concern(int status)
{
	switch (status)
	{
		case 401: /* credentials */
		case 404: /* no such service there, or not this one */
		case 405:
		case 406:
		case 407: /* the proxy's credentials */
		case 410:
		case 421:
		case 426:
		case 429: /* too many requests: all others would be, too */
		case 431:
			return DGW_STOW_CONCERNS_SERVER;
		case 403: /* no rights at all, or a filter does not like this one */
		case 503:
			return DGW_STOW_CONCERNS_EITHER;
		case 408: /* it gave up waiting for the rest, or a proxy did for it */
		case 502:
		case 504:
			return DGW_STOW_CONCERNS_TRANSFER;
		default:
			return status >= 300 && status < 400 ? DGW_STOW_CONCERNS_SERVER
												 : DGW_STOW_CONCERNS_OBJECTS;
	}
}

static const char *
status_words(int status)
{
	static const struct
	{
		int status;
		const char *words;
	} known[] = {
		{200, "OK"},
		{202, "Accepted"},
		{204, "No Content"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{406, "Not Acceptable"},
		{407, "Proxy Authentication Required"},
		{408, "Request Timeout"},
		{409, "Conflict"},
		{413, "Content Too Large"},
		{415, "Unsupported Media Type"},
		{422, "Unprocessable Content"},
		{429, "Too Many Requests"},
		{500, "Internal Server Error"},
		{501, "Not Implemented"},
		{502, "Bad Gateway"},
		{503, "Service Unavailable"},
		{504, "Gateway Timeout"},
		{507, "Insufficient Storage"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].status == status)
			return known[i].words;
	return "";
}

void
dgw_stow_describe(const DgwHttpAnswer *answer, char *text, size_t room)
{
	const char *words = status_words(answer->status);
	int len = snprintf(text, room, "server answered %d%s%s", answer->status,
					   words[0] != '\0' ? " " : "", words);

	if (len < 0 || (size_t) len >= room)
		return;
	if (answer->status >= 300 && answer->status < 400)
		snprintf(text + len, room - (size_t) len,
				 ", a redirection to %s, which is not followed: correct the URL",
				 answer->location_host[0] != '\0' ? answer->location_host : "another path");
	else if (answer->retry_after[0] != '\0')
		snprintf(text + len, room - (size_t) len, " (Retry-After: %s)", answer->retry_after);
}

/* What the forwarder takes for success or a warning: PS3.7 C, PS3.4 B.2.3. */
static bool
says_taken(uint16_t status)
{
	return status == STATUS_SUCCESS || status == 0x0001 || status == 0x0107 || status == 0x0116 ||
		   (status >= 0xB000 && status <= 0xBFFF);
}

static void
judge_stored(DgwStowVerdict *verdict, const DgwStowInstance *instance)
{
	verdict->outcome = DGW_OUTCOME_RESPONSE;
	verdict->status = instance->has_reason ? instance->reason : STATUS_SUCCESS;
	if (says_taken(verdict->status))
		return;
	snprintf(verdict->comment, sizeof(verdict->comment), "stored, with %04XH as a warning reason",
			 verdict->status);
	verdict->status = STATUS_COERCION;
}

/* A refusal with a reason that means success is still a refusal. */
static void
judge_refused(DgwStowVerdict *verdict, const DgwStowInstance *instance, int http_status)
{
	verdict->outcome = DGW_OUTCOME_RESPONSE;
	verdict->status = instance->reason;
	if (!instance->has_reason)
		snprintf(verdict->comment, sizeof(verdict->comment),
				 "listed as failed, without a reason (HTTP %d)", http_status);
	else if (says_taken(instance->reason))
		snprintf(verdict->comment, sizeof(verdict->comment),
				 "listed as failed, with reason %04XH (HTTP %d)", instance->reason, http_status);
	else
	{
		snprintf(verdict->comment, sizeof(verdict->comment), "HTTP %d", http_status);
		return;
	}
	verdict->status = STATUS_PROCESSING_FAILURE;
}

/* The server says nothing of it. */
static void
judge_unknown(DgwStowVerdict *verdict, const DgwHttpAnswer *answer, const DgwStowResponse *response)
{
	bool success = answer->status < 300;
	size_t len;

	/* One that never lists anything would not do so for a single instance either. */
	if (response->n_instances > 1 && (!success || response->readable))
	{
		verdict->again_alone = true;
		return;
	}
	verdict->outcome =
		answer->status >= 400 && answer->status < 500 ? DGW_OUTCOME_REFUSED : DGW_OUTCOME_DEFERRED;
	dgw_stow_describe(answer, verdict->comment, sizeof(verdict->comment));
	if (!success)
		return;
	len = strlen(verdict->comment);
	snprintf(verdict->comment + len, sizeof(verdict->comment) - len, ", but %s",
			 response->readable	 ? "does not list the instance as stored"
			 : answer->body_lost ? "its response is too long"
			 : answer->body_len == 0
				 ? "does not say what it has stored"
				 : "its response is neither DICOM JSON nor a Native DICOM Model");
}

DgwStowVerdict
dgw_stow_judge(const DgwHttpAnswer *answer, const DgwStowResponse *response, unsigned number)
{
	const DgwStowInstance *instance = &response->instances[number];
	DgwStowVerdict verdict = {0};

	/*
	 * The only one that was sent is the only one that can be meant, also if its dataset has
	 * another UID than the C-STORE-RQ with which it came.
	 */
	if (instance->fate == DGW_STOW_UNKNOWN && response->n_instances == 1 && response->n_items == 1)
		instance = &response->any;
	if (instance->fate == DGW_STOW_STORED)
		judge_stored(&verdict, instance);
	else if (instance->fate == DGW_STOW_REFUSED)
		judge_refused(&verdict, instance, answer->status);
	else
		judge_unknown(&verdict, answer, response);
	return verdict;
}
