/*-------------------------------------------------------------------------
 *
 * object_bytes.c
 *	  dicomgw.instance_file(): the bytes of an object's Part 10 file.
 *
 * In pieces, if need be: an object may be larger than any value of PostgreSQL's,
 * and nobody's memory is to depend on it.  Whoever reads all of a file at once gets
 * what was received or nothing: the SHA-256 of the dataset is compared.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/builtins.h"

#include "digest.h"
#include "object_access.h"

/* Longest piece; PostgREST and a client hold it in memory, too. */
#define MAX_PIECE (32 * 1024 * 1024)

PG_FUNCTION_INFO_V1(dgw_object_file);
PG_FUNCTION_INFO_V1(dgw_instance_file);

static bool
read_fully(int fd, char *dest, int64 len, int64 offset)
{
	while (len > 0)
	{
		ssize_t n = pg_pread(fd, dest, (size_t) Min(len, DGW_READ_SIZE), (off_t) offset);

		CHECK_FOR_INTERRUPTS();
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		dest += n;
		len -= n;
		offset += n;
	}
	return true;
}

static bool
same_digest(const char *dataset, int64 size, const uint8 *sha256)
{
	uint8 digest[PG_SHA256_DIGEST_LENGTH];

	dgw_sha256(dataset, (size_t) size, digest);
	return memcmp(digest, sha256, sizeof(digest)) == 0;
}

/* From one place; NULL: its copy can't be used. */
static bytea *
read_piece(const DgwObject *object, DgwPlace place, int64 first, int64 bytes)
{
	int64 file_size;
	int fd = dgw_object_open_at(object, place, &file_size);
	int64 head;
	int64 len;
	bytea *result;
	bool good;

	if (fd < 0)
		return NULL;
	head = file_size - object->size;
	len = Max(Min(bytes, file_size - first), 0);
	if (len > MAX_PIECE)
		ereport(ERROR,
				(errcode(DGW_ERRCODE_TOO_LARGE),
				 errmsg("the file of object " INT64_FORMAT " is too large to be sent at once",
						object->id),
				 errdetail("It has " INT64_FORMAT " bytes.", file_size),
				 errhint("Ask for parts of at most %d bytes.", MAX_PIECE)));
	result = palloc(VARHDRSZ + len);
	SET_VARSIZE(result, VARHDRSZ + len);
	good = read_fully(fd, VARDATA(result), len, first);
	CloseTransientFile(fd);
	if (good && first <= head && first + len == file_size)
		good = same_digest(VARDATA(result) + (head - first), object->size, object->sha256);
	if (good)
		return result;
	pfree(result);
	return NULL;
}

/*
 * dicomgw._object_file(instance_id bigint, action text, OUT sop_instance_uid text,
 * OUT sha256 bytea, OUT file_size bigint)
 */
Datum
dgw_object_file(PG_FUNCTION_ARGS)
{
	char *action = text_to_cstring(PG_GETARG_TEXT_PP(1));
	bool nulls[3] = {false};
	Datum values[3];
	bytea *sha256 = palloc(VARHDRSZ + DGW_SHA256_SIZE);
	DgwObject object;
	TupleDesc desc;
	int64 file_size;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE || desc->natts != 3)
		elog(ERROR, "dicomgw._object_file returns another row");
	dgw_object_find(PG_GETARG_INT64(0), action, &object);
	CloseTransientFile(dgw_object_open(&object, &file_size));
	values[0] = CStringGetTextDatum(object.sop_instance_uid);
	SET_VARSIZE(sha256, VARHDRSZ + DGW_SHA256_SIZE);
	memcpy(VARDATA(sha256), object.sha256, DGW_SHA256_SIZE);
	values[1] = PointerGetDatum(sha256);
	values[2] = Int64GetDatum(file_size);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

/*
 * dicomgw.instance_file(instance_id bigint, first_byte bigint, bytes bigint) returns bytea
 */
Datum
dgw_instance_file(PG_FUNCTION_ARGS)
{
	int64 first = PG_GETARG_INT64(1);
	int64 bytes = PG_GETARG_INT64(2);
	DgwObject object;

	if (first < 0 || bytes < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a part of a file begins at a byte from 0 and has a length from 0")));
	dgw_object_find(PG_GETARG_INT64(0), "export", &object);
	for (int place = 0; place < DGW_N_PLACES; place++)
	{
		bytea *piece = read_piece(&object, (DgwPlace) place, first, bytes);

		if (piece != NULL)
			PG_RETURN_BYTEA_P(piece);
	}
	dgw_object_unavailable(&object);
}
