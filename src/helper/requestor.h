/*-------------------------------------------------------------------------
 *
 * requestor.h
 *	  The association-requestor: one association to one destination.
 *
 * Opens an association with a given list of presentation contexts, carries one
 * C-STORE or C-ECHO at a time over it, and ends it.  What goes wrong comes back
 * as a Failure, in the terms in which the forwarder keeps it; the association
 * is closed then.  Which object is sent when, and what becomes of the others,
 * is the business of sender.h.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_REQUESTOR_H
#define DGW_REQUESTOR_H

#include "../protocol/message.h"
#include "dataset_file.h"
#include "dimse.h"
#include "tls_context.h"
#include "transport.h"

#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

namespace dicomgw
{

/* DGW_MSG_DESTINATION, with strings of its own. */
struct Destination
{
	explicit Destination(const DgwDestination &message);

	std::string host;
	uint16_t port;
	std::string calling_ae;
	std::string called_ae;
	uint32_t max_pdu;
	int connect_timeout; /* seconds, at least 1, like the next two */
	int association_timeout;
	int response_timeout;
	uint32_t linger; /* milliseconds */
	std::string storage_path;
	TlsPeerCheck tls;
	uint8_t conversion;		 /* DgwConversion, or'ed */
	std::string compression; /* transfer syntax; or empty */
};

/* What a presentation context is proposed for. */
struct SyntaxPair
{
	std::string sop_class_uid;
	std::string transfer_syntax_uid;

	bool operator<(const SyntaxPair &other) const
	{
		return std::tie(sop_class_uid, transfer_syntax_uid) <
			   std::tie(other.sop_class_uid, other.transfer_syntax_uid);
	}

	bool operator==(const SyntaxPair &other) const
	{
		return sop_class_uid == other.sop_class_uid &&
			   transfer_syntax_uid == other.transfer_syntax_uid;
	}
};

/* A proposed presentation context and the peer's answer to it. */
struct NegotiatedContext
{
	SyntaxPair pair;
	T_ASC_PresentationContextID id;
	bool accepted;
	std::string refusal; /* if not accepted: the answer in words */
};

/* Presentation context IDs are the odd numbers from 1 to 255 (PS3.8 9.3.2.2). */
constexpr size_t MAX_CONTEXTS = 128;

struct Failure
{
	DgwFailure kind = DGW_FAIL_PROTOCOL;
	uint8_t reject_result = 0;
	uint8_t reject_source = 0;
	uint8_t reject_reason = 0;
	std::string message;
};

struct Response
{
	uint16_t status = 0;
	std::string comment;
	std::string offending; /* Offending Element: "(0010,0020),(0008,0060)" */
};

enum class Exchange
{
	Answered,	 /* the Response is filled in */
	FileMissing, /* file.why() tells; the association may have been aborted */
	FileDamaged,
	Released, /* the peer wanted to end the association instead of answering, and has */
	Failed	  /* the Failure is filled in; the association is closed */
};

class Requestor
{
public:
	explicit Requestor(const Destination &destination);
	~Requestor();
	Requestor(const Requestor &) = delete;
	Requestor &operator=(const Requestor &) = delete;

	/* Connect and negotiate; one context for each pair, at most MAX_CONTEXTS. */
	bool open(const std::vector<SyntaxPair> &pairs, Failure &failure);

	bool is_open() const
	{
		return assoc_ != nullptr;
	}

	/* NULL if it was not proposed on this association. */
	const NegotiatedContext *find(const SyntaxPair &pair) const;

	const std::vector<NegotiatedContext> &contexts() const
	{
		return contexts_;
	}

	Exchange store(const NegotiatedContext &context, const std::string &sop_instance_uid,
				   DatasetFile &file, Response &response, Failure &failure);
	Exchange echo(const NegotiatedContext &context, Response &response, Failure &failure);

	/* For poll(), while nothing is under way; -1 if no association is open. */
	int fd() const
	{
		return transport_.fd();
	}

	/*
	 * The peer has something to say though nothing was asked.  poll() may not see
	 * it, or see what concerns TLS alone.
	 */
	bool input_waiting() const
	{
		return transport_.has_input();
	}

	/* Hear it.  Whatever it is, the association is closed then; returns Released or Failed. */
	Exchange end_by_peer(Failure &failure);

	void release();
	void abort();

	/* Of the peer; valid while the association is open. */
	std::string implementation_class_uid() const;
	std::string implementation_version() const;
	uint32_t peer_max_pdu() const;

	/* Also of an association that came to nothing. */
	const TlsSession &tls_session() const
	{
		return transport_.tls_session();
	}

private:
	bool start_network(Failure &failure);
	bool prepare_tls(Failure &failure);
	T_ASC_Parameters *make_parameters(const std::vector<SyntaxPair> &pairs, uint16_t port) const;
	bool negotiate(const std::vector<SyntaxPair> &pairs, Failure &failure);
	std::string peer_words() const;
	bool request_failed(const OFCondition &cond, Failure &failure);
	bool limit_fragments(Failure &failure);
	void note_contexts(const std::vector<SyntaxPair> &pairs);
	OFCondition send_request(const Command &command, const NegotiatedContext &context, bool more);
	Exchange send_failed(Failure &failure);
	Exchange read_response(uint16_t field, const NegotiatedContext &context, Response &response,
						   Failure &failure);
	Exchange interrupted(PdvResult result, const std::string &why, Failure &failure);
	Exchange protocol_error(const std::string &what, Failure &failure);
	void drop();

	const Destination &destination_;
	std::shared_ptr<const TlsContext> tls_context_; /* outlives the connection */
	TransportLayer transport_;
	T_ASC_Network *network_ = nullptr;
	T_ASC_Association *assoc_ = nullptr;
	std::vector<NegotiatedContext> contexts_;
	uint16_t message_id_ = 0;
};

} // namespace dicomgw

#endif /* DGW_REQUESTOR_H */
