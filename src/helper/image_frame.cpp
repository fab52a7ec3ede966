/*-------------------------------------------------------------------------
 *
 * image_frame.cpp
 *	  One frame of a stored image (see image_frame.h).
 *
 *-------------------------------------------------------------------------
 */
#include "image_frame.h"

#include "dcmtk/dcmdata/dcdeftag.h"
#include "dcmtk/dcmdata/dcpixel.h"
#include "dcmtk/dcmdata/dcpixseq.h"
#include "dcmtk/dcmdata/dcpxitem.h"

#include <algorithm>
#include <cstdlib>

#include "codecs.h"
#include "pixel_data.h"

namespace dicomgw
{

namespace
{

constexpr uint32_t TAG_FLOAT_PIXEL_DATA = 0x7FE00008;
constexpr uint32_t TAG_DOUBLE_FLOAT_PIXEL_DATA = 0x7FE00009;
constexpr uint32_t TAG_PIXEL_DATA = 0x7FE00010;
constexpr uint32_t TAG_SHARED_GROUPS = 0x52009229;
constexpr uint32_t TAG_PER_FRAME_GROUPS = 0x52009230;
constexpr uint32_t TAG_PIXEL_MEASURES = 0x00289110;
constexpr uint32_t TAG_FRAME_VOI_LUT = 0x00289132;
constexpr uint32_t TAG_PIXEL_VALUE_TRANSFORMATION = 0x00289145;

/* Functional groups, a group, its attributes. */
constexpr int MAX_DEPTH = 4;

constexpr uint64_t NO_END = UINT64_MAX;

/* The smallest JPEG stream begins with these. */
constexpr unsigned char JPEG_START[] = {0xFF, 0xD8};

bool
is_lookup_table(uint32_t tag)
{
	return tag == TAG_MODALITY_LUT_SEQUENCE || tag == TAG_VOI_LUT_SEQUENCE;
}

/* A group whose attributes are those of the image, for this frame. */
bool
is_group(uint32_t tag)
{
	return tag == TAG_PIXEL_MEASURES || tag == TAG_FRAME_VOI_LUT ||
		   tag == TAG_PIXEL_VALUE_TRANSFORMATION;
}

bool
is_float(uint32_t tag)
{
	return tag == TAG_FLOAT_PIXEL_DATA || tag == TAG_DOUBLE_FLOAT_PIXEL_DATA;
}

} // namespace

ImageFrame::ImageFrame(DatasetReader &reader, const std::string &transfer_syntax_uid)
	: reader_(reader),
	  syntax_uid_(transfer_syntax_uid),
	  syntax_(DcmXfer(transfer_syntax_uid.c_str()).getXfer())
{
}

bool
ImageFrame::fail(const std::string &why)
{
	if (why_.empty())
		why_ = why;
	return false;
}

const ImageAttributes &
ImageFrame::lookup_table(uint32_t sequence) const
{
	static const ImageAttributes none;
	auto found = tables_.find(sequence);

	return found != tables_.end() ? found->second : none;
}

ImageFrame::Found
ImageFrame::find(uint32_t frame)
{
	frame_ = frame;
	if (!scan(reader_.encoding(), NO_END, attributes_, 1))
		return Found::Nothing;
	if (!has_pixel_data_)
	{
		fail("it has no pixel data");
		return Found::Nothing;
	}
	if (!check_declaration())
		return Found::Nothing;
	if (frame_ < 1 || frame_ > frames_)
	{
		fail("it has " + std::to_string(frames_) + (frames_ == 1 ? " frame" : " frames"));
		return Found::NoFrame;
	}
	return read_pixels(pixel_data_) ? Found::Frame : Found::Nothing;
}

/* ---------- attributes ---------- */

/* The elements up to end, or up to the delimiter or the pixel data. */
bool
ImageFrame::scan(Encoding encoding, uint64_t end, ImageAttributes &kept, int depth)
{
	PrivateCreators none;
	Element element;

	while (reader_.position() < end && !(depth == 1 && reader_.at_end()))
	{
		if (!reader_.read_head(encoding, none, element))
			break;
		if (element.tag == TAG_ITEM_DELIMITATION && depth > 1)
			return true;
		if (depth == 1 && is_float(element.tag))
			return fail("its pixel data is floating point, which cannot be shown");
		if (depth == 1 && element.tag == TAG_PIXEL_DATA)
		{
			pixel_data_ = element;
			has_pixel_data_ = true;
			return true;
		}
		if (!take(element, kept, depth))
			break;
	}
	if (reader_.stopped())
		fail("it is damaged: " + reader_.why());
	return why_.empty();
}

/* An element, or pass over it. */
bool
ImageFrame::take(const Element &element, ImageAttributes &kept, int depth)
{
	std::string value;

	if (depth < MAX_DEPTH)
	{
		if (depth == 1 && element.tag == TAG_SHARED_GROUPS)
			return take_item(element, 1, kept, depth);
		if (depth == 1 && element.tag == TAG_PER_FRAME_GROUPS)
			return take_item(element, frame_, kept, depth);
		if (is_lookup_table(element.tag))
			return take_item(element, 1, tables_[element.tag], depth);
		if (depth > 1 && is_group(element.tag))
			return take_item(element, 1, kept, depth);
	}
	if (!is_image_attribute(element.tag) || element.length > MAX_ATTRIBUTE)
		return reader_.skip_value(element);
	if (!reader_.read_value(element, value))
		return false;
	kept.set(element.tag, value, element.content.big_endian);
	return true;
}

/* The attributes of one item of a sequence. */
bool
ImageFrame::take_item(const Element &sequence, uint32_t number, ImageAttributes &kept, int depth)
{
	const bool bounded = sequence.length != UNDEFINED_LENGTH;
	const uint64_t end = reader_.position() + sequence.length;
	PrivateCreators none;
	Element head;

	for (uint32_t n = 1; !bounded || reader_.position() < end; n++)
	{
		if (!reader_.read_head(sequence.content, none, head))
			return false;
		if (head.tag == TAG_SEQUENCE_DELIMITATION)
			return true;
		if (head.tag != TAG_ITEM)
			return fail("it is damaged: something else than an item in sequence " +
						tag_text(sequence.tag));
		if (n != number)
		{
			if (!reader_.skip_value(head))
				return false;
			continue;
		}
		const uint64_t item_end =
			head.length == UNDEFINED_LENGTH ? NO_END : reader_.position() + head.length;

		if (!scan(sequence.content, item_end, kept, depth + 1))
			return false;
	}
	return true;
}

/* What the image says of itself is possible. */
bool
ImageFrame::check_declaration()
{
	const uint64_t samples = uint64_t(attributes_.number(TAG_ROWS, 0)) *
							 attributes_.number(TAG_COLUMNS, 0) *
							 attributes_.number(TAG_SAMPLES_PER_PIXEL, 1);
	const uint16_t allocated = attributes_.number(TAG_BITS_ALLOCATED, 0);
	const uint16_t stored = attributes_.number(TAG_BITS_STORED, allocated);
	const uint16_t high_bit = attributes_.number(TAG_HIGH_BIT, static_cast<uint16_t>(stored - 1));
	double frames = 1;

	if (attributes_.has(TAG_NUMBER_OF_FRAMES) && attributes_.decimal(TAG_NUMBER_OF_FRAMES, frames))
		frames_ = frames >= 1 && frames <= INT32_MAX ? static_cast<uint32_t>(frames) : 1;
	if (samples == 0)
		return fail("it does not say how large its image is");
	if (samples > MAX_FRAME_SAMPLES)
		return fail("its image is too large to be shown");
	if (allocated != 1 && allocated != 8 && allocated != 16 && allocated != 32)
		return fail("an image with " + std::to_string(allocated) +
					" bits allocated cannot be shown");
	if (stored < 1 || stored > allocated || high_bit >= allocated || high_bit + 1 < stored)
		return fail("its bits allocated, bits stored and high bit contradict each other");
	if (attributes_.text(TAG_PHOTOMETRIC_INTERPRETATION).empty())
		return fail("it has no Photometric Interpretation");
	attributes_.set_number(TAG_BITS_STORED, stored);
	attributes_.set_number(TAG_HIGH_BIT, high_bit);
	return true;
}

/* ---------- pixels ---------- */

bool
ImageFrame::read_pixels(const Element &element)
{
	const bool encapsulated = element.length == UNDEFINED_LENGTH;

	if (!is_uncompressed(syntax_) && !can_be_decoded(syntax_))
		return fail(std::string("cannot show transfer syntax ") +
					(syntax_ == EXS_Unknown ? syntax_uid_ : DcmXfer(syntax_).getXferName()));
	if (encapsulated == is_uncompressed(syntax_))
		return fail(encapsulated
						? "its pixel data is compressed, which it may not be in its transfer syntax"
						: "its pixel data is not in fragments, as its transfer syntax has it");
	return (encapsulated ? read_fragments(element) : read_native(element)) ||
		   fail("it is damaged: " + reader_.why());
}

bool
ImageFrame::read_native(const Element &element)
{
	const uint16_t allocated = attributes_.number(TAG_BITS_ALLOCATED, 0);
	const std::string photometric = attributes_.text(TAG_PHOTOMETRIC_INTERPRETATION);
	uint64_t samples = uint64_t(attributes_.number(TAG_ROWS, 0)) *
					   attributes_.number(TAG_COLUMNS, 0) *
					   attributes_.number(TAG_SAMPLES_PER_PIXEL, 1);

	/* Two of three samples; but there are objects that only say so. */
	if (photometric == "YBR_FULL_422" || photometric == "YBR_PARTIAL_422")
	{
		if (samples * frames_ * allocated / 8 <= element.length)
			attributes_.set_text(TAG_PHOTOMETRIC_INTERPRETATION, "YBR_FULL");
		else
			samples = samples / 3 * 2;
	}
	const uint64_t first_bit = samples * allocated * (frame_ - 1);
	const uint64_t end_bit = first_bit + samples * allocated;
	const uint64_t begin = first_bit / 16 * 2; /* at a word, as words may have to be swapped */
	const uint64_t end = std::min<uint64_t>((end_bit + 15) / 16 * 2, element.length);

	if (samples * allocated * frames_ > uint64_t(element.length) * 8)
		return fail("its pixel data is shorter than its image");
	pixels_.resize(end - begin);
	if (!reader_.skip(begin) ||
		!reader_.read_value(Element{TAG_PIXEL_DATA, static_cast<uint32_t>(end - begin), nullptr,
									false, element.content},
							pixels_))
		return false;
	if (reader_.encoding().big_endian)
		swap_samples(element, allocated == 32 ? 4 : 2);
	if (allocated == 1)
		unpack_bits(first_bit - begin * 8, samples);
	else
		pixels_ = pixels_.substr(first_bit / 8 - begin, samples * allocated / 8);
	return true;
}

/* From big endian, in which bytes stay where they are unless they are words (PS3.5 A.3). */
void
ImageFrame::swap_samples(const Element &element, size_t bytes)
{
	if (element.vr == find_vr('O', 'B'))
		return;
	for (size_t at = 0; at + bytes <= pixels_.size(); at += bytes)
		std::reverse(pixels_.begin() + static_cast<std::ptrdiff_t>(at),
					 pixels_.begin() + static_cast<std::ptrdiff_t>(at + bytes));
}

/* A byte for each sample, which is all that differs then. */
void
ImageFrame::unpack_bits(uint64_t first_bit, uint64_t samples)
{
	std::string bytes(samples, '\0');

	for (uint64_t i = 0; i < samples; i++)
	{
		const uint64_t bit = first_bit + i;

		bytes[i] = static_cast<char>(static_cast<uint8_t>(pixels_[bit / 8]) >> bit % 8 & 1);
	}
	pixels_ = std::move(bytes);
	attributes_.set_number(TAG_BITS_ALLOCATED, 8);
	attributes_.set_number(TAG_BITS_STORED, 1);
	attributes_.set_number(TAG_HIGH_BIT, 0);
}

/*
 * The fragments of the frame.  Offset tables are often missing or wrong: in JPEG
 * a frame begins where a fragment begins with SOI, in RLE each fragment is one.
 */
bool
ImageFrame::read_fragments(const Element &element)
{
	PrivateCreators none;
	uint32_t frame = 0;
	Element head;
	std::string piece;

	for (bool table = true; reader_.read_head(element.content, none, head); table = false)
	{
		if (head.tag == TAG_SEQUENCE_DELIMITATION)
			break;
		if (head.tag != TAG_ITEM || head.length == UNDEFINED_LENGTH)
			return fail("something else than a fragment in its pixel data");
		Element start = head;

		start.length = table ? 0 : std::min<uint32_t>(head.length, sizeof(JPEG_START));
		if (!reader_.read_value(start, piece))
			return false;
		if (!table &&
			(syntax_ == EXS_RLELossless ||
			 piece == std::string(reinterpret_cast<const char *>(JPEG_START), sizeof(JPEG_START))))
			frame++;
		if (frame > frame_)
			return true;
		head.length -= start.length;
		if (table || frame != frame_)
		{
			if (!reader_.skip(head.length))
				return false;
			continue;
		}
		if (pixels_.size() + piece.size() + head.length > MAX_FRAGMENTS)
			return fail("its image is too large to be shown");
		pixels_ += piece;
		if (!reader_.read_value(head, piece))
			return false;
		pixels_ += piece;
	}
	return !reader_.stopped() &&
		   (frame == frame_ || fail("its pixel data has fewer frames than it says"));
}

std::unique_ptr<DcmDataset>
ImageFrame::decode()
{
	const bool compressed = !is_uncompressed(syntax_);
	auto dataset = std::make_unique<DcmDataset>();

	attributes_.set_text(TAG_NUMBER_OF_FRAMES, "1");
	attributes_.put_into(*dataset);
	auto pixels = std::make_unique<DcmPixelData>(
		DcmTag(DCM_PixelData, attributes_.number(TAG_BITS_ALLOCATED, 8) > 8 ? EVR_OW : EVR_OB));

	pixels_.resize((pixels_.size() + 1) & ~static_cast<size_t>(1));
	auto *bytes = reinterpret_cast<Uint8 *>(&pixels_[0]);

	if (compressed)
	{
		auto sequence = std::make_unique<DcmPixelSequence>(DcmTag(DCM_PixelSequenceTag, EVR_OB));
		auto table = std::make_unique<DcmPixelItem>(DcmTag(DCM_PixelItemTag, EVR_OB));
		auto fragment = std::make_unique<DcmPixelItem>(DcmTag(DCM_PixelItemTag, EVR_OB));

		(void) fragment->putUint8Array(bytes, pixels_.size());
		(void) sequence->insert(table.release());
		(void) sequence->insert(fragment.release());
		pixels->putOriginalRepresentation(syntax_, nullptr, sequence.release());
	}
	else if (attributes_.number(TAG_BITS_ALLOCATED, 8) > 8)
		(void) pixels->putUint16Array(reinterpret_cast<Uint16 *>(bytes),
									  pixels_.size() / sizeof(Uint16));
	else
		(void) pixels->putUint8Array(bytes, pixels_.size());
	(void) dataset->insert(pixels.release(), OFTrue);
	pixels_ = std::string();

	if (compressed)
	{
		why_ = check_images(*dataset, true, MAX_FRAME_SAMPLES * 4);
		if (!why_.empty())
			return nullptr;
		start_counting_warnings();
		OFCondition cond = dataset->chooseRepresentation(EXS_LittleEndianExplicit, nullptr);

		if (cond.bad())
			fail(std::string("its image cannot be decoded: ") + cond.text());
		else if (warnings_counted() > 0)
			fail("its image is damaged");
		if (!why_.empty())
			return nullptr;
		dataset->removeAllButCurrentRepresentations();
	}
	return dataset;
}

} // namespace dicomgw
