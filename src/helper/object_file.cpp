/*-------------------------------------------------------------------------
 *
 * object_file.cpp
 *	  One received object on its way to the disk (see object_file.h).
 *
 *-------------------------------------------------------------------------
 */
#include "object_file.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dimse.h"

namespace dicomgw
{

constexpr size_t WRITE_SIZE = 256 * 1024;
constexpr size_t PREAMBLE_SIZE = 128;
constexpr size_t TOKEN_BYTES = 16;
constexpr mode_t FILE_MODE = 0600;
constexpr mode_t DIRECTORY_MODE = 0700;

/* ---------- the file meta group (PS3.10 7.1) ---------- */

static void
put_le(std::string &out, uint32_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		out.push_back((char) (value >> (8 * i) & 0xFF));
}

static void
put_element(std::string &out, uint16_t element, const char *vr, std::string value, char padding)
{
	bool long_length = strcmp(vr, "OB") == 0;

	if (value.size() % 2 != 0)
		value.push_back(padding);
	put_le(out, 0x0002, 2);
	put_le(out, element, 2);
	out += vr;
	if (long_length)
		put_le(out, 0, 2);
	put_le(out, (uint32_t) value.size(), long_length ? 4 : 2);
	out += value;
}

static std::string
part10_head(const FileMeta &meta)
{
	std::string group;
	std::string length;
	std::string head(PREAMBLE_SIZE, '\0');

	put_element(group, 0x0001, "OB", std::string("\x00\x01", 2), '\0');
	put_element(group, 0x0002, "UI", meta.sop_class_uid, '\0');
	put_element(group, 0x0003, "UI", meta.sop_instance_uid, '\0');
	put_element(group, 0x0010, "UI", meta.transfer_syntax_uid, '\0');
	put_element(group, 0x0012, "UI", IMPLEMENTATION_CLASS_UID, '\0');
	put_element(group, 0x0013, "SH", IMPLEMENTATION_VERSION_NAME, ' ');
	put_element(group, 0x0016, "AE", meta.source_ae_title, ' ');

	put_le(length, (uint32_t) group.size(), 4);
	head += "DICM";
	put_element(head, 0x0000, "UL", length, '\0');
	return head + group;
}

/* ---------- names ---------- */

/* 32 hexadecimal digits; empty, with errno set, if there is no randomness. */
static std::string
random_token()
{
	unsigned char bytes[TOKEN_BYTES];
	char digits[2 * TOKEN_BYTES + 1];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t) sizeof(bytes))
		return std::string();
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(digits + 2 * i, 3, "%02x", bytes[i]);
	return digits;
}

static std::string
directory_for(time_t now)
{
	struct tm utc;
	char text[32];

	gmtime_r(&now, &utc);
	strftime(text, sizeof(text), "%Y/%m/%d/%H%M", &utc);
	return text;
}

/* ---------- the file ---------- */

ObjectFile::ObjectFile(int storage_fd)
	: storage_fd_(storage_fd),
	  buffer_(new char[WRITE_SIZE]),
	  digest_(EVP_MD_CTX_new()),
	  sha256_()
{
}

ObjectFile::~ObjectFile()
{
	abandon();
	EVP_MD_CTX_free(digest_);
}

bool
ObjectFile::open(const FileMeta &meta)
{
	std::string head = part10_head(meta);
	std::string token = random_token();

	abandon();
	if (token.empty())
		return false;
	directory_ = directory_for(time(NULL));
	path_ = directory_ + "/" + token + ".dcm";
	temporary_path_ = directory_ + "/.tmp-" + token;
	if (digest_ == NULL || EVP_DigestInit_ex(digest_, EVP_sha256(), NULL) != 1)
	{
		errno = ENOMEM;
		return fail();
	}
	if (!create())
		return fail();

	size_ = 0;
	dataset_offset_ = head.size();
	return put(head.data(), head.size());
}

/* A file without a name if the file system can, else one with a temporary name. */
bool
ObjectFile::create()
{
	for (int attempt = 0; attempt < 2; attempt++)
	{
		fd_ = openat(storage_fd_, directory_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, FILE_MODE);
		if (fd_ >= 0)
		{
			temporary_path_.clear();
			return true;
		}
		if (errno != ENOENT)
			break;
		/* The first object of this minute. */
		if (!make_directories())
			return false;
	}
	if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
		return false;
	fd_ = openat(storage_fd_, temporary_path_.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC,
				 FILE_MODE);
	return fd_ >= 0;
}

bool
ObjectFile::make_directories()
{
	for (size_t slash = directory_.find('/');; slash = directory_.find('/', slash + 1))
	{
		if (mkdirat(storage_fd_, directory_.substr(0, slash).c_str(), DIRECTORY_MODE) != 0 &&
			errno != EEXIST)
			return false;
		if (slash == std::string::npos)
			return true;
	}
}

bool
ObjectFile::append(const void *data, size_t len)
{
	if (fd_ < 0)
	{
		errno = EBADF;
		return false;
	}
	if (EVP_DigestUpdate(digest_, data, len) != 1)
	{
		errno = EIO;
		return fail();
	}
	size_ += len;
	return put(data, len);
}

bool
ObjectFile::put(const void *data, size_t len)
{
	const char *at = static_cast<const char *>(data);

	while (len > 0)
	{
		size_t chunk = std::min(len, WRITE_SIZE - buffered_);

		memcpy(buffer_.get() + buffered_, at, chunk);
		buffered_ += chunk;
		at += chunk;
		len -= chunk;
		if (buffered_ == WRITE_SIZE && !flush())
			return fail();
	}
	return true;
}

bool
ObjectFile::flush()
{
	size_t written = 0;

	while (written < buffered_)
	{
		ssize_t n = write(fd_, buffer_.get() + written, buffered_ - written);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		written += (size_t) n;
	}
	buffered_ = 0;
	return true;
}

/*
 * Name first, then sync: a journaling file system then commits the data, the
 * inode and the directory entry together, once, where sync, name, sync would
 * take two commits (half the rate of one sender).  The order is of no
 * consequence to the promise, because no row and no answer speaks of the name
 * before both are on disk.
 */
bool
ObjectFile::finish()
{
	if (fd_ < 0)
	{
		errno = EBADF;
		return false;
	}
	if (EVP_DigestFinal_ex(digest_, sha256_, NULL) != 1)
	{
		errno = EIO;
		return fail();
	}
	if (!flush() || !place())
		return fail();
	temporary_path_.clear();
	if (fdatasync(fd_) != 0)
	{
		int saved_errno = errno;

		(void) remove();
		errno = saved_errno;
		return fail();
	}
	::close(fd_);
	fd_ = -1;
	return true;
}

/* Give the file its final name; with 128 random bits in it, it is nobody else's. */
bool
ObjectFile::place()
{
	if (!temporary_path_.empty())
		return renameat(storage_fd_, temporary_path_.c_str(), storage_fd_, path_.c_str()) == 0;

	std::string source = "/proc/self/fd/" + std::to_string(fd_);
	auto link_here = [&]() {
		return linkat(AT_FDCWD, source.c_str(), storage_fd_, path_.c_str(), AT_SYMLINK_FOLLOW) == 0;
	};

	/* Somebody may have tidied up the directory, because nothing in it had a name yet. */
	return link_here() || (errno == ENOENT && make_directories() && link_here());
}

void
ObjectFile::abandon()
{
	if (fd_ >= 0)
	{
		::close(fd_);
		if (!temporary_path_.empty())
			unlinkat(storage_fd_, temporary_path_.c_str(), 0);
	}
	fd_ = -1;
	buffered_ = 0;
}

/* Give up, keeping the errno that says why. */
bool
ObjectFile::fail()
{
	int saved_errno = errno;

	abandon();
	errno = saved_errno;
	return false;
}

bool
ObjectFile::remove()
{
	return unlinkat(storage_fd_, path_.c_str(), 0) == 0;
}

} // namespace dicomgw
