/*-------------------------------------------------------------------------
 *
 * transcoder.cpp
 *	  A stored dataset in another transfer syntax (see transcoder.h).
 *
 *-------------------------------------------------------------------------
 */
#include "transcoder.h"

#include "dcmtk/config/osconfig.h"
#include "dcmtk/dcmdata/dcdatset.h"
#include "dcmtk/dcmdata/dcdeftag.h"
#include "dcmtk/dcmdata/dcdict.h"
#include "dcmtk/dcmdata/dcelem.h"
#include "dcmtk/dcmdata/dcistrmf.h"
#include "dcmtk/dcmdata/dcostrmf.h"
#include "dcmtk/dcmdata/dcwcache.h"
#include "dcmtk/dcmdata/dcxfer.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>
#include <unistd.h>
#include <vector>

#include "codecs.h"
#include "dataset_survey.h"
#include "pixel_data.h"

namespace dicomgw
{

namespace
{

/* Longer values stay in the file until they are needed. */
constexpr Uint32 MAX_VALUE_IN_MEMORY = 4096;

/* A small file may inflate to any length: pixel data and whatever comes with it. */
constexpr uint64_t MAX_INFLATED = MAX_PIXEL_DATA + 64 * 1024 * 1024;
constexpr size_t INFLATED_PIECE = 256 * 1024;

/* What DCMTK's codecs write on their way, though nothing of it has changed. */
const DcmTagKey kept[] = {DCM_ImageType,
						  DCM_SOPClassUID,
						  DCM_SOPInstanceUID,
						  DCM_DerivationDescription,
						  DCM_SourceImageSequence,
						  DCM_DerivationCodeSequence,
						  DCM_PurposeOfReferenceCodeSequence,
						  DCM_LossyImageCompression,
						  DCM_LossyImageCompressionRatio,
						  DCM_LossyImageCompressionMethod};

/* Of compressed pixel data alone: where its frames begin, how long they are. */
const DcmTagKey of_frames[] = {DcmTagKey(0x7FE0, 0x0001), DcmTagKey(0x7FE0, 0x0002)};

/* The elements above as they were, and put back when a codec is done. */
class KeptElements
{
public:
	explicit KeptElements(DcmDataset &dataset)
	{
		for (const DcmTagKey &tag : kept)
		{
			DcmElement *element = nullptr;

			if (dataset.findAndGetElement(tag, element).good() && element != nullptr)
				elements_.emplace_back(static_cast<DcmElement *>(element->clone()));
		}
	}

	bool put_back(DcmDataset &dataset)
	{
		for (const DcmTagKey &tag : kept)
			(void) dataset.findAndDeleteElement(tag);
		for (auto &element : elements_)
		{
			if (dataset.insert(element.get(), OFTrue).bad())
				return false;
			(void) element.release();
		}
		return true;
	}

private:
	std::vector<std::unique_ptr<DcmElement>> elements_;
};

class Transcoder
{
public:
	Transcoder(const DatasetSource &source, E_TransferSyntax to, const std::string &directory,
			   TemporaryFile &file, std::string &why)
		: path_(descriptor_path(source.fd)),
		  offset_(source.offset),
		  from_(DcmXfer(source.transfer_syntax_uid.c_str()).getXfer()),
		  to_(to),
		  directory_(directory),
		  file_(file),
		  why_(why)
	{
	}

	Transcoded run();

private:
	Transcoded impossible(const std::string &why);
	Transcoded later(const char *what, int error);
	Transcoded inflate();
	bool survey();
	bool parse(const std::string &path, uint64_t offset, E_TransferSyntax syntax,
			   DcmDataset &dataset);
	bool decode(DcmDataset &dataset);
	bool encode(DcmDataset &dataset);
	bool change_images(DcmDataset &dataset, E_TransferSyntax syntax,
					   const DcmRepresentationParameter *parameter);
	Transcoded write(DcmDataset &dataset);
	bool verify();

	std::string path_;
	uint64_t offset_;
	E_TransferSyntax from_;
	E_TransferSyntax to_;
	const std::string &directory_;
	TemporaryFile &file_;
	TemporaryFile inflated_;
	std::string digest_; /* of the images, before they were encoded */
	std::string &why_;
};

Transcoded
Transcoder::impossible(const std::string &why)
{
	why_ = why;
	return Transcoded::Impossible;
}

Transcoded
Transcoder::later(const char *what, int error)
{
	why_ = std::string(what) + ": " + strerror(error);
	return Transcoded::Later;
}

Transcoded
Transcoder::run()
{
	const bool decoding = !is_uncompressed(from_);
	const bool encoding = !is_uncompressed(to_);

	if (from_ == EXS_Unknown || (decoding && !can_be_decoded(from_)))
		return impossible("no codec for it");
	if (encoding && (decoding || lossless_parameter(to_) == nullptr))
		return impossible("not without loss");
	if (from_ == EXS_DeflatedLittleEndianExplicit)
	{
		Transcoded inflated = inflate();

		if (inflated != Transcoded::Done)
			return inflated;
	}
	if (!survey())
		return Transcoded::Impossible;
	{
		const Codecs codecs(decoding ? from_ : to_);
		DcmDataset dataset;

		if (!parse(path_, offset_, from_, dataset) || (decoding && !decode(dataset)) ||
			(encoding && !encode(dataset)))
			return Transcoded::Impossible;
		Transcoded written = write(dataset);

		if (written != Transcoded::Done)
			return written;
	}
	return !encoding || verify() ? Transcoded::Done : Transcoded::Impossible;
}

/* Into a file, so that what is long in it need not be in memory. */
Transcoded
Transcoder::inflate()
{
	std::vector<char> piece(INFLATED_PIECE);
	DcmInputFileStream in(OFFilename(path_.c_str()), static_cast<offile_off_t>(offset_));
	uint64_t len = 0;

	if (in.status().bad() || in.installCompressionFilter(ESC_zlib).bad())
		return impossible("it cannot be inflated");
	if (!inflated_.create(directory_))
		return later("could not create temporary file", errno);
	while (!in.eos())
	{
		offile_off_t n = in.read(piece.data(), static_cast<offile_off_t>(piece.size()));

		if (n <= 0)
			break;
		len += static_cast<uint64_t>(n);
		if (len > MAX_INFLATED)
			return impossible("it is too long when inflated");
		if (!inflated_.write(piece.data(), static_cast<size_t>(n)))
			return later("could not write temporary file", errno);
	}
	if (in.status().bad() || !in.eos())
		return impossible("it cannot be inflated");
	path_ = inflated_.path();
	offset_ = 0;
	from_ = EXS_LittleEndianExplicit;
	return Transcoded::Done;
}

bool
Transcoder::survey()
{
	const Survey found = survey_dataset(path_, offset_, DcmXfer(from_).getXferID());
	/* What changes its byte order is in memory all at once. */
	const bool swapped = DcmXfer(from_).isBigEndian() != DcmXfer(to_).isBigEndian();

	if (!found.error.empty())
		why_ = "it is damaged: " + found.error;
	else if (found.encapsulated && is_uncompressed(from_))
		why_ = "its pixel data is compressed, which it may not be in its transfer syntax";
	else if ((swapped || found.encapsulated) && found.longest > MAX_PIXEL_DATA)
		why_ = "a value in it is too long";
	return why_.empty();
}

bool
Transcoder::parse(const std::string &path, uint64_t offset, E_TransferSyntax syntax,
				  DcmDataset &dataset)
{
	/* From the start, as DCMTK counts from there when it comes back for what is long. */
	DcmInputFileStream in(OFFilename(path.c_str()), 0);
	OFCondition cond = in.status();

	if (cond.good() &&
		in.skip(static_cast<offile_off_t>(offset)) != static_cast<offile_off_t>(offset))
		cond = EC_StreamNotifyClient;
	dataset.transferInit();
	if (cond.good())
		cond = dataset.read(in, syntax, EGL_noChange, MAX_VALUE_IN_MEMORY);
	dataset.transferEnd();
	if (cond.bad())
		why_ = std::string("it cannot be read: ") + cond.text();
	else if (!in.eos())
		why_ = "it is damaged: something follows its end";
	return why_.empty();
}

/* All images, by the codecs; false also if one of them has only complained. */
bool
Transcoder::change_images(DcmDataset &dataset, E_TransferSyntax syntax,
						  const DcmRepresentationParameter *parameter)
{
	KeptElements kept_elements(dataset);

	start_counting_warnings();
	OFCondition cond = dataset.chooseRepresentation(syntax, parameter);

	if (cond.bad())
		why_ = std::string("its image cannot be converted: ") + cond.text();
	else if (warnings_counted() > 0)
		why_ = "its image is damaged";
	else if (!kept_elements.put_back(dataset) || !dataset.canWriteXfer(syntax, from_))
		why_ = "its image cannot be converted";
	if (!why_.empty())
		return false;
	dataset.removeAllButCurrentRepresentations();
	return true;
}

bool
Transcoder::decode(DcmDataset &dataset)
{
	/* Reports, too, may come in the transfer syntax of the images that they are with. */
	if (!dataset.tagExists(DCM_PixelData, OFTrue))
		return true;
	why_ = check_images(dataset, true, MAX_PIXEL_DATA);
	if (!why_.empty() || !change_images(dataset, EXS_LittleEndianExplicit, nullptr))
		return false;
	for (const DcmTagKey &tag : of_frames)
		(void) dataset.findAndDeleteElement(tag);
	return true;
}

bool
Transcoder::encode(DcmDataset &dataset)
{
	if (!dataset.tagExists(DCM_PixelData))
	{
		why_ = "it has no image";
		return false;
	}
	why_ = check_images(dataset, false, MAX_PIXEL_DATA);
	if (!why_.empty())
		return false;
	digest_ = images_digest(dataset);
	if (digest_.empty())
		why_ = "its pixel data cannot be read";
	return why_.empty() && change_images(dataset, to_, lossless_parameter(to_).get());
}

Transcoded
Transcoder::write(DcmDataset &dataset)
{
	if (!file_.create(directory_))
		return later("could not create temporary file", errno);

	/* Closed with the stream; the descriptor of the file stays. */
	FILE *file = fopen(file_.path().c_str(), "we");

	if (file == nullptr)
		return later("could not open temporary file", errno);
	DcmOutputFileStream out(file);
	DcmWriteCache cache;

	dataset.transferInit();
	OFCondition cond =
		dataset.write(out, to_, EET_UndefinedLength, &cache, EGL_withoutGL, EPD_noChange);

	dataset.transferEnd();
	if (cond.good())
	{
		out.flush();
		cond = out.status();
	}
	if (cond.good() && fflush(file) == 0)
		return Transcoded::Done;
	if (ferror(file) != 0)
		return later("could not write temporary file", errno);
	return impossible(std::string("it cannot be encoded: ") + cond.text());
}

/* What was encoded is what it was before. */
bool
Transcoder::verify()
{
	const Codecs codecs(to_);
	DcmDataset dataset;

	if (!parse(file_.path(), 0, to_, dataset))
		return false;
	start_counting_warnings();
	if (dataset.chooseRepresentation(EXS_LittleEndianExplicit, nullptr).bad() ||
		warnings_counted() > 0 || images_digest(dataset) != digest_)
		why_ = "not without loss";
	return why_.empty();
}

} // namespace

Transcoded
transcode(const DatasetSource &source, const std::string &transfer_syntax_uid,
		  const std::string &directory, TemporaryFile &file, std::string &why)
{
	why.clear();
	if (!dcmDataDict.isDictionaryLoaded())
	{
		why = "DCMTK's data dictionary is not installed";
		return Transcoded::Later;
	}
	try
	{
		const E_TransferSyntax to = DcmXfer(transfer_syntax_uid.c_str()).getXfer();
		Transcoded result = Transcoder(source, to, directory, file, why).run();

		if (result != Transcoded::Done)
			file.close();
		return result;
	}
	catch (const std::bad_alloc &)
	{
		file.close();
		why = "out of memory";
		return Transcoded::Later;
	}
}

} // namespace dicomgw
