/*-------------------------------------------------------------------------
 *
 * peer_text.cpp
 *	  Text from a peer, made fit for tables and logs (see peer_text.h).
 *
 *-------------------------------------------------------------------------
 */
#include "peer_text.h"

#include <algorithm>
#include <cstdint>

namespace dicomgw
{

constexpr char REPLACEMENT_CHARACTER[] = "\xEF\xBF\xBD"; /* U+FFFD */
constexpr char ELLIPSIS[] = "\xE2\x80\xA6";				 /* U+2026 */

std::string
printable_ascii(const std::string &text)
{
	std::string clean = text;

	for (char &c : clean)
	{
		if (c < ' ' || c > '~')
			c = '?';
	}
	clean.erase(clean.find_last_not_of(' ') + 1);
	clean.erase(0, std::min(clean.find_first_not_of(' '), clean.size()));
	return clean;
}

/* Length of the character at this place, 0 if there is no valid one (RFC 3629). */
static size_t
character_length(const std::string &text, size_t at)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	auto byte = [&text](size_t i) { return (uint8_t) text[i]; };
	uint8_t lead = byte(at);
	size_t len = lead < 0x80 ? 1 : lead < 0xC0 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
	uint32_t code;

	if (len <= 1)
		return len;
	if (lead >= 0xF8 || at + len > text.size())
		return 0;
	code = lead & (0x7F >> len);
	for (size_t i = 1; i < len; i++)
	{
		if ((byte(at + i) & 0xC0) != 0x80)
			return 0;
		code = code << 6 | (byte(at + i) & 0x3F);
	}
	if (code < least[len] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
		return 0;
	return len;
}

/* C0, DEL and C1. */
static bool
is_control(const std::string &text, size_t at, size_t len)
{
	uint8_t first = (uint8_t) text[at];

	return (len == 1 && (first < 0x20 || first == 0x7F)) ||
		   (len == 2 && first == 0xC2 && (uint8_t) text[at + 1] < 0xA0);
}

std::string
clean_utf8(const std::string &text, size_t max_bytes)
{
	std::string clean;
	size_t len;

	for (size_t at = 0; at < text.size(); at += std::max<size_t>(len, 1))
	{
		len = character_length(text, at);
		std::string next =
			len == 0 || is_control(text, at, len) ? REPLACEMENT_CHARACTER : text.substr(at, len);

		if (clean.size() + next.size() > max_bytes)
			return clean + ELLIPSIS;
		clean += next;
	}
	return clean;
}

} // namespace dicomgw
