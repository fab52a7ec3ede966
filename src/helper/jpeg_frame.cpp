/*-------------------------------------------------------------------------
 *
 * jpeg_frame.cpp
 *	  How large the image in a JPEG or JPEG-LS stream says it is
 *	  (see jpeg_frame.h).
 *
 *-------------------------------------------------------------------------
 */
#include "jpeg_frame.h"

namespace dicomgw
{

namespace
{

constexpr uint8_t SOI = 0xD8;
constexpr uint8_t SOF_JPEG_LS = 0xF7;

/* After the marker: length (2), precision (1), height (2), width (2), components (1). */
constexpr size_t SOF_SIZE = 8;

uint16_t
u16(const uint8_t *at)
{
	return static_cast<uint16_t>(at[0] << 8 | at[1]);
}

/* C0H to CFH, but for DHT, JPG and DAC. */
bool
is_frame_header(uint8_t marker)
{
	return (marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 &&
			marker != 0xCC) ||
		   marker == SOF_JPEG_LS;
}

/* Markers without a segment: TEM, RSTn, SOI, EOI. */
bool
stands_alone(uint8_t marker)
{
	return marker == 0x01 || (marker >= 0xD0 && marker <= 0xD9);
}

} // namespace

bool
find_jpeg_frame(const uint8_t *data, size_t len, JpegFrame &frame)
{
	size_t at = 2;

	if (len < 2 || data[0] != 0xFF || data[1] != SOI)
		return false;
	while (at + 2 <= len)
	{
		if (data[at] != 0xFF)
			return false;
		uint8_t marker = data[at + 1];

		/* Any number of fill bytes may come before a marker. */
		if (marker == 0xFF)
		{
			at++;
			continue;
		}
		at += 2;
		if (stands_alone(marker))
			continue;
		if (is_frame_header(marker))
		{
			if (at + SOF_SIZE > len)
				return false;
			frame = {u16(data + at + 3), u16(data + at + 5), data[at + 7]};
			return true;
		}
		if (at + 2 > len)
			return false;
		at += u16(data + at);
	}
	return false;
}

} // namespace dicomgw
