/*-------------------------------------------------------------------------
 *
 * negotiation.h
 *	  What dicomgw-scp accepts of an A-ASSOCIATE-RQ.
 *
 * A gateway hands on what it gets, so it takes every object in an encoding
 * that the sender proposes: any storage SOP class, private and future ones
 * included, in the first transfer syntax of the listener's preferences, or
 * else the sender's first.  What is refused (PS3.8 9.3.3.2): a service that
 * the gateway does not have (result 3), one that this caller may not use, or
 * for which it would have to be the SCP (result 1).
 *
 * The caller is always the SCU here; when it proposes roles (PS3.7 D.3.3.4),
 * it is told so.  There is no answer to a proposed asynchronous operations
 * window, which means 1 and 1 (PS3.7 D.3.3.3), nor to extended negotiation.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_NEGOTIATION_H
#define DGW_NEGOTIATION_H

#include "dcmtk/config/osconfig.h"
#include "dcmtk/dcmnet/assoc.h"

#include <map>
#include <string>

#include "permissions.h"

namespace dicomgw
{

struct AcceptedContext
{
	bool storage; /* else Verification */
	std::string transfer_syntax_uid;
};

using AcceptedContexts = std::map<T_ASC_PresentationContextID, AcceptedContext>;

/* Presentation context IDs are odd, and each is used once (PS3.8 9.3.2.2). */
extern bool context_ids_are_valid(T_ASC_Parameters *params);

/* Answer every proposed presentation context, and say which are accepted. */
extern AcceptedContexts negotiate(T_ASC_Parameters *params, const Permissions &permissions);

/* Digits and dots only, 1 to 64 of them. */
extern bool is_uid(const std::string &text);

} // namespace dicomgw

#endif /* DGW_NEGOTIATION_H */
