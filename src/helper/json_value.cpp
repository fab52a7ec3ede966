/*-------------------------------------------------------------------------
 *
 * json_value.cpp
 *	  The value of one data element as DICOM JSON (see json_value.h).
 *
 *-------------------------------------------------------------------------
 */
#include "json_value.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace dicomgw
{

/* Above this a JavaScript reader would lose digits. */
constexpr uint64_t MAX_EXACT_INTEGER = UINT64_C(1) << 53;

/* ---------- text ---------- */

/* Length of the valid UTF-8 sequence at the start of [at, end), 0 if there is none. */
static size_t
utf8_sequence(const char *at, const char *end)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char lead = (unsigned char) *at;
	size_t len = lead < 0x80 ? 1 : lead >> 5 == 0x06 ? 2 : lead >> 4 == 0x0E ? 3 : 4;
	uint32_t code = len == 1 ? lead : lead & (0xFFu >> (len + 1));

	if ((len == 4 && lead >> 3 != 0x1E) || len > (size_t) (end - at))
		return 0;
	for (size_t i = 1; i < len; i++)
	{
		if ((at[i] & 0xC0) != 0x80)
			return 0;
		code = code << 6 | (at[i] & 0x3F);
	}
	if (code < least[len] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
		return 0;
	return len;
}

/* Append as a JSON string; false if something in it had to be replaced. */
static bool
append_string(std::string &json, const std::string &text)
{
	const char *at = text.data();
	const char *end = at + text.size();
	bool faithful = true;

	json.push_back('"');
	while (at < end)
	{
		size_t len = utf8_sequence(at, end);

		if (len == 0 || *at == '\0')
		{
			json += REPLACEMENT;
			faithful = false;
			at++;
			continue;
		}
		if (*at == '"' || *at == '\\')
			json.push_back('\\');
		if ((unsigned char) *at < 0x20)
		{
			char escaped[8];

			snprintf(escaped, sizeof(escaped), "\\u%04x", *at);
			json += escaped;
		}
		else
			json.append(at, len);
		at += len;
	}
	json.push_back('"');
	return faithful;
}

/* Cut an element into its values, in UTF-8 and without padding. */
static std::vector<std::string>
text_values(const Vr &vr, const std::string &bytes, CharacterSet &charset, bool &faithful)
{
	const char *delimiters = vr.kind == VrKind::Name ? "\\^=" : "\\";
	std::vector<std::string> values;
	std::string utf8;

	if (vr.kind == VrKind::FreeText)
	{
		faithful = charset.to_utf8(bytes, "", utf8);
		values.push_back(utf8);
	}
	else if (vr.kind == VrKind::Code || vr.kind == VrKind::Decimal)
	{
		faithful = is_plain_ascii(bytes);
		values = split(faithful ? bytes : ascii_part(bytes), '\\');
	}
	else if (charset.hides_backslash(bytes))
	{
		faithful = charset.to_utf8(bytes, delimiters, utf8);
		values = split(utf8, '\\');
	}
	else
	{
		values = split(bytes, '\\');
		for (std::string &value : values)
		{
			faithful &= charset.to_utf8(value, delimiters, utf8);
			value = utf8;
		}
	}
	for (std::string &value : values)
		value = trimmed(value, vr.kind != VrKind::FreeText);
	return values;
}

/* A number by JSON's grammar that any reader can hold. */
static bool
is_json_number(const std::string &text)
{
	const char *at = text.c_str();
	auto digits = [&at]()
	{
		const char *start = at;

		while (*at >= '0' && *at <= '9')
			at++;
		return at > start;
	};

	at += *at == '-';
	if (*at == '0')
		at++;
	else if (!digits())
		return false;
	if (*at == '.')
	{
		at++;
		if (!digits())
			return false;
	}
	if (*at == 'e' || *at == 'E')
	{
		at++;
		at += *at == '+' || *at == '-';
		/* No double has more digits there; a tiny number is as foreign to jsonb as a huge one. */
		const char *exponent = at;

		if (!digits() || at - exponent > 3 || !std::isfinite(strtod(text.c_str(), NULL)))
			return false;
	}
	return at == text.c_str() + text.size() && text.size() <= 64;
}

/* {"Alphabetic":..., "Ideographic":..., "Phonetic":...}, PS3.18 F.2.2 */
static bool
append_name(std::string &json, const std::string &name)
{
	static const char *const groups[] = {"Alphabetic", "Ideographic", "Phonetic"};
	std::vector<std::string> parts = split(name, '=');
	bool faithful = parts.size() <= 3;
	char separator = '{';

	for (size_t i = 0; i < parts.size() && i < 3; i++)
	{
		std::string part = trimmed(parts[i], true);

		if (part.empty())
			continue;
		json.push_back(separator);
		json.push_back('"');
		json += groups[i];
		json += "\":";
		faithful &= append_string(json, part);
		separator = ',';
	}
	json += separator == '{' ? "null" : "}";
	return faithful;
}

static ValueResult
append_text(std::string &json, const Vr &vr, const std::string &bytes, CharacterSet &charset)
{
	bool faithful = true;
	std::vector<std::string> values = text_values(vr, bytes, charset, faithful);
	size_t limit = vr.kind == VrKind::FreeText ? MAX_TEXT : MAX_VALUE;
	const char *separator = ",\"Value\":[";

	for (const std::string &value : values)
	{
		if (value.size() > limit)
			return ValueResult::TooLong;
	}
	if (std::all_of(values.begin(), values.end(), [](const std::string &v) { return v.empty(); }))
		return faithful ? ValueResult::Written : ValueResult::Altered;

	for (const std::string &value : values)
	{
		json += separator;
		separator = ",";
		if (value.empty())
			json += "null";
		else if (vr.kind == VrKind::Name)
			faithful &= append_name(json, value);
		else if (vr.kind == VrKind::Decimal && is_json_number(value))
			json += value;
		else
			faithful &= append_string(json, value);
	}
	json.push_back(']');
	return faithful ? ValueResult::Written : ValueResult::Altered;
}

/* ---------- numbers ---------- */

static uint64_t
load(const char *at, size_t size, bool big_endian)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size; i++)
		value = value << 8 | (unsigned char) at[big_endian ? i : size - 1 - i];
	return value;
}

template <typename Number>
static void
append_number(std::string &json, Number value)
{
	char text[32];
	std::to_chars_result end = std::to_chars(text, text + sizeof(text), value);

	json.append(text, end.ptr);
}

template <typename Float, typename Bits>
static bool
append_float(std::string &json, Bits bits)
{
	Float value;

	static_assert(sizeof(value) == sizeof(bits), "same size");
	memcpy(&value, &bits, sizeof(value));
	if (!std::isfinite(value))
	{
		json += "null";
		return false;
	}
	append_number(json, value);
	return true;
}

static void
append_integer(std::string &json, uint64_t magnitude, bool negative)
{
	bool quoted = magnitude > MAX_EXACT_INTEGER;

	if (quoted)
		json.push_back('"');
	if (negative)
		json.push_back('-');
	append_number(json, magnitude);
	if (quoted)
		json.push_back('"');
}

static bool
append_one_number(std::string &json, const Vr &vr, const char *at, bool big_endian)
{
	uint64_t bits = load(at, vr.value_size, big_endian);
	char first = vr.name[0];
	char second = vr.name[1];

	if (first == 'F')
		return second == 'L' ? append_float<float>(json, (uint32_t) bits)
							 : append_float<double>(json, bits);
	if (first == 'A')
	{
		/* Group and element are a number each. */
		char tag[16];

		snprintf(tag, sizeof(tag), "\"%04X%04X\"", (unsigned) load(at, 2, big_endian),
				 (unsigned) load(at + 2, 2, big_endian));
		json += tag;
		return true;
	}
	bool negative = first == 'S' && (bits >> (8 * vr.value_size - 1)) != 0;

	if (negative)
	{
		bits = ~bits + 1;
		if (vr.value_size < sizeof(bits))
			bits &= (UINT64_C(1) << (8 * vr.value_size)) - 1;
	}
	append_integer(json, bits, negative);
	return true;
}

static ValueResult
append_numbers(std::string &json, const Vr &vr, const std::string &bytes, bool big_endian)
{
	bool faithful = bytes.size() % vr.value_size == 0;
	const char *separator = ",\"Value\":[";

	for (size_t pos = 0; pos + vr.value_size <= bytes.size(); pos += vr.value_size)
	{
		json += separator;
		separator = ",";
		faithful &= append_one_number(json, vr, bytes.data() + pos, big_endian);
	}
	if (bytes.size() >= vr.value_size)
		json.push_back(']');
	return faithful ? ValueResult::Written : ValueResult::Altered;
}

ValueResult
append_value(std::string &json, const Vr &vr, const std::string &bytes, bool big_endian,
			 CharacterSet &charset)
{
	if (vr.kind == VrKind::Binary)
		return append_numbers(json, vr, bytes, big_endian);
	return append_text(json, vr, bytes, charset);
}

} // namespace dicomgw
