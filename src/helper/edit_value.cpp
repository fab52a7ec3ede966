/*-------------------------------------------------------------------------
 *
 * edit_value.cpp
 *	  New values of elements (see edit_value.h).
 *
 *-------------------------------------------------------------------------
 */
#include "edit_value.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "character_set.h"

namespace dicomgw
{

namespace
{

constexpr char BACKSLASH = '\\';

/* Whose UIDs say what something is, not which one it is. */
const std::string DICOM_ROOT = "1.2.840.10008.";

/* "ISO_IR 100" without padding; several terms mean code extensions. */
std::string
only_term(const std::string &terms)
{
	return trimmed(terms.substr(0, terms.find('\0')), true);
}

bool
encode_text(const std::string &text, const std::string &terms, std::string &bytes, std::string &why)
{
	DcmSpecificCharacterSet converter;
	OFString converted;
	std::string back;
	const std::string term = only_term(terms);

	if (is_plain_ascii(text))
	{
		bytes = text;
		return true;
	}
	if (term == "ISO_IR 192")
	{
		bytes = text;
		return true;
	}
	why = "a value cannot be said in the object's character set";
	if (term.empty() || term.find(BACKSLASH) != std::string::npos ||
		converter.selectCharacterSet("ISO_IR 192", term.c_str()).bad() ||
		converter.convertString(text.data(), text.size(), converted, "").bad())
		return false;
	bytes.assign(converted.data(), converted.size());
	/* Nothing may have been put in the place of what there is no character for. */
	if (!CharacterSet::of(term)->to_utf8(bytes, "", back) || back != text)
		return false;
	why.clear();
	return true;
}

void
append_integer(uint64_t value, size_t size, bool big_endian, std::string &bytes)
{
	for (size_t i = 0; i < size; i++)
		bytes += static_cast<char>(value >> 8 * (big_endian ? size - 1 - i : i));
}

bool
is_signed(const Vr &vr)
{
	return vr.name[0] == 'S';
}

/* US UL UV SS SL SV; false if out of range. */
bool
encode_integer(const Vr &vr, const std::string &text, bool big_endian, std::string &bytes)
{
	const unsigned bits = vr.value_size * 8u;
	char *end;

	errno = 0;
	if (is_signed(vr))
	{
		long long value = strtoll(text.c_str(), &end, 10);
		long long most = bits == 64 ? INT64_MAX : (1LL << (bits - 1)) - 1;

		if (errno != 0 || *end != '\0' || value > most || value < -most - 1)
			return false;
		append_integer(static_cast<uint64_t>(value), vr.value_size, big_endian, bytes);
		return true;
	}
	unsigned long long value = strtoull(text.c_str(), &end, 10);

	if (errno != 0 || *end != '\0' || text[0] == '-' || (bits < 64 && value >> bits != 0))
		return false;
	append_integer(value, vr.value_size, big_endian, bytes);
	return true;
}

bool
encode_float(const Vr &vr, const std::string &text, bool big_endian, std::string &bytes)
{
	char *end;
	double value = strtod(text.c_str(), &end);
	uint64_t bits = 0;

	if (*end != '\0')
		return false;
	if (vr.value_size == 8)
		memcpy(&bits, &value, sizeof(value));
	else
	{
		float single = static_cast<float>(value);

		memcpy(&bits, &single, sizeof(single));
	}
	append_integer(bits, vr.value_size, big_endian, bytes);
	return true;
}

/* A tag, as eight hexadecimal digits: two numbers of 16 bits. */
bool
encode_tag(const std::string &text, bool big_endian, std::string &bytes)
{
	char *end;
	unsigned long tag = strtoul(text.c_str(), &end, 16);

	if (*end != '\0' || text.size() != 8)
		return false;
	append_integer(tag >> 16, 2, big_endian, bytes);
	append_integer(tag & 0xFFFF, 2, big_endian, bytes);
	return true;
}

bool
encode_number(const Vr &vr, const std::string &text, bool big_endian, std::string &bytes)
{
	if (text.empty())
		return false;
	if (strcmp(vr.name, "AT") == 0)
		return encode_tag(text, big_endian, bytes);
	if (vr.name[0] == 'F')
		return encode_float(vr, text, big_endian, bytes);
	return encode_integer(vr, text, big_endian, bytes);
}

std::string
joined(const std::vector<std::string> &parts)
{
	std::string text;

	for (const std::string &part : parts)
		text += (&part == &parts.front() ? "" : "\\") + part;
	return text;
}

void
pad(const Vr &vr, std::string &bytes)
{
	if (bytes.size() % 2 != 0)
		bytes += strcmp(vr.name, "UI") == 0 ? '\0' : ' ';
}

/* ---------- dates ---------- */

bool
all_digits(const std::string &text)
{
	return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/* Days since 1970 of a date of the Gregorian calendar; Howard Hinnant's algorithm. */
long
days_of(long year, long month, long day)
{
	year -= month <= 2;
	const long era = year / 400;
	const long of_era = year - era * 400;
	const long of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

std::string
date_of(long days)
{
	const long shifted = days + 719468;
	const long era = shifted / 146097;
	const long of_era = shifted - era * 146097;
	const long year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	const long of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	const long month = (5 * of_year + 2) / 153;
	const long real_month = month < 10 ? month + 3 : month - 9;
	char text[64];

	snprintf(text, sizeof(text), "%04ld%02ld%02ld", year_of_era + era * 400 + (real_month <= 2),
			 real_month, of_year - (153 * month + 2) / 5 + 1);
	return text;
}

/* The eight digits at the start of a value. */
bool
shift_date(std::string &value, long days)
{
	const std::string date = value.substr(0, 8);

	if (date.size() != 8 || !all_digits(date))
		return false;
	const long year = strtol(date.substr(0, 4).c_str(), nullptr, 10);
	const long month = strtol(date.substr(4, 2).c_str(), nullptr, 10);
	const long day = strtol(date.substr(6, 2).c_str(), nullptr, 10);
	const long then = days_of(year, month, day);

	/* A date that there is not would become one that there is. */
	if (year < 200 || year > 9800 || month < 1 || month > 12 || date_of(then) != date)
		return false;
	value.replace(0, 8, date_of(then + days));
	return true;
}

} // namespace

bool
encode_value(const Vr &vr, const std::string &text, const std::string &charset_terms,
			 bool big_endian, std::string &bytes, std::string &why)
{
	bytes.clear();
	if (text.empty())
		return true;
	if (vr.kind == VrKind::Binary)
	{
		for (const std::string &part : split(text, BACKSLASH))
			if (!encode_number(vr, part, big_endian, bytes))
			{
				why = std::string("a value is no ") + vr.name;
				return false;
			}
		return true;
	}
	if (vr.kind == VrKind::Bulk || vr.kind == VrKind::Sequence)
	{
		why = std::string("no value can be given to an element of VR ") + vr.name;
		return false;
	}
	if ((vr.kind == VrKind::Code || vr.kind == VrKind::Decimal) && !is_plain_ascii(text))
	{
		why = std::string("a value is no ") + vr.name;
		return false;
	}
	if (!encode_text(text, charset_terms, bytes, why))
		return false;
	pad(vr, bytes);
	return true;
}

bool
replace_uids(const EditPlan &plan, std::string &bytes)
{
	std::vector<std::string> uids = split(bytes, BACKSLASH);

	for (std::string &uid : uids)
	{
		uid = trimmed(uid, true);
		if (uid.empty() || uid.compare(0, DICOM_ROOT.size(), DICOM_ROOT) == 0)
			continue;
		const std::string *pseudonym = plan.pseudonym(uid);

		if (pseudonym == nullptr)
			return false;
		uid = *pseudonym;
	}
	bytes = joined(uids);
	pad(*find_vr('U', 'I'), bytes);
	return true;
}

bool
shift_dates(const Vr &vr, long days, std::string &bytes)
{
	const bool is_date = strcmp(vr.name, "DA") == 0;
	std::vector<std::string> values = split(bytes, BACKSLASH);

	if (strcmp(vr.name, "TM") == 0)
		return true;
	if (!is_date && strcmp(vr.name, "DT") != 0)
		return false;
	for (std::string &value : values)
	{
		value = trimmed(value, true);
		if (!value.empty() && ((is_date && value.size() != 8) || !shift_date(value, days)))
			return false;
	}
	bytes = joined(values);
	pad(vr, bytes);
	return true;
}

bool
is_clean(const EditPlan &plan, const Vr &vr, const std::string &bytes,
		 const std::string &charset_terms)
{
	auto charset = CharacterSet::of(charset_terms);
	const bool one = vr.kind == VrKind::FreeText || charset->hides_backslash(bytes);
	std::string utf8;

	if (vr.kind == VrKind::Bulk || vr.kind == VrKind::Sequence || vr.kind == VrKind::Binary)
		return false;
	for (const std::string &part : one ? std::vector<std::string>{bytes} : split(bytes, BACKSLASH))
	{
		if (!charset->to_utf8(trimmed(part, true), "", utf8) ||
			(!utf8.empty() && !plan.is_harmless(utf8)))
			return false;
	}
	return true;
}

} // namespace dicomgw
