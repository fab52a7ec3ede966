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
 * The sender's first choice, or empty if none is a UID.  The list is walked
 * here because ASC_getPresentationContext() copies it into an array of 50.
 */
static std::string
first_transfer_syntax(DUL_PRESENTATIONCONTEXT *context)
{
	LST_HEAD **list = &context->proposedTransferSyntax;

	if (*list == NULL)
		return std::string();

	LST_NODE *node = LST_Head(list);

	(void) LST_Position(list, node);
	for (; node != NULL; node = LST_Next(list))
	{
		std::string uid = reinterpret_cast<DUL_TRANSFERSYNTAX *>(node)->transferSyntax;

		if (is_uid(uid))
			return uid;
	}
	return std::string();
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

AcceptedContexts
negotiate(T_ASC_Parameters *params)
{
	AcceptedContexts accepted;

	for (DUL_PRESENTATIONCONTEXT &context : proposals(params))
	{
		T_ASC_PresentationContextID id = context.presentationContextID;
		std::string sop_class_uid = context.abstractSyntax;
		std::string transfer_syntax_uid = first_transfer_syntax(&context);
		bool verification = sop_class_uid == UID_VerificationSOPClass;

		if (!is_uid(sop_class_uid) || (!verification && !is_storage(sop_class_uid)))
			ASC_refusePresentationContext(params, id, ASC_P_ABSTRACTSYNTAXNOTSUPPORTED);
		else if (transfer_syntax_uid.empty())
			ASC_refusePresentationContext(params, id, ASC_P_TRANSFERSYNTAXESNOTSUPPORTED);
		else if (ASC_acceptPresentationContext(params, id, transfer_syntax_uid.c_str()).good())
			accepted[id] = {!verification, transfer_syntax_uid};
	}
	return accepted;
}

} // namespace dicomgw
