/*-------------------------------------------------------------------------
 *
 * dataset_reader.cpp
 *	  A dataset in a file, element by element (see dataset_reader.h).
 *
 *-------------------------------------------------------------------------
 */
#include "dataset_reader.h"

#include "dcmtk/dcmdata/dctag.h"
#include "dcmtk/dcmdata/dcxfer.h"

#include <algorithm>
#include <cstdio>

namespace dicomgw
{

/* Skipping less than this is done by reading: a seek drops the read-ahead. */
constexpr uint64_t SMALL_SKIP = 2048;

/* Longest skip asked of a stream at once. */
constexpr uint64_t LARGE_SKIP = 1u << 30;

/* Tag and, in any encoding, VR and length or all of the length. */
constexpr size_t HEAD_SIZE = 8;

/* Items and delimiters: elements that have no VR. */
constexpr uint32_t GROUP_OF_ITEMS = 0xFFFE;

/* Elements and items looked at: what bounds the time. */
constexpr uint32_t MAX_HEADS = 500 * 1000;

/* A small file may inflate to any length. */
constexpr uint64_t MAX_INFLATED = 64 * 1024 * 1024;

std::string
tag_text(uint32_t tag)
{
	char text[16];

	snprintf(text, sizeof(text), "(%04X,%04X)", tag >> 16, tag & 0xFFFF);
	return text;
}

DatasetReader::DatasetReader(const std::string &path, uint64_t offset,
							 const std::string &transfer_syntax_uid)
	: in_(OFFilename(path.c_str()), (offile_off_t) offset),
	  encoding_{true, false}
{
	DcmXfer syntax(transfer_syntax_uid.c_str());

	if (in_.status().bad())
		stop("could not open the file");
	if (syntax.getXfer() == EXS_Unknown)
		return;
	encoding_ = {syntax.isExplicitVR() != OFFalse, syntax.isBigEndian() != OFFalse};
	if (syntax.getStreamCompression() != ESC_none)
	{
		limit_ = MAX_INFLATED;
		if (in_.installCompressionFilter(syntax.getStreamCompression()).bad())
			stop("could not inflate the dataset");
	}
}

/* Only the first reason counts: the others follow from it. */
void
DatasetReader::stop(const std::string &why)
{
	if (why_.empty())
		why_ = why;
}

void
DatasetReader::stop_at_end()
{
	stop(std::string("dataset ends inside ") + (in_head_ ? "the element after " : "element ") +
		 tag_text(current_tag_));
}

void
DatasetReader::check_limit(uint64_t len)
{
	if (len > limit_ - position_)
		stop("header is longer than " + std::to_string(limit_) + " bytes when inflated");
}

/* ---------- bytes ---------- */

bool
DatasetReader::read(void *data, size_t len)
{
	char *at = static_cast<char *>(data);
	size_t got = 0;

	check_limit(len);
	while (got < len && !stopped())
	{
		offile_off_t n = in_.read(at + got, (offile_off_t) (len - got));

		if (n <= 0)
			stop_at_end();
		else
			got += (size_t) n;
	}
	position_ += got;
	std::fill(at + got, at + len, '\0');
	return !stopped();
}

bool
DatasetReader::skip(uint64_t len)
{
	char discarded[SMALL_SKIP];

	check_limit(len);
	while (len >= SMALL_SKIP && !stopped())
	{
		offile_off_t n = in_.skip((offile_off_t) std::min(len, LARGE_SKIP));

		if (n <= 0)
			stop_at_end();
		else
		{
			position_ += (uint64_t) n;
			len -= (uint64_t) n;
		}
	}
	return !stopped() && read(discarded, (size_t) len);
}

static uint16_t
u16(const unsigned char *at, bool big_endian)
{
	return (uint16_t) (big_endian ? at[0] << 8 | at[1] : at[1] << 8 | at[0]);
}

static uint32_t
u32(const unsigned char *at, bool big_endian)
{
	uint32_t first = u16(at, big_endian);
	uint32_t second = u16(at + 2, big_endian);

	return big_endian ? first << 16 | second : second << 16 | first;
}

/* ---------- heads ---------- */

/* The VR by the data dictionary; UN for whatever is not in it. */
static void
look_up_vr(const PrivateCreators &creators, Element &element)
{
	uint16_t group = (uint16_t) (element.tag >> 16);
	uint16_t number = (uint16_t) (element.tag & 0xFFFF);
	const char *creator = NULL;

	if (is_private_creator(element.tag))
	{
		element.vr = find_vr('L', 'O');
		return;
	}
	if (group % 2 != 0)
	{
		auto found = creators.find(element.tag >> 8);

		if (found == creators.end())
			return;
		creator = found->second.c_str();
	}

	DcmEVR evr = DcmTag(group, number, creator).getEVR();
	const char *name = DcmVR(evr).getValidVRName();
	const Vr *vr = find_vr(name[0], name[1]);

	if (vr != NULL)
		element.vr = vr;
	element.sign_undecided = evr == EVR_xs;
}

bool
DatasetReader::read_head(Encoding encoding, const PrivateCreators &creators, Element &element)
{
	unsigned char head[HEAD_SIZE];

	if (++heads_ > MAX_HEADS)
		stop("dataset has more than " + std::to_string(MAX_HEADS) + " elements");
	in_head_ = true;
	if (!read(head, sizeof(head)))
		return false;
	in_head_ = false;

	element.tag =
		(uint32_t) u16(head, encoding.big_endian) << 16 | u16(head + 2, encoding.big_endian);
	element.vr = find_vr('U', 'N');
	element.sign_undecided = false;
	element.content = encoding;
	current_tag_ = element.tag;
	if (element.tag >> 16 == GROUP_OF_ITEMS)
		element.length = u32(head + 4, encoding.big_endian);
	else if (encoding.explicit_vr)
		take_explicit(head, creators, element);
	else
	{
		element.length = u32(head + 4, encoding.big_endian);
		look_up_vr(creators, element);
	}

	/* Of unknown VR and undefined length: a sequence in implicit VR (PS3.5 6.2.2 note 4). */
	if (element.length == UNDEFINED_LENGTH && element.vr == find_vr('U', 'N') &&
		element.tag >> 16 != GROUP_OF_ITEMS)
	{
		element.vr = find_vr('S', 'Q');
		element.content = {false, false};
	}
	return !stopped();
}

/* VR and length as explicit VR has them, or as whatever stands there instead. */
void
DatasetReader::take_explicit(const unsigned char *head, const PrivateCreators &creators,
							 Element &element)
{
	auto is_letter = [](unsigned char c) { return c >= 'A' && c <= 'Z'; };
	auto is_filler = [](unsigned char c) { return c == '?' || c == '-' || c == ' '; };
	bool big_endian = element.content.big_endian;
	const Vr *known = find_vr((char) head[4], (char) head[5]);

	if (known != NULL)
		element.vr = known;

	/* A VR that is newer than this program has the long form (PS3.5 7.1.2). */
	if (known != NULL ? known->long_length : is_letter(head[4]) && is_letter(head[5]))
	{
		unsigned char length[4];

		read(length, sizeof(length));
		element.length = u32(length, big_endian);
	}
	else if (known != NULL || (is_filler(head[4]) && is_filler(head[5])))
		element.length = u16(head + 6, big_endian);
	else
	{
		/* Not a VR but a length: this element is implicit VR, where it may not be. */
		element.length = u32(head + 4, big_endian);
		element.content.explicit_vr = false;
		look_up_vr(creators, element);
	}
}

/* ---------- values ---------- */

bool
DatasetReader::read_value(const Element &element, std::string &value)
{
	value.resize(element.length);
	return read(&value[0], value.size());
}

bool
DatasetReader::skip_value(const Element &element)
{
	if (element.length == UNDEFINED_LENGTH)
		return skip_undefined(element);
	return skip(element.length);
}

/*
 * Skip a sequence, or fragments of bulk data, up to the delimiter.  Whatever
 * has a length is skipped whole, so only a count of what is open inside, not
 * a stack, is needed; the encoding is that of the outermost, but for implicit
 * VR that begins somewhere inside and lasts until that is closed.
 */
bool
DatasetReader::skip_undefined(const Element &element)
{
	uint64_t open = 1;
	uint64_t implicit_since = 0;
	Encoding encoding = element.content;
	Element inner;

	while (open > 0 && read_head(encoding, PrivateCreators(), inner))
	{
		if (inner.tag == TAG_ITEM_DELIMITATION || inner.tag == TAG_SEQUENCE_DELIMITATION)
		{
			open--;
			if (open < implicit_since)
			{
				implicit_since = 0;
				encoding = element.content;
			}
		}
		else if (inner.length != UNDEFINED_LENGTH)
			skip(inner.length);
		else
		{
			open++;
			if (encoding.explicit_vr && !inner.content.explicit_vr)
			{
				implicit_since = open;
				encoding = inner.content;
			}
		}
	}
	return !stopped();
}

} // namespace dicomgw
