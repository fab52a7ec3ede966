/*-------------------------------------------------------------------------
 *
 * png_file.cpp
 *	  A picture as a PNG file (see png_file.h).
 *
 *-------------------------------------------------------------------------
 */
#include "png_file.h"

#include <cerrno>
#include <csetjmp>
#include <png.h>
#include <unistd.h>

namespace dicomgw
{

namespace
{

/* Fast: the picture is looked at once.  Better compression saves a fifth for three times the time. */
constexpr int COMPRESSION = 2;
constexpr int BITS = 8;
constexpr size_t BUFFER = 256 * 1024;

struct Output
{
	int fd;
	uint64_t written;
};

void
put(png_structp png, png_bytep data, png_size_t len)
{
	auto *output = static_cast<Output *>(png_get_io_ptr(png));

	while (len > 0)
	{
		ssize_t n = write(output->fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			png_error(png, "could not write");
		data += n;
		len -= static_cast<size_t>(n);
		output->written += static_cast<uint64_t>(n);
	}
}

void
flush(png_structp)
{
}

/* What libpng would print. */
void
say_nothing(png_structp, png_const_charp)
{
}

/* The part that an error of libpng leaves by longjmp: it has nothing to destroy. */
bool
encode(png_structp png, png_infop info, const Picture &picture, Output &output)
{
	const size_t row = size_t(picture.width) * picture.samples;

	if (setjmp(png_jmpbuf(png)) != 0)
		return false;
	png_set_write_fn(png, &output, put, flush);
	png_set_compression_level(png, COMPRESSION);
	png_set_compression_buffer_size(png, BUFFER);
	png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_SUB);
	png_set_IHDR(png, info, picture.width, picture.height, BITS,
				 picture.samples == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB,
				 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	png_write_info(png, info);
	for (uint32_t y = 0; y < picture.height; y++)
		png_write_row(png, picture.pixels.data() + y * row);
	png_write_end(png, info);
	return true;
}

} // namespace

uint64_t
write_png(const Picture &picture, int fd)
{
	Output output = {fd, 0};
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, say_nothing);
	png_infop info = png != nullptr ? png_create_info_struct(png) : nullptr;
	const bool good = info != nullptr && encode(png, info, picture, output);

	png_destroy_write_struct(&png, &info);
	return good ? output.written : 0;
}

} // namespace dicomgw
