/*-------------------------------------------------------------------------
 *
 * identity.h
 *	  User identity negotiation (PS3.7 D.3.3.7), the acceptor's side.
 *
 * A user name, alone or with a passcode, is handed to the receiver, which
 * knows whether this caller needs one; the passcode goes nowhere, it is
 * compared with the hash that the receiver sends.  Kerberos tickets, SAML
 * assertions and JSON web tokens can't be verified here: they are named, and
 * there is no response to them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_IDENTITY_H
#define DGW_IDENTITY_H

#include "dcmtk/config/osconfig.h"
#include "dcmtk/dcmnet/assoc.h"
#include "dcmtk/dcmnet/dcuserid.h"

#include <cstdint>
#include <string>

namespace dicomgw
{

class Identity
{
public:
	/* What an A-ASSOCIATE-RQ says of it. */
	explicit Identity(T_ASC_Parameters *params);

	/* User-Identity-Type; 0: there is no such item. */
	uint8_t type() const
	{
		return type_;
	}

	/* With a type that has one: cleaned, valid UTF-8. */
	const std::string &username() const
	{
		return username_;
	}

	bool has_passcode() const
	{
		return type_ == ASC_USER_IDENTITY_USER_PASSWORD;
	}

	/* The passcode is the one that this Argon2id hash was made of. */
	bool verify(const std::string &passcode_hash) const;

	/* It is verified: say so in the A-ASSOCIATE-AC, if that was asked for. */
	void acknowledge(T_ASC_Parameters *params) const;

private:
	uint8_t type_ = 0;
	bool response_requested_ = false;
	std::string username_;
	std::string passcode_;
};

} // namespace dicomgw

#endif /* DGW_IDENTITY_H */
