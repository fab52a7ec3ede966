/*-------------------------------------------------------------------------
 *
 * placed_file.cpp
 *	  One copy of an object in one place (see placed_file.h).
 *
 *-------------------------------------------------------------------------
 */
#include "placed_file.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace dicomgw
{

constexpr mode_t FILE_MODE = 0600;
constexpr mode_t DIRECTORY_MODE = 0700;

/*
 * An object goes to the disk while it comes in, lest all of it be left for the
 * sync at the end, for which its sender waits.  In smaller portions there are
 * more extents than it is worth.
 */
constexpr uint64_t WRITEBACK_SIZE = 256 * 1024;

PlacedFile::PlacedFile(const std::string &root)
	: root_(root)
{
}

PlacedFile::~PlacedFile()
{
	abandon();
}

/* A file without a name if the file system can, else one with a temporary name. */
bool
PlacedFile::create(const std::string &path)
{
	size_t slash = path.rfind('/');

	reset();
	name_.clear();
	path_ = root_ + "/" + path;
	directory_len_ = root_.size() + 1 + slash;
	written_ = 0;
	writeback_ = 0;

	/* The first object of this minute finds no folder. */
	if (open_unnamed() || (errno == ENOENT && make_directories() && open_unnamed()))
		return true;
	if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
		return false;
	name_ = path_.substr(0, directory_len_) + "/.tmp-" +
			path.substr(slash + 1, path.rfind('.') - slash - 1);
	fd_ = ::open(name_.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, FILE_MODE);
	if (fd_ < 0)
		name_.clear();
	return fd_ >= 0;
}

bool
PlacedFile::open_unnamed()
{
	fd_ =
		::open(path_.substr(0, directory_len_).c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, FILE_MODE);
	return fd_ >= 0;
}

bool
PlacedFile::make_directories()
{
	size_t end = root_.size();

	while (end < directory_len_)
	{
		end = path_.find('/', end + 1);
		if (mkdir(path_.substr(0, end).c_str(), DIRECTORY_MODE) != 0 && errno != EEXIST)
			return false;
	}
	return true;
}

bool
PlacedFile::write(const char *data, size_t len)
{
	size_t done = 0;

	while (done < len)
	{
		ssize_t n = ::write(fd_, data + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail();
		done += (size_t) n;
	}
	written_ += len;
	if (written_ - writeback_ >= WRITEBACK_SIZE)
		start_writeback();
	return true;
}

void
PlacedFile::start_writeback()
{
	(void) sync_file_range(fd_, (off64_t) writeback_, (off64_t) (written_ - writeback_),
						   SYNC_FILE_RANGE_WRITE);
	writeback_ = written_;
}

bool
PlacedFile::link_to_path()
{
	std::string source = "/proc/self/fd/" + std::to_string(fd_);

	return linkat(AT_FDCWD, source.c_str(), AT_FDCWD, path_.c_str(), AT_SYMLINK_FOLLOW) == 0;
}

/* Give the file its final name, which is nobody else's. */
bool
PlacedFile::place()
{
	bool placed;

	if (!name_.empty())
		placed = rename(name_.c_str(), path_.c_str()) == 0;
	else
	{
		/* Somebody may have tidied up the directory, because nothing in it had a name yet. */
		placed = link_to_path() || (errno == ENOENT && make_directories() && link_to_path());
	}
	if (!placed)
		return fail();
	name_ = path_;
	return true;
}

bool
PlacedFile::sync_directory()
{
	const char *path = path_.c_str() + root_.size() + 1;

	dgw_directories_begin(&directories_, root_.c_str());
	return dgw_directories_sync(&directories_, path, strlen(path));
}

bool
PlacedFile::sync()
{
	if (fdatasync(fd_) != 0 || !sync_directory())
		return fail();
	settle();
	return true;
}

/* In place, and not waited for. */
void
PlacedFile::settle()
{
	::close(fd_);
	fd_ = -1;
	name_.clear();
	in_place_ = true;
}

void
PlacedFile::abandon()
{
	if (fd_ < 0)
		return;
	::close(fd_);
	fd_ = -1;
	if (!name_.empty())
		(void) unlink(name_.c_str());
	name_.clear();
}

void
PlacedFile::reset()
{
	abandon();
	in_place_ = false;
}

/* Give up, keeping the errno that says why. */
bool
PlacedFile::fail()
{
	int saved_errno = errno;

	abandon();
	errno = saved_errno;
	return false;
}

bool
PlacedFile::remove()
{
	abandon();
	if (!in_place_)
		return true;
	in_place_ = false;
	return unlink(path_.c_str()) == 0;
}

} // namespace dicomgw
