/*-------------------------------------------------------------------------
 *
 * stow_response.c
 *	  What a STOW-RS server says of each instance (see stow_response.h).
 *
 *-------------------------------------------------------------------------
 */
#include "stow_response.h"

#include <string.h>
#include <strings.h>

#define FAILED_SOP_SEQUENCE "00081198"
#define REFERENCED_SOP_SEQUENCE "00081199"
#define OTHER_FAILURES_SEQUENCE "0008119A"
#define WARNING_REASON "00081196"
#define FAILURE_REASON "00081197"

DgwStowSequence
dgw_stow_sequence(const char *tag)
{
	if (strcmp(tag, REFERENCED_SOP_SEQUENCE) == 0)
		return DGW_STOW_REFERENCED;
	if (strcmp(tag, FAILED_SOP_SEQUENCE) == 0)
		return DGW_STOW_FAILED;
	if (strcasecmp(tag, OTHER_FAILURES_SEQUENCE) == 0)
		return DGW_STOW_OTHER_FAILURES;
	return DGW_STOW_NO_SEQUENCE;
}

bool
dgw_stow_is_reason(const char *tag, DgwStowSequence sequence)
{
	return strcmp(tag, sequence == DGW_STOW_REFERENCED ? WARNING_REASON : FAILURE_REASON) == 0;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\0';
}

static void
trim(const char **text, size_t *len)
{
	while (*len > 0 && is_blank((*text)[0]))
	{
		(*text)++;
		(*len)--;
	}
	while (*len > 0 && is_blank((*text)[*len - 1]))
		(*len)--;
}

void
dgw_stow_item_uid(DgwStowItem *item, const char *text, size_t len)
{
	trim(&text, &len);
	if (len >= sizeof(item->sop_instance_uid) || memchr(text, '\0', len) != NULL)
		return;
	memcpy(item->sop_instance_uid, text, len);
	item->sop_instance_uid[len] = '\0';
}

void
dgw_stow_item_reason(DgwStowItem *item, const char *text, size_t len)
{
	unsigned number = 0;

	trim(&text, &len);
	if (len == 0 || len > 5)
		return;
	for (size_t i = 0; i < len; i++)
	{
		if (text[i] < '0' || text[i] > '9')
			return;
		number = number * 10 + (unsigned) (text[i] - '0');
	}
	if (number > UINT16_MAX)
		return;
	item->has_reason = true;
	item->reason = (uint16_t) number;
}

/* A refusal stands, whatever else is said; of two the one with a reason. */
static void
settle(DgwStowInstance *instance, DgwStowFate fate, const DgwStowItem *item)
{
	if (instance->fate > fate || (instance->fate == fate && instance->has_reason))
		return;
	instance->fate = fate;
	instance->has_reason = item->has_reason;
	instance->reason = item->reason;
}

void
dgw_stow_response_item(DgwStowResponse *response, DgwStowSequence sequence, const DgwStowItem *item)
{
	DgwStowFate fate = sequence == DGW_STOW_REFERENCED ? DGW_STOW_STORED : DGW_STOW_REFUSED;

	/* What has no name can't be stored; a failure can well be nameless. */
	if (fate == DGW_STOW_STORED && item->sop_instance_uid[0] == '\0')
		return;
	response->n_items++;
	settle(&response->any, fate, item);
	if (item->sop_instance_uid[0] == '\0')
		return;
	for (unsigned i = 0; i < response->n_instances; i++)
		if (strcmp(response->instances[i].sop_instance_uid, item->sop_instance_uid) == 0)
			settle(&response->instances[i], fate, item);
}

static void
forget(DgwStowInstance *instance)
{
	instance->fate = DGW_STOW_UNKNOWN;
	instance->has_reason = false;
	instance->reason = 0;
}

void
dgw_stow_response_read(DgwStowResponse *response, const char *payload, size_t len)
{
	static const char byte_order_mark[] = "\xEF\xBB\xBF";

	if (len >= 3 && memcmp(payload, byte_order_mark, 3) == 0)
	{
		payload += 3;
		len -= 3;
	}
	while (len > 0 && is_blank(payload[0]))
	{
		payload++;
		len--;
	}
	response->n_items = 0;
	if (len == 0)
		response->readable = false;
	else if (payload[0] == '<')
		response->readable = dgw_stow_xml_read(response, payload, len);
	else
		response->readable = dgw_stow_json_read(response, payload, len);
	if (response->readable)
		return;

	/* One that breaks off or contradicts itself is not believed in parts. */
	response->n_items = 0;
	forget(&response->any);
	for (unsigned i = 0; i < response->n_instances; i++)
		forget(&response->instances[i]);
}
