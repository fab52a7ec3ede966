/*-------------------------------------------------------------------------
 *
 * temporary_file.h
 *	  A file without a name: gone when its descriptor is closed, whatever
 *	  becomes of the program.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_TEMPORARY_FILE_H
#define DGW_TEMPORARY_FILE_H

#include <cstddef>
#include <string>

namespace dicomgw
{

class TemporaryFile
{
public:
	TemporaryFile() = default;
	~TemporaryFile();
	TemporaryFile(const TemporaryFile &) = delete;
	TemporaryFile &operator=(const TemporaryFile &) = delete;

	/* In $TMPDIR, or without one in this directory.  False, with errno. */
	bool create(const std::string &directory);
	bool write(const void *data, size_t len);
	void close();

	int fd() const
	{
		return fd_;
	}

	/* The descriptor is the caller's from here on. */
	int release();

	/* A name by which it can be opened again, as long as it is open. */
	std::string path() const;

private:
	int fd_ = -1;
};

/* A name of an open descriptor of this process. */
extern std::string descriptor_path(int fd);

} // namespace dicomgw

#endif /* DGW_TEMPORARY_FILE_H */
