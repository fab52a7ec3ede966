/*-------------------------------------------------------------------------
 *
 * stow_xml.c
 *	  A STOW-RS response as a Native DICOM Model in XML (PS3.19 A).
 *
 *		<NativeDicomModel>
 *		  <DicomAttribute tag="00081199" vr="SQ">
 *		    <Item number="1">
 *		      <DicomAttribute tag="00081155" vr="UI"><Value number="1">1.2.3</Value> ...
 *
 * Read as a stream by Expat: depth counts, memory does not grow with it.  A
 * document type declaration, and with it every entity of the server's own,
 * ends the reading.
 *
 *-------------------------------------------------------------------------
 */
#include "stow_response.h"

#include <expat.h>
#include <string.h>

/* Parts a namespace from the name. */
#define SEPARATOR '|'

/* Depths: the model, an attribute of it, an item of a sequence, an attribute of that, its value. */
enum
{
	MODEL = 1,
	SEQUENCE,
	ITEM,
	ATTRIBUTE,
	VALUE
};

typedef struct Reader
{
	XML_Parser parser;
	DgwStowResponse *response;
	unsigned depth;
	bool is_model;
	bool refused; /* not what it may be */
	DgwStowSequence sequence;
	bool in_item;
	DgwStowItem item;
	bool is_uid; /* what the value is that is being read */
	bool is_reason;
	bool in_value;
	size_t text_len;
	char text[128];
} Reader;

static const char *
local_name(const char *name)
{
	const char *separator = strrchr(name, SEPARATOR);

	return separator != NULL ? separator + 1 : name;
}

static const char *
find_attribute(const char **attributes, const char *name)
{
	for (; attributes[0] != NULL; attributes += 2)
		if (strcmp(local_name(attributes[0]), name) == 0)
			return attributes[1];
	return "";
}

static void
refuse(Reader *reader)
{
	reader->refused = true;
	(void) XML_StopParser(reader->parser, XML_FALSE);
}

static void XMLCALL
start_element(void *arg, const char *qualified, const char **attributes)
{
	Reader *reader = arg;
	const char *name = local_name(qualified);
	bool is_attribute = strcmp(name, "DicomAttribute") == 0;
	const char *tag = is_attribute ? find_attribute(attributes, "tag") : "";

	switch (++reader->depth)
	{
		case MODEL:
			reader->is_model = strcmp(name, "NativeDicomModel") == 0;
			break;
		case SEQUENCE:
			reader->sequence = dgw_stow_sequence(tag);
			break;
		case ITEM:
			reader->in_item = reader->sequence != DGW_STOW_NO_SEQUENCE && strcmp(name, "Item") == 0;
			memset(&reader->item, 0, sizeof(reader->item));
			break;
		case ATTRIBUTE:
			reader->is_uid = strcmp(tag, DGW_STOW_REFERENCED_SOP_INSTANCE_UID) == 0;
			reader->is_reason = dgw_stow_is_reason(tag, reader->sequence);
			break;
		case VALUE:
			reader->in_value = reader->in_item && strcmp(name, "Value") == 0;
			reader->text_len = 0;
			break;
		default:
			if (reader->depth > DGW_STOW_MAX_DEPTH)
				refuse(reader);
	}
}

static void XMLCALL
take_text(void *arg, const char *text, int len)
{
	Reader *reader = arg;
	size_t room = sizeof(reader->text) - reader->text_len;

	if (!reader->in_value || reader->depth != VALUE)
		return;
	/* Longer than any value that is looked for: then it is none. */
	if ((size_t) len > room)
	{
		reader->in_value = false;
		return;
	}
	memcpy(reader->text + reader->text_len, text, (size_t) len);
	reader->text_len += (size_t) len;
}

static void
end_value(Reader *reader)
{
	if (!reader->in_value)
		return;
	reader->in_value = false;
	if (reader->is_uid)
		dgw_stow_item_uid(&reader->item, reader->text, reader->text_len);
	else if (reader->is_reason)
		dgw_stow_item_reason(&reader->item, reader->text, reader->text_len);
}

static void XMLCALL
end_element(void *arg, const char *name)
{
	Reader *reader = arg;

	(void) name;
	if (reader->depth == VALUE)
		end_value(reader);
	else if (reader->depth == ITEM && reader->in_item)
	{
		dgw_stow_response_item(reader->response, reader->sequence, &reader->item);
		reader->in_item = false;
	}
	reader->depth--;
}

static void XMLCALL
start_doctype(void *arg, const char *name, const char *system_id, const char *public_id,
			  int has_internal_subset)
{
	(void) name;
	(void) system_id;
	(void) public_id;
	(void) has_internal_subset;
	refuse(arg);
}

bool
dgw_stow_xml_read(DgwStowResponse *response, const char *payload, size_t len)
{
	Reader reader = {.parser = XML_ParserCreateNS(NULL, SEPARATOR), .response = response};
	bool good;

	if (reader.parser == NULL)
		return false;
	XML_SetUserData(reader.parser, &reader);
	XML_SetElementHandler(reader.parser, start_element, end_element);
	XML_SetCharacterDataHandler(reader.parser, take_text);
	XML_SetStartDoctypeDeclHandler(reader.parser, start_doctype);
	good = XML_Parse(reader.parser, payload, (int) len, XML_TRUE) == XML_STATUS_OK;
	XML_ParserFree(reader.parser);
	return good && reader.is_model && !reader.refused;
}
