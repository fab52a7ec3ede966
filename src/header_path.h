/*-------------------------------------------------------------------------
 *
 * header_path.h
 *	  Finding values in a header: DICOM JSON (PS3.18 F.2) held as jsonb.
 *
 * A path is a tag of eight hexadecimal digits, or several parted by slashes:
 * each but the last is a sequence, of which all items are looked into, or only
 * the n-th: "00400275[1]/00400009".
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_HEADER_PATH_H
#define DGW_HEADER_PATH_H

#include "utils/jsonb.h"

/* Gets one value as text, palloc'ed; NULL: an empty one, or an item.  False: it wants no more. */
typedef bool (*DgwValueVisitor)(text *value, void *arg);

/*
 * Visit the values at a path in the order of the dataset; of a person name its
 * alphabetic representation.  A path that leads nowhere has none.
 */
extern void dgw_header_visit(JsonbContainer *header, const char *path, int len,
							 DgwValueVisitor visit, void *arg);

/* The first of them, or NULL. */
extern text *dgw_header_first(JsonbContainer *header, const char *path, int len);

#endif /* DGW_HEADER_PATH_H */
