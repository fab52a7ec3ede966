/*-------------------------------------------------------------------------
 *
 * dataset_survey.cpp
 *	  Is a stored dataset sound enough to be given to DCMTK?
 *	  (see dataset_survey.h)
 *
 *-------------------------------------------------------------------------
 */
#include "dataset_survey.h"

#include <algorithm>

#include "dataset_reader.h"

namespace dicomgw
{

namespace
{

/* Real objects have half a dozen; each costs DCMTK's parser stack. */
constexpr int MAX_DEPTH = 64;

class Surveyor
{
public:
	Surveyor(const std::string &path, uint64_t offset, const std::string &transfer_syntax_uid)
		: reader_(path, offset, transfer_syntax_uid)
	{
	}

	Survey run()
	{
		const Encoding encoding = reader_.encoding();
		Element element;

		while (!reader_.stopped() && !reader_.at_end())
		{
			if (reader_.read_head(encoding, PrivateCreators(), element))
				look_at(element, 1);
		}
		survey_.error = reader_.why();
		return survey_;
	}

private:
	void look_at(const Element &element, int depth);
	void sequence(const Element &element, int depth);
	void item(const Element &item, Encoding encoding, int depth);
	void fragments(const Element &element);

	DatasetReader reader_;
	Survey survey_;
};

/* A value, whose head has just been read. */
void
Surveyor::look_at(const Element &element, int depth)
{
	if (depth > MAX_DEPTH)
		reader_.stop("sequences are nested deeper than " + std::to_string(MAX_DEPTH));
	else if (element.vr == find_vr('S', 'Q'))
		sequence(element, depth);
	else if (element.length == UNDEFINED_LENGTH)
		fragments(element);
	else
	{
		survey_.longest = std::max(survey_.longest, element.length);
		reader_.skip(element.length);
	}
}

void
Surveyor::sequence(const Element &element, int depth)
{
	const bool bounded = element.length != UNDEFINED_LENGTH;
	const uint64_t end = reader_.position() + element.length;
	Element head;

	while (!reader_.stopped() && !(bounded && reader_.position() >= end))
	{
		if (!reader_.read_head(element.content, PrivateCreators(), head))
			return;
		if (head.tag == TAG_SEQUENCE_DELIMITATION && !bounded)
			return;
		if (head.tag == TAG_ITEM)
			item(head, element.content, depth);
		else
			reader_.stop("something else than an item in sequence " + tag_text(element.tag));
	}
	if (bounded && reader_.position() > end)
		reader_.stop("sequence " + tag_text(element.tag) + " is longer than it says");
}

void
Surveyor::item(const Element &item, Encoding encoding, int depth)
{
	const bool bounded = item.length != UNDEFINED_LENGTH;
	const uint64_t end = reader_.position() + item.length;
	Element element;

	while (!reader_.stopped() && !(bounded && reader_.position() >= end))
	{
		if (!reader_.read_head(encoding, PrivateCreators(), element))
			return;
		if (element.tag == TAG_ITEM_DELIMITATION && !bounded)
			return;
		look_at(element, depth + 1);
	}
	if (bounded && reader_.position() > end)
		reader_.stop("an item is longer than it says");
}

/* Pixel data: items that are bytes. */
void
Surveyor::fragments(const Element &element)
{
	Element head;

	survey_.encapsulated = true;
	while (reader_.read_head(element.content, PrivateCreators(), head))
	{
		if (head.tag == TAG_SEQUENCE_DELIMITATION)
			return;
		if (head.tag == TAG_ITEM && head.length != UNDEFINED_LENGTH)
		{
			survey_.longest = std::max(survey_.longest, head.length);
			reader_.skip(head.length);
		}
		else
			reader_.stop("something else than a fragment in " + tag_text(element.tag));
	}
}

} // namespace

Survey
survey_dataset(const std::string &path, uint64_t offset, const std::string &transfer_syntax_uid)
{
	return Surveyor(path, offset, transfer_syntax_uid).run();
}

} // namespace dicomgw
