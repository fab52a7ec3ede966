/*-------------------------------------------------------------------------
 *
 * requestor.cpp
 *	  The association-requestor: one association to one destination
 *	  (see requestor.h).  Opening and ending it is here, what is said over it
 *	  is in exchange.cpp, and the words for a peer's answers are in answer.cpp.
 *
 * How a connection of ours gets under DCMTK: its requestor can only dial by
 * itself, IPv4 alone.  So it is given the address of a socket that listens on
 * the loopback interface for that one moment; the connection is completed by
 * the kernel and never accepted.  When DCMTK then asks the transport layer for
 * a connection object, its descriptor is replaced, under the same number, by
 * the one that dial() made.  Only documented calls of DCMTK are used, whatever
 * kind of address the peer has.
 *
 *-------------------------------------------------------------------------
 */
#include "requestor.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <dcmtk/dcmnet/dcmtrans.h>

#include "answer.h"
#include "channel.h"
#include "dial.h"

namespace dicomgw
{

using std::chrono::seconds;

namespace
{

/* How long an A-RELEASE-RQ or an A-ABORT of ours is waited for. */
constexpr seconds RELEASE_TIMEOUT{5};
constexpr seconds ABORT_TIMEOUT{1};

constexpr int MAX_TIMEOUT_S = 24 * 60 * 60;

/* A PDU that carries data has at least two bytes of it beside DCMTK's allowance. */
constexpr unsigned long PDU_ALLOWANCE = 12;
constexpr unsigned long MIN_PEER_PDU = PDU_ALLOWANCE + 2;

/* Below this DCMTK would cut the fragments itself, and not to even lengths. */
constexpr unsigned long MIN_DCMTK_PDU = 2 * PDU_ALLOWANCE;

int
timeout_s(uint32_t value)
{
	return static_cast<int>(std::clamp<uint32_t>(value, 1, MAX_TIMEOUT_S));
}

/* The listening socket that DCMTK connects to instead of the peer. */
class StandIn
{
public:
	StandIn()
		: fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
	{
		struct sockaddr_in address = {};
		socklen_t len = sizeof(address);
		auto *generic = reinterpret_cast<struct sockaddr *>(&address);

		address.sin_family = AF_INET;
		address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		if (fd_ >= 0 && bind(fd_, generic, len) == 0 && listen(fd_, 8) == 0 &&
			getsockname(fd_, generic, &len) == 0)
			port_ = ntohs(address.sin_port);
	}

	~StandIn()
	{
		if (fd_ >= 0)
			close(fd_);
	}

	StandIn(const StandIn &) = delete;
	StandIn &operator=(const StandIn &) = delete;

	/* 0, with errno set, if there is none. */
	uint16_t port() const
	{
		return port_;
	}

private:
	int fd_;
	uint16_t port_ = 0;
};

} // namespace

Destination::Destination(const DgwDestination &message)
	: host(str(message.host)),
	  port(message.port),
	  calling_ae(str(message.calling_ae)),
	  called_ae(str(message.called_ae)),
	  max_pdu(message.max_pdu),
	  connect_timeout(timeout_s(message.connect_timeout)),
	  association_timeout(timeout_s(message.association_timeout)),
	  response_timeout(timeout_s(message.response_timeout)),
	  linger(message.linger),
	  storage_path(str(message.storage_path)),
	  tls{static_cast<DgwTlsCheck>(message.tls), str(message.tls_server_name), str(message.tls_ca),
		  str(message.tls_certificate), str(message.tls_key)},
	  conversion(message.conversion),
	  compression(str(message.compression))
{
	if (tls.server_name.empty())
		tls.server_name = host;
	/* What DCMTK can take; it wants an even number. */
	max_pdu = std::clamp<uint32_t>(max_pdu, ASC_MINIMUMPDUSIZE, ASC_MAXIMUMPDUSIZE) & ~1U;
}

Requestor::Requestor(const Destination &destination)
	: destination_(destination)
{
}

Requestor::~Requestor()
{
	drop();
	if (network_ != nullptr)
		(void) ASC_dropNetwork(&network_);
}

/* ---------- opening ---------- */

bool
Requestor::start_network(Failure &failure)
{
	if (network_ != nullptr)
		return true;
	dcmConnectionTimeout.set(destination_.connect_timeout);
	dcmSocketSendTimeout.set(destination_.response_timeout);
	dcmSocketReceiveTimeout.set(destination_.response_timeout);
	OFCondition cond =
		ASC_initializeNetwork(NET_REQUESTOR, 0, destination_.association_timeout, &network_);

	if (cond.good())
		cond = ASC_setTransportLayer(network_, &transport_, 0);
	if (cond.good())
		return true;
	failure.kind = DGW_FAIL_CONNECT;
	failure.message = std::string("could not start DCMTK's network layer: ") + cond.text();
	return false;
}

/* Anew for each association, so that renewed files count. */
bool
Requestor::prepare_tls(Failure &failure)
{
	if (destination_.tls.check == DGW_TLS_OFF)
		return true;
	tls_context_ = TlsContext::build(destination_.tls, failure.message);
	if (!tls_context_)
	{
		failure.kind = DGW_FAIL_CONNECT;
		return false;
	}
	transport_.use_tls(tls_context_->native(), destination_.tls.server_name);
	return true;
}

bool
Requestor::open(const std::vector<SyntaxPair> &pairs, Failure &failure)
{
	failure = Failure();
	if (!start_network(failure) || !prepare_tls(failure))
		return false;

	int fd = dial(destination_.host, destination_.port,
				  MonotonicClock::now() + seconds(destination_.connect_timeout), failure.message);

	if (fd < 0)
	{
		failure.kind = DGW_FAIL_CONNECT;
		return false;
	}
	transport_.substitute(fd);
	if (!negotiate(pairs, failure))
	{
		drop();
		return false;
	}
	note_contexts(pairs);
	message_id_ = 0;
	return true;
}

/* Every pair alone in its own context, so that the peer answers each by itself. */
T_ASC_Parameters *
Requestor::make_parameters(const std::vector<SyntaxPair> &pairs, uint16_t port) const
{
	T_ASC_Parameters *params = nullptr;
	std::string address = "127.0.0.1:" + std::to_string(port);
	OFCondition cond =
		ASC_createAssociationParameters(&params, static_cast<long>(destination_.max_pdu));
	T_ASC_PresentationContextID id = 1;

	if (cond.good())
		cond = ASC_setAPTitles(params, destination_.calling_ae.c_str(),
							   destination_.called_ae.c_str(), nullptr);
	if (cond.good() && destination_.tls.check != DGW_TLS_OFF)
		cond = ASC_setTransportLayerType(params, OFTrue);
	if (cond.good())
		cond = ASC_setPresentationAddresses(params, "localhost", address.c_str());
	for (const SyntaxPair &pair : pairs)
	{
		const char *transfer_syntax = pair.transfer_syntax_uid.c_str();

		if (cond.good())
			cond = ASC_addPresentationContext(params, id, pair.sop_class_uid.c_str(),
											  &transfer_syntax, 1);
		id = static_cast<T_ASC_PresentationContextID>(id + 2);
	}
	if (cond.bad() && params != nullptr)
		(void) ASC_destroyAssociationParameters(&params);
	return params;
}

bool
Requestor::negotiate(const std::vector<SyntaxPair> &pairs, Failure &failure)
{
	StandIn stand_in;

	failure.kind = DGW_FAIL_CONNECT;
	if (stand_in.port() == 0)
	{
		failure.message = std::string("could not open a local socket: ") + strerror(errno);
		return false;
	}
	T_ASC_Parameters *params = make_parameters(pairs, stand_in.port());

	if (params == nullptr)
	{
		failure.message = "could not set up the association request";
		return false;
	}
	transport_.set_deadline_after(seconds(destination_.association_timeout));
	OFCondition cond = ASC_requestAssociation(network_, params, &assoc_, nullptr, nullptr,
											  DUL_NOBLOCK, destination_.association_timeout);

	/* DCMTK calls it good, too, when it has answered nonsense with an A-ABORT. */
	if (cond.bad() || assoc_->params->DULparams.acceptedPresentationContext == nullptr)
		return request_failed(cond, failure);
	return limit_fragments(failure);
}

/* "pacs.example" port 2762 */
std::string
Requestor::peer_words() const
{
	return "\"" + destination_.host + "\" port " + std::to_string(destination_.port);
}

/*
 * Always false: says in the forwarder's terms why there is no association.  To
 * DCMTK an A-ABORT, a closed connection and a timeout are all one.
 */
bool
Requestor::request_failed(const OFCondition &cond, Failure &failure)
{
	int error = transport_.last_error();

	failure.kind = DGW_FAIL_ABORTED;
	if (transport_.substitution_pending())
	{
		failure.kind = DGW_FAIL_CONNECT;
		failure.message =
			std::string("could not hand the connection to DCMTK: ") + printable(cond.text());
	}
	else if (!transport_.tls_error().empty())
	{
		failure.kind = DGW_FAIL_CONNECT;
		failure.message =
			"could not open a TLS session with " + peer_words() + ": " +
			(error == ETIMEDOUT
				 ? "no handshake within " + std::to_string(destination_.association_timeout) +
					   " s; it may speak no TLS"
				 : transport_.tls_error());
	}
	else if (cond == DUL_ASSOCIATIONREJECTED)
	{
		const DUL_ASSOCIATESERVICEPARAMETERS &answer = assoc_->params->DULparams;

		failure.kind = DGW_FAIL_REJECTED;
		failure.reject_result = static_cast<uint8_t>(answer.result);
		failure.reject_source = static_cast<uint8_t>(answer.resultSource);
		failure.reject_reason = static_cast<uint8_t>(answer.diagnostic);
		failure.message =
			"peer rejected the association: " +
			reject_words(failure.reject_result, failure.reject_source, failure.reject_reason);
	}
	else if (error == ETIMEDOUT || transport_.deadline_passed())
	{
		failure.kind = DGW_FAIL_TIMEOUT;
		failure.message = "peer did not answer the association request within " +
						  std::to_string(destination_.association_timeout) + " s";
	}
	/* With TLS 1.3 a peer that does not like our certificate says so only now. */
	else if (error == EPROTO)
	{
		failure.kind = DGW_FAIL_CONNECT;
		failure.message = "TLS session with " + peer_words() + " ended: " + transport_.error_text();
	}
	else if (error != 0)
		failure.message =
			"connection broke during association negotiation: " + transport_.error_text();
	else if (transport_.at_end())
		failure.message = "peer closed the connection instead of accepting the association";
	else if (cond == DUL_PEERABORTEDASSOCIATION)
		failure.message = "peer aborted instead of accepting the association";
	else
	{
		failure.kind = DGW_FAIL_PROTOCOL;
		failure.message = "peer's answer to the association request is not valid";
		if (cond.bad())
			failure.message += ": " + printable(cond.text());
	}
	return false;
}

/* Fragments of even length that fit into what the peer says it can take. */
bool
Requestor::limit_fragments(Failure &failure)
{
	unsigned long peer_max = peer_max_pdu();

	if (peer_max == 0 || peer_max >= MIN_DCMTK_PDU)
		return true;
	if (peer_max < MIN_PEER_PDU)
	{
		failure.kind = DGW_FAIL_PROTOCOL;
		failure.message = "peer's maximum PDU length of " + std::to_string(peer_max) +
						  " bytes leaves no room for data";
		abort();
		return false;
	}
	assoc_->sendPDVLength = (peer_max - PDU_ALLOWANCE) & ~1UL;
	return true;
}

void
Requestor::note_contexts(const std::vector<SyntaxPair> &pairs)
{
	contexts_.clear();
	for (size_t i = 0; i < pairs.size(); i++)
	{
		T_ASC_PresentationContext answer;
		NegotiatedContext context = {pairs[i], static_cast<T_ASC_PresentationContextID>(2 * i + 1),
									 false, "no answer"};

		if (ASC_getPresentationContext(assoc_->params, static_cast<int>(i), &answer).good())
		{
			context.refusal = context_refusal(answer, pairs[i].transfer_syntax_uid);
			context.accepted = context.refusal.empty();
		}
		contexts_.push_back(std::move(context));
	}
}

const NegotiatedContext *
Requestor::find(const SyntaxPair &pair) const
{
	auto found = std::find_if(contexts_.begin(), contexts_.end(),
							  [&pair](const NegotiatedContext &c) { return c.pair == pair; });

	return is_open() && found != contexts_.end() ? &*found : nullptr;
}

std::string
Requestor::implementation_class_uid() const
{
	return printable(assoc_->params->theirImplementationClassUID);
}

std::string
Requestor::implementation_version() const
{
	return printable(assoc_->params->theirImplementationVersionName);
}

uint32_t
Requestor::peer_max_pdu() const
{
	return static_cast<uint32_t>(assoc_->params->theirMaxPDUReceiveSize);
}

/* ---------- ending ---------- */

Exchange
Requestor::end_by_peer(Failure &failure)
{
	std::string why;
	Pdv pdv;

	transport_.set_deadline_after(ABORT_TIMEOUT);
	PdvResult result = read_pdv(assoc_, static_cast<int>(ABORT_TIMEOUT.count()), pdv, why);

	if (result == PdvResult::Fragment)
		return protocol_error("peer sent a message that nobody asked for", failure);
	return interrupted(result, why, failure);
}

void
Requestor::release()
{
	if (assoc_ == nullptr)
		return;
	transport_.set_deadline_after(RELEASE_TIMEOUT);
	OFCondition cond = ASC_releaseAssociation(assoc_);

	/* Both sides asked at the same time: each confirms the other's request. */
	if (cond == DUL_PEERREQUESTEDRELEASE)
		(void) ASC_acknowledgeRelease(assoc_);
	drop();
}

void
Requestor::abort()
{
	if (assoc_ == nullptr)
		return;
	/* DCMTK waits for the peer to hang up. */
	transport_.set_deadline_after(ABORT_TIMEOUT);
	(void) ASC_abortAssociation(assoc_);
	drop();
}

void
Requestor::drop()
{
	if (assoc_ != nullptr)
		(void) ASC_destroyAssociation(&assoc_);
	contexts_.clear();
}

} // namespace dicomgw
