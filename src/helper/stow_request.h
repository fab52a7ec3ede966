/*-------------------------------------------------------------------------
 *
 * stow_request.h
 *	  The body of a STOW-RS request: stored files as parts of a
 *	  multipart/related message (PS3.18 10.5.1, RFC 2387).
 *
 * A part is a stored file, byte for byte.  Small files are read and verified
 * before the request begins, so that one that is damaged does not cost the
 * others theirs; a large one has a request of its own and is verified while it
 * is read: if it is not what was received, its last bytes are never sent and
 * the request is broken off.  So memory is bounded, whatever objects there are.
 *
 * A SOP Instance UID is in a request only once: the response tells instances
 * apart by nothing else.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_STOW_REQUEST_H
#define DGW_STOW_REQUEST_H

#include <sys/queue.h>

#include "http_client.h"
#include "stored_file.h"
#include "stow_response.h"

/* DGW_MSG_JOB, with strings of its own. */
typedef struct DgwStowJob
{
	TAILQ_ENTRY(DgwStowJob) link;
	uint64_t id;
	uint64_t token;
	char *path;
	char *sop_instance_uid;
	uint64_t size; /* of the dataset */
	uint8_t sha256[DGW_SHA256_LEN];
	bool alone; /* it gets a request of its own */
} DgwStowJob;

extern DgwStowJob *dgw_stow_job_new(const DgwJob *message);
extern void dgw_stow_job_free(DgwStowJob *job);

typedef struct DgwStowPart
{
	DgwStowJob *job;
	char *data; /* the file; NULL: it is read while it is sent */
	uint64_t len;
} DgwStowPart;

typedef struct DgwStowRequest
{
	const char *root; /* the storage path */
	unsigned n_parts;
	DgwStowPart parts[DGW_STOW_MAX_INSTANCES];
	uint64_t bytes; /* of all parts */
	DgwStoredFile file;
	DgwFileState file_state; /* of the one that is read while it is sent; why: file.why */
	char boundary[48];
	unsigned segment; /* what is sent next: heads of parts (even) and files (odd) in turns */
	uint64_t offset;  /* in the segment */
} DgwStowRequest;

extern void dgw_stow_request_init(DgwStowRequest *request, const char *root);
extern void dgw_stow_request_free(DgwStowRequest *request);

/* No parts. */
extern void dgw_stow_request_clear(DgwStowRequest *request);

/* Whether a further object may be in the same request, of at most so many. */
extern bool dgw_stow_request_takes(const DgwStowRequest *request, const DgwStowJob *job,
								   unsigned most);

/* Add an object, unless its file is not what was received: file.why says why. */
extern DgwFileState dgw_stow_request_add(DgwStowRequest *request, DgwStowJob *job);

/* What is there to be sent; false: no randomness for a boundary. */
extern bool dgw_stow_request_content(DgwStowRequest *request, DgwHttpContent *content);

#endif /* DGW_STOW_REQUEST_H */
