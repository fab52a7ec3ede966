/*-------------------------------------------------------------------------
 *
 * edited_object.cpp
 *	  One object as its route's edits make it (see edited_object.h).
 *
 *-------------------------------------------------------------------------
 */
#include "edited_object.h"

#include <dcmtk/dcmdata/dcuid.h>

#include "dataset_editor.h"

namespace dicomgw
{

Transcoded
EditedObject::make(uint64_t job_id, const DatasetFile &source, const std::string &own,
				   const std::string &plan, const std::string &directory, std::string &why)
{
	if (job_id != job_id_)
	{
		Transcoded result = edit(source, own, plan, directory, why);

		job_id_ = result == Transcoded::Done ? job_id : 0;
		if (result != Transcoded::Done)
			return result;
	}
	return sending_.read_again(edited_.fd(), why) ? Transcoded::Done : Transcoded::Later;
}

Transcoded
EditedObject::edit(const DatasetFile &source, const std::string &own, const std::string &plan,
				   const std::string &directory, std::string &why)
{
	DatasetSource dataset = {source.fd(), source.offset(), own};
	TemporaryFile inflated;
	EditedDataset edited;
	EditPlan parsed;

	if (!parsed.parse(plan.data(), plan.size()))
	{
		why = "the plan of the edits is not understood";
		return Transcoded::Impossible;
	}
	if (own == UID_DeflatedExplicitVRLittleEndianTransferSyntax)
	{
		Transcoded result =
			transcode(dataset, UID_LittleEndianExplicitTransferSyntax, directory, inflated, why);

		if (result != Transcoded::Done)
			return result;
		dataset = {inflated.fd(), 0, UID_LittleEndianExplicitTransferSyntax};
	}
	Transcoded result = edit_dataset(parsed, dataset, directory, edited_, edited);

	why = edited.why;
	sop_instance_uid_ = edited.sop_instance_uid;
	transfer_syntax_uid_ = dataset.transfer_syntax_uid;
	return result;
}

void
EditedObject::forget()
{
	edited_.close();
	sending_.close();
	job_id_ = 0;
}

} // namespace dicomgw
