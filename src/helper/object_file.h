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
 * meet.  It has no name at all (O_TMPFILE), or one that says ".tmp-", until
 * all its bytes are there.  finish() then gives it the final name and syncs
 * it, but not the directory: the receiver does that for a whole batch, before
 * it commits the rows.  Whatever is not finished disappears with the object.
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
	/* storage_fd: the storage path's directory, open for as long as this lives. */
	explicit ObjectFile(int storage_fd);
	~ObjectFile();
	ObjectFile(const ObjectFile &) = delete;
	ObjectFile &operator=(const ObjectFile &) = delete;

	/*
	 * Each returns false with errno set when something can't be done; the
	 * object is then lost and abandon() has been called.
	 */
	bool open(const FileMeta &meta);
	bool append(const void *data, size_t len);
	bool finish();

	/* Drop what has been written of an object that is not finished. */
	void abandon();

	/* Delete the file that finish() has put in place. */
	bool remove();

	bool is_open() const
	{
		return fd_ >= 0;
	}

	/* Of the object finished last. */
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
	bool create();
	bool make_directories();
	bool put(const void *data, size_t len);
	bool flush();
	bool place();
	bool fail();

	int storage_fd_;
	int fd_ = -1;
	std::string directory_; /* YYYY/MM/DD/HHMM */
	std::string path_;
	std::string temporary_path_; /* empty with O_TMPFILE */
	std::unique_ptr<char[]> buffer_;
	size_t buffered_ = 0;
	size_t dataset_offset_ = 0;
	uint64_t size_ = 0;
	EVP_MD_CTX *digest_;
	unsigned char sha256_[DGW_SHA256_LEN];
};

} // namespace dicomgw

#endif /* DGW_OBJECT_FILE_H */
