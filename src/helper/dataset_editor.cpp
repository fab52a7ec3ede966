/*-------------------------------------------------------------------------
 *
 * dataset_editor.cpp
 *	  A stored dataset with the edits of a route (see dataset_editor.h).
 *
 *-------------------------------------------------------------------------
 */
#include "dataset_editor.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <set>

#include "character_set.h"
#include "dataset_reader.h"
#include "dataset_survey.h"
#include "edit_value.h"
#include "patched_file.h"

namespace dicomgw
{

namespace
{

constexpr uint64_t NO_END = UINT64_MAX;
constexpr uint64_t NOWHERE = UINT64_MAX;
constexpr uint32_t SPECIFIC_CHARACTER_SET = 0x00080005;
constexpr uint32_t LENGTH_TO_END = 0x00080001;
constexpr int MAX_DEPTH = 32;

/* Longest value that is looked at; dates, UIDs and what is known as harmless are shorter. */
constexpr uint32_t MAX_LOOKED_AT = 64 * 1024;
constexpr uint32_t MAX_SHORT_VALUE = 0xFFFE;
constexpr size_t HEAD_OF_ITEM = 8;
constexpr size_t LENGTH_SIZE = 4;
constexpr size_t LONG_HEAD = 12; /* explicit VR only */

/* A dataset or an item. */
struct Level
{
	EditPath path;
	uint64_t end = NO_END;
	Encoding encoding = {true, false};
	PrivateCreators creators;
	std::string charset;		  /* value of Specific Character Set, that of the parent if none */
	bool dummies = false;		  /* in a sequence whose values are all to be dummies */
	std::set<uint32_t> additions; /* that have not been passed */
	std::set<uint32_t> added;	  /* that have been written */
	uint64_t delimiter = NOWHERE; /* of an item of undefined length */
};

class Editor
{
public:
	Editor(const EditPlan &plan, const DatasetSource &source, TemporaryFile &file)
		: plan_(plan),
		  fd_(source.fd),
		  offset_(source.offset),
		  in_(descriptor_path(source.fd), source.offset, source.transfer_syntax_uid),
		  out_(file)
	{
	}

	Transcoded run(EditedDataset &edited);

private:
	struct Current
	{
		Element element;
		uint64_t start; /* of its head */
		std::string value;
		bool has_value = false; /* it has been read, or passed */
		Encoding encoding = {}; /* of its head */
	};

	void edit_level(Level &level);
	bool next_element(Level &level);
	bool starts_no_element(Level &level, const Current &current);
	void edit_element(Level &level, Current &current);
	EditDecision decide(Level &level, Current &current);
	void apply_rule(Level &level, Current &current, EditRule rule);
	void edit_sequence(Level &level, const Current &current, EditRule rule);
	void edit_items(Level &level, const Element &sequence, bool dummies);
	void edit_item(Level &level, const Element &sequence, const Element &item, uint64_t start,
				   bool dummies);
	void change_value(Level &level, Current &current, EditRule rule);
	void keep(Current &current);
	void pass(Current &current);
	bool look_at(Current &current);
	void add(Level &level, uint32_t before);

	const Vr *vr_of(const NewElement &given, const Current &current) const;
	std::string new_element(uint32_t tag, const Vr &vr, const NewElement &given, Encoding encoding,
							const std::string &charset);
	std::string head(uint32_t tag, const Vr &vr, size_t length, Encoding encoding);
	void write_value(const Level &level, const Current &current, const std::string &bytes);
	void copy(uint64_t from, uint64_t to);
	void put_length(uint64_t at, bool big_endian);
	void note_identity(const Level &level, uint32_t tag, const std::string &value);

	const EditPlan &plan_;
	int fd_;
	uint64_t offset_;
	DatasetReader in_;
	PatchedFile out_;
	std::string sop_instance_uid_;
};

std::string
number(uint64_t value, size_t size, bool big_endian)
{
	std::string bytes;

	for (size_t i = 0; i < size; i++)
		bytes += static_cast<char>(value >> 8 * (big_endian ? size - 1 - i : i));
	return bytes;
}

std::string
tag_bytes(uint32_t tag, bool big_endian)
{
	return number(tag >> 16, 2, big_endian) + number(tag & 0xFFFF, 2, big_endian);
}

bool
is_uid(const std::string &text)
{
	return !text.empty() && text.size() <= 64 &&
		   text.find_first_not_of("0123456789.") == std::string::npos;
}

Transcoded
Editor::run(EditedDataset &edited)
{
	Level dataset;

	dataset.encoding = in_.encoding();
	dataset.additions = plan_.additions(dataset.path);
	edit_level(dataset);
	if (in_.stopped())
	{
		edited.why = in_.why();
		return Transcoded::Impossible;
	}
	if (!out_.flush())
	{
		edited.why = std::string("could not write temporary file: ") + strerror(out_.error());
		return Transcoded::Later;
	}
	edited.sop_instance_uid = sop_instance_uid_;
	return Transcoded::Done;
}

/* ---------- elements ---------- */

void
Editor::edit_level(Level &level)
{
	while (next_element(level))
		;
	add(level, UINT32_MAX);
	if (level.delimiter != NOWHERE)
		copy(level.delimiter, level.delimiter + HEAD_OF_ITEM);
}

/* False at the end of the level, or when nothing more can be read. */
bool
Editor::next_element(Level &level)
{
	Current current;

	current.start = in_.position();
	if (in_.stopped() || out_.error() != 0 || current.start >= level.end ||
		(level.path.empty() && in_.at_end()) ||
		!in_.read_head(level.encoding, level.creators, current.element) ||
		starts_no_element(level, current))
		return false;

	const Element &element = current.element;

	/* An element in implicit VR where it may not be stays one; UN of undefined length is none. */
	current.encoding = level.encoding;
	current.encoding.explicit_vr &=
		element.content.explicit_vr || in_.position() - current.start == LONG_HEAD;
	if (level.end != NO_END && element.length != UNDEFINED_LENGTH &&
		in_.position() + element.length > level.end)
	{
		in_.stop("element " + tag_text(element.tag) + " is longer than what it is in");
		return false;
	}
	add(level, element.tag);
	if (level.added.count(element.tag) != 0)
	{
		in_.stop("its elements are not in ascending order");
		return false;
	}
	level.additions.erase(element.tag);
	/* Group lengths would be wrong after an edit; nobody needs them (PS3.5 7.2). */
	if ((element.tag & 0xFFFF) == 0 || element.tag == LENGTH_TO_END)
		pass(current);
	else
		edit_element(level, current);
	return !in_.stopped();
}

/* The delimiter of an item, or something that has no business there. */
bool
Editor::starts_no_element(Level &level, const Current &current)
{
	const uint32_t tag = current.element.tag;

	if (tag >> 16 != TAG_ITEM >> 16)
		return false;
	if (tag == TAG_ITEM_DELIMITATION && !level.path.empty() && level.delimiter == NOWHERE)
		level.delimiter = current.start;
	else
		in_.stop(tag_text(tag) + " where an element was due");
	return true;
}

void
Editor::edit_element(Level &level, Current &current)
{
	const EditDecision decision = decide(level, current);
	const uint32_t tag = current.element.tag;

	if (in_.stopped())
		return;
	if (decision.what == EditDecision::What::Absent)
		pass(current);
	else if (decision.what == EditDecision::What::Given)
	{
		pass(current);
		out_.put(new_element(tag, *vr_of(*decision.given, current), *decision.given,
							 current.encoding, level.charset));
		note_identity(level, tag, decision.given->value);
	}
	else
		apply_rule(level, current, decision.rule);
}

EditDecision
Editor::decide(Level &level, Current &current)
{
	const Element &element = current.element;
	EditedElement described = {element.tag, element.vr, ""};

	if (is_private_creator(element.tag))
	{
		if (look_at(current))
			described.creator = trimmed(current.value, false);
		level.creators[(element.tag >> 16) << 8 | (element.tag & 0xFF)] = described.creator;
	}
	else if ((element.tag >> 16) % 2 != 0)
	{
		auto found = level.creators.find(element.tag >> 8);

		if (found != level.creators.end())
			described.creator = found->second;
	}
	if (element.tag == SPECIFIC_CHARACTER_SET && look_at(current))
		level.charset = current.value;

	EditDecision decision = plan_.decide(level.path, described, true);

	if (level.dummies && decision.what == EditDecision::What::Raw &&
		element.tag != SPECIFIC_CHARACTER_SET && decision.rule.action != EditAction::Uid)
		decision.rule = {EditAction::Dummy, EditAction::Remove};
	return decision;
}

void
Editor::apply_rule(Level &level, Current &current, EditRule rule)
{
	if (current.element.vr->kind == VrKind::Sequence)
		edit_sequence(level, current, rule);
	else if (rule.action == EditAction::Keep)
		keep(current);
	else
		change_value(level, current, rule);
}

/* What can't be moved, or is not known to be clean, is treated as without that option. */
void
Editor::change_value(Level &level, Current &current, EditRule rule)
{
	const Vr &vr = *current.element.vr;
	const std::string &dummy = plan_.dummy(vr);
	std::string bytes;
	std::string why;
	bool done = look_at(current);

	switch (rule.action)
	{
		case EditAction::Uid:
			bytes = current.value;
			done = done && replace_uids(plan_, bytes);
			if (!done && !level.dummies)
				in_.stop("a UID in " + tag_text(current.element.tag) + " has no pseudonym");
			if (!done)
				bytes.clear();
			break;
		case EditAction::Shift:
			bytes = current.value;
			done = done && shift_dates(vr, plan_.days(), bytes);
			break;
		case EditAction::Clean:
			bytes = current.value;
			done = done && is_clean(plan_, vr, bytes, level.charset);
			break;
		case EditAction::Dummy:
			done = true;
			if (!encode_value(vr, dummy, level.charset, level.encoding.big_endian, bytes, why))
				in_.stop(why);
			break;
		case EditAction::Keep:
		case EditAction::Remove:
		case EditAction::Empty:
			done = true;
			break;
	}
	if (!done && (rule.action == EditAction::Shift || rule.action == EditAction::Clean))
	{
		if (rule.otherwise == EditAction::Remove)
			pass(current);
		else
			change_value(level, current, {rule.otherwise, EditAction::Remove});
	}
	else if (current.has_value && bytes == current.value)
		keep(current);
	else
		write_value(level, current, bytes);
}

void
Editor::write_value(const Level &level, const Current &current, const std::string &bytes)
{
	Current passed = current;

	pass(passed);
	out_.put(head(current.element.tag, *current.element.vr, bytes.size(), current.encoding) +
			 bytes);
	note_identity(level, current.element.tag, bytes);
}

/* ---------- sequences ---------- */

void
Editor::edit_sequence(Level &level, const Current &current, EditRule rule)
{
	EditAction action = rule.action;
	Current passed = current;

	if (action == EditAction::Shift || action == EditAction::Clean)
		action = rule.otherwise;
	if (action == EditAction::Remove)
		pass(passed);
	else if (action == EditAction::Empty)
		write_value(level, current, "");
	else
	{
		const Element &element = current.element;
		const bool bounded = element.length != UNDEFINED_LENGTH;

		copy(current.start, in_.position());
		const uint64_t content = out_.position();

		edit_items(level, element, level.dummies || action == EditAction::Dummy);
		if (bounded)
			put_length(content, level.encoding.big_endian);
	}
}

void
Editor::edit_items(Level &level, const Element &sequence, bool dummies)
{
	const bool bounded = sequence.length != UNDEFINED_LENGTH;
	const uint64_t end = bounded ? in_.position() + sequence.length : level.end;
	Element item;

	if (level.path.size() >= MAX_DEPTH)
		in_.stop("sequences are nested deeper than " + std::to_string(MAX_DEPTH));
	while (!in_.stopped() && out_.error() == 0 && in_.position() < end)
	{
		const uint64_t start = in_.position();

		if (!in_.read_head(sequence.content, level.creators, item))
			return;
		if (item.tag == TAG_SEQUENCE_DELIMITATION && !bounded)
		{
			copy(start, in_.position());
			return;
		}
		if (item.tag == TAG_ITEM)
			edit_item(level, sequence, item, start, dummies);
		else
			in_.stop("something else than an item in sequence " + tag_text(sequence.tag));
	}
	if (bounded && in_.position() > end)
		in_.stop("sequence " + tag_text(sequence.tag) + " is longer than it says");
}

void
Editor::edit_item(Level &parent, const Element &sequence, const Element &item, uint64_t start,
				  bool dummies)
{
	const bool bounded = item.length != UNDEFINED_LENGTH;
	Level level;

	copy(start, in_.position());
	const uint64_t content = out_.position();

	level.path = parent.path;
	level.path.push_back(sequence.tag);
	level.end = bounded ? in_.position() + item.length : NO_END;
	level.encoding = sequence.content;
	level.charset = parent.charset;
	level.dummies = dummies;
	level.additions = plan_.additions(level.path);
	edit_level(level);
	if (bounded && (in_.position() != level.end || level.delimiter != NOWHERE))
		in_.stop("an item is not as long as it says");
	else if (bounded)
		put_length(content, sequence.content.big_endian);
}

/* What has been written since is as long as the length before it has to say. */
void
Editor::put_length(uint64_t content, bool big_endian)
{
	const uint64_t length = out_.position() - content;

	if (length >= UNDEFINED_LENGTH)
		in_.stop("a sequence becomes too long");
	else
		out_.patch(content - LENGTH_SIZE, number(length, LENGTH_SIZE, big_endian));
}

/* ---------- input and output ---------- */

/* As it is. */
void
Editor::keep(Current &current)
{
	pass(current);
	copy(current.start, in_.position());
}

void
Editor::pass(Current &current)
{
	if (!current.has_value)
		in_.skip_value(current.element);
	current.has_value = true;
}

/* Read its value; false if it is too long for that. */
bool
Editor::look_at(Current &current)
{
	if (!current.has_value && current.element.length <= MAX_LOOKED_AT)
		current.has_value = in_.read_value(current.element, current.value);
	return current.has_value;
}

void
Editor::copy(uint64_t from, uint64_t to)
{
	if (!in_.stopped())
		out_.copy(fd_, offset_ + from, to - from);
}

/* Those of the elements to be added that come before this one. */
void
Editor::add(Level &level, uint32_t before)
{
	while (!in_.stopped() && !level.additions.empty() && *level.additions.begin() < before)
	{
		const uint32_t tag = *level.additions.begin();
		const EditDecision decision = plan_.decide(level.path, {tag, nullptr, ""}, false);

		level.additions.erase(tag);
		if (decision.what != EditDecision::What::Given)
			continue;
		out_.put(
			new_element(tag, *decision.given->vr, *decision.given, level.encoding, level.charset));
		level.added.insert(tag);
		note_identity(level, tag, decision.given->value);
	}
}

/* The VR that the dataset has is the right one where there are several, or a later edition. */
const Vr *
Editor::vr_of(const NewElement &given, const Current &current) const
{
	const Vr *own = current.element.vr;

	if (given.vr == nullptr)
		return own;
	if (given.vr->kind == VrKind::Sequence || own->kind == VrKind::Bulk ||
		own->kind == VrKind::Sequence)
		return given.vr;
	return own;
}

std::string
Editor::new_element(uint32_t tag, const Vr &vr, const NewElement &given, Encoding encoding,
					const std::string &charset)
{
	std::string bytes;
	std::string why;

	if (vr.kind != VrKind::Sequence || given.vr == nullptr)
	{
		if (!encode_value(vr, given.value, charset, encoding.big_endian, bytes, why))
			in_.stop(tag_text(tag) + ": " + why);
		return head(tag, vr, bytes.size(), encoding) + bytes;
	}
	for (const std::vector<NewElement> &item : given.items)
	{
		std::string content;

		for (const NewElement &element : item)
			content += new_element(element.tag, *element.vr, element, encoding, charset);
		bytes += tag_bytes(TAG_ITEM, encoding.big_endian) +
				 number(content.size(), LENGTH_SIZE, encoding.big_endian) + content;
	}
	return head(tag, vr, bytes.size(), encoding) + bytes;
}

std::string
Editor::head(uint32_t tag, const Vr &vr, size_t length, Encoding encoding)
{
	const bool big_endian = encoding.big_endian;
	std::string bytes = tag_bytes(tag, big_endian);

	if (!encoding.explicit_vr)
		return bytes + number(length, LENGTH_SIZE, big_endian);
	bytes += vr.name;
	if (vr.long_length)
		return bytes + std::string(2, '\0') + number(length, LENGTH_SIZE, big_endian);
	if (length > MAX_SHORT_VALUE)
		in_.stop("a value for " + tag_text(tag) + " is too long");
	return bytes + number(length, 2, big_endian);
}

/* The command set has to name the object as the dataset does. */
void
Editor::note_identity(const Level &level, uint32_t tag, const std::string &value)
{
	if (!level.path.empty() || tag != EDIT_SOP_INSTANCE_UID)
		return;
	sop_instance_uid_ = trimmed(value, true);
	if (!is_uid(sop_instance_uid_))
		in_.stop("the SOP Instance UID becomes something that is no UID");
}

} // namespace

Transcoded
edit_dataset(const EditPlan &plan, const DatasetSource &source, const std::string &directory,
			 TemporaryFile &file, EditedDataset &edited)
{
	edited = EditedDataset();
	try
	{
		const Survey found =
			survey_dataset(descriptor_path(source.fd), source.offset, source.transfer_syntax_uid);
		Transcoded result = Transcoded::Impossible;

		if (!found.error.empty())
			edited.why = "it is damaged: " + found.error;
		else if (!file.create(directory))
		{
			edited.why = std::string("could not create temporary file: ") + strerror(errno);
			result = Transcoded::Later;
		}
		else
			result = Editor(plan, source, file).run(edited);
		if (result != Transcoded::Done)
			file.close();
		return result;
	}
	catch (const std::bad_alloc &)
	{
		file.close();
		edited.why = "out of memory";
		return Transcoded::Later;
	}
}

} // namespace dicomgw
