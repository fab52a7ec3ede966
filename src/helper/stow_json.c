/*-------------------------------------------------------------------------
 *
 * stow_json.c
 *	  A STOW-RS response as DICOM JSON (PS3.18 F).
 *
 *		{ "00081199": { "vr": "SQ", "Value": [
 *			{ "00081155": { "vr": "UI", "Value": [ "1.2.3" ] }, ... } ] }, ... }
 *
 * or an array of such datasets.  Jansson parses it; its own limit on the depth
 * is far from what the stack holds.
 *
 *-------------------------------------------------------------------------
 */
#include "stow_response.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* The values of an attribute: an array, or NULL. */
static const json_t *
values_of(const json_t *attribute)
{
	const json_t *values = json_object_get(attribute, "Value");

	return json_is_array(values) ? values : NULL;
}

static void
take_uid(DgwStowItem *item, const json_t *value)
{
	if (json_is_string(value))
		dgw_stow_item_uid(item, json_string_value(value), json_string_length(value));
}

/* A number, or one in a string: PS3.18 F.2.2 has room for both. */
static void
take_reason(DgwStowItem *item, const json_t *value)
{
	char text[32];

	if (json_is_string(value))
		dgw_stow_item_reason(item, json_string_value(value), json_string_length(value));
	else if (json_is_integer(value))
	{
		snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		dgw_stow_item_reason(item, text, strlen(text));
	}
}

static void
read_item(DgwStowResponse *response, DgwStowSequence sequence, json_t *attributes)
{
	DgwStowItem item = {0};
	const char *tag;
	json_t *attribute;

	json_object_foreach(attributes, tag, attribute)
	{
		const json_t *first = json_array_get(values_of(attribute), 0);

		if (strcmp(tag, DGW_STOW_REFERENCED_SOP_INSTANCE_UID) == 0)
			take_uid(&item, first);
		else if (dgw_stow_is_reason(tag, sequence))
			take_reason(&item, first);
	}
	dgw_stow_response_item(response, sequence, &item);
}

static void
read_dataset(DgwStowResponse *response, json_t *dataset)
{
	const char *tag;
	json_t *attribute;

	json_object_foreach(dataset, tag, attribute)
	{
		DgwStowSequence sequence = dgw_stow_sequence(tag);
		const json_t *items = sequence != DGW_STOW_NO_SEQUENCE ? values_of(attribute) : NULL;

		for (size_t i = 0; i < json_array_size(items); i++)
			if (json_is_object(json_array_get(items, i)))
				read_item(response, sequence, json_array_get(items, i));
	}
}

bool
dgw_stow_json_read(DgwStowResponse *response, const char *payload, size_t len)
{
	json_t *root = json_loadb(payload, len, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
	bool is_dataset = json_is_object(root) || json_is_array(root);

	if (json_is_object(root))
		read_dataset(response, root);
	for (size_t i = 0; i < json_array_size(root); i++)
		if (json_is_object(json_array_get(root, i)))
			read_dataset(response, json_array_get(root, i));
	json_decref(root);
	return is_dataset;
}
