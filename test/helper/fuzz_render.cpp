/*-------------------------------------------------------------------------
 *
 * fuzz_render.cpp
 *	  libFuzzer target: any bytes as an object, drawn.
 *
 * The input is a Part 10 file, so that real objects can be the corpus.  The
 * preamble chooses frame, size and window.  Whatever comes of it: a picture is as
 * large as it says, or there are words for why there is none.
 *
 *-------------------------------------------------------------------------
 */
#include "codecs.h"
#include "image_frame.h"
#include "picture.h"

#include <cstdlib>
#include <cstring>
#include <string>

#include "part10_input.h"

using namespace dicomgw;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern "C" int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const bool loaded = (load_image_dictionary(), true);
	const int fd = size < 4 ? -1 : object_of(data, size);

	if (fd < 0 || !loaded)
		return 0;

	const size_t offset = dataset_offset(data, size);
	const std::string syntax = own_syntax(data, offset);
	DatasetReader reader("/proc/self/fd/" + std::to_string(fd), offset, syntax);
	ImageFrame frame(reader, syntax);
	PictureRequest request;
	PixelValues values;
	Picture picture;
	std::string why;

	request.width = data[1];
	request.height = data[2];
	request.window = {data[3] != 0, data[3] * 10.0 - 1000, 1.0 + data[3]};
	if (frame.find(data[0] % 4u + 1) == ImageFrame::Found::Frame)
	{
		const Codecs codecs(DcmXfer(syntax.c_str()).getXfer());

		why = draw_picture(frame, request, &picture, values);
	}
	else
	{
		why = frame.why();
		if (why.empty())
			abort();
	}
	if (why.empty() &&
		(picture.pixels.empty() || picture.width > MAX_SIDE || picture.height > MAX_SIDE ||
		 picture.pixels.size() != size_t(picture.width) * picture.height * picture.samples))
		abort();
	return 0;
}
