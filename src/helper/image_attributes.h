/*-------------------------------------------------------------------------
 *
 * image_attributes.h
 *	  The attributes that say how an image is to be shown.
 *
 * All that dicomgw-render takes from a dataset beside pixels.  DCMTK gets a
 * dataset made of these alone, and a data dictionary of these alone: to load the
 * whole one takes longer than to show a picture.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_IMAGE_ATTRIBUTES_H
#define DGW_IMAGE_ATTRIBUTES_H

#include "dcmtk/config/osconfig.h"
#include "dcmtk/dcmdata/dcitem.h"

#include <cstdint>
#include <map>
#include <string>

namespace dicomgw
{

constexpr uint32_t TAG_SAMPLES_PER_PIXEL = 0x00280002;
constexpr uint32_t TAG_PHOTOMETRIC_INTERPRETATION = 0x00280004;
constexpr uint32_t TAG_NUMBER_OF_FRAMES = 0x00280008;
constexpr uint32_t TAG_ROWS = 0x00280010;
constexpr uint32_t TAG_COLUMNS = 0x00280011;
constexpr uint32_t TAG_PIXEL_SPACING = 0x00280030;
constexpr uint32_t TAG_IMAGER_PIXEL_SPACING = 0x00181164;
constexpr uint32_t TAG_PIXEL_ASPECT_RATIO = 0x00280034;
constexpr uint32_t TAG_BITS_ALLOCATED = 0x00280100;
constexpr uint32_t TAG_BITS_STORED = 0x00280101;
constexpr uint32_t TAG_HIGH_BIT = 0x00280102;
constexpr uint32_t TAG_PIXEL_REPRESENTATION = 0x00280103;
constexpr uint32_t TAG_WINDOW_CENTER = 0x00281050;
constexpr uint32_t TAG_WINDOW_WIDTH = 0x00281051;
constexpr uint32_t TAG_RESCALE_INTERCEPT = 0x00281052;
constexpr uint32_t TAG_RESCALE_SLOPE = 0x00281053;
constexpr uint32_t TAG_VOI_LUT_FUNCTION = 0x00281056;
constexpr uint32_t TAG_MODALITY_LUT_SEQUENCE = 0x00283000;
constexpr uint32_t TAG_VOI_LUT_SEQUENCE = 0x00283010;

/* Longest value kept: a look-up table of 65,536 entries. */
constexpr uint32_t MAX_ATTRIBUTE = 256 * 1024;

/*
 * Make DCMTK know these attributes and no others, before it has loaded its data
 * dictionary; or, if that has been done, leave it as it is.
 */
extern void load_image_dictionary();

/* An attribute of an image, or of a look-up table. */
extern bool is_image_attribute(uint32_t tag);

/* Values as they stand in a dataset, by tag. */
class ImageAttributes
{
public:
	void set(uint32_t tag, const std::string &value, bool big_endian);
	void set_number(uint32_t tag, uint16_t value);
	void set_text(uint32_t tag, const std::string &value);

	bool has(uint32_t tag) const
	{
		return values_.count(tag) != 0;
	}
	bool empty() const
	{
		return values_.empty();
	}

	/* Of a US attribute: its first value, else otherwise. */
	uint16_t number(uint32_t tag, uint16_t otherwise) const;
	/* Of a text attribute: a value counted from 0, without spaces; or "". */
	std::string text(uint32_t tag, size_t n = 0) const;
	/* The same as a number; false: it is none. */
	bool decimal(uint32_t tag, double &value, size_t n = 0) const;

	/* Put them into a dataset of DCMTK's, or an item. */
	void put_into(DcmItem &item) const;

private:
	std::map<uint32_t, std::string> values_; /* numbers are in our own byte order */
};

} // namespace dicomgw

#endif /* DGW_IMAGE_ATTRIBUTES_H */
