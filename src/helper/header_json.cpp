/*-------------------------------------------------------------------------
 *
 * header_json.cpp
 *	  The header of a stored object as DICOM JSON (see header_json.h).
 *
 * HeaderWriter goes through a dataset recursively: a level is the dataset
 * itself or one item of a sequence.  Where the encoding allows it to go on
 * after a mistake (the length of what encloses it is known), it does;
 * otherwise it stops, and what has been written so far is the header.
 *
 *-------------------------------------------------------------------------
 */
#include "header_json.h"

#include <algorithm>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

#include "dataset_reader.h"
#include "json_value.h"

namespace dicomgw
{

constexpr uint64_t NO_END = UINT64_MAX;
constexpr uint32_t SPECIFIC_CHARACTER_SET = 0x00080005;
constexpr uint32_t SOP_CLASS_UID = 0x00080016;
constexpr uint32_t SOP_INSTANCE_UID = 0x00080018;
constexpr uint32_t PIXEL_REPRESENTATION = 0x00280103;
constexpr uint32_t FLOAT_PIXEL_DATA = 0x7FE00008;
constexpr uint32_t PIXEL_DATA = 0x7FE00010;
constexpr uint32_t DATA_SET_TRAILING_PADDING = 0xFFFCFFFC;

/* Kept free below the limit of the JSON, so that what is open can be closed. */
constexpr size_t JSON_RESERVE = 4096;

/* How many tags are named for one kind of problem. */
constexpr size_t MAX_TAGS_NAMED = 8;

/* ---------- what was wrong ---------- */

/* Elements that have the same thing wrong with them. */
class TagList
{
public:
	void add(uint32_t tag)
	{
		if (tags_.size() < MAX_TAGS_NAMED &&
			std::find(tags_.begin(), tags_.end(), tag) == tags_.end())
			tags_.push_back(tag);
		count_++;
	}

	/* "2 elements <what>: (0018,0050), (0018,9306)" */
	void describe(const char *what, std::string &text) const
	{
		const char *separator = ": ";

		if (count_ == 0)
			return;
		if (!text.empty())
			text += "; ";
		text += std::to_string(count_) + (count_ == 1 ? " element " : " elements ") + what;
		for (uint32_t tag : tags_)
		{
			text += separator + tag_text(tag);
			separator = ", ";
		}
		if (tags_.size() == MAX_TAGS_NAMED && count_ > MAX_TAGS_NAMED)
			text += ", ...";
	}

private:
	std::vector<uint32_t> tags_;
	uint64_t count_ = 0;
};

struct Problems
{
	TagList altered;
	TagList too_deep;
	TagList left_out;
	TagList overlong;
	TagList not_items;
	TagList duplicates;

	std::string text(const std::string &stop_reason) const
	{
		std::string text = stop_reason;

		altered.describe("with values that could not be converted whole", text);
		overlong.describe("longer than what encloses them", text);
		not_items.describe("with something in them that is not an item", text);
		duplicates.describe("repeated, of which the first is kept", text);
		too_deep.describe("nested too deep and left out", text);
		left_out.describe("left out because the header is too long", text);
		return text;
	}
};

/* ---------- the walk ---------- */

/* The dataset, or one item. */
struct Level
{
	int depth;
	uint64_t end; /* position of its end, NO_END if there is none but a delimiter */
	Encoding encoding;
	std::shared_ptr<CharacterSet> charset;
	bool signed_pixels;
	PrivateCreators creators;

	/* The elements written, and where in the JSON each begins. */
	std::vector<std::pair<uint32_t, size_t>> written;
};

class HeaderWriter
{
public:
	explicit HeaderWriter(DatasetReader &in)
		: in_(in)
	{
	}
	HeaderJson write();

private:
	void write_level(Level &level);
	bool next_element(Level &level);
	void write_leaf(Level &level, Element &element);
	void write_sequence(Level &level, const Element &element);
	bool next_item(const Level &parent, const Element &sequence, uint64_t end);
	void note(Level &level, const Element &element);
	void begin(Level &level, const Element &element);
	void take_back(Level &level);
	void put_in_order(Level &level, size_t start);
	void skip_to(uint64_t end);

	bool full() const
	{
		return json_.size() > MAX_HEADER_JSON - JSON_RESERVE;
	}

	DatasetReader &in_;
	bool sequence_ended_ = false; /* its delimiter came where an item's was due */
	std::string value_;
	std::string json_;
	std::string sop_class_uid_;
	std::string sop_instance_uid_;
	Problems problems_;
};

HeaderJson
HeaderWriter::write()
{
	Level dataset = {};
	HeaderJson header;

	dataset.end = NO_END;
	dataset.encoding = in_.encoding();
	dataset.charset = CharacterSet::of("");
	write_level(dataset);
	header.error = problems_.text(in_.why());
	if (!dataset.written.empty() || header.error.empty())
		header.json = std::move(json_);
	header.sop_class_uid = std::move(sop_class_uid_);
	header.sop_instance_uid = std::move(sop_instance_uid_);
	return header;
}

/* All of one level, as a JSON object. */
void
HeaderWriter::write_level(Level &level)
{
	size_t start = json_.size();

	json_.push_back('{');
	while (next_element(level))
		;
	put_in_order(level, start + 1);
	if (json_.back() == ',')
		json_.pop_back();
	json_.push_back('}');
}

/* False at the end of the level, or when nothing more can be read. */
bool
HeaderWriter::next_element(Level &level)
{
	Element element;

	if (in_.stopped() || in_.position() >= level.end || (level.depth == 0 && in_.at_end()) ||
		!in_.read_head(level.encoding, level.creators, element))
		return false;
	if (level.depth > 0 &&
		(element.tag == TAG_ITEM_DELIMITATION || element.tag == TAG_SEQUENCE_DELIMITATION))
	{
		sequence_ended_ = element.tag == TAG_SEQUENCE_DELIMITATION;
		return false;
	}
	if (level.depth == 0 && element.tag >= FLOAT_PIXEL_DATA && element.tag <= PIXEL_DATA)
		return false;
	if (element.length != UNDEFINED_LENGTH && level.end != NO_END &&
		in_.position() + element.length > level.end)
	{
		problems_.overlong.add(element.tag);
		skip_to(level.end);
		return false;
	}

	if ((element.tag & 0xFFFF) == 0 || element.tag >> 16 == 0xFFFE ||
		element.tag == DATA_SET_TRAILING_PADDING)
		in_.skip_value(element);
	else if (element.vr->kind == VrKind::Sequence)
		write_sequence(level, element);
	else
		write_leaf(level, element);
	return true;
}

/* Leave what is left of something whose end is known. */
void
HeaderWriter::skip_to(uint64_t end)
{
	if (in_.position() < end)
		in_.skip(end - in_.position());
}

/* An element that is no sequence. */
void
HeaderWriter::write_leaf(Level &level, Element &element)
{
	if (element.sign_undecided && level.signed_pixels)
		element.vr = find_vr('S', 'S');
	begin(level, element);
	if (element.vr->kind == VrKind::Bulk || element.length > MAX_ELEMENT)
		in_.skip_value(element);
	else if (in_.read_value(element, value_))
	{
		size_t before = json_.size();

		note(level, element);
		ValueResult result =
			append_value(json_, *element.vr, value_, level.encoding.big_endian, *level.charset);

		if (result == ValueResult::Altered)
			problems_.altered.add(element.tag);
		if (result == ValueResult::TooLong)
			json_.resize(before);
	}
	json_ += "},";

	if (in_.stopped())
		take_back(level);
	else if (full())
	{
		problems_.left_out.add(element.tag);
		take_back(level);
	}
}

/* Remember what decides how the elements after this one are read, and what object this is. */
void
HeaderWriter::note(Level &level, const Element &element)
{
	if (level.depth == 0 && element.tag == SOP_CLASS_UID && sop_class_uid_.empty())
		sop_class_uid_ = trimmed(value_, false);
	else if (level.depth == 0 && element.tag == SOP_INSTANCE_UID && sop_instance_uid_.empty())
		sop_instance_uid_ = trimmed(value_, false);
	else if (element.tag == SPECIFIC_CHARACTER_SET)
	{
		level.charset = CharacterSet::of(value_);
		/* The JSON is in UTF-8, and says so (PS3.18 F.2). */
		value_ = "ISO_IR 192";
	}
	else if (element.tag == PIXEL_REPRESENTATION && value_.size() == 2)
		level.signed_pixels = value_[0] == 1 || value_[1] == 1;
	else if (is_private_creator(element.tag))
	{
		level.creators[(element.tag >> 16) << 8 | (element.tag & 0xFF)] = trimmed(value_, false);
	}
}

/* ---------- sequences ---------- */

void
HeaderWriter::write_sequence(Level &level, const Element &element)
{
	uint64_t end = element.length == UNDEFINED_LENGTH ? level.end : in_.position() + element.length;

	if (level.depth >= MAX_SEQUENCE_DEPTH || full())
	{
		(full() ? problems_.left_out : problems_.too_deep).add(element.tag);
		in_.skip_value(element);
		return;
	}

	begin(level, element);
	size_t before = json_.size();

	json_ += ",\"Value\":[";
	sequence_ended_ = false;
	while (next_item(level, element, end))
		;
	sequence_ended_ = false;
	if (json_.back() == ',')
		json_.back() = ']';
	else
		json_.resize(before);
	json_ += "},";
	if (element.length != UNDEFINED_LENGTH)
		skip_to(end);
}

/* False at the end of the sequence, or when nothing more can be read. */
bool
HeaderWriter::next_item(const Level &parent, const Element &sequence, uint64_t end)
{
	Element item;

	if (in_.stopped() || sequence_ended_ || in_.position() >= end ||
		!in_.read_head(sequence.content, parent.creators, item) ||
		item.tag == TAG_SEQUENCE_DELIMITATION)
		return false;
	if (item.tag != TAG_ITEM)
	{
		problems_.not_items.add(sequence.tag);
		/* Where the sequence ends is known, or else nobody knows what follows. */
		if (end == NO_END)
			in_.stop("sequence " + tag_text(sequence.tag) + " has no end");
		return false;
	}
	if (full())
	{
		problems_.left_out.add(sequence.tag);
		return in_.skip_value(item);
	}

	Level level = {};

	level.depth = parent.depth + 1;
	level.end = end;
	if (item.length != UNDEFINED_LENGTH)
		level.end = std::min(end, in_.position() + item.length);
	level.encoding = sequence.content;
	level.charset = parent.charset;
	level.signed_pixels = parent.signed_pixels;
	write_level(level);
	json_.push_back(',');
	if (item.length != UNDEFINED_LENGTH)
		skip_to(level.end);
	return true;
}

/* ---------- JSON ---------- */

void
HeaderWriter::begin(Level &level, const Element &element)
{
	static const char digits[] = "0123456789ABCDEF";

	level.written.emplace_back(element.tag, json_.size());
	json_ += '"';
	for (int shift = 28; shift >= 0; shift -= 4)
		json_ += digits[element.tag >> shift & 0xF];
	json_ += "\":{\"vr\":\"";
	json_ += element.vr->name;
	json_ += '"';
}

/* The element written last is not to be there. */
void
HeaderWriter::take_back(Level &level)
{
	json_.resize(level.written.back().second);
	level.written.pop_back();
}

/*
 * Elements have to ascend in a dataset, and nearly always do.  Where they
 * don't, put them in order, and keep the first of those that are repeated.
 * What is written since start is text of one element after the other, each
 * with a comma behind it.
 */
void
HeaderWriter::put_in_order(Level &level, size_t start)
{
	using Written = std::pair<uint32_t, size_t>;
	auto not_ascending = [](const Written &a, const Written &b) { return a.first >= b.first; };
	auto &written = level.written;

	if (std::adjacent_find(written.begin(), written.end(), not_ascending) == written.end())
		return;

	struct Piece
	{
		uint32_t tag;
		size_t begin;
		size_t end;
	};
	std::vector<Piece> pieces;
	std::string ordered;

	for (size_t i = 0; i < written.size(); i++)
		pieces.push_back({written[i].first, written[i].second,
						  i + 1 < written.size() ? written[i + 1].second : json_.size()});
	std::stable_sort(pieces.begin(), pieces.end(),
					 [](const Piece &a, const Piece &b) { return a.tag < b.tag; });
	for (size_t i = 0; i < pieces.size(); i++)
	{
		if (i > 0 && pieces[i].tag == pieces[i - 1].tag)
			problems_.duplicates.add(pieces[i].tag);
		else
			ordered.append(json_, pieces[i].begin, pieces[i].end - pieces[i].begin);
	}
	json_.replace(start, std::string::npos, ordered);
}

HeaderJson
read_header(const std::string &path, uint64_t dataset_offset,
			const std::string &transfer_syntax_uid)
{
	try
	{
		DatasetReader in(path, dataset_offset, transfer_syntax_uid);

		return HeaderWriter(in).write();
	}
	catch (const std::exception &)
	{
		/* Memory is all that can run out. */
		HeaderJson nothing;

		nothing.error = "out of memory while reading the header";
		return nothing;
	}
}

} // namespace dicomgw
