/*-------------------------------------------------------------------------
 *
 * temporary_file.cpp
 *	  A file without a name (see temporary_file.h).
 *
 *-------------------------------------------------------------------------
 */
#include "temporary_file.h"

#include <cerrno>
#include <cstdlib>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace dicomgw
{

namespace
{

constexpr mode_t OWNER_ONLY = 0600;

} // namespace

TemporaryFile::~TemporaryFile()
{
	close();
}

void
TemporaryFile::close()
{
	if (fd_ >= 0)
		::close(fd_);
	fd_ = -1;
}

int
TemporaryFile::release()
{
	return std::exchange(fd_, -1);
}

bool
TemporaryFile::create(const std::string &directory)
{
	const char *preferred = getenv("TMPDIR");
	std::string where = preferred != nullptr && *preferred == '/' ? preferred : directory;

	close();
	fd_ = open(where.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, OWNER_ONLY);
	if (fd_ >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return fd_ >= 0;

	/* A file system that has no files without a name: it loses it at once. */
	std::string name = where + "/.tmp-XXXXXX";

	fd_ = mkostemp(&name[0], O_CLOEXEC);
	if (fd_ >= 0)
		(void) unlink(name.c_str());
	return fd_ >= 0;
}

bool
TemporaryFile::write(const void *data, size_t len)
{
	const char *at = static_cast<const char *>(data);

	while (len > 0)
	{
		ssize_t n = ::write(fd_, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		at += n;
		len -= static_cast<size_t>(n);
	}
	return true;
}

std::string
TemporaryFile::path() const
{
	return descriptor_path(fd_);
}

std::string
descriptor_path(int fd)
{
	return "/proc/self/fd/" + std::to_string(fd);
}

} // namespace dicomgw
