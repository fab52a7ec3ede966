/*-------------------------------------------------------------------------
 *
 * edit_plan.cpp
 *	  What is to be changed in one object on its way out (see edit_plan.h).
 *
 *-------------------------------------------------------------------------
 */
#include "edit_plan.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include <jansson.h>

namespace dicomgw
{

namespace
{

constexpr size_t TAG_DIGITS = 8;
constexpr long MAX_DAYS = 36525;

/* Without these no object can be stored, nor its image read; keep_only need not name them. */
constexpr uint32_t essential[] = {0x00080005, 0x00080016, 0x00080018, 0x0020000D, 0x0020000E};
constexpr uint32_t IMAGE_PIXEL_GROUP = 0x0028;
constexpr uint32_t PIXEL_DATA_GROUP = 0x7FE0;

struct FreeJson
{
	void operator()(json_t *json) const
	{
		json_decref(json);
	}
};

bool
is_private(uint32_t tag)
{
	return (tag >> 16) % 2 != 0;
}

} // namespace

/* "00100010", "60xx3000", "0019xx10:SIEMENS CT VA0 COAD" */
bool
TagPattern::parse(const std::string &text)
{
	static const char digits[] = "0123456789ABCDEF";

	if (text.size() < TAG_DIGITS || (text.size() > TAG_DIGITS && text[TAG_DIGITS] != ':'))
		return false;
	value = mask = 0;
	for (size_t i = 0; i < TAG_DIGITS; i++)
	{
		const char *digit = text[i] == '\0' ? nullptr : strchr(digits, text[i]);

		if (digit == nullptr && text[i] != 'x')
			return false;
		value = value << 4 | (digit == nullptr ? 0 : static_cast<uint32_t>(digit - digits));
		mask = mask << 4 | (digit == nullptr ? 0 : 0xF);
	}
	creator = text.size() > TAG_DIGITS ? text.substr(TAG_DIGITS + 1) : std::string();
	return text.size() == TAG_DIGITS || !creator.empty();
}

/* ---------- from JSON ---------- */

class PlanParser
{
public:
	explicit PlanParser(EditPlan &plan)
		: plan_(plan)
	{
	}

	bool parse(json_t *root)
	{
		json_t *steps = json_object_get(root, "steps");
		json_t *days = json_object_get(root, "days");

		if (!json_is_array(steps) || (days != nullptr && !json_is_integer(days)) ||
			!uids(json_object_get(root, "uids")) || !dummies(json_object_get(root, "dummies")) ||
			!strings(json_object_get(root, "clean"), plan_.clean_))
			return false;
		plan_.days_ = days == nullptr ? 0 : static_cast<long>(json_integer_value(days));
		if (plan_.days_ < -MAX_DAYS || plan_.days_ > MAX_DAYS)
			return false;
		for (size_t i = 0; i < json_array_size(steps); i++)
		{
			plan_.steps_.emplace_back();
			if (!step(json_array_get(steps, i), plan_.steps_.back()))
				return false;
		}
		return true;
	}

private:
	static bool text(json_t *json, std::string &text)
	{
		if (!json_is_string(json))
			return false;
		text.assign(json_string_value(json), json_string_length(json));
		return true;
	}

	static bool strings(json_t *array, std::set<std::string> &set)
	{
		std::string item;

		for (size_t i = 0; i < json_array_size(array); i++)
		{
			if (!text(json_array_get(array, i), item))
				return false;
			set.insert(item);
		}
		return array == nullptr || json_is_array(array);
	}

	bool uids(json_t *object)
	{
		const char *key;
		json_t *value;
		std::string uid;

		json_object_foreach(object, key, value)
		{
			if (!text(value, uid))
				return false;
			plan_.uids_[key] = uid;
		}
		return object == nullptr || json_is_object(object);
	}

	bool dummies(json_t *object)
	{
		const char *key;
		json_t *value;

		json_object_foreach(object, key, value)
		{
			if (!text(value, plan_.dummies_[key]))
				return false;
		}
		return object == nullptr || json_is_object(object);
	}

	bool step(json_t *json, EditPlan::Step &step)
	{
		using Kind = EditPlan::Step::Kind;
		std::string what;

		if (!text(json_object_get(json, "do"), what))
			return false;
		if (what == "set")
		{
			step.kind = Kind::Set;
			return path(json_object_get(json, "path"), step) && set(json, step);
		}
		if (what == "remove")
		{
			step.kind = Kind::Remove;
			return path(json_object_get(json, "path"), step);
		}
		if (what == "keep_only")
		{
			step.kind = Kind::KeepOnly;
			return patterns(json_object_get(json, "tags"), step.kept);
		}
		if (what == "private")
		{
			json_t *keep = json_object_get(json, "keep");

			step.kind = Kind::Private;
			return json_is_array(keep) && strings(keep, step.creators);
		}
		step.kind = Kind::Rules;
		return what == "rules" && rules(json_object_get(json, "rules"), step);
	}

	static bool patterns(json_t *array, std::vector<TagPattern> &patterns)
	{
		std::string item;

		for (size_t i = 0; i < json_array_size(array); i++)
		{
			patterns.emplace_back();
			if (!text(json_array_get(array, i), item) || !patterns.back().parse(item))
				return false;
		}
		return json_is_array(array);
	}

	static bool path(json_t *array, EditPlan::Step &step)
	{
		std::vector<TagPattern> tags;
		std::string first;

		if (!json_is_array(array))
			return false;
		step.everywhere = text(json_array_get(array, 0), first) && first == "*";
		for (size_t i = step.everywhere ? 1 : 0; i < json_array_size(array); i++)
		{
			std::string item;

			tags.emplace_back();
			if (!text(json_array_get(array, i), item) || !tags.back().parse(item))
				return false;
		}
		if (tags.empty() || (step.everywhere && tags.size() > 1))
			return false;
		for (size_t i = 0; i + 1 < tags.size(); i++)
		{
			if (tags[i].mask != UINT32_MAX)
				return false;
			step.parents.push_back(tags[i].value);
		}
		step.tag = tags.back();
		return true;
	}

	/* An element that is to be added has to be one with a VR. */
	static bool set(json_t *json, EditPlan::Step &step)
	{
		step.replace = json_is_true(json_object_get(json, "replace"));
		step.element.tag = step.tag.value;
		return new_element(json, step.element) &&
			   (step.replace ||
				(step.tag.mask == UINT32_MAX && step.element.vr != nullptr && !step.everywhere));
	}

	static bool new_element(json_t *json, NewElement &element)
	{
		json_t *value = json_object_get(json, "value");
		std::string vr;

		if (text(json_object_get(json, "vr"), vr))
		{
			element.vr = vr.size() == 2 ? find_vr(vr[0], vr[1]) : nullptr;
			if (element.vr == nullptr || element.vr->kind == VrKind::Bulk)
				return false;
		}
		if (element.vr != nullptr && element.vr->kind == VrKind::Sequence)
			return json_is_array(value) && items(value, element);
		return value == nullptr || json_is_null(value) || text(value, element.value);
	}

	static bool items(json_t *array, NewElement &sequence)
	{
		for (size_t i = 0; i < json_array_size(array); i++)
		{
			json_t *item = json_array_get(array, i);
			const char *key;
			json_t *value;

			sequence.items.emplace_back();
			json_object_foreach(item, key, value)
			{
				NewElement element;
				TagPattern tag;

				if (!tag.parse(key) || tag.mask != UINT32_MAX || !new_element(value, element) ||
					element.vr == nullptr)
					return false;
				element.tag = tag.value;
				sequence.items.back().push_back(element);
			}
			auto &elements = sequence.items.back();

			std::sort(elements.begin(), elements.end(),
					  [](const NewElement &a, const NewElement &b) { return a.tag < b.tag; });
		}
		return true;
	}

	static bool action(const std::string &word, EditAction &action)
	{
		static const std::map<std::string, EditAction> actions = {
			{"keep", EditAction::Keep},	  {"remove", EditAction::Remove},
			{"empty", EditAction::Empty}, {"dummy", EditAction::Dummy},
			{"uid", EditAction::Uid},	  {"shift", EditAction::Shift},
			{"clean", EditAction::Clean}};
		auto found = actions.find(word);

		if (found == actions.end())
			return false;
		action = found->second;
		return true;
	}

	static bool rules(json_t *object, EditPlan::Step &step)
	{
		const char *key;
		json_t *value;

		json_object_foreach(object, key, value)
		{
			TagPattern tag;
			EditRule rule;
			std::string words;

			if (!text(value, words))
				return false;
			size_t colon = words.find(':');

			if (!action(words.substr(0, colon), rule.action) ||
				(colon != std::string::npos && !action(words.substr(colon + 1), rule.otherwise)))
				return false;
			if (strlen(key) == 2 && find_vr(key[0], key[1]) != nullptr)
				step.rules_by_vr[key] = rule;
			else if (!tag.parse(key))
				return false;
			else if (tag.mask == UINT32_MAX)
				step.rules[tag.value] = rule;
			else
				step.patterns.emplace_back(tag, rule);
		}
		return json_is_object(object);
	}

	EditPlan &plan_;
};

bool
EditPlan::parse(const char *json, size_t len)
{
	std::unique_ptr<json_t, FreeJson> root(
		json_loadb(json, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, nullptr));

	return root && PlanParser(*this).parse(root.get());
}

/* ---------- what happens to an element ---------- */

bool
EditPlan::is_meant(const Step &step, const EditPath &parents, const EditedElement &element)
{
	return step.tag.matches(element.tag, element.creator) &&
		   (step.everywhere || step.parents == parents);
}

bool
EditPlan::is_kept(const Step &step, uint32_t tag)
{
	return std::find(std::begin(essential), std::end(essential), tag) != std::end(essential) ||
		   tag >> 16 == IMAGE_PIXEL_GROUP || tag >> 16 == PIXEL_DATA_GROUP ||
		   std::any_of(step.kept.begin(), step.kept.end(),
					   [tag](const TagPattern &kept) { return kept.matches(tag, ""); });
}

EditRule
EditPlan::find_rule(const Step &step, const EditedElement &element)
{
	auto exact = step.rules.find(element.tag);

	if (exact != step.rules.end())
		return exact->second;
	for (const auto &pattern : step.patterns)
		if (pattern.first.matches(element.tag, element.creator))
			return pattern.second;
	auto by_vr = step.rules_by_vr.find(element.vr == nullptr ? "" : element.vr->name);

	if (by_vr != step.rules_by_vr.end() && !is_private(element.tag))
		return by_vr->second;
	return EditRule();
}

/* A value that an earlier step has given, or changed, has no pseudonym, and no date to move. */
void
EditPlan::apply_rule(const EditRule &rule, EditDecision &decision)
{
	const bool changed =
		decision.what == EditDecision::What::Given || decision.rule.action != EditAction::Keep;
	EditAction action = rule.action;

	if (changed && (action == EditAction::Shift || action == EditAction::Clean))
		action = rule.otherwise;
	if (action == EditAction::Keep || (changed && action == EditAction::Uid))
		return;
	if (action == EditAction::Remove)
		decision.what = EditDecision::What::Absent;
	else
	{
		decision.what = EditDecision::What::Raw;
		decision.rule = {action, rule.otherwise};
	}
}

void
EditPlan::apply(const Step &step, const EditPath &parents, const EditedElement &element,
				EditDecision &decision)
{
	using What = EditDecision::What;

	switch (step.kind)
	{
		case Step::Kind::Set:
			if (is_meant(step, parents, element) &&
				(!step.replace || decision.what != What::Absent))
				decision = {What::Given, EditRule(), &step.element};
			break;
		case Step::Kind::Remove:
			if (is_meant(step, parents, element))
				decision = EditDecision();
			break;
		case Step::Kind::KeepOnly:
			if (parents.empty() && !is_kept(step, element.tag))
				decision = EditDecision();
			break;
		case Step::Kind::Private:
			if (is_private(element.tag) && step.creators.count(element.creator) == 0)
				decision = EditDecision();
			break;
		case Step::Kind::Rules:
			if (decision.what != What::Absent)
				apply_rule(find_rule(step, element), decision);
			break;
	}
}

EditDecision
EditPlan::decide(const EditPath &parents, const EditedElement &element, bool present) const
{
	EditDecision decision;

	if (present)
		decision.what = EditDecision::What::Raw;
	for (const Step &step : steps_)
		apply(step, parents, element, decision);
	return decision;
}

std::set<uint32_t>
EditPlan::additions(const EditPath &parents) const
{
	std::set<uint32_t> tags;

	for (const Step &step : steps_)
		if (step.kind == Step::Kind::Set && !step.replace && step.parents == parents)
			tags.insert(step.tag.value);
	return tags;
}

const std::string *
EditPlan::pseudonym(const std::string &uid) const
{
	auto found = uids_.find(uid);

	return found == uids_.end() ? nullptr : &found->second;
}

const std::string &
EditPlan::dummy(const Vr &vr) const
{
	static const std::string none;
	auto found = dummies_.find(vr.name);

	return found == dummies_.end() ? none : found->second;
}

} // namespace dicomgw
