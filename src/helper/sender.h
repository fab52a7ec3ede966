/*-------------------------------------------------------------------------
 *
 * sender.h
 *	  The jobs of dicomgw-scu: what is sent next, and what the worker hears.
 *
 * The worker keeps a number of jobs outstanding; they wait here in the order
 * in which they came, and each is answered with one RESULT, or all that are
 * left with one ASSOCIATION_FAILED, after which the program ends.
 *
 *		                 JOB                      open
 *		no association ------> associate ------------------> send, one by one
 *		      ^                                                |         |
 *		      |  linger passed: A-RELEASE; the peer ended it   |         |
 *		      +------------------------------------------------+         |
 *		                                                                 v
 *		        could not associate, or broke on the way: ASSOCIATION_FAILED
 *
 * Each distinct pair of SOP class and transfer syntax among the waiting jobs
 * is proposed in a presentation context of its own, and so are the pairs that
 * the objects may be converted to (outgoing.h).  A job of which a pair was not
 * proposed makes the association be released and a new one be opened with the
 * old pairs and the new ones together.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_SENDER_H
#define DGW_SENDER_H

#include "channel.h"
#include "dataset_file.h"
#include "edited_object.h"
#include "outgoing.h"
#include "requestor.h"

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace dicomgw
{

/* DGW_MSG_JOB, with strings of its own. */
struct Job
{
	explicit Job(const DgwJob &message);

	uint64_t id;
	uint64_t token;
	std::string path;
	SyntaxPair pair;
	std::string sop_instance_uid;
	uint64_t size;
	std::array<uint8_t, DGW_SHA256_LEN> sha256;
	std::string edits; /* plan (edit_plan.h); empty: its bytes are untouched */
};

class Sender
{
public:
	Sender(Channel &channel, const Destination &destination);

	/* Until the worker closes the channel or an association fails; the exit status. */
	int run();

private:
	void take_messages(int timeout_ms);
	void take_message(DgwFrame &frame);
	void finish(int exit_status);

	void wait_for_work();
	void send_next();
	bool open_file(const Job &job);
	bool peer_is_there();
	bool associate();
	std::vector<SyntaxPair> pairs_to_propose() const;
	bool find_contexts(const Job &job, std::vector<NegotiatedContext> &contexts) const;
	void offer(const Job &job, const std::vector<NegotiatedContext> &contexts);
	void offer_converted(const Job &job, const std::vector<NegotiatedContext> &accepted);
	void offer_edited(const Job &job, const std::vector<NegotiatedContext> &accepted);
	bool convert(const Job &job, const DatasetFile &source, const std::string &own,
				 const NegotiatedContext &context, std::string &impossible);
	void transfer(const Job &job, const NegotiatedContext &context, DatasetFile &file,
				  const std::string &sop_instance_uid);
	void ended_by_peer(Exchange how, Failure &failure, uint64_t during_job);

	void echo();
	std::string exchange_echo(DgwEchoResult &result);

	void report(const Job &job, DgwOutcome outcome, const Response &response,
				uint32_t duration_us = 0, const std::string &sent_as = std::string());
	void report_file(const Job &job, FileState state, const DatasetFile &file);
	void report_failure(const Failure &failure, uint64_t during_job);

	Channel &channel_;
	const Destination &destination_;
	Requestor requestor_;
	DatasetFile file_;
	EditedObject edited_;
	ConvertedObject converted_;
	std::deque<Job> queue_;
	std::vector<SyntaxPair> proposed_; /* on the last association */
	int fruitless_ = 0;				   /* associations in a row that the peer ended unused */
	bool answered_ = false;			   /* something, on this association */
	bool finished_ = false;
	int exit_status_ = 0;
};

} // namespace dicomgw

#endif /* DGW_SENDER_H */
