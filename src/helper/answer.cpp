/*-------------------------------------------------------------------------
 *
 * answer.cpp
 *	  A peer's refusals and comments, in words for people (see answer.h).
 *
 *-------------------------------------------------------------------------
 */
#include "answer.h"

#include <algorithm>
#include <cstdio>

namespace dicomgw
{

namespace
{

constexpr uint16_t OFFENDING_ELEMENT = 0x0901;
constexpr size_t ELEMENT_HEAD = 8;
constexpr size_t TAG_SIZE = 4;

/* More than these say nothing more. */
constexpr size_t MAX_TAGS_NAMED = 8;

uint16_t
get_u16(const std::string &bytes, size_t at)
{
	return static_cast<uint16_t>(static_cast<uint8_t>(bytes[at]) |
								 static_cast<uint8_t>(bytes[at + 1]) << 8);
}

uint32_t
get_u32(const std::string &bytes, size_t at)
{
	return get_u16(bytes, at) | static_cast<uint32_t>(get_u16(bytes, at + 2)) << 16;
}

/* PS3.8 table 9-21 */
const char *
reject_reason_words(uint8_t source, uint8_t reason)
{
	switch (source << 8 | reason)
	{
		case 0x0101:
		case 0x0201:
			return "no reason given";
		case 0x0102:
			return "application context name not supported";
		case 0x0103:
			return "calling AE title not recognized";
		case 0x0107:
			return "called AE title not recognized";
		case 0x0202:
			return "protocol version not supported";
		case 0x0301:
			return "temporary congestion";
		case 0x0302:
			return "local limit exceeded";
		default:
			return nullptr;
	}
}

} // namespace

std::string
printable(const std::string &text)
{
	std::string clean = text;

	std::replace(clean.begin(), clean.end(), '\n', ' ');
	std::replace_if(
		clean.begin(), clean.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
	return clean;
}

std::string
reject_words(uint8_t result, uint8_t source, uint8_t reason)
{
	const char *known = reject_reason_words(source, reason);
	std::string words = known != nullptr ? known
										 : "unknown reason " + std::to_string(reason) +
											   " from source " + std::to_string(source);

	if (result == 1)
		return words + " (permanent)";
	if (result == 2)
		return words + " (transient)";
	return words + " (unknown result " + std::to_string(result) + ")";
}

std::string
context_refusal(const T_ASC_PresentationContext &answer, const std::string &transfer_syntax_uid)
{
	std::string accepted;

	switch (answer.resultReason)
	{
		case ASC_P_ACCEPTANCE:
			accepted = printable(answer.acceptedTransferSyntax);
			accepted.erase(accepted.find_last_not_of(' ') + 1);
			if (accepted == transfer_syntax_uid)
				return "";
			return "accepted with transfer syntax \"" + accepted + "\", which was not proposed";
		case ASC_P_USERREJECTION:
			return "user rejection";
		case ASC_P_NOREASON:
			return "provider rejection without a reason";
		case ASC_P_ABSTRACTSYNTAXNOTSUPPORTED:
			return "abstract syntax not supported";
		case ASC_P_TRANSFERSYNTAXESNOTSUPPORTED:
			return "transfer syntax not supported";
		case ASC_P_NOTYETNEGOTIATED:
			return "no answer";
	}
	return "unknown result " + std::to_string(static_cast<int>(answer.resultReason));
}

std::string
offending_elements(const std::string &command_set)
{
	std::string words;

	for (size_t at = 0; at + ELEMENT_HEAD <= command_set.size();)
	{
		uint16_t element = get_u16(command_set, at + 2);
		size_t len = get_u32(command_set, at + 4);

		at += ELEMENT_HEAD;
		len = std::min(len, command_set.size() - at);
		for (size_t tag = 0;
			 element == OFFENDING_ELEMENT && tag < MAX_TAGS_NAMED && (tag + 1) * TAG_SIZE <= len;
			 tag++)
		{
			char text[sizeof(",(gggg,eeee)")];

			snprintf(text, sizeof(text), "%s(%04X,%04X)", words.empty() ? "" : ",",
					 get_u16(command_set, at + tag * TAG_SIZE),
					 get_u16(command_set, at + tag * TAG_SIZE + 2));
			words += text;
		}
		at += len;
	}
	return words;
}

} // namespace dicomgw
