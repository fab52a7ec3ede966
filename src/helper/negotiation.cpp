/*-------------------------------------------------------------------------
 *
 * negotiation.cpp
 *	  What dicomgw-scp accepts of an A-ASSOCIATE-RQ (see negotiation.h).
 *
 *-------------------------------------------------------------------------
 */
#include "negotiation.h"

#include "dcmtk/dcmdata/dcuid.h"
#include "dcmtk/dcmnet/dul.h"
#include "dcmtk/dcmnet/lst.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <vector>

namespace dicomgw
{

constexpr size_t MAX_UID = 64;
constexpr char DICOM_ROOT[] = "1.2.840.10008.";

/* Under it DICOM has put every storage SOP class of its own for decades. */
constexpr char STORAGE_ROOT[] = "1.2.840.10008.5.1.4.1.1.";

/* Storage elsewhere under DICOM's root that dcmIsaStorageSOPClassUID() does not name. */
static const char *const other_storage[] = {
	"1.2.840.10008.1.3.10",		/* Media Storage Directory: no image, but a file that people send */
	"1.2.840.10008.5.1.1.27",	/* Stored Print, retired */
	"1.2.840.10008.5.1.1.29",	/* Hardcopy Grayscale Image, retired */
	"1.2.840.10008.5.1.1.30",	/* Hardcopy Color Image, retired */
	"1.2.840.10008.5.1.4.34.1", /* RT Beams Delivery Instruction, draft */
	"1.2.840.10008.5.1.4.34.7", /* RT Beams Delivery Instruction */
	"1.2.840.10008.5.1.4.34.10", /* RT Brachy Application Setup Delivery Instruction */
	"1.2.840.10008.5.1.4.38.1",	 /* Hanging Protocol */
	"1.2.840.10008.5.1.4.39.1",	 /* Color Palette */
	"1.2.840.10008.5.1.4.43.1",	 /* Generic Implant Template */
	"1.2.840.10008.5.1.4.44.1",	 /* Implant Assembly Template */
	"1.2.840.10008.5.1.4.45.1",	 /* Implant Template Group */
};

bool
is_uid(const std::string &text)
{
	return !text.empty() && text.size() <= MAX_UID &&
		   text.find_first_not_of("0123456789.") == std::string::npos;
}

static bool
starts_with(const std::string &text, const char *prefix)
{
	return text.rfind(prefix, 0) == 0;
}

/* Whatever is not DICOM's own is taken for a private storage SOP class. */
static bool
is_storage(const std::string &sop_class_uid)
{
	return !starts_with(sop_class_uid, DICOM_ROOT) || starts_with(sop_class_uid, STORAGE_ROOT) ||
		   dcmIsaStorageSOPClassUID(sop_class_uid.c_str(), ESSC_All) ||
		   std::find(std::begin(other_storage), std::end(other_storage), sop_class_uid) !=
			   std::end(other_storage);
}

/*
 * The UIDs among the proposed transfer syntaxes.  The list is walked here
 * because ASC_getPresentationContext() copies it into an array of 50.
 */
static std::vector<std::string>
proposed_transfer_syntaxes(DUL_PRESENTATIONCONTEXT *context)
{
	LST_HEAD **list = &context->proposedTransferSyntax;
	std::vector<std::string> proposed;

	if (*list == NULL)
		return proposed;

	LST_NODE *node = LST_Head(list);

	(void) LST_Position(list, node);
	for (; node != NULL; node = LST_Next(list))
	{
		std::string uid = reinterpret_cast<DUL_TRANSFERSYNTAX *>(node)->transferSyntax;

		if (is_uid(uid))
			proposed.push_back(uid);
	}
	return proposed;
}

/* The first of the preferred ones, else the sender's first; empty if there is none. */
static std::string
choose(const std::vector<std::string> &proposed, const std::vector<std::string> &preferred)
{
	for (const std::string &uid : preferred)
	{
		if (std::find(proposed.begin(), proposed.end(), uid) != proposed.end())
			return uid;
	}
	return proposed.empty() ? std::string() : proposed.front();
}

/*
 * Copies of the proposals: accepting or refusing one moves DCMTK's own
 * position in its list.
 */
static std::vector<DUL_PRESENTATIONCONTEXT>
proposals(T_ASC_Parameters *params)
{
	LST_HEAD **list = &params->DULparams.requestedPresentationContext;
	std::vector<DUL_PRESENTATIONCONTEXT> proposed;

	if (*list == NULL)
		return proposed;

	LST_NODE *node = LST_Head(list);

	(void) LST_Position(list, node);
	for (; node != NULL; node = LST_Next(list))
		proposed.push_back(*reinterpret_cast<DUL_PRESENTATIONCONTEXT *>(node));
	return proposed;
}

bool
context_ids_are_valid(T_ASC_Parameters *params)
{
	std::set<unsigned> seen;

	for (const DUL_PRESENTATIONCONTEXT &context : proposals(params))
	{
		if (context.presentationContextID % 2 == 0 ||
			!seen.insert(context.presentationContextID).second)
			return false;
	}
	return true;
}

/* What is wrong with a proposal, apart from its transfer syntaxes. */
static T_ASC_P_ResultReason
judge(const DUL_PRESENTATIONCONTEXT &context, const Permissions &permissions)
{
	std::string sop_class_uid = context.abstractSyntax;
	bool verification = sop_class_uid == UID_VerificationSOPClass;

	if (!is_uid(sop_class_uid) || (!verification && !is_storage(sop_class_uid)))
		return ASC_P_ABSTRACTSYNTAXNOTSUPPORTED;
	if (!(verification ? permissions.may_echo : permissions.may_store))
		return ASC_P_USERREJECTION;
	if (context.proposedSCRole == DUL_SC_ROLE_SCP || context.proposedSCRole == DUL_SC_ROLE_NONE)
		return ASC_P_USERREJECTION;
	return ASC_P_ACCEPTANCE;
}

AcceptedContexts
negotiate(T_ASC_Parameters *params, const Permissions &permissions)
{
	AcceptedContexts accepted;

	for (DUL_PRESENTATIONCONTEXT &context : proposals(params))
	{
		T_ASC_PresentationContextID id = context.presentationContextID;
		T_ASC_P_ResultReason verdict = judge(context, permissions);
		std::string uid =
			choose(proposed_transfer_syntaxes(&context), permissions.transfer_syntaxes);

		if (verdict == ASC_P_ACCEPTANCE && uid.empty())
			verdict = ASC_P_TRANSFERSYNTAXESNOTSUPPORTED;
		if (verdict != ASC_P_ACCEPTANCE)
			ASC_refusePresentationContext(params, id, verdict);
		else if (ASC_acceptPresentationContext(params, id, uid.c_str(), ASC_SC_ROLE_SCU).good())
			accepted[id] = {strcmp(context.abstractSyntax, UID_VerificationSOPClass) != 0, uid};
	}
	return accepted;
}

} // namespace dicomgw
