/*-------------------------------------------------------------------------
 *
 * jpeg_frame.h
 *	  How large the image in a JPEG or JPEG-LS stream says it is.
 *
 * A decoder believes the stream and allocates for it before anybody compares
 * that with the dataset's Rows and Columns: some hundred bytes can ask for
 * gigabytes.  So it is compared first.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_JPEG_FRAME_H
#define DGW_JPEG_FRAME_H

#include <cstddef>
#include <cstdint>

namespace dicomgw
{

struct JpegFrame
{
	uint16_t height;
	uint16_t width;
	uint8_t components;
};

/* False if the bytes do not begin with markers up to a frame header (SOF, ISO 10918-1 B.2.2). */
extern bool find_jpeg_frame(const uint8_t *data, size_t len, JpegFrame &frame);

} // namespace dicomgw

#endif /* DGW_JPEG_FRAME_H */
