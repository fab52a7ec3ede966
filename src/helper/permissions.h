/*-------------------------------------------------------------------------
 *
 * permissions.h
 *	  What a caller may do, and how: the receiver's ADMITTED.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_PERMISSIONS_H
#define DGW_PERMISSIONS_H

#include <string>
#include <vector>

#include "store.h"

namespace dicomgw
{

struct Permissions
{
	bool may_store = false;
	bool may_echo = false;
	StorePolicy store;
	std::string passcode_hash;					/* empty: no passcode is asked for */
	std::vector<std::string> transfer_syntaxes; /* the best first; empty: the sender's order */
};

} // namespace dicomgw

#endif /* DGW_PERMISSIONS_H */
