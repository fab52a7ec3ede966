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

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <sys/stat.h>

#include "part10_input.h"

using namespace dicomgw;

namespace
{

const char *const targets[] = {"1.2.840.10008.1.2.1",	 "1.2.840.10008.1.2",
							   "1.2.840.10008.1.2.2",	 "1.2.840.10008.1.2.1.99",
							   "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80",
							   "1.2.840.10008.1.2.5"};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern "C" int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const int fd = size == 0 ? -1 : object_of(data, size);

	if (fd < 0)
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
