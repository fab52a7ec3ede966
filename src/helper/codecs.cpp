/*-------------------------------------------------------------------------
 *
 * codecs.cpp
 *	  DCMTK's image codecs, as a gateway needs them (see codecs.h).
 *
 *-------------------------------------------------------------------------
 */
#include "codecs.h"

#include "dcmtk/dcmdata/dcrledrg.h"
#include "dcmtk/dcmdata/dcrleerg.h"
#include "dcmtk/dcmdata/dcrlerp.h"
#include "dcmtk/dcmjpeg/djdecode.h"
#include "dcmtk/dcmjpeg/djencode.h"
#include "dcmtk/dcmjpeg/djrplol.h"
#include "dcmtk/dcmjpls/djdecode.h"
#include "dcmtk/dcmjpls/djencode.h"
#include "dcmtk/dcmjpls/djrparam.h"
#include "dcmtk/oflog/appender.h"
#include "dcmtk/oflog/oflog.h"
#include "dcmtk/oflog/spi/logevent.h"

namespace dicomgw
{

namespace
{

/* The predictor of process 14, selection value 1; and no bits shifted out. */
constexpr int SELECTION_VALUE = 1;
constexpr int POINT_TRANSFORM = 0;

constexpr Uint16 NO_LOSS = 0;

unsigned warnings;

/* Of parameters that sequential JPEG does not use; whole makes of modalities get them wrong. */
constexpr char HARMLESS[] = "Invalid SOS parameters for sequential JPEG";

class CountingAppender : public dcmtk::log4cplus::Appender
{
public:
	~CountingAppender() override
	{
		destructorImpl();
	}
	void close() override
	{
		closed = true;
	}

protected:
	void append(const dcmtk::log4cplus::spi::InternalLoggingEvent &event) override
	{
		if (event.getMessage() != HARMLESS)
			warnings++;
	}
};

bool
is_lossless_jpeg(E_TransferSyntax syntax)
{
	return syntax == EXS_JPEGProcess14 || syntax == EXS_JPEGProcess14SV1;
}

} // namespace

Codecs::Codecs(E_TransferSyntax syntax)
{
	/* YBR to RGB rounds: after lossy compression that is what everybody does, else it is a loss. */
	DJDecoderRegistration::registerCodecs(
		is_lossless_jpeg(syntax) ? EDC_never : EDC_photometricInterpretation, EUC_never);
	DJLSDecoderRegistration::registerCodecs(EJLSUC_never);
	DcmRLEDecoderRegistration::registerCodecs();
	DJEncoderRegistration::registerCodecs(ECC_lossyYCbCr, EUC_never);
	/* Not "cooked": that keeps only the bits that the dataset says are stored. */
	DJLSEncoderRegistration::registerCodecs(0, 0, 0, 0, OFFalse, 0, OFTrue, EJLSUC_never);
	DcmRLEEncoderRegistration::registerCodecs();
}

Codecs::~Codecs()
{
	DcmRLEEncoderRegistration::cleanup();
	DJLSEncoderRegistration::cleanup();
	DJEncoderRegistration::cleanup();
	DcmRLEDecoderRegistration::cleanup();
	DJLSDecoderRegistration::cleanup();
	DJDecoderRegistration::cleanup();
}

bool
is_uncompressed(E_TransferSyntax syntax)
{
	return syntax == EXS_LittleEndianImplicit || syntax == EXS_LittleEndianExplicit ||
		   syntax == EXS_BigEndianExplicit || syntax == EXS_DeflatedLittleEndianExplicit;
}

bool
can_be_decoded(E_TransferSyntax syntax)
{
	switch (syntax)
	{
		case EXS_JPEGProcess1:
		case EXS_JPEGProcess2_4:
		case EXS_JPEGProcess6_8:
		case EXS_JPEGProcess10_12:
		case EXS_JPEGProcess14:
		case EXS_JPEGProcess14SV1:
		case EXS_JPEGLSLossless:
		case EXS_JPEGLSLossy:
		case EXS_RLELossless:
			return true;
		default:
			return false;
	}
}

std::unique_ptr<DcmRepresentationParameter>
lossless_parameter(E_TransferSyntax syntax)
{
	switch (syntax)
	{
		case EXS_JPEGProcess14SV1:
			return std::make_unique<DJ_RPLossless>(SELECTION_VALUE, POINT_TRANSFORM);
		case EXS_JPEGLSLossless:
			return std::make_unique<DJLSRepresentationParameter>(NO_LOSS, OFTrue);
		case EXS_RLELossless:
			return std::make_unique<DcmRLERepresentationParameter>();
		default:
			return nullptr;
	}
}

void
start_counting_warnings()
{
	static bool attached = false;

	warnings = 0;
	if (attached)
		return;
	attached = true;
	dcmtk::log4cplus::SharedAppenderPtr counter(new CountingAppender);

	for (const char *module : {"dcmtk.dcmdata", "dcmtk.dcmjpeg", "dcmtk.dcmjpls"})
	{
		OFLogger logger = OFLog::getLogger(module);

		logger.setLogLevel(OFLogger::WARN_LOG_LEVEL);
		logger.setAdditivity(false);
		logger.addAppender(counter);
	}
}

unsigned
warnings_counted()
{
	return warnings;
}

} // namespace dicomgw
