/*-------------------------------------------------------------------------
 *
 * codecs.h
 *	  DCMTK's image codecs, as a gateway needs them, and what they complain of.
 *
 * DCMTK fills in what is missing of a damaged image and says so in its log
 * alone.  Nothing of that log is printed (it may hold what a dataset holds),
 * but a warning is counted, and such an image is none that may be sent.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_CODECS_H
#define DGW_CODECS_H

#include "dcmtk/config/osconfig.h"
#include "dcmtk/dcmdata/dcpixel.h"
#include "dcmtk/dcmdata/dcxfer.h"

#include <memory>

namespace dicomgw
{

/* The codecs are registered as long as this lives; there can be only one. */
class Codecs
{
public:
	/* The transfer syntax that is decoded, or encoded into. */
	explicit Codecs(E_TransferSyntax syntax);
	~Codecs();
	Codecs(const Codecs &) = delete;
	Codecs &operator=(const Codecs &) = delete;
};

/* An uncompressed transfer syntax: the dataset alone, or all of it deflated. */
extern bool is_uncompressed(E_TransferSyntax syntax);

/* What DCMTK can decode, as far as its codecs are linked. */
extern bool can_be_decoded(E_TransferSyntax syntax);

/* How to encode into this transfer syntax without loss; NULL: not at all. */
extern std::unique_ptr<DcmRepresentationParameter> lossless_parameter(E_TransferSyntax syntax);

/* From now on DCMTK's warnings are counted; errors come back as conditions as well. */
extern void start_counting_warnings();
extern unsigned warnings_counted();

} // namespace dicomgw

#endif /* DGW_CODECS_H */
