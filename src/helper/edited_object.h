/*-------------------------------------------------------------------------
 *
 * edited_object.h
 *	  One object as its route's edits make it, ready to be sent.
 *
 * It is kept until its job has ended, so that an association that ends
 * meanwhile does not cost the work again.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_EDITED_OBJECT_H
#define DGW_EDITED_OBJECT_H

#include <cstdint>
#include <string>

#include "dataset_file.h"
#include "temporary_file.h"
#include "transcoder.h"

namespace dicomgw
{

class EditedObject
{
public:
	/*
	 * The verified file of this job, of this transfer syntax, edited as the plan
	 * says; file() is at its beginning if Done.  Otherwise why is filled in.
	 */
	Transcoded make(uint64_t job_id, const DatasetFile &source, const std::string &own,
					const std::string &plan, const std::string &directory, std::string &why);

	/* The job has ended. */
	void forget();

	/* Its own transfer syntax, or that of a deflated object when inflated. */
	const std::string &transfer_syntax_uid() const
	{
		return transfer_syntax_uid_;
	}
	/* If the edits have changed it, else empty. */
	const std::string &sop_instance_uid() const
	{
		return sop_instance_uid_;
	}
	DatasetFile &file()
	{
		return sending_;
	}

private:
	Transcoded edit(const DatasetFile &source, const std::string &own, const std::string &plan,
					const std::string &directory, std::string &why);

	TemporaryFile edited_;
	DatasetFile sending_;
	uint64_t job_id_ = 0;
	std::string transfer_syntax_uid_;
	std::string sop_instance_uid_;
};

} // namespace dicomgw

#endif /* DGW_EDITED_OBJECT_H */
