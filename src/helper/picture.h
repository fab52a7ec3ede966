/*-------------------------------------------------------------------------
 *
 * picture.h
 *	  A frame of an image as a screen shows it: eight bits, windowed, scaled.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_PICTURE_H
#define DGW_PICTURE_H

#include <cstdint>
#include <string>
#include <vector>

#include "image_frame.h"

namespace dicomgw
{

/* Longest side of a picture. */
constexpr uint32_t MAX_SIDE = 4096;

/* In the values that a person knows: rescaled, Hounsfield units of a CT. */
struct Window
{
	bool given = false;
	double center = 0;
	double width = 0;
};

struct PictureRequest
{
	uint32_t width = 0; /* it has to fit into; 0: any */
	uint32_t height = 0;
	Window window; /* if none is given, that of the object, or the range of its values */
};

/* Rows from the top, without padding; one sample (grey) or three (RGB) a pixel. */
struct Picture
{
	uint32_t width = 0;
	uint32_t height = 0;
	uint32_t samples = 0;
	std::vector<uint8_t> pixels;
};

/* What is learnt of the values on the way. */
struct PixelValues
{
	Window window; /* that is used unless another is asked for */
	bool has_range = false;
	double min = 0;
	double max = 0;
};

/* Draw it; "" or why not.  With picture NULL only the values are looked at. */
extern std::string draw_picture(ImageFrame &frame, const PictureRequest &request, Picture *picture,
								PixelValues &values);

} // namespace dicomgw

#endif /* DGW_PICTURE_H */
