/*-------------------------------------------------------------------------
 *
 * part10_input.h
 *	  A fuzzer's input taken for a Part 10 file.
 *
 * Without "DICM" at its place all of the input is the dataset.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_PART10_INPUT_H
#define DGW_PART10_INPUT_H

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

#include "dcmtk/config/osconfig.h"
#include "dcmtk/oflog/oflog.h"

constexpr unsigned char SYNTAX_HEAD[] = {0x02, 0x00, 0x10, 0x00, 'U', 'I'};

/* A descriptor of a file with these bytes, the same each time; -1: there is none. */
inline int
object_of(const uint8_t *data, size_t size)
{
	static int fd = -1;

	if (fd < 0)
	{
		OFLog::configure(OFLogger::OFF_LOG_LEVEL);
		fd = memfd_create("object", 0);
	}
	return ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == static_cast<ssize_t>(size) ? fd
																							: -1;
}

/* Where the dataset begins. */
inline size_t
dataset_offset(const uint8_t *data, size_t size)
{
	uint32_t group_length;

	if (size < 144 || memcmp(data + 128, "DICM", 4) != 0)
		return 0;
	memcpy(&group_length, data + 140, sizeof(group_length));
	return group_length < size - 144 ? 144 + group_length : 0;
}

/* Of the file meta group, which ends at offset; explicit VR little endian if it says nothing. */
inline std::string
own_syntax(const uint8_t *data, size_t offset)
{
	const auto *found =
		static_cast<const char *>(memmem(data, offset, SYNTAX_HEAD, sizeof(SYNTAX_HEAD)));
	const char *end = reinterpret_cast<const char *>(data) + offset;

	if (found == nullptr || end - found < 9)
		return "1.2.840.10008.1.2.1";
	size_t len = static_cast<uint8_t>(found[6]);

	found += 8;
	std::string uid(found, std::min<size_t>(len, static_cast<size_t>(end - found)));

	return uid.substr(0, uid.find('\0'));
}

#endif /* DGW_PART10_INPUT_H */
