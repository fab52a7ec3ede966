/*-------------------------------------------------------------------------
 *
 * character_set.h
 *	  Text of a dataset into UTF-8 (Specific Character Set, PS3.5 6.1).
 *
 * DCMTK converts, with the C library's iconv; two things are done here.  Text
 * in ASCII, nearly all there is, is taken as it is.  And the Japanese sets
 * (JIS X 0201, 0208, 0212) are put together as EUC-JP first, because iconv
 * does not have them one by one, as DCMTK would need them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_CHARACTER_SET_H
#define DGW_CHARACTER_SET_H

#include "dcmtk/config/osconfig.h"
#include "dcmtk/dcmdata/dcspchrs.h"

#include <memory>
#include <string>
#include <vector>

namespace dicomgw
{

/* U+FFFD: stands for what can't be converted. */
constexpr char REPLACEMENT[] = "\xEF\xBF\xBD";

class CharacterSet
{
public:
	/* The one for this value of (0008,0005); kept for the next objects. */
	static std::shared_ptr<CharacterSet> of(const std::string &bytes);

	/* Defined terms without padding, backslash-separated; empty: the default repertoire. */
	explicit CharacterSet(const std::string &terms);

	/*
	 * Convert to UTF-8.  Delimiters are the characters that reset code
	 * extensions (PS3.5 6.1.2.5.3).  False: something was replaced.
	 */
	bool to_utf8(const std::string &bytes, const char *delimiters, std::string &utf8);

	/* A byte 5CH may be the second half of a character in this text. */
	bool hides_backslash(const std::string &bytes) const;

private:
	bool convert(const std::string &bytes, const char *delimiters, OFString &utf8);

	DcmSpecificCharacterSet converter_;
	OFCharacterEncoding euc_jp_;
	bool japanese_;
	bool multi_byte_; /* without code extensions: GB18030, GBK, UTF-8 */
	bool usable_;
};

/* No byte above 7FH and no escape sequence: ASCII in every character set. */
extern bool is_plain_ascii(const std::string &bytes);

/* What is left where a text can't be converted: its ASCII characters. */
extern std::string ascii_part(const std::string &bytes);

extern std::vector<std::string> split(const std::string &text, char separator);

/* Without trailing padding, and if asked to without leading spaces. */
extern std::string trimmed(const std::string &text, bool leading);

} // namespace dicomgw

#endif /* DGW_CHARACTER_SET_H */
