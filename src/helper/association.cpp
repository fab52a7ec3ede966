/*-------------------------------------------------------------------------
 *
 * association.cpp
 *	  One association of dicomgw-scp (see association.h).
 *
 * From A-ASSOCIATE-RQ to the end: negotiation, the loop over DIMSE messages,
 * and what is to be said when it ends.  What a C-STORE does is in store.cpp.
 *
 *-------------------------------------------------------------------------
 */
#include "association.h"

#include "dcmtk/config/osconfig.h"
#include "dcmtk/dcmnet/assoc.h"
#include "dcmtk/dcmnet/dcmtrans.h"
#include "dcmtk/dcmnet/dul.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstring>
#include <unistd.h>

#include "dimse.h"
#include "negotiation.h"
#include "transport.h"

namespace dicomgw
{

/* Limits of DCMTK's upper layer. */
constexpr uint32_t MIN_PDU = 4096;
constexpr uint32_t MAX_PDU = 131072;

/* Seconds for the peer to close a connection that has ended. */
constexpr int CLOSING_TIMEOUT = 5;

/* Stands for "no timeout" where DCMTK wants a number of seconds. */
constexpr int FOREVER = INT_MAX / 1000;

static int
seconds(uint32_t timeout)
{
	return timeout == 0 ? FOREVER : (int) std::min<uint32_t>(timeout, FOREVER);
}

/* What the peer calls itself goes into tables and logs: printable ASCII only. */
static std::string
printable(const char *text)
{
	std::string clean = text;

	for (char &c : clean)
	{
		if (c < ' ' || c > '~')
			c = '?';
	}
	clean.erase(clean.find_last_not_of(' ') + 1);
	clean.erase(0, std::min(clean.find_first_not_of(' '), clean.size()));
	return clean;
}

namespace
{

/* The connection, as DCMTK has it. */
class Connection
{
public:
	Connection(int peer_fd, const ListenerConfig &listener);
	~Connection();
	Connection(const Connection &) = delete;
	Connection &operator=(const Connection &) = delete;

	/* Wait for the A-ASSOCIATE-RQ. */
	OFCondition receive(const ListenerConfig &listener);
	bool reject(T_ASC_RejectParametersResult result, T_ASC_RejectParametersSource source,
				T_ASC_RejectParametersReason reason);
	bool timed_out() const
	{
		return layer.last_error() == ETIMEDOUT || layer.deadline_passed();
	}
	void abort();

	TransportLayer layer;
	T_ASC_Network *network = NULL;
	T_ASC_Association *assoc = NULL;
	OFCondition status = EC_Normal;
};

class Association
{
public:
	Association(int peer_fd, Channel &worker, const ListenerConfig &listener,
				const StoragePlaces &places)
		: worker_(worker),
		  listener_(listener),
		  connection_(peer_fd, listener),
		  store_(worker, places)
	{
	}
	int run();

private:
	bool open();
	bool reject(T_ASC_RejectParametersReason reason, const std::string &why);
	bool ask_admission();
	bool report_opened();
	void serve();
	bool next_fragment(Pdv &pdv);
	bool next_command(Command &command, T_ASC_PresentationContextID &context_id);
	bool serve_command(const Command &command, T_ASC_PresentationContextID context_id);
	bool serve_store(const Command &command, T_ASC_PresentationContextID context_id);
	bool drain(T_ASC_PresentationContextID context_id);
	bool next_data(T_ASC_PresentationContextID context_id, Pdv &pdv);
	bool respond(const Command &request, T_ASC_PresentationContextID context_id,
				 const Outcome &outcome);
	bool close(DgwCloseReason reason, const std::string &message = std::string());
	bool abort(DgwCloseReason reason, const std::string &message);
	bool violation(const std::string &message);
	void say_goodbye();

	Channel &worker_;
	const ListenerConfig &listener_;
	Connection connection_;
	AcceptedContexts contexts_;
	Store store_;
	bool closed_ = false;
	bool abort_ = false;
	DgwCloseReason reason_ = DGW_CLOSE_FAILURE;
	std::string message_;
};

} // namespace

/* ---------- the connection ---------- */

Connection::Connection(int peer_fd, const ListenerConfig &listener)
{
	tune_socket(peer_fd);
	/* Has to be said before the network is initialized, or DCMTK would listen itself. */
	dcmExternalSocketHandle.set(peer_fd);
	dcmSocketReceiveTimeout.set(seconds(listener.idle_timeout));
	dcmSocketSendTimeout.set(seconds(listener.idle_timeout));
	status =
		ASC_initializeNetwork(NET_ACCEPTOR, 0, seconds(listener.association_timeout), &network);
	if (status.good())
		status = ASC_setTransportLayer(network, &layer, 0);
}

Connection::~Connection()
{
	if (assoc != NULL)
	{
		layer.set_deadline_after(std::chrono::seconds(CLOSING_TIMEOUT));
		(void) ASC_dropSCPAssociation(assoc, CLOSING_TIMEOUT);
		(void) ASC_destroyAssociation(&assoc);
	}
	if (network != NULL)
		(void) ASC_dropNetwork(&network);
}

OFCondition
Connection::receive(const ListenerConfig &listener)
{
	long max_pdu = (long) std::clamp(listener.max_pdu, MIN_PDU, MAX_PDU);

	if (status.bad())
		return status;
	layer.set_deadline_after(std::chrono::seconds(seconds(listener.association_timeout)));
	status = ASC_receiveAssociation(network, &assoc, max_pdu, NULL, NULL, OFFalse, DUL_NOBLOCK,
									seconds(listener.association_timeout));
	return status;
}

/* The peer is given a while of its own to take the A-ABORT and close. */
void
Connection::abort()
{
	layer.set_deadline_after(std::chrono::seconds(CLOSING_TIMEOUT));
	if (assoc != NULL)
		(void) ASC_abortAssociation(assoc);
}

bool
Connection::reject(T_ASC_RejectParametersResult result, T_ASC_RejectParametersSource source,
				   T_ASC_RejectParametersReason reason)
{
	T_ASC_RejectParameters parameters = {result, source, reason};

	return ASC_rejectAssociation(assoc, &parameters).good();
}

/* ---------- beginning and end ---------- */

int
Association::run()
{
	if (open())
		serve();
	say_goodbye();
	return 0;
}

/* Remember why it ends.  Returns false, for those who are to stop then. */
bool
Association::close(DgwCloseReason reason, const std::string &message)
{
	if (!closed_)
	{
		reason_ = reason;
		message_ = message;
	}
	closed_ = true;
	return false;
}

/* Abort, because the peer breaks the rules or is silent. */
bool
Association::abort(DgwCloseReason reason, const std::string &message)
{
	abort_ = true;
	return close(reason, message);
}

bool
Association::violation(const std::string &message)
{
	return abort(DGW_CLOSE_PROTOCOL, message);
}

void
Association::say_goodbye()
{
	DgwClosed closed = {(uint8_t) reason_, store_.stored(), store_.bytes(), slice(message_)};

	store_.abandon();
	(void) worker_.send(dgw_encode_closed, closed);
	worker_.close();
	/* Only now, because the peer may take its time. */
	if (abort_)
		connection_.abort();
}

/* Up to the A-ASSOCIATE-AC; false if there will be no association. */
bool
Association::open()
{
	OFCondition cond = connection_.receive(listener_);
	T_ASC_Association *assoc = connection_.assoc;

	if (cond.bad() && connection_.timed_out())
		return close(DGW_CLOSE_TIMEOUT, "no complete A-ASSOCIATE-RQ in time");
	if (cond == DUL_NETWORKCLOSED)
		return close(DGW_CLOSE_PEER_GONE);
	if (cond == DUL_PEERABORTEDASSOCIATION)
		return close(DGW_CLOSE_PEER_ABORTED);
	if (connection_.network == NULL)
		return close(DGW_CLOSE_FAILURE, cond.text());
	/* Gone so fast that not even its address could be asked for. */
	if (cond.bad() && connection_.layer.fd() < 0)
		return close(DGW_CLOSE_PEER_GONE);
	if (cond == DUL_UNSUPPORTEDPEERPROTOCOL)
		return close(DGW_CLOSE_REJECTED, "protocol version not supported");
	if (cond.bad())
		return violation(cond.text());

	DUL_ASSOCIATESERVICEPARAMETERS &asked = assoc->params->DULparams;

	/* DCMTK takes it for success when something else or nothing came. */
	if (asked.applicationContextName[0] == '\0' && asked.requestedPresentationContext == NULL)
	{
		if (connection_.layer.at_end())
			return close(DGW_CLOSE_PEER_GONE);
		return close(DGW_CLOSE_PROTOCOL, "not an A-ASSOCIATE-RQ");
	}

	if (strcmp(asked.applicationContextName, UID_StandardApplicationContext) != 0)
		return reject(ASC_REASON_SU_APPCONTEXTNAMENOTSUPPORTED,
					  "application context not supported");
	if (!ask_admission())
		return false;

	contexts_ = negotiate(assoc->params);
	if (ASC_acknowledgeAssociation(assoc).bad())
		return close(DGW_CLOSE_PEER_GONE, "could not send the A-ASSOCIATE-AC");
	return report_opened();
}

bool
Association::reject(T_ASC_RejectParametersReason reason, const std::string &why)
{
	(void) connection_.reject(ASC_RESULT_REJECTEDPERMANENT, ASC_SOURCE_SERVICEUSER, reason);
	return close(DGW_CLOSE_REJECTED, why);
}

/* The receiver decides who is let in. */
bool
Association::ask_admission()
{
	T_ASC_Parameters *params = connection_.assoc->params;
	std::string calling_ae = printable(params->DULparams.callingAPTitle);
	std::string called_ae = printable(params->DULparams.calledAPTitle);
	std::string class_uid = printable(params->theirImplementationClassUID);
	std::string version = printable(params->theirImplementationVersionName);
	DgwRequested requested = {};
	DgwAdmitted admitted;
	DgwRejected rejected;
	DgwFrame frame;

	requested.calling_ae = slice(calling_ae);
	requested.called_ae = slice(called_ae);
	requested.implementation_class_uid = slice(class_uid);
	requested.implementation_version = slice(version);
	if (!worker_.send(dgw_encode_requested, requested) || worker_.receive(frame) != DGW_READ_OK)
		_exit(1);
	if (frame.type == DGW_MSG_REJECTED && dgw_decode_rejected(&frame, &rejected))
	{
		T_ASC_RejectParameters parameters = {
			(T_ASC_RejectParametersResult) rejected.result,
			(T_ASC_RejectParametersSource) rejected.source,
			(T_ASC_RejectParametersReason) (rejected.source << 8 | rejected.reason)};

		(void) ASC_rejectAssociation(connection_.assoc, &parameters);
		return close(DGW_CLOSE_REJECTED);
	}
	if (frame.type != DGW_MSG_ADMITTED || !dgw_decode_admitted(&frame, &admitted))
		_exit(1);
	store_.set_caller(calling_ae, {admitted.keep_mismatch != 0, admitted.max_object_size});
	return true;
}

bool
Association::report_opened()
{
	DgwOpened opened = {(uint32_t) contexts_.size()};

	if (!worker_.send(dgw_encode_opened, opened))
		_exit(1);
	return true;
}

/* ---------- messages ---------- */

void
Association::serve()
{
	T_ASC_PresentationContextID context_id = 0;
	Command command;

	while (next_command(command, context_id) && serve_command(command, context_id))
		;
}

/*
 * The next fragment; false if the association ends instead.  A whole PDU has
 * to come within the idle timeout, so a peer that drips is as good as silent.
 */
bool
Association::next_fragment(Pdv &pdv)
{
	std::string why;

	connection_.layer.set_deadline_after(std::chrono::seconds(seconds(listener_.idle_timeout)));
	switch (read_pdv(connection_.assoc, seconds(listener_.idle_timeout), pdv, why))
	{
		case PdvResult::Fragment:
			return true;
		case PdvResult::ReleaseRequested:
			if (store_.in_progress())
				return violation("A-RELEASE-RQ within a message");
			(void) ASC_acknowledgeRelease(connection_.assoc);
			return close(DGW_CLOSE_RELEASED);
		case PdvResult::Aborted:
			/* DCMTK says so, too, when the connection ends between two PDUs. */
			if (connection_.layer.at_end() || connection_.layer.last_error() != 0)
				return close(DGW_CLOSE_PEER_GONE);
			return close(DGW_CLOSE_PEER_ABORTED);
		case PdvResult::Closed:
			if (connection_.timed_out())
				return abort(DGW_CLOSE_TIMEOUT, "no complete PDU in time");
			return close(DGW_CLOSE_PEER_GONE);
		case PdvResult::Timeout:
			return abort(DGW_CLOSE_TIMEOUT, "nothing received for too long");
		case PdvResult::Invalid:
			break;
	}
	return violation(why);
}

bool
Association::next_command(Command &command, T_ASC_PresentationContextID &context_id)
{
	std::string bytes;
	std::string why;
	Pdv pdv;
	bool first = true;

	do
	{
		if (!next_fragment(pdv))
			return false;
		if (!pdv.is_command)
			return violation("data set where a command was due");
		if (contexts_.find(pdv.context_id) == contexts_.end())
			return violation("message for a presentation context that was not accepted");
		if (!first && pdv.context_id != context_id)
			return violation("message for two presentation contexts");
		if (bytes.size() + pdv.len > MAX_COMMAND_SET)
			return violation("command set is too long");
		context_id = pdv.context_id;
		first = false;
		bytes.append(static_cast<const char *>(pdv.data), pdv.len);
	} while (!pdv.is_last);

	return decode_command(bytes, command, why) || violation(why);
}

bool
Association::serve_command(const Command &command, T_ASC_PresentationContextID context_id)
{
	if (command.field == C_STORE_RQ)
		return serve_store(command, context_id);
	if (command.field == C_CANCEL_RQ)
		return true;
	if ((command.field & COMMAND_IS_RESPONSE) != 0)
		return violation("response to nothing");
	if (command.has_dataset && !drain(context_id))
		return false;
	if (command.field == C_ECHO_RQ)
		return respond(command, context_id, {STATUS_SUCCESS, ""});
	return respond(command, context_id, {STATUS_UNRECOGNIZED_OPERATION, "service not supported"});
}

/*
 * The fragments of one object, and the answer.  If the object is refused at
 * any point, the rest of it still has to be read.
 */
bool
Association::serve_store(const Command &command, T_ASC_PresentationContextID context_id)
{
	const AcceptedContext &context = contexts_.at(context_id);
	Pdv pdv;

	if (!command.has_dataset)
		return respond(command, context_id, {STATUS_CANNOT_UNDERSTAND, "no data set"});
	if (!context.storage)
	{
		return drain(context_id) &&
			   respond(command, context_id,
					   {STATUS_SOP_CLASS_NOT_SUPPORTED, "not a storage presentation context"});
	}

	store_.begin(command, context.transfer_syntax_uid);
	do
	{
		if (!next_data(context_id, pdv))
			return false;
		store_.append(pdv.data, pdv.len);
	} while (!pdv.is_last);

	return respond(command, context_id, store_.finish());
}

bool
Association::next_data(T_ASC_PresentationContextID context_id, Pdv &pdv)
{
	if (!next_fragment(pdv))
		return false;
	if (pdv.is_command)
		return violation("command where a data set was due");
	if (pdv.context_id != context_id)
		return violation("data set for another presentation context than its command");
	return true;
}

bool
Association::drain(T_ASC_PresentationContextID context_id)
{
	Pdv pdv;

	do
	{
		if (!next_data(context_id, pdv))
			return false;
	} while (!pdv.is_last);
	return true;
}

bool
Association::respond(const Command &request, T_ASC_PresentationContextID context_id,
					 const Outcome &outcome)
{
	Command response;

	response.field = request.field | COMMAND_IS_RESPONSE;
	response.message_id = request.message_id;
	response.status = outcome.status;
	response.error_comment = outcome.comment;
	/* A UID that is none is not given back. */
	if (is_uid(request.sop_class_uid))
		response.sop_class_uid = request.sop_class_uid;
	if (is_uid(request.sop_instance_uid))
		response.sop_instance_uid = request.sop_instance_uid;

	connection_.layer.set_deadline_after(std::chrono::seconds(seconds(listener_.idle_timeout)));
	if (send_command(connection_.assoc, context_id, response).good())
		return true;
	if (connection_.timed_out())
		return close(DGW_CLOSE_TIMEOUT, "the peer does not take a response");
	return close(DGW_CLOSE_PEER_GONE);
}

/* ---------- entry points ---------- */

int
serve_association(int peer_fd, Channel &worker, const ListenerConfig &listener,
				  const StoragePlaces &places)
{
	return Association(peer_fd, worker, listener, places).run();
}

int
refuse_association(int peer_fd, const ListenerConfig &listener)
{
	Connection connection(peer_fd, listener);

	if (connection.receive(listener).good() && connection.layer.fd() >= 0)
		(void) connection.reject(ASC_RESULT_REJECTEDTRANSIENT,
								 ASC_SOURCE_SERVICEPROVIDER_PRESENTATION_RELATED,
								 ASC_REASON_SP_PRES_LOCALLIMITEXCEEDED);
	return 0;
}

} // namespace dicomgw
