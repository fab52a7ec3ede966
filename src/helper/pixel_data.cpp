/*-------------------------------------------------------------------------
 *
 * pixel_data.cpp
 *	  The images of a parsed dataset (see pixel_data.h).
 *
 *-------------------------------------------------------------------------
 */
#include "pixel_data.h"

#include "dcmtk/dcmdata/dcdeftag.h"
#include "dcmtk/dcmdata/dcfcache.h"
#include "dcmtk/dcmdata/dcpixel.h"
#include "dcmtk/dcmdata/dcpixseq.h"
#include "dcmtk/dcmdata/dcpxitem.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <openssl/evp.h>
#include <vector>

#include "jpeg_frame.h"

namespace dicomgw
{

namespace
{

/* What may stand before a frame header: colour profiles are long. */
constexpr Uint32 MAX_JPEG_HEAD = 1024 * 1024;

constexpr Uint32 DIGEST_PIECE = 1024 * 1024;

/* The dataset has an offset table before its fragments, empty or not. */
constexpr unsigned long OFFSET_TABLE = 1;

/* What a dataset or item says of its pixel data. */
struct Image
{
	explicit Image(DcmItem &item)
	{
		const char *text = nullptr;

		(void) item.findAndGetUint16(DCM_Rows, rows);
		(void) item.findAndGetUint16(DCM_Columns, columns);
		(void) item.findAndGetUint16(DCM_SamplesPerPixel, samples);
		(void) item.findAndGetUint16(DCM_BitsAllocated, bits);
		(void) item.findAndGetUint16(DCM_PlanarConfiguration, planar);
		if (item.findAndGetString(DCM_PhotometricInterpretation, text).good() && text != nullptr)
			photometric = text;
		if (item.findAndGetString(DCM_NumberOfFrames, text).good() && text != nullptr)
			frames = strtol(text, nullptr, 10);
	}

	bool is_declared() const
	{
		return rows > 0 && columns > 0 && samples > 0 && bits > 0 && frames > 0 &&
			   frames <= INT32_MAX;
	}

	/* At most 2^79 in theory: each factor is checked on the way. */
	bool is_longer_than(uint64_t max_bytes) const
	{
		uint64_t frame_bits = uint64_t(rows) * columns * samples;

		return frame_bits > max_bytes * 8 / bits ||
			   uint64_t(frames) > max_bytes * 8 / (frame_bits * bits);
	}

	uint64_t bytes() const
	{
		return (uint64_t(rows) * columns * samples * bits * uint64_t(frames) + 7) / 8;
	}

	Uint16 rows = 0;
	Uint16 columns = 0;
	Uint16 samples = 1;
	Uint16 bits = 0;
	Uint16 planar = 0;
	std::string photometric;
	long frames = 1;
};

/* Pixel data and the dataset or item that it is in, one after the other. */
class Images
{
public:
	explicit Images(DcmDataset &dataset)
		: dataset_(dataset)
	{
	}

	bool next()
	{
		while (dataset_.nextObject(stack_, OFTrue).good())
		{
			if (stack_.top()->getTag() != DCM_PixelData || stack_.card() < 2)
				continue;
			pixels_ = dynamic_cast<DcmPixelData *>(stack_.top());
			item_ = dynamic_cast<DcmItem *>(stack_.elem(1));
			if (pixels_ != nullptr && item_ != nullptr)
				return true;
		}
		return false;
	}

	DcmPixelData &pixels() const
	{
		return *pixels_;
	}

	DcmItem &item() const
	{
		return *item_;
	}

private:
	DcmDataset &dataset_;
	DcmStack stack_;
	DcmPixelData *pixels_ = nullptr;
	DcmItem *item_ = nullptr;
};

/* The head of a fragment that begins a JPEG stream is that of the image. */
std::string
check_fragment(DcmPixelItem &fragment, const Image &image)
{
	std::vector<uint8_t> head(std::min(fragment.getLength(), MAX_JPEG_HEAD));
	JpegFrame frame;
	DcmFileCache cache;

	if (head.size() < 2)
		return "";
	if (fragment.getPartialValue(head.data(), 0, static_cast<Uint32>(head.size()), &cache).bad())
		return "a fragment of its pixel data cannot be read";
	if (head[0] != 0xFF || head[1] != 0xD8)
		return "";
	if (!find_jpeg_frame(head.data(), head.size(), frame))
		return "a JPEG image in it has no frame header";
	if (frame.width != image.columns || frame.height != image.rows ||
		frame.components != image.samples)
		return "a JPEG image in it is of another size than Rows, Columns and Samples per Pixel say";
	return "";
}

std::string
check_encapsulated(DcmPixelData &pixels, const Image &image)
{
	DcmPixelSequence *sequence = nullptr;
	E_TransferSyntax syntax = EXS_Unknown;
	const DcmRepresentationParameter *parameter = nullptr;

	pixels.getOriginalRepresentationKey(syntax, parameter);
	/* Icons in a compressed object may be uncompressed. */
	if (pixels.getEncapsulatedRepresentation(syntax, parameter, sequence).bad() ||
		sequence == nullptr)
		return "";
	if (sequence->card() < OFFSET_TABLE + static_cast<unsigned long>(image.frames))
		return "it has fewer fragments of pixel data than frames";
	for (unsigned long i = OFFSET_TABLE; i < sequence->card(); i++)
	{
		DcmPixelItem *fragment = nullptr;
		std::string why = sequence->getItem(fragment, i).good() && fragment != nullptr
							  ? check_fragment(*fragment, image)
							  : "a fragment of its pixel data is missing";

		if (!why.empty())
			return why;
	}
	return "";
}

struct FreeDigest
{
	void operator()(EVP_MD_CTX *context) const
	{
		EVP_MD_CTX_free(context);
	}
};

bool
digest_samples(EVP_MD_CTX *context, DcmPixelData &pixels, uint64_t len)
{
	std::vector<uint8_t> piece(DIGEST_PIECE);
	DcmFileCache cache;

	for (uint64_t at = 0; at < len;)
	{
		Uint32 n = static_cast<Uint32>(std::min<uint64_t>(len - at, piece.size()));

		if (pixels.getPartialValue(piece.data(), static_cast<Uint32>(at), n, &cache).bad() ||
			EVP_DigestUpdate(context, piece.data(), n) != 1)
			return false;
		at += n;
	}
	return true;
}

} // namespace

std::string
check_images(DcmDataset &dataset, bool encapsulated, uint64_t max_bytes)
{
	Images images(dataset);

	while (images.next())
	{
		const Image image(images.item());

		if (!image.is_declared())
			return "it does not say how large its image is";
		if (image.is_longer_than(max_bytes))
			return "its image is larger than " + std::to_string(max_bytes / (1024 * 1024)) +
				   " MB when uncompressed";
		if (encapsulated)
		{
			std::string why = check_encapsulated(images.pixels(), image);

			if (!why.empty())
				return why;
		}
		/* Beside the samples there may be one byte of padding, but nothing that would be lost. */
		else if (images.pixels().getLength() < image.bytes() ||
				 images.pixels().getLength() - image.bytes() > image.bytes() % 2)
			return "its pixel data is not as long as its image";
	}
	return "";
}

std::string
images_digest(DcmDataset &dataset)
{
	std::unique_ptr<EVP_MD_CTX, FreeDigest> context(EVP_MD_CTX_new());
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int len = 0;
	Images images(dataset);

	if (!context || EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) != 1)
		return "";
	while (images.next())
	{
		const Image image(images.item());
		std::string meaning = image.photometric + " " + std::to_string(image.planar) + " " +
							  std::to_string(image.bytes());

		if (images.pixels().getLength() < image.bytes() ||
			EVP_DigestUpdate(context.get(), meaning.data(), meaning.size()) != 1 ||
			!digest_samples(context.get(), images.pixels(), image.bytes()))
			return "";
	}
	if (EVP_DigestFinal_ex(context.get(), digest, &len) != 1)
		return "";
	return std::string(reinterpret_cast<const char *>(digest), len);
}

} // namespace dicomgw
