/*-------------------------------------------------------------------------
 *
 * store.h
 *	  One C-STORE after the other, from request to status.
 *
 * Between begin() and finish() the bytes of the dataset pass through append()
 * into the file.  An object that can't be kept is remembered as refused, and
 * the rest of its bytes are ignored, so the association goes on.  finish()
 * hands the object to the receiver and waits for its word.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_STORE_H
#define DGW_STORE_H

#include <cstddef>
#include <cstdint>
#include <string>

#include "channel.h"
#include "dimse.h"
#include "object_file.h"
#include "storage_gate.h"

namespace dicomgw
{

/* What a response says. */
struct Outcome
{
	uint16_t status;
	std::string comment; /* Error Comment */
};

/* Where objects are kept. */
struct StoragePlaces
{
	std::string storage_path;
	std::string mirror_path; /* empty: no mirror */
	bool mirror_needed;		 /* an object is refused if the mirror can't take it */
	const StorageGate &gate;
};

/* What the receiver said of this caller (ADMITTED). */
struct StorePolicy
{
	bool keep_mismatch = false;	  /* UIDs of command and data set may differ */
	uint64_t max_object_size = 0; /* bytes of the dataset; 0: no limit */
};

class Store
{
public:
	Store(Channel &worker, const StoragePlaces &places);
	~Store();
	Store(const Store &) = delete;
	Store &operator=(const Store &) = delete;

	/* The calling AE title, for the file meta group, and what it may do. */
	void set_caller(const std::string &ae_title, const StorePolicy &policy);

	void begin(const Command &request, const std::string &transfer_syntax_uid);
	void append(const void *data, size_t len);

	/* All bytes are there: keep the object, or not.  Exits if the receiver is gone. */
	Outcome finish();

	/* The association ends: what is half received leaves no file. */
	void abandon();

	bool in_progress() const
	{
		return in_progress_;
	}

	/* Objects answered with success. */
	uint32_t stored() const
	{
		return stored_;
	}

	/* Bytes of datasets that have come, of refused objects too. */
	uint64_t bytes() const
	{
		return bytes_;
	}

private:
	void refuse(uint16_t status, const char *comment);
	void refuse_for_errno(const char *what);
	Outcome ask_receiver();
	bool announce();

	Channel &worker_;
	StoragePlaces places_;
	StorePolicy policy_;
	int storage_fd_;
	ObjectFile file_;
	FileMeta meta_;
	Outcome outcome_ = {STATUS_SUCCESS, ""};
	bool in_progress_ = false;
	uint64_t seq_ = 0;
	uint32_t stored_ = 0;
	uint64_t bytes_ = 0;
	int logged_errno_ = 0; /* the last failure that was logged */
};

} // namespace dicomgw

#endif /* DGW_STORE_H */
