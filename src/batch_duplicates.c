/*-------------------------------------------------------------------------
 *
 * batch_duplicates.c
 *	  Received objects whose SOP Instance UID was received before (see
 *	  batch_duplicates.h).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "batch_duplicates.h"
#include "batch_files.h"
#include "worker.h"

static bool
is_asked_about(const DgwArrival *arrival)
{
	return arrival->status == 0 && !arrival->ignored &&
		   arrival->caller->duplicates != DGW_DUPLICATES_KEEP;
}

static bool
same_slice(DgwSlice a, DgwSlice b)
{
	return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

/* The same bytes, in the same encoding. */
static bool
is_identical(const DgwReceived *a, const DgwReceived *b)
{
	return same_slice(a->transfer_syntax_uid, b->transfer_syntax_uid) &&
		   memcmp(a->sha256, b->sha256, DGW_SHA256_LEN) == 0;
}

static void
refuse(DgwArrival *arrival)
{
	arrival->status = DGW_STATUS_DUPLICATE_SOP_INSTANCE;
	arrival->comment = "duplicate SOP instance";
}

static void
ignore(DgwArrival *arrival)
{
	arrival->ignored = true;
	arrival->comment = "";
}

static Datum
text_of(DgwSlice slice)
{
	return PointerGetDatum(cstring_to_text_with_len(slice.data, slice.len));
}

/* Which versions of its SOP instance matter to an arrival: any, or those of its very bytes. */
static Datum
digest_asked_for(const DgwArrival *arrival, bool *isnull)
{
	bytea *value = palloc(VARHDRSZ + DGW_SHA256_LEN);

	*isnull = arrival->caller->duplicates == DGW_DUPLICATES_REFUSE;
	SET_VARSIZE(value, VARHDRSZ + DGW_SHA256_LEN);
	memcpy(VARDATA(value), arrival->object.sha256, DGW_SHA256_LEN);
	return PointerGetDatum(value);
}

/* Ask dicomgw._kept_versions(); its rows are in SPI_tuptable then. */
static void
look_up(DgwArrival **asked, int n)
{
	static SPIPlanPtr plan = NULL;
	static Oid types[] = {TEXTARRAYOID, TEXTARRAYOID, BYTEAARRAYOID};
	Datum *uids = palloc(n * sizeof(Datum));
	Datum *syntaxes = palloc(n * sizeof(Datum));
	Datum *digests = palloc(n * sizeof(Datum));
	bool *nulls = palloc(n * sizeof(bool));
	int lbound = 1;
	Datum parameters[3];

	for (int i = 0; i < n; i++)
	{
		uids[i] = text_of(asked[i]->object.sop_instance_uid);
		syntaxes[i] = text_of(asked[i]->object.transfer_syntax_uid);
		digests[i] = digest_asked_for(asked[i], &nulls[i]);
	}
	parameters[0] = PointerGetDatum(construct_array(uids, n, TEXTOID, -1, false, TYPALIGN_INT));
	parameters[1] = PointerGetDatum(construct_array(syntaxes, n, TEXTOID, -1, false, TYPALIGN_INT));
	parameters[2] = PointerGetDatum(
		construct_md_array(digests, nulls, 1, &n, &lbound, BYTEAOID, -1, false, TYPALIGN_INT));
	dgw_plan(&plan, "SELECT ordinal, file_path, size FROM dicomgw._kept_versions($1, $2, $3)", 3,
			 types);
	if (SPI_execute_plan(plan, parameters, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not look for duplicates");
}

/* Duplicates of what is in the database. */
static void
apply_kept(DgwArrival **asked, int n, const char *storage_path)
{
	look_up(asked, n);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple row = SPI_tuptable->vals[i];
		TupleDesc desc = SPI_tuptable->tupdesc;
		bool isnull;
		int64 ordinal = DatumGetInt64(SPI_getbinval(row, desc, 1, &isnull));
		char *path = SPI_getvalue(row, desc, 2);
		int64 size = DatumGetInt64(SPI_getbinval(row, desc, 3, &isnull));
		DgwArrival *arrival = asked[ordinal - 1];

		if (arrival->caller->duplicates == DGW_DUPLICATES_REFUSE)
			refuse(arrival);
		else if (dgw_file_is_there(storage_path, dgw_slice(path), (uint64) size))
			ignore(arrival);
	}
}

/* Duplicates of what is recorded together with them. */
static void
apply_batch(DgwArrival *arrivals, int n)
{
	for (int i = 1; i < n; i++)
	{
		for (int j = 0; j < i && is_asked_about(&arrivals[i]); j++)
		{
			const DgwReceived *earlier = &arrivals[j].object;

			if (arrivals[j].status != 0 || arrivals[j].ignored ||
				!same_slice(earlier->sop_instance_uid, arrivals[i].object.sop_instance_uid))
				continue;
			if (arrivals[i].caller->duplicates == DGW_DUPLICATES_REFUSE)
				refuse(&arrivals[i]);
			else if (is_identical(earlier, &arrivals[i].object))
				ignore(&arrivals[i]);
		}
	}
}

void
dgw_apply_duplicates(DgwArrival *arrivals, int n, const char *storage_path)
{
	DgwArrival **asked = palloc(n * sizeof(DgwArrival *));
	int n_asked = 0;

	for (int i = 0; i < n; i++)
		if (is_asked_about(&arrivals[i]))
			asked[n_asked++] = &arrivals[i];
	if (n_asked == 0)
		return;
	apply_kept(asked, n_asked, storage_path);
	apply_batch(arrivals, n);
}
