/*-------------------------------------------------------------------------
 *
 * outgoing.h
 *	  In which transfer syntaxes an object may go out, and its bytes in them.
 *
 * An object's own transfer syntax is always among them, and the best one
 * unless compression is asked for.  What else there is depends on what the
 * destination permits; each is proposed in a presentation context of its own,
 * so that it is for us to choose among those that the peer accepts.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_OUTGOING_H
#define DGW_OUTGOING_H

#include <cstdint>
#include <string>
#include <vector>

#include "dataset_file.h"
#include "requestor.h"
#include "transcoder.h"

namespace dicomgw
{

/* What to propose for an object of this transfer syntax, best first. */
extern std::vector<std::string> outgoing_syntaxes(const std::string &own,
												  const Destination &destination);

/* "JPEG Baseline (1.2.840.10008.1.2.4.50)" */
extern std::string syntax_words(const std::string &uid);

/*
 * One object, converted.  It is kept until another one is converted, so that
 * an association that ends meanwhile does not cost the work again.
 */
class ConvertedObject
{
public:
	/*
	 * The verified file of this job in that transfer syntax; ready to be sent if
	 * Done.  Otherwise why is filled in.
	 */
	Transcoded make(uint64_t job_id, const DatasetFile &source, const std::string &own,
					const std::string &transfer_syntax_uid, const std::string &directory,
					std::string &why);

	/* The job has ended. */
	void forget();

	DatasetFile &file()
	{
		return sending_;
	}

private:
	TemporaryFile converted_;
	DatasetFile sending_;
	uint64_t job_id_ = 0;
	std::string transfer_syntax_uid_;
};

} // namespace dicomgw

#endif /* DGW_OUTGOING_H */
