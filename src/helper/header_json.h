/*-------------------------------------------------------------------------
 *
 * header_json.h
 *	  The header of a stored object as DICOM JSON (PS3.18 F.2).
 *
 * The dataset is walked once, element by element, up to the pixel data, and
 * each element is written as it passes: no tree is built, and what would be
 * left out is skipped over in the file.  So neither memory nor stack nor
 * (beyond a limit) time depend on what a sender has put into its object, and
 * an object of any shape can be received: a header is an aid to routing,
 * never a reason to refuse.
 *
 * What comes out is always JSON that PostgreSQL's jsonb takes: keys unique and
 * in order, text in UTF-8, without bulk data, group lengths and long values
 * (json_value.h).  What could not be read, or not be said in JSON, is summed
 * up in error, by tags and never with values.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_HEADER_JSON_H
#define DGW_HEADER_JSON_H

#include <cstddef>
#include <cstdint>
#include <string>

namespace dicomgw
{

/* Longest JSON; elements that would make it longer are left out. */
constexpr size_t MAX_HEADER_JSON = 1024 * 1024;

/* Sequences nested deeper are left out. */
constexpr int MAX_SEQUENCE_DEPTH = 32;

struct HeaderJson
{
	std::string json;  /* empty if nothing could be read */
	std::string error; /* empty if nothing was wrong */

	/* (0008,0016) and (0008,0018), without padding; empty if absent or not to be read. */
	std::string sop_class_uid;
	std::string sop_instance_uid;
};

/* Never throws; the data dictionary must be loaded. */
extern HeaderJson read_header(const std::string &path, uint64_t dataset_offset,
							  const std::string &transfer_syntax_uid);

} // namespace dicomgw

#endif /* DGW_HEADER_JSON_H */
