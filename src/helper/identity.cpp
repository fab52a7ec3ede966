/*-------------------------------------------------------------------------
 *
 * identity.cpp
 *	  User identity negotiation (see identity.h).
 *
 *-------------------------------------------------------------------------
 */
#include "identity.h"

#include <argon2.h>
#include <memory>

#include "peer_text.h"

namespace dicomgw
{

constexpr size_t MAX_USERNAME = 256;

/* Argon2 takes its time for each; nobody types more. */
constexpr size_t MAX_PASSCODE = 1024;

static std::string
primary_field(const UserIdentityNegotiationSubItemRQ &item)
{
	char *text = NULL;
	Uint16 len = 0;

	(void) item.getPrimField(text, len);
	std::unique_ptr<char[]> owner(text);

	return text != NULL ? std::string(text, len) : std::string();
}

static std::string
secondary_field(const UserIdentityNegotiationSubItemRQ &item)
{
	char *text = NULL;
	Uint16 len = 0;

	(void) item.getSecField(text, len);
	std::unique_ptr<char[]> owner(text);

	return text != NULL ? std::string(text, len) : std::string();
}

Identity::Identity(T_ASC_Parameters *params)
{
	UserIdentityNegotiationSubItemRQ *item = NULL;

	ASC_getUserIdentRQ(params, &item);
	if (item == NULL)
		return;
	type_ = (uint8_t) item->getIdentityType();
	response_requested_ = item->isPosResponseRequested();
	if (type_ == ASC_USER_IDENTITY_USER || type_ == ASC_USER_IDENTITY_USER_PASSWORD)
		username_ = clean_utf8(primary_field(*item), MAX_USERNAME);
	if (has_passcode())
		passcode_ = secondary_field(*item);
}

bool
Identity::verify(const std::string &passcode_hash) const
{
	return has_passcode() && passcode_.size() <= MAX_PASSCODE &&
		   argon2id_verify(passcode_hash.c_str(), passcode_.data(), passcode_.size()) == ARGON2_OK;
}

/*
 * With user names the response has nothing to say but that it is there.  DCMTK
 * declares ASC_setIdentAC() and does not have it.
 */
void
Identity::acknowledge(T_ASC_Parameters *params) const
{
	if (!response_requested_)
		return;
	delete params->DULparams.ackUserIdentNeg;
	params->DULparams.ackUserIdentNeg = new UserIdentityNegotiationSubItemAC();
	params->DULparams.ackUserIdentNeg->setServerResponse("", 0);
}

} // namespace dicomgw
