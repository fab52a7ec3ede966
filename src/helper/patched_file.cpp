/*-------------------------------------------------------------------------
 *
 * patched_file.cpp
 *	  Writing a temporary file that may still be corrected (see patched_file.h).
 *
 *-------------------------------------------------------------------------
 */
#include "patched_file.h"

#include <algorithm>
#include <cerrno>

#include <unistd.h>

namespace dicomgw
{

namespace
{

constexpr size_t PIECE = 256 * 1024;

} // namespace

bool
PatchedFile::flush()
{
	if (error_ == 0 && !pending_.empty() && !file_.write(pending_.data(), pending_.size()))
		error_ = errno != 0 ? errno : EIO;
	written_ += pending_.size();
	pending_.clear();
	return error_ == 0;
}

void
PatchedFile::put(const std::string &bytes)
{
	pending_ += bytes;
	if (pending_.size() >= PIECE)
		(void) flush();
}

void
PatchedFile::copy(int fd, uint64_t from, uint64_t len)
{
	while (len > 0 && error_ == 0)
	{
		size_t n = static_cast<size_t>(std::min<uint64_t>(len, PIECE));
		size_t before = pending_.size();

		pending_.resize(before + n);
		ssize_t got = pread(fd, &pending_[before], n, static_cast<off_t>(from));

		if (got <= 0 && !(got < 0 && errno == EINTR))
			error_ = got < 0 ? errno : EIO;
		got = std::max<ssize_t>(got, 0);
		pending_.resize(before + static_cast<size_t>(got));
		from += static_cast<uint64_t>(got);
		len -= static_cast<uint64_t>(got);
		if (pending_.size() >= PIECE)
			(void) flush();
	}
}

void
PatchedFile::patch(uint64_t at, const std::string &bytes)
{
	if (at >= written_)
	{
		pending_.replace(static_cast<size_t>(at - written_), bytes.size(), bytes);
		return;
	}
	/* What lies on the border is written first. */
	if (flush() && pwrite(file_.fd(), bytes.data(), bytes.size(), static_cast<off_t>(at)) !=
					   static_cast<ssize_t>(bytes.size()))
		error_ = errno != 0 ? errno : EIO;
}

} // namespace dicomgw
