/*-------------------------------------------------------------------------
 *
 * fuzz_stow_response.c
 *	  libFuzzer target: any bytes as the answer of a STOW-RS server.
 *
 * Whatever it is, an answer may only speak of what was asked: an instance is
 * stored or refused only if its UID is in the payload, and one that can't be
 * read says nothing.
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE
#include "stow_response.h"

#include <stdlib.h>
#include <string.h>

#define REQUIRE(condition)                                                                         \
	do                                                                                             \
	{                                                                                              \
		if (!(condition))                                                                          \
			abort();                                                                               \
	} while (0)

/* Those that the seeds speak of, and one that nobody does. */
static const char *const UIDS[] = {"1.2.3.1", "1.2.3.2", "1.2.3.3", "1.2.840.113619.99.1"};
#define N_UIDS (sizeof(UIDS) / sizeof(UIDS[0]))

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* An escape or an entity may stand for any character of it. */
static bool
may_contain(const uint8_t *data, size_t len, const char *uid)
{
	return memmem(data, len, uid, strlen(uid)) != NULL || memchr(data, '\\', len) != NULL ||
		   memchr(data, '&', len) != NULL || memchr(data, '\0', len) != NULL ||
		   memmem(data, len, "CDATA", 5) != NULL || memmem(data, len, "<!--", 4) != NULL ||
		   memmem(data, len, "<?", 2) != NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	DgwStowResponse response = {.n_instances = N_UIDS};
	char *payload = malloc(len > 0 ? len : 1); /* of just this size, for overruns to show */

	REQUIRE(payload != NULL);
	if (len > 0)
		memcpy(payload, data, len);
	for (size_t i = 0; i < N_UIDS; i++)
		response.instances[i].sop_instance_uid = UIDS[i];
	dgw_stow_response_read(&response, payload, len);
	REQUIRE(response.n_instances == N_UIDS);
	for (size_t i = 0; i < N_UIDS; i++)
	{
		const DgwStowInstance *instance = &response.instances[i];

		REQUIRE(instance->sop_instance_uid == UIDS[i]);
		REQUIRE(instance->fate == DGW_STOW_UNKNOWN || (response.readable && response.n_items > 0));
		REQUIRE(instance->fate == DGW_STOW_UNKNOWN || may_contain(data, len, UIDS[i]));
		REQUIRE(instance->has_reason || instance->reason == 0);
	}
	REQUIRE(response.readable || response.n_items == 0);
	REQUIRE(response.any.fate != DGW_STOW_UNKNOWN || response.n_items == 0);
	free(payload);
	return 0;
}
