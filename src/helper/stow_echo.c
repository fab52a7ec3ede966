/*-------------------------------------------------------------------------
 *
 * stow_echo.c
 *	  Whether a DICOMweb server is there and lets us in: what C-ECHO is for
 *	  DIMSE.
 *
 * DICOMweb has no such request, so it is asked for a study that nobody has
 * (QIDO-RS): a look into an index, and nothing of a patient comes back.  A
 * server that cannot be searched, but answers, is well.  One that refuses the
 * credentials is not; one that refuses just the search, or knows no such path,
 * may still take objects, so the forwarder is told that it may try.
 *
 *-------------------------------------------------------------------------
 */
#include "stow_sender.h"

#include "stow_verdict.h"

/* 2.25.0 would be the UUID of all zeroes, which is nobody's. */
#define NOBODYS_STUDY "/studies?StudyInstanceUID=2.25.0&limit=1"

static bool
is_well(int status)
{
	return status < 300 || status == 400 || status == 405 || status == 406 || status == 501;
}

/* A request with an object would fare the same. */
static bool
turns_everything_away(int status)
{
	return status < 400 || status == 401 || status == 407 || status == 429 ||
		   (status >= 502 && status <= 504);
}

void
dgw_stow_echo(DgwWorkerChannel *channel, DgwHttpClient *client)
{
	DgwHttpAnswer answer;
	DgwHttpOutcome outcome = dgw_http_request(client, NOBODYS_STUDY, NULL, &answer);
	DgwEchoResult result = {.implementation = dgw_slice(answer.server),
							.tls_version = dgw_slice(answer.tls_version),
							.tls_cipher = dgw_slice(answer.tls_cipher),
							.tls_subject = dgw_slice(answer.tls_subject),
							.associate_us = answer.connect_us};

	if (outcome == DGW_HTTP_ANSWERED)
	{
		result.ok = is_well(answer.status);
		result.associated = result.ok || !turns_everything_away(answer.status);
		result.round_trip_us = answer.round_trip_us;
		if (!result.ok)
			dgw_stow_describe(&answer, answer.message, sizeof(answer.message));
	}
	result.message = dgw_slice(answer.message);
	if (dgw_encode_echo_result(dgw_worker_channel_begin(channel), &result))
		(void) dgw_worker_channel_send(channel, -1);
}
