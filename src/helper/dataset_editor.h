/*-------------------------------------------------------------------------
 *
 * dataset_editor.h
 *	  A stored dataset with the edits of a route (edit_plan.h).
 *
 * The dataset is read once from end to end and written as it passes, in its own
 * transfer syntax, into a temporary file; the stored file is only read.
 *
 *	- What no edit is about is copied byte by byte, pixel data, compressed or
 *	  not, included: nothing is parsed and encoded again.  Lengths of sequences
 *	  and items stay what they are, defined ones with the number that is right
 *	  then; group lengths are left out.
 *	- Memory does not depend on the object: values that have to be looked at are
 *	  short, others are copied in pieces.
 *	- The dataset may be anything.  What can't be read to its end, or edited as it
 *	  is meant, is not edited at all.
 *
 * A deflated dataset has to be inflated before.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_DATASET_EDITOR_H
#define DGW_DATASET_EDITOR_H

#include <string>

#include "edit_plan.h"
#include "temporary_file.h"
#include "transcoder.h"

namespace dicomgw
{

struct EditedDataset
{
	std::string sop_instance_uid; /* if the edits have changed it */
	std::string why;			  /* if not Done, without patient data */
};

/* Edit into the file, which is created here as transcode() does it. */
extern Transcoded edit_dataset(const EditPlan &plan, const DatasetSource &source,
							   const std::string &directory, TemporaryFile &file,
							   EditedDataset &edited);

} // namespace dicomgw

#endif /* DGW_DATASET_EDITOR_H */
