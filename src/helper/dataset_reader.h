/*-------------------------------------------------------------------------
 *
 * dataset_reader.h
 *	  A dataset in a file, element by element.
 *
 * Reads heads (tag, VR, length) and values one after the other and skips what
 * is not wanted; keeps nothing.  It knows the encodings of PS3.5 7 and what
 * real objects make of them, but nothing of what the elements mean.
 *
 * DCMTK supplies the file and inflate streams, the transfer syntaxes and the
 * data dictionary.  A transfer syntax that it does not know is taken for
 * explicit VR little endian, which all but one ever made are; an element whose
 * VR is none is read as implicit VR, which settles the remaining one, and a
 * common mistake with it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_DATASET_READER_H
#define DGW_DATASET_READER_H

#include "dcmtk/config/osconfig.h"
#include "dcmtk/dcmdata/dcistrmf.h"

#include <cstdint>
#include <map>
#include <string>

#include "vr.h"

namespace dicomgw
{

constexpr uint32_t TAG_ITEM = 0xFFFEE000;
constexpr uint32_t TAG_ITEM_DELIMITATION = 0xFFFEE00D;
constexpr uint32_t TAG_SEQUENCE_DELIMITATION = 0xFFFEE0DD;
constexpr uint32_t UNDEFINED_LENGTH = 0xFFFFFFFF;

struct Encoding
{
	bool explicit_vr;
	bool big_endian;
};

/* Private creators of a dataset or item, by group and block. */
using PrivateCreators = std::map<uint32_t, std::string>;

struct Element
{
	uint32_t tag; /* group and element */
	uint32_t length;
	const Vr *vr;
	bool sign_undecided; /* the data dictionary says "US or SS" */
	Encoding content;	 /* of the items, if it is a sequence */
};

class DatasetReader
{
public:
	DatasetReader(const std::string &path, uint64_t offset, const std::string &transfer_syntax_uid);

	/* Of the dataset's elements. */
	Encoding encoding() const
	{
		return encoding_;
	}
	bool at_end()
	{
		return in_.eos();
	}
	uint64_t position() const
	{
		return position_;
	}

	/*
	 * All of these return false when the dataset can't be read any further;
	 * why() then says why.
	 */
	bool read_head(Encoding encoding, const PrivateCreators &creators, Element &element);
	bool read_value(const Element &element, std::string &value);
	bool skip_value(const Element &element);
	bool skip(uint64_t len);

	/* Not to be read any further, for a reason of the caller's. */
	void stop(const std::string &why);
	bool stopped() const
	{
		return !why_.empty();
	}
	const std::string &why() const
	{
		return why_;
	}

private:
	bool read(void *data, size_t len);
	void take_explicit(const unsigned char *head, const PrivateCreators &creators,
					   Element &element);
	bool skip_undefined(const Element &element);
	void stop_at_end();
	void check_limit(uint64_t len);

	DcmInputFileStream in_;
	Encoding encoding_;
	uint64_t position_ = 0;
	uint64_t limit_ = UINT64_MAX;
	uint32_t heads_ = 0;
	uint32_t current_tag_ = 0;
	bool in_head_ = false;
	std::string why_;
};

/* "(0028,0010)" */
extern std::string tag_text(uint32_t tag);

inline bool
is_private_creator(uint32_t tag)
{
	return (tag >> 16) % 2 != 0 && (tag & 0xFFFF) >= 0x0010 && (tag & 0xFFFF) <= 0x00FF;
}

} // namespace dicomgw

#endif /* DGW_DATASET_READER_H */
