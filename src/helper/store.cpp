/*-------------------------------------------------------------------------
 *
 * store.cpp
 *	  One C-STORE after the other, from request to status (see store.h).
 *
 *-------------------------------------------------------------------------
 */
#include "store.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

#include "header_json.h"
#include "negotiation.h"

namespace dicomgw
{

Store::Store(Channel &worker, const StoragePlaces &places)
	: worker_(worker),
	  places_(places),
	  storage_fd_(open(places.storage_path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
	  file_(storage_fd_)
{
	if (storage_fd_ < 0)
		worker_.log(DGW_LOG_WARNING, "could not open the storage directory: %s", strerror(errno));
}

Store::~Store()
{
	if (storage_fd_ >= 0)
		close(storage_fd_);
}

void
Store::set_caller(const std::string &ae_title, const StorePolicy &policy)
{
	meta_.source_ae_title = ae_title;
	policy_ = policy;
}

/* The first reason to refuse an object is the one that is told. */
void
Store::refuse(uint16_t status, const char *comment)
{
	file_.abandon();
	if (outcome_.status == STATUS_SUCCESS)
		outcome_ = {status, comment};
}

void
Store::refuse_for_errno(const char *what)
{
	int error = errno;
	bool full = error == ENOSPC || error == EDQUOT;

	/* Once, not for each of a thousand objects. */
	if (error != logged_errno_)
		worker_.log(DGW_LOG_WARNING, "could not %s a received object: %s", what, strerror(error));
	logged_errno_ = error;
	if (full)
		refuse(STATUS_OUT_OF_RESOURCES, "storage is full");
	else
		refuse(STATUS_PROCESSING_FAILURE, "could not store the object");
}

void
Store::begin(const Command &request, const std::string &transfer_syntax_uid)
{
	in_progress_ = true;
	outcome_ = {STATUS_SUCCESS, ""};
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
	else if (!file_.open(meta_))
		refuse_for_errno("create a file for");
}

void
Store::append(const void *data, size_t len)
{
	bytes_ += len;
	if (outcome_.status == STATUS_SUCCESS && !file_.append(data, len))
		refuse_for_errno("write");
}

Outcome
Store::finish()
{
	in_progress_ = false;
	if (outcome_.status == STATUS_SUCCESS && file_.size() == 0)
		refuse(STATUS_CANNOT_UNDERSTAND, "data set is empty");
	if (outcome_.status == STATUS_SUCCESS && !file_.finish())
		refuse_for_errno("keep");
	if (outcome_.status == STATUS_SUCCESS)
		outcome_ = ask_receiver();
	return outcome_;
}

void
Store::abandon()
{
	file_.abandon();
	in_progress_ = false;
}

/* Tell the receiver, and do what it says. */
Outcome
Store::ask_receiver()
{
	DgwCommitted committed;
	DgwRefused refused;
	DgwFrame frame;

	seq_++;
	/* Without a receiver there is no answer to give, so the sender sends again. */
	if (!announce() || worker_.receive(frame) != DGW_READ_OK)
		_exit(1);
	if (frame.type == DGW_MSG_COMMITTED && dgw_decode_committed(&frame, &committed) &&
		committed.seq == seq_)
	{
		stored_++;
		logged_errno_ = 0;
		return {STATUS_SUCCESS, ""};
	}
	if (frame.type != DGW_MSG_REFUSED || !dgw_decode_refused(&frame, &refused) ||
		refused.seq != seq_)
		_exit(1);
	if (!file_.remove())
		worker_.log(DGW_LOG_WARNING, "could not remove a refused object: %s", strerror(errno));
	return {refused.status, str(refused.comment)};
}

bool
Store::announce()
{
	HeaderJson header = read_header(places_.storage_path + "/" + file_.path(),
									file_.dataset_offset(), meta_.transfer_syntax_uid);
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
	return worker_.send(dgw_encode_received, received);
}

} // namespace dicomgw
