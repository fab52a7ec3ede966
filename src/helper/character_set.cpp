/*-------------------------------------------------------------------------
 *
 * character_set.cpp
 *	  Text of a dataset into UTF-8 (see character_set.h).
 *
 *-------------------------------------------------------------------------
 */
#include "character_set.h"

#include <algorithm>
#include <map>

namespace dicomgw
{

constexpr char ESCAPE = '\033';

/* How many character sets are kept ready. */
constexpr size_t MAX_CHARACTER_SETS = 16;

std::vector<std::string>
split(const std::string &text, char separator)
{
	std::vector<std::string> parts;
	size_t start = 0;

	for (size_t at = text.find(separator); at != std::string::npos;
		 at = text.find(separator, start))
	{
		parts.push_back(text.substr(start, at - start));
		start = at + 1;
	}
	parts.push_back(text.substr(start));
	return parts;
}

std::string
trimmed(const std::string &text, bool leading)
{
	size_t first = leading ? text.find_first_not_of(' ') : 0;
	size_t last = text.find_last_not_of(std::string(" \0", 2));

	if (first == std::string::npos || last == std::string::npos || last < first)
		return std::string();
	return text.substr(first, last - first + 1);
}

bool
is_plain_ascii(const std::string &bytes)
{
	return std::all_of(bytes.begin(), bytes.end(),
					   [](char c) { return (c & 0x80) == 0 && c != ESCAPE; });
}

std::string
ascii_part(const std::string &bytes)
{
	std::string ascii;
	bool replacing = false;

	for (char c : bytes)
	{
		bool keep = (c & 0x80) == 0 && c != ESCAPE;

		if (keep)
			ascii.push_back(c);
		else if (!replacing)
			ascii += REPLACEMENT;
		replacing = !keep;
	}
	return ascii;
}

/* ---------- Japanese ---------- */

/* What the bytes below 80H stand for. */
enum class JapaneseG0
{
	Roman,	/* ASCII or JIS X 0201, one byte */
	Kanji,	/* JIS X 0208, two bytes */
	Further /* JIS X 0212, two bytes */
};

/* Length of the escape sequence at the start of the text, 0 if it is not a Japanese one. */
static size_t
japanese_escape(const char *at, size_t len, JapaneseG0 &g0)
{
	static const struct
	{
		std::string sequence;
		bool changes_g0;
		JapaneseG0 g0;
	} escapes[] = {{"\033(B", true, JapaneseG0::Roman},	   {"\033(J", true, JapaneseG0::Roman},
				   {"\033$B", true, JapaneseG0::Kanji},	   {"\033$@", true, JapaneseG0::Kanji},
				   {"\033$(D", true, JapaneseG0::Further}, {"\033)I", false, JapaneseG0::Roman}};

	for (const auto &escape : escapes)
	{
		if (escape.sequence.compare(0, std::string::npos, at,
									std::min(len, escape.sequence.size())) == 0)
		{
			if (escape.changes_g0)
				g0 = escape.g0;
			return escape.sequence.size();
		}
	}
	return 0;
}

/* ISO 2022 to EUC-JP, which has the same sets, each at a place of its own. */
static bool
japanese_to_euc(const std::string &bytes, std::string &euc)
{
	JapaneseG0 g0 = JapaneseG0::Roman;
	size_t pos = 0;

	while (pos < bytes.size())
	{
		unsigned char c = (unsigned char) bytes[pos];

		if (c == ESCAPE)
		{
			size_t len = japanese_escape(bytes.data() + pos, bytes.size() - pos, g0);

			if (len == 0)
				return false;
			pos += len;
		}
		else if (c >= 0x80)
		{
			/* Half-width katakana, the only set that is ever in G1. */
			euc += '\x8E';
			euc += (char) c;
			pos++;
		}
		else if (g0 == JapaneseG0::Roman || c <= ' ')
		{
			euc += (char) c;
			pos++;
		}
		else
		{
			if (pos + 1 == bytes.size())
				return false;
			if (g0 == JapaneseG0::Further)
				euc += '\x8F';
			euc += (char) (c | 0x80);
			euc += (char) (bytes[pos + 1] | 0x80);
			pos += 2;
		}
	}
	return true;
}

/* ---------- character sets ---------- */

std::shared_ptr<CharacterSet>
CharacterSet::of(const std::string &bytes)
{
	static std::map<std::string, std::shared_ptr<CharacterSet>> ready;
	std::string terms;

	for (const std::string &term : split(bytes, '\\'))
		terms += trimmed(term, true) + '\\';
	terms.pop_back();

	auto found = ready.find(terms);

	if (found != ready.end())
		return found->second;
	if (ready.size() >= MAX_CHARACTER_SETS)
		ready.clear();
	return ready[terms] = std::make_shared<CharacterSet>(terms);
}

CharacterSet::CharacterSet(const std::string &terms)
	: japanese_(false),
	  multi_byte_(terms == "GB18030" || terms == "GBK" || terms == "ISO_IR 192")
{
	for (const char *set : {"ISO_IR 13", "ISO 2022 IR 13", "ISO 2022 IR 87", "ISO 2022 IR 159"})
	{
		std::vector<std::string> all = split(terms, '\\');

		japanese_ |= std::find(all.begin(), all.end(), set) != all.end();
	}
	if (japanese_)
		usable_ = euc_jp_.selectEncoding("EUC-JP", "UTF-8").good();
	else
		usable_ = converter_.selectCharacterSet(terms.c_str(), "ISO_IR 192").good();
}

bool
CharacterSet::convert(const std::string &bytes, const char *delimiters, OFString &utf8)
{
	std::string euc;

	if (!usable_)
		return false;
	if (!japanese_)
		return converter_.convertString(bytes.data(), bytes.size(), utf8, delimiters).good();
	return japanese_to_euc(bytes, euc) &&
		   euc_jp_.convertString(euc.data(), euc.size(), utf8, OFTrue).good();
}

bool
CharacterSet::to_utf8(const std::string &bytes, const char *delimiters, std::string &utf8)
{
	OFString converted;

	if (is_plain_ascii(bytes))
	{
		utf8 = bytes;
		return true;
	}
	if (convert(bytes, delimiters, converted))
	{
		utf8.assign(converted.data(), converted.size());
		return true;
	}
	utf8 = ascii_part(bytes);
	return false;
}

bool
CharacterSet::hides_backslash(const std::string &bytes) const
{
	return multi_byte_ || bytes.find(ESCAPE) != std::string::npos;
}

} // namespace dicomgw
