/*-------------------------------------------------------------------------
 *
 * sender_echo.cpp
 *	  C-ECHO: what can be learnt of a peer (the other half of sender.h).
 *
 *-------------------------------------------------------------------------
 */
#include "sender.h"

#include <cstdio>

#include <dcmtk/dcmdata/dcuid.h>

#include "clock.h"

namespace dicomgw
{

void
Sender::echo()
{
	const SyntaxPair verification = {UID_VerificationSOPClass,
									 UID_LittleEndianImplicitTransferSyntax};
	DgwEchoResult result = {};
	std::string implementation;
	Failure failure;
	auto start = Clock::now();

	if (requestor_.open({verification}, failure))
	{
		result.associated = 1;
		result.associate_us = microseconds_since(start);
		result.peer_max_pdu = requestor_.peer_max_pdu();
		implementation = requestor_.implementation_class_uid();
		if (!requestor_.implementation_version().empty())
			implementation += " " + requestor_.implementation_version();
		failure.message = exchange_echo(result);
	}

	/* Also of a peer that speaks TLS, but not with us. */
	const TlsSession tls = requestor_.tls_session();

	result.ok = failure.message.empty();
	result.tls_version = slice(tls.version);
	result.tls_cipher = slice(tls.cipher);
	result.tls_subject = slice(tls.subject);
	result.implementation = slice(implementation);
	result.message = slice(failure.message);
	(void) channel_.send(dgw_encode_echo_result, result);
	finish(0);
}

/* Over the association that is open; what is wrong with the answer, or "". */
std::string
Sender::exchange_echo(DgwEchoResult &result)
{
	const NegotiatedContext &context = requestor_.contexts().front();
	auto start = Clock::now();
	char text[sizeof("peer answered C-ECHO with status 0000")];
	Response response;
	Failure failure;

	if (!context.accepted)
		return "peer does not accept the Verification SOP class: " + context.refusal;
	Exchange how = requestor_.echo(context, response, failure);

	if (how == Exchange::Released)
		return "peer released the association instead of answering";
	if (how != Exchange::Answered)
		return failure.message;
	result.round_trip_us = microseconds_since(start);
	result.status = response.status;
	if (response.status == STATUS_SUCCESS)
		return "";
	snprintf(text, sizeof(text), "peer answered C-ECHO with status %04X", response.status);
	return text;
}

} // namespace dicomgw
