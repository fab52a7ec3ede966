/*-------------------------------------------------------------------------
 *
 * fuzz_header_json.cpp
 *	  libFuzzer target: any bytes as a dataset, and the header is valid JSON.
 *
 * The input is a Part 10 file, so that real objects can be the corpus; its
 * first byte, of the preamble, chooses the transfer syntax.  Without "DICM"
 * at its place all of the input is the dataset.  What read_header() makes of
 * it has to be JSON by RFC 8259 that jsonb takes: well-formed UTF-8, no
 * \u0000, no keys repeated, no number that is none.
 *
 *-------------------------------------------------------------------------
 */
#include "header_json.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "part10_input.h"

using namespace dicomgw;

namespace
{

/* Reads JSON and aborts at the first thing that is wrong with it. */
class Checker
{
public:
	explicit Checker(const std::string &json)
		: at_(json.data()),
		  end_(at_ + json.size())
	{
	}

	void document()
	{
		value(0);
		require(at_ == end_);
	}

private:
	static void require(bool condition)
	{
		if (!condition)
			abort();
	}

	char next()
	{
		require(at_ < end_);
		return *at_++;
	}

	bool follows(char c)
	{
		if (at_ == end_ || *at_ != c)
			return false;
		at_++;
		return true;
	}

	void value(int depth)
	{
		require(depth < 200 && at_ < end_);
		if (follows('{'))
			object(depth);
		else if (follows('['))
			array(depth);
		else if (follows('"'))
			string();
		else if (follows('n'))
			require(next() == 'u' && next() == 'l' && next() == 'l');
		else
			number();
	}

	void object(int depth)
	{
		std::string last;

		if (follows('}'))
			return;
		do
		{
			require(next() == '"');
			const char *start = at_;

			string();
			std::string key(start, at_ - 1);

			/* Tags ascend; the names of a person's name do by themselves. */
			if (key.size() == 8)
				require(last < key);
			last = key;
			require(next() == ':');
			value(depth + 1);
		} while (follows(','));
		require(next() == '}');
	}

	void array(int depth)
	{
		do
		{
			value(depth + 1);
		} while (follows(','));
		require(next() == ']');
	}

	void string()
	{
		for (;;)
		{
			unsigned char c = (unsigned char) next();

			if (c == '"')
				return;
			require(c >= 0x20);
			if (c == '\\')
				escape();
			else if (c >= 0x80)
				utf8(c);
		}
	}

	void escape()
	{
		char c = next();

		if (c == '"' || c == '\\')
			return;
		require(c == 'u');
		std::string digits;

		for (int i = 0; i < 4; i++)
			digits += next();
		require(digits != "0000" &&
				digits.find_first_not_of("0123456789abcdef") == std::string::npos);
	}

	void utf8(unsigned char lead)
	{
		int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
		uint32_t code = lead & (0x3F >> more);

		require(lead >= 0xC2 && lead <= 0xF4);
		for (int i = 0; i < more; i++)
		{
			unsigned char c = (unsigned char) next();

			require((c & 0xC0) == 0x80);
			code = code << 6 | (c & 0x3F);
		}
		require(code >= (more == 1	 ? 0x80u
						 : more == 2 ? 0x800u
									 : 0x10000u) &&
				code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF));
	}

	void digits()
	{
		const char *start = at_;

		while (at_ < end_ && *at_ >= '0' && *at_ <= '9')
			at_++;
		require(at_ > start);
	}

	void number()
	{
		follows('-');
		if (!follows('0'))
			digits();
		if (follows('.'))
			digits();
		if (follows('e') || follows('E'))
		{
			if (!follows('+'))
				follows('-');
			const char *exponent = at_;

			digits();
			require(atol(exponent) < 1000);
		}
	}

	const char *at_;
	const char *end_;
};

const char *const syntaxes[] = {"1.2.840.10008.1.2.1",	  "1.2.840.10008.1.2",
								"1.2.840.10008.1.2.2",	  "1.2.840.10008.1.2.1.99",
								"1.2.840.10008.1.2.4.50", "1.3.6.1.4.1.99999.2"};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern "C" int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const int fd = size == 0 ? -1 : object_of(data, size);

	if (fd < 0)
		return 0;

	size_t n_syntaxes = sizeof(syntaxes) / sizeof(syntaxes[0]);
	HeaderJson header = read_header("/proc/self/fd/" + std::to_string(fd),
									dataset_offset(data, size), syntaxes[data[0] % n_syntaxes]);

	if (header.json.size() > MAX_HEADER_JSON || (header.json.empty() && header.error.empty()))
		abort();
	if (!header.json.empty())
		Checker(header.json).document();
	return 0;
}
