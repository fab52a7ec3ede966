/*-------------------------------------------------------------------------
 *
 * peer_text.h
 *	  Text from a peer, made fit for tables and logs.
 *
 * What may not be there is replaced, never left out: no name becomes another
 * one that is known here by what is cleaned away.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_PEER_TEXT_H
#define DGW_PEER_TEXT_H

#include <cstddef>
#include <string>

namespace dicomgw
{

/* AE titles, UIDs, versions: printable ASCII ('?' for the rest), no spaces around it. */
extern std::string printable_ascii(const std::string &text);

/*
 * Names of people: valid UTF-8 without control characters (U+FFFD for the
 * rest), cut at a character after max_bytes, and then ending in U+2026.
 */
extern std::string clean_utf8(const std::string &text, size_t max_bytes);

} // namespace dicomgw

#endif /* DGW_PEER_TEXT_H */
