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
#include <iterator>
#include <map>
#include <set>

#include <poll.h>

#include <dcmtk/dcmdata/dcuid.h>

#include "clock.h"

namespace dicomgw
{

namespace
{

/*
 * A peer may release an association whenever it likes, and gets another one;
 * but not one that ends all of them before it has answered anything.
 */
constexpr int MAX_FRUITLESS = 1;

/*
 * Whatever a modality has sent as a UID is passed on; what cannot stand in an
 * A-ASSOCIATE-RQ is not.
 */
bool
is_proposable(const std::string &uid)
{
	return !uid.empty() && uid.size() <= DIC_UI_LEN &&
		   std::all_of(uid.begin(), uid.end(), [](char c) { return c > ' ' && c <= '~'; });
}

bool
can_be_proposed(const SyntaxPair &pair)
{
	return is_proposable(pair.sop_class_uid) && is_proposable(pair.transfer_syntax_uid);
}

} // namespace

Job::Job(const DgwJob &message)
	: id(message.id),
	  token(message.token),
	  path(str(message.path)),
	  pair{str(message.sop_class_uid), str(message.transfer_syntax_uid)},
	  sop_instance_uid(str(message.sop_instance_uid)),
	  size(message.size),
	  edits(str(message.edits))
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
Sender::report(const Job &job, DgwOutcome outcome, const Response &response, uint32_t duration_us,
			   const std::string &sent_as)
{
	DgwResult result = {};

	result.id = job.id;
	result.token = job.token;
	result.outcome = static_cast<uint8_t>(outcome);
	result.status = response.status;
	result.comment = slice(response.comment);
	result.offending = slice(response.offending);
	result.sent_transfer_syntax_uid = slice(sent_as);
	result.duration_us = duration_us;
	bool heard = channel_.send(dgw_encode_result, result);

	edited_.forget();
	converted_.forget();
	queue_.pop_front();
	if (!heard)
	{
		requestor_.abort();
		finish(1);
	}
}

void
Sender::report_file(const Job &job, FileState state, const DatasetFile &file)
{
	report(job, state == FileState::Damaged ? DGW_OUTCOME_FILE_DAMAGED : DGW_OUTCOME_FILE_MISSING,
		   {0, file.why(), ""});
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

	const auto until = Clock::now() + std::chrono::milliseconds(destination_.linger);
	struct pollfd fds[] = {{channel_.fd(), POLLIN, 0}, {requestor_.fd(), POLLIN, 0}};

	while (!requestor_.input_waiting())
	{
		int n = poll(fds, 2, ms_until(until));

		if ((n < 0 && errno == EINTR) || (n > 0 && fds[0].revents != 0))
			return;
		/* What concerns TLS alone is no reason to stay. */
		if (n <= 0 || Clock::now() >= until)
		{
			requestor_.release();
			return;
		}
	}
	Failure failure;

	/* No job suffers, so it is no failure. */
	if (requestor_.end_by_peer(failure) == Exchange::Failed)
		channel_.log(DGW_LOG_DEBUG, "idle association ended: %s", failure.message.c_str());
}

/* ---------- sending ---------- */

/* One step towards the end of the first job; the association may change on the way. */
void
Sender::send_next()
{
	const Job &job = queue_.front();
	std::vector<NegotiatedContext> contexts;

	if (!can_be_proposed(job.pair))
		report(job, DGW_OUTCOME_NO_CONTEXT,
			   {0, "SOP class or transfer syntax cannot be proposed: not a UID", ""});
	else if (!open_file(job) || !peer_is_there() || (!requestor_.is_open() && !associate()))
		return;
	else if (find_contexts(job, contexts))
		offer(job, contexts);
	else
		requestor_.release();
}

/* False if it can't be sent; that is reported then. */
bool
Sender::open_file(const Job &job)
{
	FileState state = file_.open(destination_.storage_path, job.path, job.size, job.sha256.data());

	if (state != FileState::Good)
		report_file(job, state, file_);
	return state == FileState::Good;
}

/* False if the peer has ended the association meanwhile: the job gets another one. */
bool
Sender::peer_is_there()
{
	Failure failure;

	if (!requestor_.is_open() || !requestor_.input_waiting())
		return true;
	Exchange how = requestor_.end_by_peer(failure);

	ended_by_peer(how, failure, 0);
	return false;
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
 * What the first job needs, then what most of the others do (the earlier first,
 * if equal), and what was proposed before: jobs of two kinds in turns must not
 * cost an association each.
 */
std::vector<SyntaxPair>
Sender::pairs_to_propose() const
{
	std::map<SyntaxPair, size_t> jobs_of;
	std::vector<SyntaxPair> own;

	for (const Job &job : queue_)
		if (can_be_proposed(job.pair) && jobs_of[job.pair]++ == 0)
			own.push_back(job.pair);

	const SyntaxPair &first = queue_.front().pair;

	std::stable_sort(own.begin(), own.end(),
					 [&jobs_of, &first](const SyntaxPair &a, const SyntaxPair &b)
					 {
						 if ((a == first) != (b == first))
							 return a == first;
						 return jobs_of.at(a) > jobs_of.at(b);
					 });

	std::vector<SyntaxPair> pairs;
	std::set<SyntaxPair> known;
	auto propose = [&pairs, &known](const SyntaxPair &pair)
	{
		if (pairs.size() < MAX_CONTEXTS && known.insert(pair).second)
			pairs.push_back(pair);
	};

	for (const SyntaxPair &pair : own)
		for (const std::string &syntax : outgoing_syntaxes(pair.transfer_syntax_uid, destination_))
			propose({pair.sop_class_uid, syntax});
	std::for_each(proposed_.begin(), proposed_.end(), propose);
	return pairs;
}

/* ---------- one object ---------- */

/* The peer's answers for this object, best first; false if not all were asked for. */
bool
Sender::find_contexts(const Job &job, std::vector<NegotiatedContext> &contexts) const
{
	for (const std::string &syntax : outgoing_syntaxes(job.pair.transfer_syntax_uid, destination_))
	{
		const NegotiatedContext *context = requestor_.find({job.pair.sop_class_uid, syntax});

		if (context == nullptr)
			return false;
		contexts.push_back(*context);
	}
	return true;
}

void
Sender::offer(const Job &job, const std::vector<NegotiatedContext> &contexts)
{
	std::vector<NegotiatedContext> accepted;

	std::copy_if(contexts.begin(), contexts.end(), std::back_inserter(accepted),
				 [](const NegotiatedContext &context) { return context.accepted; });
	if (accepted.empty())
	{
		auto own = std::find_if(contexts.begin(), contexts.end(),
								[&job](const NegotiatedContext &c) { return c.pair == job.pair; });

		report(job, DGW_OUTCOME_NO_CONTEXT,
			   {0,
				"peer does not accept SOP class " + job.pair.sop_class_uid +
					" with transfer syntax " + job.pair.transfer_syntax_uid + ": " + own->refusal +
					(contexts.size() > 1 ? "; nor with any that it may be converted to" : ""),
				""});
	}
	else if (!job.edits.empty())
		offer_edited(job, accepted);
	else if (accepted.front().pair == job.pair)
		transfer(job, accepted.front(), file_, job.sop_instance_uid);
	else
		offer_converted(job, accepted);
}

/* In the first of these that it can be converted to, or that is its own. */
void
Sender::offer_converted(const Job &job, const std::vector<NegotiatedContext> &accepted)
{
	FileState state = file_.verify();
	std::string impossible;

	if (state != FileState::Good)
	{
		report_file(job, state, file_);
		return;
	}
	for (const NegotiatedContext &context : accepted)
	{
		if (context.pair == job.pair)
		{
			/* It has been read to its end. */
			if (open_file(job))
				transfer(job, context, file_, job.sop_instance_uid);
			return;
		}
		if (convert(job, file_, job.pair.transfer_syntax_uid, context, impossible))
			return;
	}
	report(job, DGW_OUTCOME_NO_CONVERSION, {0, impossible, ""});
}

/* The same for what the edits make of it; an object that cannot be edited is not sent. */
void
Sender::offer_edited(const Job &job, const std::vector<NegotiatedContext> &accepted)
{
	FileState state = file_.verify();
	std::string impossible;
	std::string why;

	if (state != FileState::Good)
	{
		report_file(job, state, file_);
		return;
	}
	Transcoded edited = edited_.make(job.id, file_, job.pair.transfer_syntax_uid, job.edits,
									 destination_.storage_path, why);

	if (edited != Transcoded::Done)
	{
		report(job, edited == Transcoded::Later ? DGW_OUTCOME_DEFERRED : DGW_OUTCOME_NOT_EDITED,
			   {0, (edited == Transcoded::Later ? "could not edit: " : "cannot be edited: ") + why,
				""});
		return;
	}
	for (const NegotiatedContext &context : accepted)
	{
		if (context.pair.transfer_syntax_uid == edited_.transfer_syntax_uid())
		{
			if (peer_is_there())
				transfer(job, context, edited_.file(), edited_.sop_instance_uid());
			return;
		}
		if (convert(job, edited_.file(), edited_.transfer_syntax_uid(), context, impossible))
			return;
	}
	report(job, DGW_OUTCOME_NO_CONVERSION, {0, impossible, ""});
}

/* To the transfer syntax of this context; false if that is impossible, else all is done. */
bool
Sender::convert(const Job &job, const DatasetFile &source, const std::string &own,
				const NegotiatedContext &context, std::string &impossible)
{
	const std::string &syntax = context.pair.transfer_syntax_uid;
	std::string why;

	switch (converted_.make(job.id, source, own, syntax, destination_.storage_path, why))
	{
		case Transcoded::Done:
			/* It may have taken its time. */
			if (peer_is_there())
				transfer(job, context, converted_.file(),
						 job.edits.empty() ? job.sop_instance_uid : edited_.sop_instance_uid());
			return true;
		case Transcoded::Later:
			report(job, DGW_OUTCOME_DEFERRED, {0, "could not convert: " + why, ""});
			return true;
		case Transcoded::Impossible:
			if (impossible.empty())
				impossible = "cannot convert from " + syntax_words(own) + " to " +
							 syntax_words(syntax) + ", which the peer accepts: " + why;
	}
	return false;
}

void
Sender::transfer(const Job &job, const NegotiatedContext &context, DatasetFile &file,
				 const std::string &sop_instance_uid)
{
	const std::string sent_as =
		context.pair == job.pair ? std::string() : context.pair.transfer_syntax_uid;
	auto start = Clock::now();
	Response response;
	Failure failure;
	Exchange how = requestor_.store(
		context, sop_instance_uid.empty() ? job.sop_instance_uid : sop_instance_uid, file, response,
		failure);

	switch (how)
	{
		case Exchange::Answered:
			answered_ = true;
			fruitless_ = 0;
			report(job, DGW_OUTCOME_RESPONSE, response, microseconds_since(start), sent_as);
			break;
		case Exchange::FileMissing:
			report_file(job, FileState::Missing, file);
			break;
		case Exchange::FileDamaged:
			report_file(job, FileState::Damaged, file);
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

} // namespace dicomgw
