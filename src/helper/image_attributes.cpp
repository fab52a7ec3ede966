/*-------------------------------------------------------------------------
 *
 * image_attributes.cpp
 *	  The attributes that say how an image is to be shown
 *	  (see image_attributes.h).
 *
 *-------------------------------------------------------------------------
 */
#include "image_attributes.h"

#include "dcmtk/dcmdata/dcdict.h"
#include "dcmtk/dcmdata/dcdicent.h"
#include "dcmtk/dcmdata/dctag.h"
#include "dcmtk/dcmdata/dcvrobow.h"
#include "dcmtk/ofstd/ofstd.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

namespace dicomgw
{

namespace
{

struct Attribute
{
	uint32_t tag;
	DcmEVR vr;
	bool kept; /* taken from a dataset; else DCMTK's own, which it writes when it decodes */
};

const Attribute attributes[] = {
	{TAG_IMAGER_PIXEL_SPACING, EVR_DS, true},
	{TAG_SAMPLES_PER_PIXEL, EVR_US, true},
	{TAG_PHOTOMETRIC_INTERPRETATION, EVR_CS, true},
	{0x00280006, EVR_US, true}, /* Planar Configuration */
	{TAG_NUMBER_OF_FRAMES, EVR_IS, true},
	{TAG_ROWS, EVR_US, true},
	{TAG_COLUMNS, EVR_US, true},
	{TAG_PIXEL_SPACING, EVR_DS, true},
	{TAG_PIXEL_ASPECT_RATIO, EVR_IS, true},
	{TAG_BITS_ALLOCATED, EVR_US, true},
	{TAG_BITS_STORED, EVR_US, true},
	{TAG_HIGH_BIT, EVR_US, true},
	{TAG_PIXEL_REPRESENTATION, EVR_US, true},
	{TAG_WINDOW_CENTER, EVR_DS, true},
	{TAG_WINDOW_WIDTH, EVR_DS, true},
	{TAG_RESCALE_INTERCEPT, EVR_DS, true},
	{TAG_RESCALE_SLOPE, EVR_DS, true},
	{TAG_VOI_LUT_FUNCTION, EVR_CS, true},
	{0x00281101, EVR_US, true}, /* Palette Color Lookup Table Descriptors */
	{0x00281102, EVR_US, true},
	{0x00281103, EVR_US, true},
	{0x00281201, EVR_OW, true}, /* and Data */
	{0x00281202, EVR_OW, true},
	{0x00281203, EVR_OW, true},
	{0x00283002, EVR_US, true}, /* LUT Descriptor */
	{0x00283006, EVR_US, true}, /* LUT Data */
	{TAG_MODALITY_LUT_SEQUENCE, EVR_SQ, false},
	{TAG_VOI_LUT_SEQUENCE, EVR_SQ, false},
	{0x7FE00010, EVR_OW, false},
	/* what the codecs note of their work */
	{0x00080008, EVR_CS, false},
	{0x00080016, EVR_UI, false},
	{0x00080018, EVR_UI, false},
	{0x00082111, EVR_ST, false},
	{0x00282110, EVR_CS, false},
	{0x00282112, EVR_DS, false},
	{0x00282114, EVR_CS, false},
};

const Attribute *
find(uint32_t tag)
{
	for (const Attribute &attribute : attributes)
		if (attribute.tag == tag)
			return &attribute;
	return nullptr;
}

bool
is_numbers(DcmEVR vr)
{
	return vr == EVR_US || vr == EVR_OW;
}

DcmTagKey
key_of(uint32_t tag)
{
	return DcmTagKey(static_cast<Uint16>(tag >> 16), static_cast<Uint16>(tag & 0xFFFF));
}

} // namespace

void
load_image_dictionary()
{
	(void) setenv("DCMDICTPATH", "/dev/null", 1);
	DcmDataDictionary &dictionary = dcmDataDict.wrlock();

	if (dictionary.numberOfEntries() == 0)
		for (const Attribute &attribute : attributes)
			dictionary.addEntry(new DcmDictEntry(static_cast<Uint16>(attribute.tag >> 16),
												 static_cast<Uint16>(attribute.tag & 0xFFFF),
												 DcmVR(attribute.vr), "Image", 1, DcmVariableVM,
												 "DICOM", OFTrue, nullptr));
	dcmDataDict.wrunlock();
}

bool
is_image_attribute(uint32_t tag)
{
	const Attribute *attribute = find(tag);

	return attribute != nullptr && attribute->kept;
}

void
ImageAttributes::set(uint32_t tag, const std::string &value, bool big_endian)
{
	const Attribute *attribute = find(tag);
	std::string &kept = values_[tag];

	kept = value;
	if (attribute == nullptr || !is_numbers(attribute->vr))
		return;
	kept.resize(kept.size() & ~static_cast<size_t>(1));
	if (big_endian != (gLocalByteOrder == EBO_BigEndian))
		for (size_t i = 0; i < kept.size(); i += 2)
			std::swap(kept[i], kept[i + 1]);
}

void
ImageAttributes::set_number(uint32_t tag, uint16_t value)
{
	values_[tag].assign(reinterpret_cast<const char *>(&value), sizeof(value));
}

void
ImageAttributes::set_text(uint32_t tag, const std::string &value)
{
	values_[tag] = value;
}

uint16_t
ImageAttributes::number(uint32_t tag, uint16_t otherwise) const
{
	auto found = values_.find(tag);
	uint16_t value = otherwise;

	if (found != values_.end() && found->second.size() >= sizeof(value))
		memcpy(&value, found->second.data(), sizeof(value));
	return value;
}

std::string
ImageAttributes::text(uint32_t tag, size_t n) const
{
	static constexpr char SPACES[] = " \t\r\n";
	auto found = values_.find(tag);
	size_t begin = 0;

	if (found == values_.end())
		return "";
	const std::string all = found->second.c_str();

	for (; n > 0; n--)
	{
		begin = all.find('\\', begin);
		if (begin++ == std::string::npos)
			return "";
	}
	std::string value = all.substr(begin, all.find('\\', begin) - begin);

	value.erase(0, value.find_first_not_of(SPACES));
	value.erase(value.find_last_not_of(SPACES) + 1);
	return value;
}

bool
ImageAttributes::decimal(uint32_t tag, double &value, size_t n) const
{
	const std::string written = text(tag, n);
	OFBool ok = OFFalse;

	if (written.empty())
		return false;
	value = OFStandard::atof(written.c_str(), &ok);
	return ok && std::isfinite(value);
}

void
ImageAttributes::put_into(DcmItem &item) const
{
	for (const auto &value : values_)
	{
		const Attribute *attribute = find(value.first);
		const DcmTag tag(key_of(value.first), DcmVR(attribute->vr));
		const std::string &bytes = value.second;

		if (is_numbers(attribute->vr))
		{
			std::vector<Uint16> numbers(bytes.size() / sizeof(Uint16));

			/* an empty value has no bytes to copy, and nowhere to copy them to */
			if (!numbers.empty())
				memcpy(numbers.data(), bytes.data(), numbers.size() * sizeof(Uint16));
			(void) item.putAndInsertUint16Array(tag, numbers.data(), numbers.size());
		}
		else
			(void) item.putAndInsertOFStringArray(tag, OFString(bytes.c_str()));
	}
}

} // namespace dicomgw
