/*-------------------------------------------------------------------------
 *
 * fuzz_transcoder.cpp
 *	  libFuzzer target: any bytes as a dataset, in another transfer syntax.
 *
 * The input is a Part 10 file, so that real objects can be the corpus; its
 * file meta group says in what transfer syntax it is, and its first byte, of
 * the preamble, chooses the one that it is converted to.  Without "DICM" at
 * its place all of the input is the dataset.  Whatever comes of it, the file
 * is not touched, and a failure has words.
 *
 *-------------------------------------------------------------------------
 */
#include "transcoder.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dcmtk/config/osconfig.h"
#include "dcmtk/oflog/oflog.h"

using namespace dicomgw;

namespace
{

const char *const targets[] = {"1.2.840.10008.1.2.1",	 "1.2.840.10008.1.2",
							   "1.2.840.10008.1.2.2",	 "1.2.840.10008.1.2.1.99",
							   "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80",
							   "1.2.840.10008.1.2.5"};

constexpr unsigned char SYNTAX_HEAD[] = {0x02, 0x00, 0x10, 0x00, 'U', 'I'};

/* Where the dataset begins. */
size_t
dataset_offset(const uint8_t *data, size_t size)
{
	uint32_t group_length;

	if (size < 144 || memcmp(data + 128, "DICM", 4) != 0)
		return 0;
	memcpy(&group_length, data + 140, sizeof(group_length));
	return group_length < size - 144 ? 144 + group_length : 0;
}

/* Of the file meta group, which ends at offset; explicit VR little endian if it says nothing. */
std::string
own_syntax(const uint8_t *data, size_t offset)
{
	const auto *found =
		static_cast<const char *>(memmem(data, offset, SYNTAX_HEAD, sizeof(SYNTAX_HEAD)));
	const char *end = reinterpret_cast<const char *>(data) + offset;

	if (found == nullptr || end - found < 9)
		return targets[0];
	size_t len = static_cast<uint8_t>(found[6]);

	found += 8;
	std::string uid(found, std::min<size_t>(len, static_cast<size_t>(end - found)));

	return uid.substr(0, uid.find('\0'));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern "C" int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;

	if (fd < 0)
	{
		OFLog::configure(OFLogger::OFF_LOG_LEVEL);
		fd = memfd_create("object", 0);
	}
	if (size == 0 || ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t) size)
		return 0;

	const size_t offset = dataset_offset(data, size);
	const size_t n_targets = sizeof(targets) / sizeof(targets[0]);
	TemporaryFile converted;
	std::string why;
	struct stat status;
	Transcoded result = transcode({fd, offset, own_syntax(data, offset)},
								  targets[data[0] % n_targets], "/tmp", converted, why);

	if (why.empty() != (result == Transcoded::Done) ||
		(converted.fd() >= 0) != (result == Transcoded::Done) || fstat(fd, &status) != 0 ||
		status.st_size != (off_t) size)
		abort();
	return 0;
}
