/*-------------------------------------------------------------------------
 *
 * exchange.cpp
 *	  One request and its response over an open association (the second
 *	  half of requestor.h).
 *
 *-------------------------------------------------------------------------
 */
#include "requestor.h"

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "answer.h"

namespace dicomgw
{

using std::chrono::seconds;

namespace
{

constexpr uint16_t PRIORITY_MEDIUM = 0x0000;

/*
 * Slower than this a peer is as good as dead.  Without such a floor one that
 * takes a few bytes before each timeout could hold the sender for ever.
 */
constexpr uint64_t MIN_BYTES_PER_SECOND = 4096;

/* Long enough to hear an A-ABORT that came before the connection broke. */
constexpr std::chrono::milliseconds LAST_WORDS{50};

Exchange
file_failed(FileState state)
{
	return state == FileState::Damaged ? Exchange::FileDamaged : Exchange::FileMissing;
}

} // namespace

Exchange
Requestor::store(const NegotiatedContext &context, const std::string &sop_instance_uid,
				 DatasetFile &file, Response &response, Failure &failure)
{
	const size_t fragment = static_cast<size_t>(assoc_->sendPDVLength);
	const size_t piece = DatasetFile::MAX_PIECE / fragment * fragment;
	Command command;

	/* A file of one piece is known to be good or bad before the peer hears of it. */
	FileState state = file.next(piece);

	if (state != FileState::Good)
		return file_failed(state);
	command.field = C_STORE_RQ;
	command.priority = PRIORITY_MEDIUM;
	command.has_dataset = true;
	command.sop_class_uid = context.pair.sop_class_uid;
	command.sop_instance_uid = sop_instance_uid;
	transport_.set_deadline_after(seconds(static_cast<uint64_t>(destination_.response_timeout) +
										  file.size() / MIN_BYTES_PER_SECOND));
	OFCondition cond = send_request(command, context, true);

	for (;;)
	{
		if (cond.good())
			cond = send_fragments(assoc_, context.id, DUL_DATASETPDV, file.data(), file.length(),
								  file.at_end());
		if (cond.bad())
			return send_failed(failure);
		if (file.at_end())
			return read_response(C_STORE_RSP, context, response, failure);
		state = file.next(piece);
		if (state != FileState::Good)
		{
			abort();
			return file_failed(state);
		}
	}
}

Exchange
Requestor::echo(const NegotiatedContext &context, Response &response, Failure &failure)
{
	Command command;

	command.field = C_ECHO_RQ;
	command.sop_class_uid = context.pair.sop_class_uid;
	transport_.set_deadline_after(seconds(destination_.response_timeout));
	if (send_request(command, context, false).bad())
		return send_failed(failure);
	return read_response(C_ECHO_RSP, context, response, failure);
}

/* more: the dataset follows at once, and should share the command set's segment. */
OFCondition
Requestor::send_request(const Command &command, const NegotiatedContext &context, bool more)
{
	Command numbered = command;

	numbered.message_id = ++message_id_;
	transport_.set_more(more);
	OFCondition cond = send_command(assoc_, context.id, numbered);

	transport_.set_more(false);
	return cond;
}

/* The peer takes no more; it may have said why before. */
Exchange
Requestor::send_failed(Failure &failure)
{
	int error = transport_.last_error();
	std::string broken = transport_.error_text();
	std::string why;
	Pdv pdv;

	if (error == ETIMEDOUT)
	{
		failure.kind = DGW_FAIL_TIMEOUT;
		failure.message = "peer was too slow in taking the object";
		abort();
		return Exchange::Failed;
	}
	transport_.set_deadline_after(LAST_WORDS);
	failure.kind = DGW_FAIL_ABORTED;
	if (read_pdv(assoc_, 1, pdv, why) == PdvResult::Aborted && !transport_.at_end() &&
		transport_.last_error() == 0)
		failure.message = "peer aborted the association while a request was being sent";
	else
		failure.message = "connection broke while a request was being sent: " +
						  (error != 0 ? broken : std::string("closed"));
	drop();
	return Exchange::Failed;
}

Exchange
Requestor::read_response(uint16_t field, const NegotiatedContext &context, Response &response,
						 Failure &failure)
{
	std::string bytes;
	std::string why;
	Command command;
	Pdv pdv;

	transport_.set_deadline_after(seconds(destination_.response_timeout));
	do
	{
		/* The deadline ends it; the timeout is only to be no shorter. */
		PdvResult result = read_pdv(assoc_, destination_.response_timeout + 1, pdv, why);

		if (result != PdvResult::Fragment)
			return interrupted(result, why, failure);
		if (!pdv.is_command)
			return protocol_error("peer sent a dataset instead of a response", failure);
		if (pdv.context_id != context.id)
			return protocol_error("peer responded in another presentation context", failure);
		if (pdv.len > MAX_COMMAND_SET - bytes.size())
			return protocol_error("peer's response is too long", failure);
		bytes.append(static_cast<const char *>(pdv.data), pdv.len);
	} while (!pdv.is_last);

	if (!decode_command(bytes, command, why))
		return protocol_error("peer's response is not valid: " + why, failure);
	if (command.field != field)
		return protocol_error("peer sent another message instead of the response", failure);
	if (command.message_id != message_id_)
		return protocol_error("peer responded to another message ID", failure);
	response.status = command.status;
	response.comment = printable(command.error_comment);
	response.offending = offending_elements(bytes);
	return Exchange::Answered;
}

/* Something else came than a fragment: end the association as it demands. */
Exchange
Requestor::interrupted(PdvResult result, const std::string &why, Failure &failure)
{
	int error = transport_.last_error();

	if (result == PdvResult::ReleaseRequested)
	{
		(void) ASC_acknowledgeRelease(assoc_);
		drop();
		return Exchange::Released;
	}
	if (result == PdvResult::Invalid)
		return protocol_error("peer broke the upper layer protocol: " + why, failure);
	if (result == PdvResult::Timeout || error == ETIMEDOUT)
	{
		failure.kind = DGW_FAIL_TIMEOUT;
		failure.message =
			"peer did not respond within " + std::to_string(destination_.response_timeout) + " s";
		abort();
		return Exchange::Failed;
	}
	failure.kind = DGW_FAIL_ABORTED;
	/* DCMTK may call the end of a connection an A-ABORT; the transport knows better. */
	if (error != 0)
		failure.message = "connection to the peer broke: " + transport_.error_text();
	else if (transport_.at_end())
		failure.message = "peer closed the connection without releasing the association";
	else
		failure.message = "peer aborted the association";
	drop();
	return Exchange::Failed;
}

Exchange
Requestor::protocol_error(const std::string &what, Failure &failure)
{
	failure.kind = DGW_FAIL_PROTOCOL;
	failure.message = printable(what);
	abort();
	return Exchange::Failed;
}

} // namespace dicomgw
