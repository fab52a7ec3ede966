/*-------------------------------------------------------------------------
 *
 * dimse.cpp
 *	  DIMSE messages over an association, one fragment at a time
 *	  (see dimse.h).
 *
 *-------------------------------------------------------------------------
 */
#include "dimse.h"

#include <algorithm>

namespace dicomgw
{

/* Elements of group 0000 (PS3.7 annex E). */
enum CommandElement : uint16_t
{
	GROUP_LENGTH = 0x0000,
	AFFECTED_SOP_CLASS_UID = 0x0002,
	COMMAND_FIELD = 0x0100,
	MESSAGE_ID = 0x0110,
	MESSAGE_ID_BEING_RESPONDED_TO = 0x0120,
	PRIORITY = 0x0700,
	COMMAND_DATA_SET_TYPE = 0x0800,
	STATUS = 0x0900,
	ERROR_COMMENT = 0x0902,
	AFFECTED_SOP_INSTANCE_UID = 0x1000
};

constexpr uint16_t NO_DATA_SET = 0x0101;
constexpr uint16_t DATA_SET_PRESENT = 0x0001;
constexpr size_t MAX_ERROR_COMMENT = 64; /* VR LO */
constexpr size_t ELEMENT_HEAD = 8;

/* ---------- encoding ---------- */

static void
put_u16(std::string &out, uint16_t value)
{
	out.push_back((char) (value & 0xFF));
	out.push_back((char) (value >> 8));
}

static void
put_u32(std::string &out, uint32_t value)
{
	put_u16(out, (uint16_t) (value & 0xFFFF));
	put_u16(out, (uint16_t) (value >> 16));
}

static void
put_head(std::string &out, uint16_t element, size_t len)
{
	put_u16(out, 0x0000);
	put_u16(out, element);
	put_u32(out, (uint32_t) len);
}

static void
put_number(std::string &out, uint16_t element, uint16_t value)
{
	put_head(out, element, 2);
	put_u16(out, value);
}

/* UIDs are padded with NUL, text with a space. */
static void
put_text(std::string &out, uint16_t element, std::string value, char padding)
{
	if (value.size() % 2 != 0)
		value.push_back(padding);
	put_head(out, element, value.size());
	out += value;
}

std::string
encode_command(const Command &command)
{
	bool is_response = (command.field & COMMAND_IS_RESPONSE) != 0;
	std::string body;
	std::string bytes;

	if (!command.sop_class_uid.empty())
		put_text(body, AFFECTED_SOP_CLASS_UID, command.sop_class_uid, '\0');
	put_number(body, COMMAND_FIELD, command.field);
	put_number(body, is_response ? MESSAGE_ID_BEING_RESPONDED_TO : MESSAGE_ID, command.message_id);
	if (command.field == C_STORE_RQ)
		put_number(body, PRIORITY, command.priority);
	put_number(body, COMMAND_DATA_SET_TYPE, command.has_dataset ? DATA_SET_PRESENT : NO_DATA_SET);
	if (is_response)
		put_number(body, STATUS, command.status);
	if (is_response && !command.error_comment.empty())
		put_text(body, ERROR_COMMENT, command.error_comment.substr(0, MAX_ERROR_COMMENT), ' ');
	if (!command.sop_instance_uid.empty())
		put_text(body, AFFECTED_SOP_INSTANCE_UID, command.sop_instance_uid, '\0');

	put_head(bytes, GROUP_LENGTH, 4);
	put_u32(bytes, (uint32_t) body.size());
	return bytes + body;
}

/* ---------- decoding ---------- */

static uint16_t
get_u16(const char *at)
{
	return (uint16_t) ((uint8_t) at[0] | (uint8_t) at[1] << 8);
}

static uint32_t
get_u32(const char *at)
{
	return get_u16(at) | (uint32_t) get_u16(at + 2) << 16;
}

static std::string
unpadded(const std::string &value)
{
	size_t first = value.find_first_not_of(' ');
	size_t last = value.find_last_not_of(std::string(" \0", 2));

	if (first == std::string::npos || last == std::string::npos)
		return std::string();
	return value.substr(first, last - first + 1);
}

/* What was seen of the elements without which a message can't be understood. */
struct Seen
{
	bool field = false;
	bool message_id = false;
	bool data_set_type = false;
	bool status = false;
};

static void
take_element(uint16_t element, const std::string &value, Command &command, Seen &seen)
{
	switch (element)
	{
		case AFFECTED_SOP_CLASS_UID:
			command.sop_class_uid = unpadded(value);
			return;
		case AFFECTED_SOP_INSTANCE_UID:
			command.sop_instance_uid = unpadded(value);
			return;
		case ERROR_COMMENT:
			command.error_comment = unpadded(value);
			return;
		default:
			break;
	}
	if (value.size() != 2)
		return;

	uint16_t number = get_u16(value.data());

	switch (element)
	{
		case COMMAND_FIELD:
			command.field = number;
			seen.field = true;
			break;
		case MESSAGE_ID:
		case MESSAGE_ID_BEING_RESPONDED_TO:
			command.message_id = number;
			seen.message_id = true;
			break;
		case PRIORITY:
			command.priority = number;
			break;
		case COMMAND_DATA_SET_TYPE:
			command.has_dataset = number != NO_DATA_SET;
			seen.data_set_type = true;
			break;
		case STATUS:
			command.status = number;
			seen.status = true;
			break;
		default:
			break;
	}
}

bool
decode_command(const std::string &bytes, Command &command, std::string &why)
{
	size_t pos = 0;
	Seen seen;

	command = Command();
	while (pos < bytes.size())
	{
		if (bytes.size() - pos < ELEMENT_HEAD)
		{
			why = "command set ends inside an element";
			return false;
		}

		uint16_t group = get_u16(bytes.data() + pos);
		uint16_t element = get_u16(bytes.data() + pos + 2);
		uint32_t len = get_u32(bytes.data() + pos + 4);

		pos += ELEMENT_HEAD;
		if (group != 0x0000)
		{
			why = "command set has an element outside group 0000";
			return false;
		}
		if (len > bytes.size() - pos)
		{
			why = "command set ends inside an element";
			return false;
		}
		take_element(element, bytes.substr(pos, len), command, seen);
		pos += len;
	}

	bool is_response = (command.field & COMMAND_IS_RESPONSE) != 0;

	if (!seen.field || !seen.message_id || !seen.data_set_type || (is_response && !seen.status))
	{
		why = "command set lacks a required element";
		return false;
	}
	return true;
}

/* ---------- fragments ---------- */

PdvResult
read_pdv(T_ASC_Association *assoc, int timeout, Pdv &pdv, std::string &why)
{
	DUL_PDV dul_pdv = {};
	OFCondition cond = DUL_NextPDV(&assoc->DULassociation, &dul_pdv);

	if (cond.bad())
	{
		/* Asked first, because DCMTK would close the connection, and no abort could follow. */
		if (!ASC_dataWaiting(assoc, timeout))
			return PdvResult::Timeout;
		cond = DUL_ReadPDVs(&assoc->DULassociation, NULL, DUL_NOBLOCK, timeout);
		if (cond == DUL_PDATAPDUARRIVED)
			cond = DUL_NextPDV(&assoc->DULassociation, &dul_pdv);
	}
	if (cond.good())
	{
		pdv.context_id = dul_pdv.presentationContextID;
		pdv.is_command = dul_pdv.pdvType == DUL_COMMANDPDV;
		pdv.is_last = dul_pdv.lastPDV;
		pdv.data = dul_pdv.data;
		pdv.len = dul_pdv.fragmentLength;
		return PdvResult::Fragment;
	}

	if (cond == DUL_PEERREQUESTEDRELEASE)
		return PdvResult::ReleaseRequested;
	if (cond == DUL_PEERABORTEDASSOCIATION)
		return PdvResult::Aborted;
	if (cond == DUL_NETWORKCLOSED)
		return PdvResult::Closed;
	if (cond == DUL_READTIMEOUT)
		return PdvResult::Timeout;
	why = cond.text();
	return PdvResult::Invalid;
}

OFCondition
send_fragments(T_ASC_Association *assoc, T_ASC_PresentationContextID context_id, DUL_DATAPDV type,
			   const void *data, size_t len, bool last)
{
	const char *at = static_cast<const char *>(data);
	OFCondition cond = EC_Normal;

	do
	{
		size_t chunk = std::min<size_t>(len, assoc->sendPDVLength);
		DUL_PDV pdv = {};
		DUL_PDVLIST list = {};

		pdv.fragmentLength = chunk;
		pdv.presentationContextID = context_id;
		pdv.pdvType = type;
		pdv.lastPDV = last && chunk == len;
		pdv.data = const_cast<char *>(at);
		list.count = 1;
		list.pdv = &pdv;
		cond = DUL_WritePDVs(&assoc->DULassociation, &list);
		at += chunk;
		len -= chunk;
	} while (cond.good() && len > 0);
	return cond;
}

OFCondition
send_command(T_ASC_Association *assoc, T_ASC_PresentationContextID context_id,
			 const Command &command)
{
	std::string bytes = encode_command(command);

	return send_fragments(assoc, context_id, DUL_COMMANDPDV, bytes.data(), bytes.size(), true);
}

} // namespace dicomgw
