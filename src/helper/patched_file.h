/*-------------------------------------------------------------------------
 *
 * patched_file.h
 *	  Writing a temporary file in which what has been written may still be
 *	  corrected, and into which parts of another file are copied.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_PATCHED_FILE_H
#define DGW_PATCHED_FILE_H

#include <cstddef>
#include <cstdint>
#include <string>

#include "temporary_file.h"

namespace dicomgw
{

class PatchedFile
{
public:
	explicit PatchedFile(TemporaryFile &file)
		: file_(file)
	{
	}

	/* All of these do nothing once something has failed; error() is an errno then. */
	void put(const std::string &bytes);
	void copy(int fd, uint64_t from, uint64_t len);
	void patch(uint64_t at, const std::string &bytes);
	bool flush();

	uint64_t position() const
	{
		return written_ + pending_.size();
	}
	int error() const
	{
		return error_;
	}

private:
	TemporaryFile &file_;
	std::string pending_;
	uint64_t written_ = 0;
	int error_ = 0;
};

} // namespace dicomgw

#endif /* DGW_PATCHED_FILE_H */
