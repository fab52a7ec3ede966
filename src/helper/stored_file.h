/*-------------------------------------------------------------------------
 *
 * stored_file.h
 *	  Reading a stored object's file, whole, to be sent as it is.
 *
 * A stored object is a Part 10 file: preamble, "DICM", a file meta group that
 * we wrote ourselves, then the dataset's bytes as they came over the wire.
 * Only the group length of the file meta group is looked at, to find where the
 * dataset begins; nothing of the dataset is ever parsed, so no dataset can be
 * too odd to be sent.
 *
 * The dataset's bytes are hashed while they are read.  The last of them are
 * only handed out once size and SHA-256 are what they were on receipt: a file
 * that has changed on the disk can never be completed at the far end.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_STORED_FILE_H
#define DGW_STORED_FILE_H

#include <openssl/evp.h>

#include "../protocol/message.h"

typedef enum DgwFileState
{
	DGW_FILE_GOOD,
	DGW_FILE_MISSING, /* it can't be opened or read */
	DGW_FILE_DAMAGED  /* it is not the file that was written, or not any more */
} DgwFileState;

typedef struct DgwStoredFile
{
	int fd;
	uint64_t dataset_offset;
	uint64_t size;	   /* of the file */
	uint64_t position; /* what has been read of it */
	const uint8_t *sha256;
	EVP_MD_CTX *digest;
	char why[128]; /* it could not be used; without patient data */
} DgwStoredFile;

extern void dgw_stored_file_init(DgwStoredFile *file);
extern void dgw_stored_file_close(DgwStoredFile *file);
extern void dgw_stored_file_free(DgwStoredFile *file);

/*
 * Open the file at path below root, and check its head and the size of its
 * dataset.  The digest that is expected must stay where it is.
 */
extern DgwFileState dgw_stored_file_open(DgwStoredFile *file, const char *root, const char *path,
										 uint64_t dataset_size, const uint8_t *sha256);

/* The next bytes of the file, exactly so many; there must be as many left. */
extern DgwFileState dgw_stored_file_read(DgwStoredFile *file, char *dest, size_t len);

#endif /* DGW_STORED_FILE_H */
