/*-------------------------------------------------------------------------
 *
 * negotiation.h
 *	  What dicomgw-scp accepts of an A-ASSOCIATE-RQ.
 *
 * A gateway hands on what it gets, so it takes every object in the encoding
 * that the sender likes best: any storage SOP class, private and future ones
 * included, in the first transfer syntax proposed for it.  Only services that
 * it does not have are refused (PS3.8 9.3.3.2, result 3).
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_NEGOTIATION_H
#define DGW_NEGOTIATION_H

#include "dcmtk/config/osconfig.h"
#include "dcmtk/dcmnet/assoc.h"

#include <map>
#include <string>

namespace dicomgw
{

struct AcceptedContext
{
	bool storage; /* else Verification */
	std::string transfer_syntax_uid;
};

using AcceptedContexts = std::map<T_ASC_PresentationContextID, AcceptedContext>;

/* Answer every proposed presentation context, and say which are accepted. */
extern AcceptedContexts negotiate(T_ASC_Parameters *params);

/* Digits and dots only, 1 to 64 of them. */
extern bool is_uid(const std::string &text);

} // namespace dicomgw

#endif /* DGW_NEGOTIATION_H */
