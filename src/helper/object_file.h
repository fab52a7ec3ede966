/*-------------------------------------------------------------------------
 *
 * object_file.h
 *	  One received object on its way to the disk.
 *
 * The file is DICOM Part 10: preamble, "DICM", a file meta group written by
 * us, then the bytes of the dataset exactly as they came, whatever they are.
 * It lies below the storage path at
 *
 *		YYYY/MM/DD/HHMM/<token>.dcm			(UTC; the token is 128 random bits)
 *
 * so nothing from the network has a part in its name, and two objects never
 * meet.  Where there is a mirror, a second copy lies there at the same path.
 * finish() gives both their names and puts them on the disk.  A small object
 * without a mirror copy is not synced at all: the receiver puts its bytes
 * into the journal.  Whatever is not finished disappears with the object.
 *
 * The copy in the storage folder is the object; without it there is none.  The
 * mirror's may be lost on the way: the object then goes on without, and what
 * that means is for the caller to say (mirror_error()).
 *
 * Memory use does not depend on the size of the object: bytes are collected
 * into large writes, in a buffer that one association uses for all of its
 * objects.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_OBJECT_FILE_H
#define DGW_OBJECT_FILE_H

#include <cstddef>
#include <cstdint>
#include <memory>
#include <openssl/evp.h>
#include <string>

#include "../protocol/message.h"
#include "placed_file.h"

namespace dicomgw
{

/* What the file meta group says. */
struct FileMeta
{
	std::string sop_class_uid;
	std::string sop_instance_uid;
	std::string transfer_syntax_uid;
	std::string source_ae_title;
};

class ObjectFile
{
public:
	/* mirror_path: empty if there is no mirror. */
	ObjectFile(const std::string &storage_path, const std::string &mirror_path);
	~ObjectFile();
	ObjectFile(const ObjectFile &) = delete;
	ObjectFile &operator=(const ObjectFile &) = delete;

	/*
	 * Each returns false with errno set when something can't be done; the
	 * object is then lost, and neither place has anything of it.
	 */
	bool open(const FileMeta &meta, bool with_mirror);
	bool append(const void *data, size_t len);

	/* A dataset of up to so many bytes is left for the journal. */
	bool finish(uint64_t journal_size);

	/* Drop what has been written of an object that is not finished. */
	void abandon();

	/* The same, and the object finished before is not ours any more. */
	void reset();

	/* Delete the object, finished or not, from both places. */
	bool remove();

	/* Finished, and for the journal if not. */
	bool synced() const
	{
		return synced_;
	}

	/* A copy is in place at the mirror, too. */
	bool mirrored() const
	{
		return mirror_.in_place();
	}

	/* The errno that the mirror's copy was lost by; 0 if it was not. */
	int mirror_error() const
	{
		return mirror_error_;
	}

	/* Of the object opened last. */
	const std::string &path() const
	{
		return path_;
	}
	uint64_t size() const
	{
		return size_;
	}
	const unsigned char *sha256() const
	{
		return sha256_;
	}

	/* Where the dataset begins in the file. */
	size_t dataset_offset() const
	{
		return dataset_offset_;
	}

private:
	bool create(bool with_mirror);
	bool put(const void *data, size_t len);
	bool flush();
	bool place(bool sync);
	void on_mirror(bool succeeded);
	bool fail();

	PlacedFile storage_;
	PlacedFile mirror_;
	int mirror_error_ = 0;
	bool synced_ = false;
	std::string path_;
	std::unique_ptr<char[]> buffer_;
	size_t buffered_ = 0;
	size_t dataset_offset_ = 0;
	uint64_t size_ = 0;
	EVP_MD_CTX *digest_;
	unsigned char sha256_[DGW_SHA256_LEN];
};

} // namespace dicomgw

#endif /* DGW_OBJECT_FILE_H */
