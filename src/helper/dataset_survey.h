/*-------------------------------------------------------------------------
 *
 * dataset_survey.h
 *	  Is a stored dataset sound enough to be given to DCMTK?
 *
 * DCMTK's parser goes down into sequences as deep as they are nested, builds
 * a tree of whatever number of elements there are, and now and then takes what
 * is cut off for complete.  So the heads of all elements are looked at first,
 * one after the other, keeping nothing.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_DATASET_SURVEY_H
#define DGW_DATASET_SURVEY_H

#include <cstdint>
#include <string>

namespace dicomgw
{

struct Survey
{
	std::string error;		   /* what is wrong; empty: nothing */
	uint32_t longest = 0;	   /* bytes of its longest value */
	bool encapsulated = false; /* it has pixel data in fragments */
};

/* Of the dataset from offset to the end of the file; not of a deflated one. */
extern Survey survey_dataset(const std::string &path, uint64_t offset,
							 const std::string &transfer_syntax_uid);

} // namespace dicomgw

#endif /* DGW_DATASET_SURVEY_H */
