/*-------------------------------------------------------------------------
 *
 * image_frame.h
 *	  One frame of a stored image, and what is needed to show it.
 *
 * The dataset is gone through element by element (dataset_reader.h); a handful
 * of attributes is kept, and of the pixel data only the frame asked for is
 * read, whatever the length of the rest.  So memory and time are bounded by the
 * frame, and DCMTK's parser never sees the file.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_IMAGE_FRAME_H
#define DGW_IMAGE_FRAME_H

#include "dcmtk/config/osconfig.h"
#include "dcmtk/dcmdata/dcdatset.h"
#include "dcmtk/dcmdata/dcxfer.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "dataset_reader.h"
#include "image_attributes.h"

namespace dicomgw
{

/* A frame with more samples, or longer when compressed, is none to be shown. */
constexpr uint64_t MAX_FRAME_SAMPLES = 64 * 1024 * 1024;
constexpr uint64_t MAX_FRAGMENTS = 256 * 1024 * 1024;

class ImageFrame
{
public:
	/* The reader is at the beginning of the dataset. */
	ImageFrame(DatasetReader &reader, const std::string &transfer_syntax_uid);

	enum class Found
	{
		Frame,
		NoFrame, /* the image has fewer frames */
		Nothing	 /* no image that can be shown */
	};

	/* Read it, frames counted from 1; unless it is found, why() says why not. */
	Found find(uint32_t frame);

	/* The frame alone, as a dataset of one frame, decoded; NULL: why(). */
	std::unique_ptr<DcmDataset> decode();

	/* Of the frame, that is, with what its functional groups say of it. */
	const ImageAttributes &attributes() const
	{
		return attributes_;
	}

	/* A look-up table of the object; empty: it has none. */
	const ImageAttributes &lookup_table(uint32_t sequence) const;

	uint32_t frames() const
	{
		return frames_;
	}

	const std::string &why() const
	{
		return why_;
	}

private:
	bool fail(const std::string &why);
	bool scan(Encoding encoding, uint64_t end, ImageAttributes &kept, int depth);
	bool take(const Element &element, ImageAttributes &kept, int depth);
	bool take_item(const Element &sequence, uint32_t number, ImageAttributes &kept, int depth);
	bool check_declaration();
	bool read_pixels(const Element &element);
	bool read_native(const Element &element);
	void swap_samples(const Element &element, size_t bytes);
	void unpack_bits(uint64_t first_bit, uint64_t samples);
	bool read_fragments(const Element &element);

	DatasetReader &reader_;
	std::string syntax_uid_;
	E_TransferSyntax syntax_;
	uint32_t frame_ = 0;
	uint32_t frames_ = 1;
	Element pixel_data_ = {};
	bool has_pixel_data_ = false;
	ImageAttributes attributes_;
	std::map<uint32_t, ImageAttributes> tables_; /* by their sequence */
	std::string pixels_; /* samples in little endian, or the frame's fragments as one */
	std::string why_;
};

} // namespace dicomgw

#endif /* DGW_IMAGE_FRAME_H */
