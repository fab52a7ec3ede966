/*-------------------------------------------------------------------------
 *
 * png_file.h
 *	  A picture as a PNG file.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_PNG_FILE_H
#define DGW_PNG_FILE_H

#include "picture.h"

namespace dicomgw
{

/* Append to the file; its length, or 0 if it could not be written. */
extern uint64_t write_png(const Picture &picture, int fd);

} // namespace dicomgw

#endif /* DGW_PNG_FILE_H */
