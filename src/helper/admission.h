/*-------------------------------------------------------------------------
 *
 * admission.h
 *	  Who calls, and what the receiver says to that.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_ADMISSION_H
#define DGW_ADMISSION_H

#include <string>

#include "channel.h"
#include "connection.h"
#include "identity.h"
#include "permissions.h"

namespace dicomgw
{

struct Admission
{
	bool admitted = false;
	std::string calling_ae; /* cleaned */
	Permissions permissions;
	DgwRejected rejected = {}; /* if not admitted */
};

/* Ask the receiver, and wait for its answer.  Exits if there is no receiver. */
extern Admission ask_admission(Channel &worker, const Connection &connection,
							   const Identity &identity);

} // namespace dicomgw

#endif /* DGW_ADMISSION_H */
