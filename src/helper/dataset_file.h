/*-------------------------------------------------------------------------
 *
 * dataset_file.h
 *	  Reading a stored object's dataset, to be sent as it was received.
 *
 * A stored object is a Part 10 file: preamble, "DICM", a file meta group that
 * we wrote ourselves, then the dataset's bytes as they came over the wire.
 * Only the group length of the file meta group is looked at, to find where the
 * dataset begins; nothing of the dataset is ever parsed, so no dataset can be
 * too odd to be sent.
 *
 * The file is read in pieces, and each is hashed on the way.  The last piece
 * is only handed out once size and SHA-256 are what they were on receipt: a
 * file that has changed on the disk can never be completed at the far end.
 *
 * What a dataset was converted into is sent from a file of this kind, too; it
 * has nothing around the dataset, and nothing to be compared with.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_DATASET_FILE_H
#define DGW_DATASET_FILE_H

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <openssl/evp.h>

namespace dicomgw
{

enum class FileState
{
	Good,
	Missing, /* it can't be opened or read */
	Damaged	 /* it is not the file that was written, or not any more */
};

class DatasetFile
{
public:
	/* Longest piece; an object of any size costs this much memory. */
	static constexpr size_t MAX_PIECE = 512 * 1024;

	DatasetFile();
	~DatasetFile();
	DatasetFile(const DatasetFile &) = delete;
	DatasetFile &operator=(const DatasetFile &) = delete;

	/*
	 * Open the file at path below root, and check its head and size.  Why it
	 * could not be used is in why(), without patient data.
	 */
	FileState open(const std::string &root, const std::string &path, uint64_t size,
				   const uint8_t *sha256);
	/* All of this file, a temporary one, which becomes ours. */
	FileState adopt(int fd);
	/* The same for a temporary file that stays its owner's, to be sent once more; false: why. */
	bool read_again(int fd, std::string &why);
	void close();

	/*
	 * Read all of it, so that it is known to be what was received.  It stays open
	 * to be read by others, from offset() on, but has no next piece.
	 */
	FileState verify();

	/*
	 * The next piece: max_piece bytes or all that is left, whichever is less.
	 * Only the last one can be shorter, so with an even max_piece all others
	 * are even; a last one of odd length gets its pad byte 00H here.
	 */
	FileState next(size_t max_piece);

	const char *data() const
	{
		return buffer_.get();
	}

	size_t length() const
	{
		return length_;
	}

	uint64_t size() const
	{
		return size_;
	}

	int fd() const
	{
		return fd_;
	}

	uint64_t offset() const
	{
		return dataset_offset_;
	}

	bool at_end() const
	{
		return position_ == size_;
	}

	const std::string &why() const
	{
		return why_;
	}

private:
	FileState fail(FileState state, const char *reason, int error = 0);
	FileState start();
	FileState find_dataset();
	FileState read_fully(void *dest, size_t len, uint64_t offset);
	FileState read_piece(size_t max_piece);
	FileState check_digest();

	struct FreeDigest
	{
		void operator()(EVP_MD_CTX *context) const
		{
			EVP_MD_CTX_free(context);
		}
	};

	int fd_ = -1;
	uint64_t dataset_offset_ = 0;
	uint64_t size_ = 0;				  /* of the dataset */
	uint64_t position_ = 0;			  /* in the dataset: what has been handed out */
	size_t length_ = 0;				  /* of the piece in the buffer */
	const uint8_t *sha256_ = nullptr; /* what it must be; nullptr: whatever it is */
	std::unique_ptr<char[]> buffer_;
	std::unique_ptr<EVP_MD_CTX, FreeDigest> digest_;
	std::string why_;
};

} // namespace dicomgw

#endif /* DGW_DATASET_FILE_H */
