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
#include "dcmtk/dcmnet/dul.h"

#include <cstring>
#include <unistd.h>

#include "admission.h"
#include "connection.h"
#include "dimse.h"
#include "identity.h"
#include "negotiation.h"

namespace dicomgw
{

/* What DCMTK keeps free of the longest PDU that the peer takes. */
constexpr unsigned long PDU_ALLOWANCE = 12;

namespace
{

class Association
{
public:
	Association(const AssociationStart &start, Channel &worker)
		: worker_(worker),
		  start_(start),
		  connection_(start),
		  store_(worker, start.places)
	{
	}
	int run();

private:
	bool open();
	bool reject(const DgwRejected &how, const std::string &why);
	bool admit();
	bool limit_fragments();
	bool accept();
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
	bool told_to_end();
	void say_goodbye();

	Channel &worker_;
	const AssociationStart &start_;
	Connection connection_;
	Permissions permissions_;
	AcceptedContexts contexts_;
	Store store_;
	bool closed_ = false;
	bool abort_ = false;
	DgwCloseReason reason_ = DGW_CLOSE_FAILURE;
	std::string message_;
};

} // namespace

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

/* True, and the association is to be aborted, if a person wants that. */
bool
Association::told_to_end()
{
	if (!start_.interrupt.raised())
		return false;
	(void) abort(DGW_CLOSE_TOLD, std::string());
	return true;
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
	DgwCloseReason reason = DGW_CLOSE_FAILURE;
	std::string message;

	if (!connection_.receive(reason, message))
	{
		/* Not for a timeout: PS3.8 9.2.3 closes then (AA-2). */
		abort_ = reason == DGW_CLOSE_TOLD || reason == DGW_CLOSE_PROTOCOL;
		return close(reason, message);
	}
	if (strcmp(connection_.params()->DULparams.applicationContextName,
			   UID_StandardApplicationContext) != 0)
		return reject({ASC_RESULT_REJECTEDPERMANENT, ASC_SOURCE_SERVICEUSER,
					   (uint8_t) ASC_REASON_SU_APPCONTEXTNAMENOTSUPPORTED},
					  "application context not supported");
	if (!context_ids_are_valid(connection_.params()))
		return violation("presentation context IDs are not odd, or used twice");
	return admit() && accept();
}

bool
Association::reject(const DgwRejected &how, const std::string &why)
{
	connection_.reject(how.result, how.source, how.reason);
	return close(DGW_CLOSE_REJECTED, why);
}

/* The receiver decides who is let in; whether the passcode is right is seen here. */
bool
Association::admit()
{
	Identity identity(connection_.params());
	Admission admission = ask_admission(worker_, connection_, identity);

	if (told_to_end())
		return false;
	if (!admission.admitted)
		return reject(admission.rejected, std::string());
	permissions_ = admission.permissions;
	if (!permissions_.passcode_hash.empty())
	{
		/* The way to say it is in PS3.7 D.3.3.7. */
		if (!identity.verify(permissions_.passcode_hash))
			return reject({ASC_RESULT_REJECTEDPERMANENT, ASC_SOURCE_SERVICEPROVIDER_ACSE_RELATED,
						   (uint8_t) ASC_REASON_SP_ACSE_NOREASON},
						  identity.has_passcode() ? "wrong passcode" : "no passcode");
		identity.acknowledge(connection_.params());
	}
	start_.on_admission();
	store_.set_caller(admission.calling_ae, permissions_.store);
	return true;
}

bool
Association::accept()
{
	contexts_ = negotiate(connection_.params(), permissions_);
	DgwOpened opened = {(uint32_t) contexts_.size()};

	if (ASC_acknowledgeAssociation(connection_.assoc).bad())
		return !told_to_end() && close(DGW_CLOSE_PEER_GONE, "could not send the A-ASSOCIATE-AC");
	if (!worker_.send(dgw_encode_opened, opened))
		_exit(1);
	return limit_fragments();
}

/* Where the peer takes so little that DCMTK would cut the fragments itself, and wrongly. */
bool
Association::limit_fragments()
{
	unsigned long peer_max = connection_.params()->DULparams.peerMaxPDU;

	if (peer_max == 0 || peer_max >= 2 * PDU_ALLOWANCE)
		return true;
	if (peer_max < PDU_ALLOWANCE + 2)
		return violation("the peer's maximum PDU length leaves no room for data");
	connection_.assoc->sendPDVLength = (peer_max - PDU_ALLOWANCE) & ~1UL;
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

	if (told_to_end())
		return false;
	connection_.start_idle_timer();
	PdvResult result = read_pdv(connection_.assoc, seconds(start_.listener.idle_timeout), pdv, why);

	if (result == PdvResult::Fragment)
		return true;
	if (told_to_end())
		return false;
	switch (result)
	{
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
		default:
			return violation(why);
	}
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
	if (command.field == C_ECHO_RQ && !permissions_.may_echo)
		return respond(command, context_id, {STATUS_NOT_AUTHORIZED, "C-ECHO is not permitted"});
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
	if (!permissions_.may_store)
	{
		return drain(context_id) &&
			   respond(command, context_id, {STATUS_NOT_AUTHORIZED, "C-STORE is not permitted"});
	}
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

	connection_.start_idle_timer();
	if (send_command(connection_.assoc, context_id, response).good())
		return true;
	if (told_to_end())
		return false;
	if (connection_.timed_out())
		return close(DGW_CLOSE_TIMEOUT, "the peer does not take a response");
	return close(DGW_CLOSE_PEER_GONE);
}

/* ---------- entry point ---------- */

int
serve_association(const AssociationStart &start, Channel &worker)
{
	return Association(start, worker).run();
}

} // namespace dicomgw
