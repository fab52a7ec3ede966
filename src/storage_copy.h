/*-------------------------------------------------------------------------
 *
 * storage_copy.h
 *	  Copying an object's file from one place to the other.
 *
 * The copy is compared with the SHA-256 on the way, and put in place as
 * storage_write.h says, or not at all.
 *
 * For a worker between its transactions: nothing here needs or opens one, and
 * a copy ends early when the worker is to leave.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_STORAGE_COPY_H
#define DGW_STORAGE_COPY_H

#include "storage_file.h"

/*
 * NULL, or in words (palloc'ed) why there is no copy.  *interrupted: because
 * this process is to leave; nothing is wrong with the file.
 */
extern const char *dgw_file_copy(DgwPlace from, DgwPlace to, const char *file_path,
								 int64 dataset_size, const uint8 *sha256, bool *interrupted);

#endif /* DGW_STORAGE_COPY_H */
