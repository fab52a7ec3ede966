/*-------------------------------------------------------------------------
 *
 * edit_plan.h
 *	  What is to be changed in one object on its way out.
 *
 * The database evaluates all that needs it (expressions, pseudonyms, the rules
 * of a profile) and says what is left to do as JSON (sql/edit_plan.sql), which
 * comes with the job:
 *
 *		{"uids": {"1.2.3": "2.25.4"}, "days": -17, "clean": ["CHEST PA"],
 *		 "dummies": {"LO": "REMOVED"},
 *		 "steps": [{"do": "set", "path": ["00100010"], "vr": "PN", "value": "A^B"},
 *				   {"do": "set", "path": ["00120064"], "vr": "SQ", "replace": true,
 *					"value": [{"00080100": {"vr": "SH", "value": "113100"}}]},
 *				   {"do": "remove", "path": ["*", "00102160"]},
 *				   {"do": "keep_only", "tags": ["00100010", "0028xxxx"]},
 *				   {"do": "private", "keep": ["SIEMENS CT VA0 COAD"]},
 *				   {"do": "rules", "rules": {"00080050": "empty", "00080022": "shift:empty",
 *											 "60xx3000": "remove", "DA": "dummy"}}]}
 *
 * The steps take effect one after the other, though the dataset is read only
 * once: for each element all of them are gone through, and what comes out is
 * what happens to it.  A path is that of an attribute; with "*" before it, it
 * is meant wherever it is.  Rules hold at every depth.
 *
 * Anything that is not understood makes the plan void: an object is edited as
 * it was meant or not sent.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_EDIT_PLAN_H
#define DGW_EDIT_PLAN_H

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "vr.h"

namespace dicomgw
{

constexpr uint32_t EDIT_SOP_INSTANCE_UID = 0x00080018;

/* Tags with any digits in some places, or a private element by its creator ("0019xx10:..."). */
struct TagPattern
{
	uint32_t value = 0;
	uint32_t mask = 0;
	std::string creator;

	bool parse(const std::string &text);
	bool matches(uint32_t tag, const std::string &its_creator) const
	{
		return (tag & mask) == value && (creator.empty() || creator == its_creator);
	}
};

enum class EditAction
{
	Keep,
	Remove,
	Empty,
	Dummy,
	Uid,   /* replaced by its pseudonym */
	Shift, /* a date: moved by the plan's days */
	Clean  /* a text: kept if the plan knows it as harmless */
};

struct EditRule
{
	EditAction action = EditAction::Keep;
	EditAction otherwise = EditAction::Remove; /* of Shift and Clean, where they can't */
};

/* An element that is written anew; the value in UTF-8, several of them parted by backslashes. */
struct NewElement
{
	uint32_t tag = 0;
	const Vr *vr = nullptr; /* nullptr: that which it has in the dataset */
	std::string value;
	std::vector<std::vector<NewElement>> items; /* of a sequence */
};

/* Where an element stands: the tags of the sequences that it is in. */
using EditPath = std::vector<uint32_t>;

struct EditedElement
{
	uint32_t tag;
	const Vr *vr;
	std::string creator; /* of a private element or creator element; empty: unknown */
};

/* What happens to an element. */
struct EditDecision
{
	enum class What
	{
		Absent, /* it is not there, or not any more */
		Raw,	/* it stays, its value by the rule */
		Given	/* it is written anew */
	};

	What what = What::Absent;
	EditRule rule;
	const NewElement *given = nullptr;
};

class EditPlan
{
public:
	/* False: not a plan. */
	bool parse(const char *json, size_t len);

	/* For an element of the dataset, or with present false for one that is not in it. */
	EditDecision decide(const EditPath &parents, const EditedElement &element, bool present) const;

	/* Which elements may have to be added beside those that are there, in ascending order. */
	std::set<uint32_t> additions(const EditPath &parents) const;

	/* NULL: no pseudonym for it. */
	const std::string *pseudonym(const std::string &uid) const;
	const std::string &dummy(const Vr &vr) const;
	bool is_harmless(const std::string &text) const
	{
		return clean_.count(text) != 0;
	}
	long days() const
	{
		return days_;
	}

private:
	struct Step
	{
		enum class Kind
		{
			Set,
			Remove,
			KeepOnly,
			Private,
			Rules
		};

		Kind kind = Kind::Rules;
		EditPath parents; /* of Set and Remove */
		TagPattern tag;
		bool everywhere = false;
		bool replace = false;
		NewElement element;
		std::vector<TagPattern> kept;	/* of KeepOnly */
		std::set<std::string> creators; /* of Private: those kept */
		std::unordered_map<uint32_t, EditRule> rules;
		std::vector<std::pair<TagPattern, EditRule>> patterns;
		std::map<std::string, EditRule> rules_by_vr;
	};

	friend class PlanParser;

	static bool is_meant(const Step &step, const EditPath &parents, const EditedElement &element);
	static bool is_kept(const Step &step, uint32_t tag);
	static EditRule find_rule(const Step &step, const EditedElement &element);
	static void apply_rule(const EditRule &rule, EditDecision &decision);
	static void apply(const Step &step, const EditPath &parents, const EditedElement &element,
					  EditDecision &decision);

	std::vector<Step> steps_;
	std::unordered_map<std::string, std::string> uids_;
	std::set<std::string> clean_;
	std::map<std::string, std::string> dummies_;
	long days_ = 0;
};

} // namespace dicomgw

#endif /* DGW_EDIT_PLAN_H */
