/*-------------------------------------------------------------------------
 *
 * edit_value.h
 *	  New values of elements: texts in a dataset's character set, numbers in
 *	  its byte order, pseudonyms, moved dates, cleaned texts.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_EDIT_VALUE_H
#define DGW_EDIT_VALUE_H

#include <string>

#include "edit_plan.h"
#include "vr.h"

namespace dicomgw
{

/*
 * A value given in UTF-8, several of them parted by backslashes, as the bytes of
 * an element, padded.  The terms are those of the Specific Character Set that
 * is in force.  False: it can't be said in this VR or character set; why is
 * filled in, without the value.
 */
extern bool encode_value(const Vr &vr, const std::string &text, const std::string &charset_terms,
						 bool big_endian, std::string &bytes, std::string &why);

/* Each UID by its pseudonym; false if one has none.  What the standard defines has none, and stays. */
extern bool replace_uids(const EditPlan &plan, std::string &bytes);

/* False if it is not a date that can be moved; a time of day stays as it is. */
extern bool shift_dates(const Vr &vr, long days, std::string &bytes);

/* All texts in it are known to be harmless. */
extern bool is_clean(const EditPlan &plan, const Vr &vr, const std::string &bytes,
					 const std::string &charset_terms);

} // namespace dicomgw

#endif /* DGW_EDIT_VALUE_H */
