/*-------------------------------------------------------------------------
 *
 * picture.cpp
 *	  A frame of an image as a screen shows it (see picture.h).
 *
 * DCMTK's rescaled values are integers, which makes one grey of a PET image with
 * a slope of 0.0001.  So where the rescaling is a straight line the stored values
 * are windowed instead, with the window carried over to them.
 *
 *-------------------------------------------------------------------------
 */
#include "picture.h"

#include "dcmtk/dcmimage/diregist.h"
#include "dcmtk/dcmimgle/dcmimage.h"

#include <algorithm>
#include <cmath>
#include <memory>

namespace dicomgw
{

namespace
{

/* The other way to shrink leaves pixels out. */
constexpr int INTERPOLATE = 1;
constexpr int BITS = 8;

/* Pixels that are longer than they are wide, or the other way round, but not lines. */
constexpr double MAX_ASPECT = 16;

/* PS3.3 C.11.2.1.2: where the borders of a window are depends on the function. */
enum class VoiFunction
{
	Linear,
	Exact,
	Sigmoid
};

class Artist
{
public:
	Artist(ImageFrame &frame, const PictureRequest &request, Picture *picture, PixelValues &values)
		: frame_(frame),
		  attributes_(frame.attributes()),
		  request_(request),
		  picture_(picture),
		  values_(values)
	{
	}

	std::string run();

private:
	void learn_rescaling();
	void learn_window();
	std::string draw(DicomImage &image);
	bool apply_window(DicomImage &image);
	bool choose_size(double &width, double &height) const;
	double pixel_aspect() const;

	ImageFrame &frame_;
	const ImageAttributes &attributes_;
	const PictureRequest &request_;
	Picture *picture_;
	PixelValues &values_;
	bool monochrome_ = false;
	bool on_stored_ = false; /* it is the stored values that are windowed */
	bool by_table_ = false;	 /* not by a window but by a look-up table */
	double slope_ = 1;
	double intercept_ = 0;
	VoiFunction function_ = VoiFunction::Linear;
};

void
put_table(DcmDataset &dataset, uint32_t sequence, const ImageAttributes &table)
{
	auto item = std::make_unique<DcmItem>();

	if (table.empty())
		return;
	table.put_into(*item);
	if (dataset
			.insertSequenceItem(DcmTagKey(static_cast<Uint16>(sequence >> 16),
										  static_cast<Uint16>(sequence & 0xFFFF)),
								item.get())
			.good())
		(void) item.release();
}

void
Artist::learn_rescaling()
{
	double slope;
	double intercept;

	if (!frame_.lookup_table(TAG_MODALITY_LUT_SEQUENCE).empty() || by_table_)
		return;
	on_stored_ = true;
	if (attributes_.decimal(TAG_RESCALE_SLOPE, slope) &&
		attributes_.decimal(TAG_RESCALE_INTERCEPT, intercept) && slope != 0)
	{
		/* A line that falls is left to DCMTK: the greys would be the wrong way round. */
		on_stored_ = slope > 0;
		slope_ = on_stored_ ? slope : 1;
		intercept_ = on_stored_ ? intercept : 0;
	}
}

/* That of the request, of the object, or none. */
void
Artist::learn_window()
{
	const std::string function = attributes_.text(TAG_VOI_LUT_FUNCTION);
	Window &window = values_.window;

	if (function == "SIGMOID")
		function_ = VoiFunction::Sigmoid;
	else if (function == "LINEAR_EXACT")
		function_ = VoiFunction::Exact;
	window.given = attributes_.decimal(TAG_WINDOW_CENTER, window.center) &&
				   attributes_.decimal(TAG_WINDOW_WIDTH, window.width) && window.width > 0 &&
				   (function_ != VoiFunction::Linear || window.width >= 1);
	by_table_ = !window.given && !request_.window.given &&
				!frame_.lookup_table(TAG_VOI_LUT_SEQUENCE).empty();
}

std::string
Artist::run()
{
	const std::string photometric = attributes_.text(TAG_PHOTOMETRIC_INTERPRETATION);

	monochrome_ = photometric == "MONOCHROME1" || photometric == "MONOCHROME2";
	learn_window();
	learn_rescaling();
	std::unique_ptr<DcmDataset> dataset = frame_.decode();

	if (!dataset)
		return frame_.why();
	put_table(*dataset, TAG_MODALITY_LUT_SEQUENCE, frame_.lookup_table(TAG_MODALITY_LUT_SEQUENCE));
	put_table(*dataset, TAG_VOI_LUT_SEQUENCE, frame_.lookup_table(TAG_VOI_LUT_SEQUENCE));

	DicomImage image(dataset.get(), EXS_LittleEndianExplicit,
					 on_stored_ ? CIF_IgnoreModalityTransformation : 0);

	if (image.getStatus() != EIS_Normal)
		return std::string("its image cannot be shown: ") +
			   DicomImage::getString(image.getStatus());
	monochrome_ = image.isMonochrome() != 0;
	if (monochrome_ && image.getMinMaxValues(values_.min, values_.max) != 0)
	{
		values_.has_range = true;
		values_.min = values_.min * slope_ + intercept_;
		values_.max = values_.max * slope_ + intercept_;
		if (!values_.window.given && !by_table_)
		{
			/* All of them, the least one black, the greatest one white. */
			function_ = request_.window.given ? function_ : VoiFunction::Exact;
			values_.window.center = (values_.min + values_.max) / 2;
			values_.window.width = values_.max - values_.min;
			values_.window.given = values_.window.width > 0;
		}
	}
	else
		values_.window.given = false;
	return picture_ != nullptr ? draw(image) : "";
}

std::string
Artist::draw(DicomImage &image)
{
	double width;
	double height;

	if (!choose_size(width, height))
		return "its image is too narrow to be shown";
	std::unique_ptr<DicomImage> scaled;
	DicomImage *drawn = &image;

	picture_->width = static_cast<uint32_t>(width);
	picture_->height = static_cast<uint32_t>(height);
	if (picture_->width != image.getWidth() || picture_->height != image.getHeight())
	{
		scaled.reset(image.createScaledImage(static_cast<unsigned long>(picture_->width),
											 static_cast<unsigned long>(picture_->height),
											 INTERPOLATE, 0));
		drawn = scaled.get();
		if (drawn == nullptr || drawn->getStatus() != EIS_Normal)
			return "its image cannot be scaled";
	}
	picture_->samples = monochrome_ ? 1 : 3;
	picture_->pixels.resize(size_t(picture_->width) * picture_->height * picture_->samples);
	if ((monochrome_ && !apply_window(*drawn)) ||
		!drawn->getOutputData(picture_->pixels.data(), picture_->pixels.size(), BITS, 0, 0))
		return "its image cannot be shown";
	return "";
}

/* Each function in terms of DCMTK's linear one, for the values that DCMTK has. */
bool
Artist::apply_window(DicomImage &image)
{
	Window window = request_.window.given ? request_.window : values_.window;

	if (by_table_)
		return image.setVoiLut(0) != 0;
	if (!window.given)
		return image.setMinMaxWindow() != 0;
	double center = (window.center - intercept_) / slope_;
	double width = window.width / slope_;

	if (function_ == VoiFunction::Sigmoid)
		return image.setVoiLutFunction(EFV_Sigmoid) != 0 &&
			   image.setWindow(center, std::max(width, 1.0)) != 0;
	if (function_ == VoiFunction::Linear)
	{
		center = (window.center - 0.5 - intercept_) / slope_;
		width = std::max(window.width - 1, 0.0) / slope_;
	}
	return image.setWindow(center + 0.5, width + 1) != 0;
}

/* How long a pixel is, compared with how wide. */
double
Artist::pixel_aspect() const
{
	double length;
	double width;

	for (uint32_t tag : {TAG_PIXEL_ASPECT_RATIO, TAG_PIXEL_SPACING, TAG_IMAGER_PIXEL_SPACING})
		if (attributes_.decimal(tag, length, 0) && attributes_.decimal(tag, width, 1) &&
			length > 0 && width > 0 && length / width <= MAX_ASPECT && width / length <= MAX_ASPECT)
			return length / width;
	return 1;
}

/* All pixels, made square by stretching them; then as large as it may be. */
bool
Artist::choose_size(double &width, double &height) const
{
	const double aspect = pixel_aspect();
	double scale;

	width = attributes_.number(TAG_COLUMNS, 1);
	height = attributes_.number(TAG_ROWS, 1);
	if (aspect > 1)
		height *= aspect;
	else
		width /= aspect;
	scale = std::min(MAX_SIDE / width, MAX_SIDE / height);
	if (request_.width > 0)
		scale = std::min(scale, request_.width / width);
	if (request_.height > 0)
		scale = std::min(scale, request_.height / height);
	if (request_.width == 0 && request_.height == 0)
		scale = std::min(scale, 1.0);
	width = std::max(std::round(width * scale), 1.0);
	height = std::max(std::round(height * scale), 1.0);
	return width <= MAX_SIDE && height <= MAX_SIDE;
}

} // namespace

std::string
draw_picture(ImageFrame &frame, const PictureRequest &request, Picture *picture,
			 PixelValues &values)
{
	return Artist(frame, request, picture, values).run();
}

} // namespace dicomgw
