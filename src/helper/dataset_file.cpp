/*-------------------------------------------------------------------------
 *
 * dataset_file.cpp
 *	  Reading a stored object's dataset, to be sent as it was received
 *	  (see dataset_file.h).
 *
 *-------------------------------------------------------------------------
 */
#include "dataset_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../protocol/message.h"

namespace dicomgw
{

namespace
{

constexpr size_t PREAMBLE_SIZE = 128;

/* "DICM", then (0002,0000) UL in explicit VR little endian, before its value. */
constexpr unsigned char META_HEAD[] = {'D',	 'I',  'C', 'M', 0x02, 0x00,
									   0x00, 0x00, 'U', 'L', 0x04, 0x00};
constexpr size_t GROUP_LENGTH_OFFSET = PREAMBLE_SIZE + sizeof(META_HEAD);
constexpr size_t HEAD_SIZE = GROUP_LENGTH_OFFSET + 4;

/* From here on it pays to tell the kernel that all of it will be read. */
constexpr uint64_t READ_AHEAD_FROM = 1024 * 1024;

/* Relative, and never up: what the worker names must lie below the storage path. */
bool
path_stays_below(const std::string &path)
{
	if (path.empty() || path.front() == '/' || path.find('\0') != std::string::npos)
		return false;
	for (size_t at = 0; at <= path.size();)
	{
		size_t end = std::min(path.find('/', at), path.size());

		if (path.compare(at, end - at, "..") == 0)
			return false;
		at = end + 1;
	}
	return true;
}

} // namespace

/* One byte more than a piece, for the pad byte; not zeroed, so that only what is used is paid. */
DatasetFile::DatasetFile()
	: buffer_(new char[MAX_PIECE + 1]),
	  digest_(EVP_MD_CTX_new())
{
}

DatasetFile::~DatasetFile()
{
	close();
}

void
DatasetFile::close()
{
	if (fd_ >= 0)
		::close(fd_);
	fd_ = -1;
}

FileState
DatasetFile::fail(FileState state, const char *reason, int error)
{
	why_ = reason;
	if (error != 0)
		why_ += std::string(": ") + strerror(error);
	close();
	return state;
}

FileState
DatasetFile::open(const std::string &root, const std::string &path, uint64_t size,
				  const uint8_t *sha256)
{
	struct stat status;

	close();
	size_ = size;
	sha256_ = sha256;
	position_ = 0;
	length_ = 0;
	if (!path_stays_below(path))
		return fail(FileState::Missing, "path of the file leaves the storage path");
	/* Not to wait for ever, should the name lead to a FIFO. */
	fd_ = ::open((root + "/" + path).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd_ < 0)
		return fail(FileState::Missing, "could not open file", errno);
	if (fstat(fd_, &status) != 0)
		return fail(FileState::Missing, "could not stat file", errno);
	if (!S_ISREG(status.st_mode))
		return fail(FileState::Damaged, "not a regular file");

	FileState state = find_dataset();

	if (state != FileState::Good)
		return state;
	if (static_cast<uint64_t>(status.st_size) < dataset_offset_ ||
		static_cast<uint64_t>(status.st_size) - dataset_offset_ != size)
		return fail(FileState::Damaged, "size of the dataset differs from what was received");
	return start();
}

FileState
DatasetFile::adopt(int fd)
{
	struct stat status;

	close();
	fd_ = fd;
	sha256_ = nullptr;
	dataset_offset_ = 0;
	position_ = 0;
	length_ = 0;
	if (fstat(fd_, &status) != 0)
		return fail(FileState::Missing, "could not stat file", errno);
	size_ = static_cast<uint64_t>(status.st_size);
	return start();
}

bool
DatasetFile::read_again(int fd, std::string &why)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (copy < 0)
	{
		why = std::string("could not duplicate descriptor: ") + strerror(errno);
		return false;
	}
	if (adopt(copy) == FileState::Good)
		return true;
	why = why_;
	return false;
}

FileState
DatasetFile::start()
{
	if (!digest_ || EVP_DigestInit_ex(digest_.get(), EVP_sha256(), nullptr) != 1)
		return fail(FileState::Missing, "could not compute SHA-256");
	if (size_ >= READ_AHEAD_FROM)
		(void) posix_fadvise(fd_, 0, 0, POSIX_FADV_SEQUENTIAL);
	return FileState::Good;
}

/* The dataset begins where the file meta group ends. */
FileState
DatasetFile::find_dataset()
{
	unsigned char head[HEAD_SIZE];
	FileState state = read_fully(head, sizeof(head), 0);

	if (state != FileState::Good)
		return state;
	if (memcmp(head + PREAMBLE_SIZE, META_HEAD, sizeof(META_HEAD)) != 0)
		return fail(FileState::Damaged, "not a DICOM file with a file meta group length");
	const unsigned char *value = head + GROUP_LENGTH_OFFSET;
	uint32_t group_length = value[0] | static_cast<uint32_t>(value[1]) << 8 |
							static_cast<uint32_t>(value[2]) << 16 |
							static_cast<uint32_t>(value[3]) << 24;

	dataset_offset_ = HEAD_SIZE + static_cast<uint64_t>(group_length);
	return FileState::Good;
}

FileState
DatasetFile::read_fully(void *dest, size_t len, uint64_t offset)
{
	char *at = static_cast<char *>(dest);

	while (len > 0)
	{
		ssize_t n = pread(fd_, at, len, static_cast<off_t>(offset));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(FileState::Missing, "could not read file", errno);
		if (n == 0)
			return fail(FileState::Damaged, "file ends too early");
		at += n;
		len -= static_cast<size_t>(n);
		offset += static_cast<uint64_t>(n);
	}
	return FileState::Good;
}

FileState
DatasetFile::next(size_t max_piece)
{
	FileState state = read_piece(max_piece);

	if (state != FileState::Good || !at_end())
		return state;
	if (length_ % 2 != 0)
		buffer_[length_++] = '\0';
	state = check_digest();
	if (state == FileState::Good)
		close();
	return state;
}

FileState
DatasetFile::verify()
{
	FileState state;

	do
		state = read_piece(MAX_PIECE);
	while (state == FileState::Good && !at_end());
	return state == FileState::Good ? check_digest() : state;
}

FileState
DatasetFile::read_piece(size_t max_piece)
{
	uint64_t left = size_ - position_;

	length_ = static_cast<size_t>(std::min<uint64_t>(left, std::min(max_piece, MAX_PIECE)));
	FileState state = read_fully(buffer_.get(), length_, dataset_offset_ + position_);

	if (state != FileState::Good)
		return state;
	if (EVP_DigestUpdate(digest_.get(), buffer_.get(), length_) != 1)
		return fail(FileState::Missing, "could not compute SHA-256");
	position_ += length_;
	return FileState::Good;
}

FileState
DatasetFile::check_digest()
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int digest_len = 0;

	if (EVP_DigestFinal_ex(digest_.get(), digest, &digest_len) != 1)
		return fail(FileState::Missing, "could not compute SHA-256");
	if (digest_len != DGW_SHA256_LEN ||
		(sha256_ != nullptr && memcmp(digest, sha256_, DGW_SHA256_LEN) != 0))
		return fail(FileState::Damaged, "SHA-256 differs from what was received");
	return FileState::Good;
}

} // namespace dicomgw
