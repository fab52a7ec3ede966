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
#include <sys/random.h>

#include "dimse.h"

namespace dicomgw
{

constexpr size_t WRITE_SIZE = 256 * 1024;
constexpr size_t PREAMBLE_SIZE = 128;
constexpr size_t TOKEN_BYTES = 16;

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

ObjectFile::ObjectFile(const std::string &storage_path, const std::string &mirror_path)
	: storage_(storage_path),
	  mirror_(mirror_path),
	  buffer_(new char[WRITE_SIZE]),
	  digest_(EVP_MD_CTX_new()),
	  sha256_()
{
}

ObjectFile::~ObjectFile()
{
	EVP_MD_CTX_free(digest_);
}

bool
ObjectFile::open(const FileMeta &meta, bool with_mirror)
{
	std::string head = part10_head(meta);
	std::string token = random_token();

	reset();
	size_ = 0;
	dataset_offset_ = head.size();
	if (token.empty())
		return false;
	path_ = directory_for(time(NULL)) + "/" + token + ".dcm";
	if (digest_ == NULL || EVP_DigestInit_ex(digest_, EVP_sha256(), NULL) != 1)
	{
		errno = ENOMEM;
		return false;
	}
	return create(with_mirror) && put(head.data(), head.size());
}

bool
ObjectFile::create(bool with_mirror)
{
	if (!storage_.create(path_))
		return false;
	if (with_mirror)
		on_mirror(mirror_.create(path_));
	return true;
}

/* After each step of the mirror's copy, which is gone if it did not succeed. */
void
ObjectFile::on_mirror(bool succeeded)
{
	if (!succeeded)
		mirror_error_ = errno;
}

bool
ObjectFile::append(const void *data, size_t len)
{
	if (!storage_.is_open())
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
	if (!storage_.write(buffer_.get(), buffered_))
		return false;
	if (mirror_.is_open())
		on_mirror(mirror_.write(buffer_.get(), buffered_));
	buffered_ = 0;
	return true;
}

bool
ObjectFile::finish(uint64_t journal_size)
{
	if (!storage_.is_open())
	{
		errno = EBADF;
		return false;
	}
	if (EVP_DigestFinal_ex(digest_, sha256_, NULL) != 1)
	{
		errno = EIO;
		return fail();
	}
	synced_ = size_ > journal_size || mirror_.is_open();
	return (flush() && place(synced_)) || fail();
}

/*
 * Name first, then sync: a journaling file system then commits the data, the
 * inode and the directory entry together, once, where sync, name, sync would
 * take two commits (half the rate of one sender).  The order is of no
 * consequence to the promise, because no row and no answer speaks of the name
 * before both are on disk, or the bytes in the journal.
 */
bool
ObjectFile::place(bool sync)
{
	if (!storage_.place())
		return false;
	if (!sync)
	{
		storage_.settle();
		return true;
	}
	if (mirror_.is_open())
		on_mirror(mirror_.place());

	/* The mirror's disk is not to wait for the other one. */
	if (mirror_.is_open())
		mirror_.start_writeback();
	if (!storage_.sync())
		return false;
	if (mirror_.is_open())
		on_mirror(mirror_.sync());
	return true;
}

void
ObjectFile::abandon()
{
	storage_.abandon();
	mirror_.abandon();
	buffered_ = 0;
}

void
ObjectFile::reset()
{
	storage_.reset();
	mirror_.reset();
	mirror_error_ = 0;
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
	buffered_ = 0;
	bool storage_removed = storage_.remove();
	bool mirror_removed = mirror_.remove();

	return storage_removed && mirror_removed;
}

} // namespace dicomgw
