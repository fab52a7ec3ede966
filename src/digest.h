/*-------------------------------------------------------------------------
 *
 * digest.h
 *	  SHA-256 of bytes that are in memory.
 *
 * What is read piece by piece uses common/cryptohash.h itself.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_DIGEST_H
#define DGW_DIGEST_H

#include "common/sha2.h"

extern void dgw_sha256(const void *data, size_t len, uint8 digest[PG_SHA256_DIGEST_LENGTH]);

#endif /* DGW_DIGEST_H */
