/*-------------------------------------------------------------------------
 *
 * outgoing.cpp
 *	  In which transfer syntaxes an object may go out, and its bytes in them
 *	  (see outgoing.h).
 *
 *-------------------------------------------------------------------------
 */
#include "outgoing.h"

#include <algorithm>

#include <dcmtk/dcmdata/dcuid.h>
#include <dcmtk/dcmdata/dcxfer.h>

#include "codecs.h"

namespace dicomgw
{

namespace
{

/* The most faithful first: explicit VR keeps what the data dictionary does not know. */
const char *const uncompressed[] = {
	UID_LittleEndianExplicitTransferSyntax, UID_LittleEndianImplicitTransferSyntax,
	UID_BigEndianExplicitTransferSyntax, UID_DeflatedExplicitVRLittleEndianTransferSyntax};

} // namespace

std::vector<std::string>
outgoing_syntaxes(const std::string &own, const Destination &destination)
{
	const bool compressed = !is_uncompressed(DcmXfer(own.c_str()).getXfer());
	const int needed = compressed ? DGW_CONVERT_DECOMPRESS : DGW_CONVERT_UNCOMPRESSED;
	std::vector<std::string> syntaxes;

	if (!compressed && !destination.compression.empty())
		syntaxes.push_back(destination.compression);
	syntaxes.push_back(own);
	if (destination.conversion & needed)
		std::copy_if(std::begin(uncompressed), std::end(uncompressed), std::back_inserter(syntaxes),
					 [&own](const char *syntax) { return own != syntax; });
	return syntaxes;
}

std::string
syntax_words(const std::string &uid)
{
	DcmXfer syntax(uid.c_str());

	if (syntax.getXfer() == EXS_Unknown)
		return uid;
	return std::string(syntax.getXferName()) + " (" + uid + ")";
}

Transcoded
ConvertedObject::make(uint64_t job_id, const DatasetFile &source, const std::string &own,
					  const std::string &transfer_syntax_uid, const std::string &directory,
					  std::string &why)
{
	if (job_id != job_id_ || transfer_syntax_uid != transfer_syntax_uid_)
	{
		Transcoded result = transcode({source.fd(), source.offset(), own}, transfer_syntax_uid,
									  directory, converted_, why);

		job_id_ = result == Transcoded::Done ? job_id : 0;
		transfer_syntax_uid_ = transfer_syntax_uid;
		if (result != Transcoded::Done)
			return result;
	}
	return sending_.read_again(converted_.fd(), why) ? Transcoded::Done : Transcoded::Later;
}

void
ConvertedObject::forget()
{
	converted_.close();
	sending_.close();
	job_id_ = 0;
}

} // namespace dicomgw
