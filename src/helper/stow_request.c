/*-------------------------------------------------------------------------
 *
 * stow_request.c
 *	  The body of a STOW-RS request (see stow_request.h).
 *
 *-------------------------------------------------------------------------
 */
#include "stow_request.h"

#include <stdio.h>
#include <stdlib.h>

#include <openssl/rand.h>

/* Larger datasets are not kept in memory, and have a request of their own. */
#define MAX_LOADED_OBJECT (4 * 1024 * 1024)

/* Most bytes of a request with several parts. */
#define MAX_LOADED_BYTES (16 * 1024 * 1024)

#define RANDOM_BYTES 16

/*
 * No transfer-syntax parameter: the file meta group says it, PS3.18 does not ask for it, and
 * Orthanc's plugin (1.7) passes over parts that have one without a word.
 */
#define PART_HEAD "\r\n--%s\r\nContent-Type: application/dicom\r\n\r\n"
#define LAST_LINE "\r\n--%s--\r\n"

DgwStowJob *
dgw_stow_job_new(const DgwJob *message)
{
	DgwStowJob *job = calloc(1, sizeof(*job));

	if (job == NULL)
		return NULL;
	job->id = message->id;
	job->token = message->token;
	job->path = strndup(message->path.data, message->path.len);
	job->sop_instance_uid = strndup(message->sop_instance_uid.data, message->sop_instance_uid.len);
	job->size = message->size;
	memcpy(job->sha256, message->sha256, sizeof(job->sha256));
	if (job->path != NULL && job->sop_instance_uid != NULL)
		return job;
	dgw_stow_job_free(job);
	return NULL;
}

void
dgw_stow_job_free(DgwStowJob *job)
{
	free(job->path);
	free(job->sop_instance_uid);
	free(job);
}

void
dgw_stow_request_init(DgwStowRequest *request, const char *root)
{
	memset(request, 0, sizeof(*request));
	request->root = root;
	dgw_stored_file_init(&request->file);
}

void
dgw_stow_request_free(DgwStowRequest *request)
{
	dgw_stow_request_clear(request);
	dgw_stored_file_free(&request->file);
}

void
dgw_stow_request_clear(DgwStowRequest *request)
{
	for (unsigned i = 0; i < request->n_parts; i++)
		free(request->parts[i].data);
	request->n_parts = 0;
	request->bytes = 0;
	request->file_state = DGW_FILE_GOOD;
	dgw_stored_file_close(&request->file);
}

/* ---------- putting it together ---------- */

/* One without a UID can't be found in a response. */
static bool
must_be_alone(const DgwStowJob *job)
{
	return job->alone || job->size > MAX_LOADED_OBJECT || job->sop_instance_uid[0] == '\0';
}

bool
dgw_stow_request_takes(const DgwStowRequest *request, const DgwStowJob *job, unsigned most)
{
	if (request->n_parts == 0)
		return true;
	if (request->n_parts >= most || request->n_parts >= DGW_STOW_MAX_INSTANCES ||
		must_be_alone(job) || must_be_alone(request->parts[0].job) ||
		request->bytes + job->size > MAX_LOADED_BYTES)
		return false;
	for (unsigned i = 0; i < request->n_parts; i++)
		if (strcmp(request->parts[i].job->sop_instance_uid, job->sop_instance_uid) == 0)
			return false;
	return true;
}

static DgwFileState
open_file(DgwStowRequest *request, const DgwStowJob *job)
{
	return dgw_stored_file_open(&request->file, request->root, job->path, job->size, job->sha256);
}

static DgwFileState
load(DgwStowRequest *request, DgwStowPart *part)
{
	DgwFileState state;

	part->data = malloc(part->len);
	if (part->data == NULL)
	{
		snprintf(request->file.why, sizeof(request->file.why), "out of memory");
		return DGW_FILE_MISSING;
	}
	state = dgw_stored_file_read(&request->file, part->data, part->len);
	dgw_stored_file_close(&request->file);
	if (state != DGW_FILE_GOOD)
	{
		free(part->data);
		part->data = NULL;
	}
	return state;
}

DgwFileState
dgw_stow_request_add(DgwStowRequest *request, DgwStowJob *job)
{
	DgwStowPart *part = &request->parts[request->n_parts];
	DgwFileState state = open_file(request, job);

	if (state != DGW_FILE_GOOD)
		return state;
	*part = (DgwStowPart){.job = job, .len = request->file.size};
	if (job->size <= MAX_LOADED_OBJECT)
		state = load(request, part);
	if (state != DGW_FILE_GOOD)
		return state;
	request->n_parts++;
	request->bytes += part->len;
	return DGW_FILE_GOOD;
}

/* ---------- sending ---------- */

/* The line between two parts; the first one needs no line break before it. */
static size_t
format_head(const DgwStowRequest *request, unsigned number, char *text, size_t room)
{
	const char *format = number < request->n_parts ? PART_HEAD : LAST_LINE;
	size_t skip = number == 0 ? 2 : 0;

	return (size_t) snprintf(text, room, format + skip, request->boundary);
}

static size_t
read_head(const DgwStowRequest *request, char *dest, size_t room)
{
	char text[128];
	size_t len = format_head(request, request->segment / 2, text, sizeof(text));
	size_t left = len - (size_t) request->offset;
	size_t n = left < room ? left : room;

	memcpy(dest, text + request->offset, n);
	return n;
}

static size_t
read_part(DgwStowRequest *request, char *dest, size_t room)
{
	const DgwStowPart *part = &request->parts[request->segment / 2];
	uint64_t left = part->len - request->offset;
	size_t n = left < room ? (size_t) left : room;

	if (n == 0)
		return 0;
	if (part->data != NULL)
	{
		memcpy(dest, part->data + request->offset, n);
		return n;
	}
	request->file_state = dgw_stored_file_read(&request->file, dest, n);
	return request->file_state == DGW_FILE_GOOD ? n : CURL_READFUNC_ABORT;
}

static size_t
read_segments(void *source, char *dest, size_t room)
{
	DgwStowRequest *request = source;
	size_t got = 0;

	while (got < room && request->segment <= 2 * request->n_parts)
	{
		size_t n = request->segment % 2 == 0 ? read_head(request, dest + got, room - got)
											 : read_part(request, dest + got, room - got);

		if (n == CURL_READFUNC_ABORT)
			return n;
		if (n == 0)
		{
			request->segment++;
			request->offset = 0;
			continue;
		}
		request->offset += n;
		got += n;
	}
	return got;
}

static bool
rewind_segments(void *source)
{
	DgwStowRequest *request = source;

	request->segment = 0;
	request->offset = 0;
	if (request->parts[0].data == NULL)
		request->file_state = open_file(request, request->parts[0].job);
	return request->file_state == DGW_FILE_GOOD;
}

bool
dgw_stow_request_content(DgwStowRequest *request, DgwHttpContent *content)
{
	unsigned char random[RANDOM_BYTES];
	int len = snprintf(request->boundary, sizeof(request->boundary), "dicomgw-");
	char head[128];

	/* It can't be foreseen, so it can't be hidden in an object. */
	if (RAND_bytes(random, sizeof(random)) != 1)
		return false;
	for (unsigned i = 0; i < sizeof(random); i++)
		len += snprintf(request->boundary + len, sizeof(request->boundary) - (size_t) len, "%02x",
						random[i]);
	*content =
		(DgwHttpContent){.size = request->bytes, .read = read_segments, .rewind = rewind_segments};
	content->source = request;
	for (unsigned i = 0; i <= request->n_parts; i++)
		content->size += format_head(request, i, head, sizeof(head));
	snprintf(content->type, sizeof(content->type),
			 "multipart/related; type=\"application/dicom\"; boundary=%s", request->boundary);
	request->segment = 0;
	request->offset = 0;
	return true;
}
