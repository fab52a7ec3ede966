/*-------------------------------------------------------------------------
 *
 * sender.cpp
 *	  The jobs of dicomgw-scu: what is sent next, and what the worker hears
 *	  (see sender.h).
 *
 *-------------------------------------------------------------------------
 */
#include "sender.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdio>
#include <cstring>
#include <map>

#include <poll.h>

#include <dcmtk/dcmdata/dcuid.h>

namespace dicomgw
{

namespace
{

/*
 * A peer may release an association whenever it likes, and gets another one;
 * but not one that ends all of them before it has answered anything.
 */
constexpr int MAX_FRUITLESS = 1;

uint32_t
microseconds_since(MonotonicClock::time_point start)
{
	auto spent =
		std::chrono::duration_cast<std::chrono::microseconds>(MonotonicClock::now() - start);

	return static_cast<uint32_t>(std::min<long long>(spent.count(), UINT32_MAX));
}

/*
 * Whatever a modality has sent as a UID is passed on; what cannot stand in an
 * A-ASSOCIATE-RQ is not.
 */
bool
can_be_proposed(const std::string &uid)
{
	return !uid.empty() && uid.size() <= DIC_UI_LEN &&
		   std::all_of(uid.begin(), uid.end(), [](char c) { return c > ' ' && c <= '~'; });
}

} // namespace

Job::Job(const DgwJob &message)
	: id(message.id),
	  token(message.token),
	  path(str(message.path)),
	  pair{str(message.sop_class_uid), str(message.transfer_syntax_uid)},
	  sop_instance_uid(str(message.sop_instance_uid)),
	  size(message.size)
{
	std::copy(std::begin(message.sha256), std::end(message.sha256), sha256.begin());
}

Sender::Sender(Channel &channel, const Destination &destination)
	: channel_(channel),
	  destination_(destination),
	  requestor_(destination)
{
}

int
Sender::run()
{
	while (!finished_)
	{
		if (queue_.empty())
		{
			wait_for_work();
			continue;
		}
		/* The worker may have closed its side: then what is left is for another sender. */
		take_messages(0);
		if (!finished_)
			send_next();
	}
	return exit_status_;
}

/* ---------- the worker ---------- */

/* All that the worker has said, waiting timeout_ms (-1: for ever) for the first of it. */
void
Sender::take_messages(int timeout_ms)
{
	DgwFrame frame;

	while (!finished_)
	{
		switch (channel_.receive(frame, timeout_ms))
		{
			case DGW_READ_OK:
				take_message(frame);
				break;
			case DGW_READ_AGAIN:
				return;
			case DGW_READ_EOF:
				finish(0);
				return;
			case DGW_READ_ERROR:
				finish(1);
				return;
		}
		timeout_ms = 0;
	}
}

void
Sender::take_message(DgwFrame &frame)
{
	DgwJob job;

	if (frame.type == DGW_MSG_JOB && dgw_decode_job(&frame, &job))
		queue_.emplace_back(job);
	else if (frame.type == DGW_MSG_ECHO && queue_.empty() && !requestor_.is_open())
		echo();
	else
	{
		channel_.log(DGW_LOG_WARNING, "dicomgw-scu cannot take a message %s here",
					 dgw_message_name(frame.type));
		finish(1);
	}
}

/*
 * Nobody is left to hear results.  Between objects the association is still
 * ended in order; jobs that wait will be sent by another sender.
 */
void
Sender::finish(int exit_status)
{
	finished_ = true;
	exit_status_ = exit_status;
	requestor_.release();
}

void
Sender::report(const Job &job, DgwOutcome outcome, const Response &response, uint32_t duration_us)
{
	DgwResult result = {};

	result.id = job.id;
	result.token = job.token;
	result.outcome = static_cast<uint8_t>(outcome);
	result.status = response.status;
	result.comment = slice(response.comment);
	result.duration_us = duration_us;
	bool heard = channel_.send(dgw_encode_result, result);

	queue_.pop_front();
	if (!heard)
	{
		requestor_.abort();
		finish(1);
	}
}

void
Sender::report_failure(const Failure &failure, uint64_t during_job)
{
	DgwAssociationFailed message = {};

	message.failure = static_cast<uint8_t>(failure.kind);
	message.during_job = during_job;
	message.reject_result = failure.reject_result;
	message.reject_source = failure.reject_source;
	message.reject_reason = failure.reject_reason;
	message.message = slice(failure.message);
	(void) channel_.send(dgw_encode_association_failed, message);
	finish(0);
}

/* ---------- nothing to send ---------- */

/* Wait for the worker; an open association is kept for a while, in case there is more. */
void
Sender::wait_for_work()
{
	if (!requestor_.is_open())
	{
		take_messages(-1);
		return;
	}
	take_messages(0);
	if (finished_ || !queue_.empty())
		return;

	struct pollfd fds[] = {{channel_.fd(), POLLIN, 0}, {requestor_.fd(), POLLIN, 0}};
	bool heard = requestor_.input_waiting();
	int n = heard
				? 1
				: poll(fds, 2, static_cast<int>(std::min<uint32_t>(destination_.linger, INT_MAX)));

	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0)
		requestor_.release();
	else if (heard || fds[1].revents != 0)
	{
		Failure failure;

		/* No job suffers, so it is no failure. */
		if (requestor_.end_by_peer(failure) == Exchange::Failed)
			channel_.log(DGW_LOG_DEBUG, "idle association ended: %s", failure.message.c_str());
	}
}

/* ---------- sending ---------- */

/* One step towards the end of the first job; the association may change on the way. */
void
Sender::send_next()
{
	const Job &job = queue_.front();
	Failure failure;

	if (!can_be_proposed(job.pair.sop_class_uid) || !can_be_proposed(job.pair.transfer_syntax_uid))
	{
		report(job, DGW_OUTCOME_NO_CONTEXT,
			   {0, "SOP class or transfer syntax cannot be proposed: not a UID"}, 0);
		return;
	}
	FileState state = file_.open(destination_.storage_path, job.path, job.size, job.sha256.data());

	if (state != FileState::Good)
	{
		report(job,
			   state == FileState::Damaged ? DGW_OUTCOME_FILE_DAMAGED : DGW_OUTCOME_FILE_MISSING,
			   {0, file_.why()}, 0);
		return;
	}
	if (requestor_.is_open() && requestor_.input_waiting())
	{
		Exchange how = requestor_.end_by_peer(failure);

		ended_by_peer(how, failure, 0);
		return;
	}
	if (!requestor_.is_open() && !associate())
		return;

	const NegotiatedContext *context = requestor_.find(job.pair);

	if (context == nullptr)
		requestor_.release();
	else if (!context->accepted)
		report(job, DGW_OUTCOME_NO_CONTEXT,
			   {0, "peer does not accept SOP class " + job.pair.sop_class_uid +
					   " with transfer syntax " + job.pair.transfer_syntax_uid + ": " +
					   context->refusal},
			   0);
	else
		transfer(job, *context);
}

/* Open an association for all that waits; false if there is none, and nothing left to do. */
bool
Sender::associate()
{
	DgwAssociated message = {};
	Failure failure;

	take_messages(0);
	if (finished_)
		return false;
	proposed_ = pairs_to_propose();
	if (!requestor_.open(proposed_, failure))
	{
		report_failure(failure, 0);
		return false;
	}
	answered_ = false;

	std::string class_uid = requestor_.implementation_class_uid();
	std::string version = requestor_.implementation_version();
	const auto &contexts = requestor_.contexts();

	message.proposed = static_cast<uint32_t>(contexts.size());
	message.accepted = static_cast<uint32_t>(std::count_if(contexts.begin(), contexts.end(),
														   [](const NegotiatedContext &context)
														   { return context.accepted; }));
	message.implementation_class_uid = slice(class_uid);
	message.implementation_version = slice(version);
	if (channel_.send(dgw_encode_associated, message))
		return true;
	finish(1);
	return false;
}

/*
 * The first job's pair, those that most of the others need (the earlier first,
 * if equal), and what was proposed before: jobs of two kinds in turns must not
 * cost an association each.
 */
std::vector<SyntaxPair>
Sender::pairs_to_propose() const
{
	std::map<SyntaxPair, size_t> needed;
	std::vector<SyntaxPair> pairs;

	for (const Job &job : queue_)
		if (can_be_proposed(job.pair.sop_class_uid) &&
			can_be_proposed(job.pair.transfer_syntax_uid) && needed[job.pair]++ == 0)
			pairs.push_back(job.pair);

	const SyntaxPair &first = queue_.front().pair;

	std::stable_sort(pairs.begin(), pairs.end(),
					 [&needed, &first](const SyntaxPair &a, const SyntaxPair &b)
					 {
						 if ((a == first) != (b == first))
							 return a == first;
						 return needed.at(a) > needed.at(b);
					 });
	for (const SyntaxPair &pair : proposed_)
		if (needed.count(pair) == 0)
			pairs.push_back(pair);
	if (pairs.size() > MAX_CONTEXTS)
		pairs.resize(MAX_CONTEXTS);
	return pairs;
}

void
Sender::transfer(const Job &job, const NegotiatedContext &context)
{
	auto start = MonotonicClock::now();
	Response response;
	Failure failure;
	Exchange how =
		requestor_.store(context, job.sop_instance_uid, job.size, file_, response, failure);

	switch (how)
	{
		case Exchange::Answered:
			answered_ = true;
			fruitless_ = 0;
			report(job, DGW_OUTCOME_RESPONSE, response, microseconds_since(start));
			break;
		case Exchange::FileMissing:
			report(job, DGW_OUTCOME_FILE_MISSING, {0, file_.why()}, microseconds_since(start));
			break;
		case Exchange::FileDamaged:
			report(job, DGW_OUTCOME_FILE_DAMAGED, {0, file_.why()}, microseconds_since(start));
			break;
		case Exchange::Released:
			ended_by_peer(how, failure, job.id);
			break;
		case Exchange::Failed:
			report_failure(failure, job.id);
			break;
	}
}

/* The job that waits first gets another association, unless that leads nowhere. */
void
Sender::ended_by_peer(Exchange how, Failure &failure, uint64_t during_job)
{
	if (!answered_ && ++fruitless_ > MAX_FRUITLESS)
	{
		if (how == Exchange::Released)
		{
			failure.kind = DGW_FAIL_ABORTED;
			failure.message = "peer released the association instead of answering, again and again";
		}
		report_failure(failure, during_job);
	}
}

/* ---------- C-ECHO ---------- */

void
Sender::echo()
{
	const SyntaxPair verification = {UID_VerificationSOPClass,
									 UID_LittleEndianImplicitTransferSyntax};
	DgwEchoResult result = {};
	std::string implementation;
	Failure failure;
	auto start = MonotonicClock::now();

	if (requestor_.open({verification}, failure))
	{
		result.associate_us = microseconds_since(start);
		result.peer_max_pdu = requestor_.peer_max_pdu();
		implementation = requestor_.implementation_class_uid();
		if (!requestor_.implementation_version().empty())
			implementation += " " + requestor_.implementation_version();
		failure.message = exchange_echo(result);
	}
	result.ok = failure.message.empty();
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
	auto start = MonotonicClock::now();
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
