/*-------------------------------------------------------------------------
 *
 * store.cpp
 *	  One C-STORE after the other, from request to status (see store.h).
 *
 *-------------------------------------------------------------------------
 */
#include "store.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <unistd.h>

#include "negotiation.h"

namespace dicomgw
{

/* How long a mirror that has failed is left alone. */
constexpr std::chrono::seconds MIRROR_PAUSE{10};

static bool
is_full(int error)
{
	return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

Store::Store(Channel &worker, const StoragePlaces &places)
	: worker_(worker),
	  places_(places),
	  file_(places.storage_path, places.mirror_path)
{
	/* A file that gets too long is an error like any other, not a reason to die. */
	(void) signal(SIGXFSZ, SIG_IGN);
}

void
Store::set_caller(const std::string &ae_title, const StorePolicy &policy)
{
	meta_.source_ae_title = ae_title;
	policy_ = policy;
}

/* ---------- what is refused ---------- */

/* The first reason to refuse an object is the one that is told. */
void
Store::refuse(uint16_t status, const std::string &comment)
{
	file_.abandon();
	if (good())
		outcome_ = {status, comment};
}

void
Store::refuse_for_errno(const char *what)
{
	int error = errno;

	/* Once, not for each of a thousand objects. */
	if (error != logged_errno_)
		worker_.log(DGW_LOG_WARNING, "could not %s a received object: %s", what, strerror(error));
	logged_errno_ = error;
	if (is_full(error))
		refuse(STATUS_OUT_OF_RESOURCES, "storage is full");
	else
		refuse(STATUS_PROCESSING_FAILURE, "could not store the object");
}

void
Store::refuse_for_mirror()
{
	if (is_full(mirror_errno_))
		refuse(STATUS_OUT_OF_RESOURCES, "the mirror is full");
	else
		refuse(STATUS_PROCESSING_FAILURE, "could not store the object at the mirror");
}

/* After each step that may have cost the object its mirror copy. */
void
Store::check_mirror()
{
	int error = file_.mirror_error();

	if (error == 0 || mirror_noticed_)
		return;
	if (error != mirror_errno_)
		worker_.log(DGW_LOG_WARNING, "could not write to the mirror: %s", strerror(error));
	mirror_noticed_ = true;
	mirror_errno_ = error;
	mirror_retry_at_ = std::chrono::steady_clock::now() + MIRROR_PAUSE;
	if (places_.mirror_needed)
		refuse_for_mirror();
}

/* The object and the command that brought it must be about the same. */
void
Store::check_identity(HeaderJson &header)
{
	auto differs = [](const std::string &in_data_set, const std::string &in_command)
	{ return is_uid(in_data_set) && in_data_set != in_command; };
	bool sop_class = differs(header.sop_class_uid, meta_.sop_class_uid);
	bool sop_instance = differs(header.sop_instance_uid, meta_.sop_instance_uid);

	if (!sop_class && !sop_instance)
		return;

	std::string what = sop_class && sop_instance ? "SOP Class and Instance UID differ"
					   : sop_class				 ? "SOP Class UID differs"
												 : "SOP Instance UID differs";

	what += " from the data set's";
	if (policy_.keep_mismatch)
		header.error += (header.error.empty() ? "" : "; ") + what;
	else
		refuse(STATUS_DATA_SET_MISMATCH, what);
}

/* ---------- one object ---------- */

void
Store::begin(const Command &request, const std::string &transfer_syntax_uid)
{
	bool wants_mirror = !places_.mirror_path.empty();
	bool mirror_pauses = mirror_errno_ != 0 && std::chrono::steady_clock::now() < mirror_retry_at_;
	std::string why;

	in_progress_ = true;
	outcome_ = {STATUS_SUCCESS, ""};
	mirror_noticed_ = false;
	file_.reset();
	meta_.sop_class_uid = request.sop_class_uid;
	meta_.sop_instance_uid = request.sop_instance_uid;
	meta_.transfer_syntax_uid = transfer_syntax_uid;

	/*
	 * That the SOP class is the one of the presentation context is not
	 * insisted on: it is the object that counts.
	 */
	if (!is_uid(request.sop_class_uid))
		refuse(STATUS_DATA_SET_MISMATCH, "Affected SOP Class UID is not a UID");
	else if (!is_uid(request.sop_instance_uid))
		refuse(STATUS_INVALID_OBJECT_INSTANCE, "Affected SOP Instance UID is not a UID");
	else if (!places_.gate.accepting(why))
		refuse(STATUS_OUT_OF_RESOURCES, why);
	else if (wants_mirror && mirror_pauses && places_.mirror_needed)
		refuse_for_mirror();
	else if (!file_.open(meta_, wants_mirror && !mirror_pauses))
		refuse_for_errno("create a file for");
	check_mirror();
}

void
Store::append(const void *data, size_t len)
{
	bytes_ += len;
	if (!good())
		return;
	if (policy_.max_object_size > 0 && len > policy_.max_object_size - file_.size())
		refuse(STATUS_OUT_OF_RESOURCES, "data set is longer than the limit of " +
											std::to_string(policy_.max_object_size) + " bytes");
	else if (!file_.append(data, len))
		refuse_for_errno("write");
	check_mirror();
}

Outcome
Store::finish()
{
	HeaderJson header;

	in_progress_ = false;
	if (good() && file_.size() == 0)
		refuse(STATUS_CANNOT_UNDERSTAND, "data set is empty");
	if (good() && !file_.finish(places_.journal_size))
		refuse_for_errno("keep");
	check_mirror();
	if (good())
	{
		header = read_header(places_.storage_path + "/" + file_.path(), file_.dataset_offset(),
							 meta_.transfer_syntax_uid);
		check_identity(header);
	}
	if (good())
		outcome_ = ask_receiver(header);
	else
		remove();
	return outcome_;
}

/* Nothing of an object that is refused may be left. */
void
Store::remove()
{
	if (!file_.remove())
		worker_.log(DGW_LOG_WARNING, "could not remove a refused object: %s", strerror(errno));
}

void
Store::abandon()
{
	file_.abandon();
	in_progress_ = false;
}

/* Tell the receiver, and do what it says. */
Outcome
Store::ask_receiver(const HeaderJson &header)
{
	DgwCommitted committed;
	DgwRefused refused;
	DgwFrame frame;

	seq_++;
	/* Without a receiver there is no answer to give, so the sender sends again. */
	if (!announce(header) || worker_.receive(frame) != DGW_READ_OK)
		_exit(1);
	if (frame.type == DGW_MSG_COMMITTED && dgw_decode_committed(&frame, &committed) &&
		committed.seq == seq_)
	{
		stored_++;
		logged_errno_ = 0;
		if (file_.mirrored())
			mirror_errno_ = 0;
		return {STATUS_SUCCESS, ""};
	}
	if (frame.type != DGW_MSG_REFUSED || !dgw_decode_refused(&frame, &refused) ||
		refused.seq != seq_)
		_exit(1);
	/* Success, too, if it is there already. */
	remove();
	if (refused.status == STATUS_SUCCESS)
		stored_++;
	return {refused.status, str(refused.comment)};
}

bool
Store::announce(const HeaderJson &header)
{
	DgwReceived received = {};

	received.seq = seq_;
	received.path = slice(file_.path());
	received.sop_class_uid = slice(meta_.sop_class_uid);
	received.sop_instance_uid = slice(meta_.sop_instance_uid);
	received.transfer_syntax_uid = slice(meta_.transfer_syntax_uid);
	received.size = file_.size();
	memcpy(received.sha256, file_.sha256(), sizeof(received.sha256));
	received.header = slice(header.json);
	received.header_error = slice(header.error);
	received.mirrored = file_.mirrored();
	received.synced = file_.synced();
	return worker_.send(dgw_encode_received, received);
}

} // namespace dicomgw
