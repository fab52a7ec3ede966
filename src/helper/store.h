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
 * An object is kept in the storage folder and, where there is one, its mirror.
 * What becomes of it when the mirror fails is for StoragePlaces to say; a
 * mirror that has failed is left alone for a while.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_STORE_H
#define DGW_STORE_H

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "channel.h"
#include "dimse.h"
#include "header_json.h"
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
	uint64_t journal_size;	 /* datasets of up to so many bytes are left for the journal */
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
	bool good() const
	{
		return outcome_.status == STATUS_SUCCESS;
	}
	void refuse(uint16_t status, const std::string &comment);
	void refuse_for_errno(const char *what);
	void refuse_for_mirror();
	void check_mirror();
	void check_identity(HeaderJson &header);
	Outcome ask_receiver(const HeaderJson &header);
	bool announce(const HeaderJson &header);
	void remove();

	Channel &worker_;
	StoragePlaces places_;
	StorePolicy policy_;
	ObjectFile file_;
	FileMeta meta_;
	Outcome outcome_ = {STATUS_SUCCESS, ""};
	bool in_progress_ = false;
	uint64_t seq_ = 0;
	uint32_t stored_ = 0;
	uint64_t bytes_ = 0;
	int logged_errno_ = 0;		  /* the last failure that was logged */
	int mirror_errno_ = 0;		  /* what the mirror failed by last; 0: it is well */
	bool mirror_noticed_ = false; /* that this object has lost its mirror copy */
	std::chrono::steady_clock::time_point mirror_retry_at_;
};

} // namespace dicomgw

#endif /* DGW_STORE_H */
