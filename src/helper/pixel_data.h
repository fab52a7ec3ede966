/*-------------------------------------------------------------------------
 *
 * pixel_data.h
 *	  The images of a parsed dataset: are they what they say, and the same
 *	  after a conversion as before?
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_PIXEL_DATA_H
#define DGW_PIXEL_DATA_H

#include "dcmtk/config/osconfig.h"
#include "dcmtk/dcmdata/dcdatset.h"

#include <cstdint>
#include <string>

namespace dicomgw
{

/*
 * Look at every image, icons included, before it is decoded (encapsulated) or
 * encoded; "" if nothing is wrong, else what.
 */
extern std::string check_images(DcmDataset &dataset, bool encapsulated, uint64_t max_bytes);

/*
 * A digest of the samples of all images (native pixel data) and of what gives
 * them their meaning; "" if they can't be read.
 */
extern std::string images_digest(DcmDataset &dataset);

} // namespace dicomgw

#endif /* DGW_PIXEL_DATA_H */
