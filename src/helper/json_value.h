/*-------------------------------------------------------------------------
 *
 * json_value.h
 *	  The value of one data element as DICOM JSON (PS3.18 F.2).
 *
 * A value comes as the bytes of the dataset and goes as JSON that
 * PostgreSQL's jsonb takes, whatever the bytes are: valid UTF-8, no NUL, no
 * NaN or infinity, no number out of any sane range.  What cannot be said so
 * is replaced (text by U+FFFD, a number by null), and the caller is told.
 *
 * Bulk data has no value here, and neither has anything long: this is what
 * routes are decided by and people search, not a second copy of the object.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_JSON_VALUE_H
#define DGW_JSON_VALUE_H

#include <cstddef>
#include <string>

#include "character_set.h"
#include "vr.h"

namespace dicomgw
{

/* Values longer than this are left out: one value, one text (LT, ST, UT), one element. */
constexpr size_t MAX_VALUE = 1024;
constexpr size_t MAX_TEXT = 4096;
constexpr size_t MAX_ELEMENT = 16 * 1024;

enum class ValueResult
{
	Written,
	Altered, /* written, but something in it had to be replaced */
	TooLong	 /* left out */
};

/* Append ,"Value":[...] for a value that is not empty; nothing if it is. */
extern ValueResult append_value(std::string &json, const Vr &vr, const std::string &bytes,
								bool big_endian, CharacterSet &charset);

} // namespace dicomgw

#endif /* DGW_JSON_VALUE_H */
