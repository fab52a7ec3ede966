/*-------------------------------------------------------------------------
 *
 * answer.h
 *	  A peer's refusals and comments, in words for people.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_ANSWER_H
#define DGW_ANSWER_H

#include <cstdint>
#include <string>

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmnet/assoc.h>

namespace dicomgw
{

/* Printable ASCII; a peer's text may be in any character set, or in none. */
extern std::string printable(const std::string &text);

/* An A-ASSOCIATE-RJ (PS3.8 9.3.4): "called AE title not recognized (permanent)". */
extern std::string reject_words(uint8_t result, uint8_t source, uint8_t reason);

/* Why this context can't be used; empty if it was accepted as proposed. */
extern std::string context_refusal(const T_ASC_PresentationContext &answer,
								   const std::string &transfer_syntax_uid);

/* Offending Element (0000,0901) of a well-formed command set: "(gggg,eeee),(gggg,eeee)"; or "". */
extern std::string offending_elements(const std::string &command_set);

} // namespace dicomgw

#endif /* DGW_ANSWER_H */
