/*-------------------------------------------------------------------------
 *
 * transcoder.h
 *	  A stored dataset in another transfer syntax, for a peer that does not
 *	  accept its own.
 *
 * From one uncompressed transfer syntax to another; from JPEG, JPEG-LS and RLE
 * to an uncompressed one; and from an uncompressed one to JPEG lossless,
 * JPEG-LS lossless or RLE.  All by DCMTK, into a temporary file, which is then
 * sent as bytes like any other.  The stored file is only read.
 *
 *	- Nothing that can be kept is lost.  What was compressed here is
 *	  decompressed again and compared; an image that its decoder only warns of
 *	  is not sent.  All other elements stay as they are, group lengths aside.
 *	- Memory is bounded.  What an image says of its size is looked at before
 *	  anything is allocated for it; more than MAX_PIXEL_DATA is not converted.
 *	- The dataset may be anything: it is surveyed before DCMTK sees it.  Should
 *	  it bring this process down all the same, its job has spent an attempt, and
 *	  no other has.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_TRANSCODER_H
#define DGW_TRANSCODER_H

#include <cstdint>
#include <string>

#include "temporary_file.h"

namespace dicomgw
{

/* Bytes of uncompressed pixel data; a conversion takes about twice that much memory. */
constexpr uint64_t MAX_PIXEL_DATA = 1024 * 1024 * 1024;

enum class Transcoded
{
	Done,
	Impossible, /* this object, to this transfer syntax */
	Later		/* something of ours was missing: room, memory */
};

/* What is to be converted: the dataset from offset to the end of an open file. */
struct DatasetSource
{
	int fd;
	uint64_t offset;
	std::string transfer_syntax_uid;
};

/*
 * Convert into the file, which is created here; temporary files go where
 * TemporaryFile::create() says.  If not Done, why is filled in, without patient data.
 */
extern Transcoded transcode(const DatasetSource &source, const std::string &transfer_syntax_uid,
							const std::string &directory, TemporaryFile &file, std::string &why);

} // namespace dicomgw

#endif /* DGW_TRANSCODER_H */
