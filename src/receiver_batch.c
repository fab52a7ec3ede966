/*-------------------------------------------------------------------------
 *
 * receiver_batch.c
 *	  One batch of received objects: made durable together.
 *
 * The helper has put each file in place, and on the disk unless it is small.
 * Here one transaction records the whole batch, with the bytes of the small ones
 * (journal.h), but for what is a duplicate that its listener does not want.  If that fails, the objects are tried one
 * by one, so that one odd header costs nobody else anything; a header that
 * jsonb refuses is left out and said so; and what still can't be recorded is
 * refused, so that its sender keeps it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "batch_duplicates.h"
#include "batch_files.h"
#include "ingest_lock.h"
#include "journal.h"
#include "peer_address.h"
#include "receiver_batch.h"
#include "worker.h"

/* ---------- rows ---------- */

static Datum
text_of(DgwSlice slice, bool *isnull)
{
	*isnull = slice.len == 0;
	return PointerGetDatum(cstring_to_text_with_len(slice.data, slice.len));
}

static Datum
sha256_of(const uint8_t *digest)
{
	bytea *value = palloc(VARHDRSZ + DGW_SHA256_LEN);

	SET_VARSIZE(value, VARHDRSZ + DGW_SHA256_LEN);
	memcpy(VARDATA(value), digest, DGW_SHA256_LEN);
	return PointerGetDatum(value);
}

/* One parameter of dicomgw._ingest: a column of the batch. */
static Datum
column(Datum *values, bool *nulls, int n, Oid type)
{
	int lbound = 1;
	int16 typlen;
	bool byval;
	char align;

	get_typlenbyvalalign(type, &typlen, &byval, &align);
	return PointerGetDatum(
		construct_md_array(values, nulls, 1, &n, &lbound, type, typlen, byval, align));
}

#define N_COLUMNS 13

static const Oid column_types[N_COLUMNS] = {INT4OID, TEXTOID, TEXTOID, INETOID, TEXTOID,
											TEXTOID, TEXTOID, TEXTOID, INT8OID, BYTEAOID,
											TEXTOID, TEXTOID, BOOLOID};
static Oid parameter_types[N_COLUMNS] = {INT4ARRAYOID, TEXTARRAYOID,  TEXTARRAYOID, INETARRAYOID,
										 TEXTARRAYOID, TEXTARRAYOID,  TEXTARRAYOID, TEXTARRAYOID,
										 INT8ARRAYOID, BYTEAARRAYOID, TEXTARRAYOID, TEXTARRAYOID,
										 BOOLARRAYOID};

static bool
gets_row(const DgwArrival *arrival)
{
	return arrival->status == 0 && !arrival->ignored;
}

static int
count_rows(const DgwArrival *arrivals, int n)
{
	int rows = 0;

	for (int i = 0; i < n; i++)
		rows += gets_row(&arrivals[i]);
	return rows;
}

/* Insert rows for the arrivals that are well so far, in the open transaction. */
static void
insert_rows(const DgwArrival *arrivals, int n, const DgwPlaces *places, bool with_headers)
{
	static SPIPlanPtr plan = NULL;
	Datum *values[N_COLUMNS];
	bool *nulls[N_COLUMNS];
	Datum parameters[N_COLUMNS];
	int rows = 0;

	for (int c = 0; c < N_COLUMNS; c++)
	{
		values[c] = palloc(n * sizeof(Datum));
		nulls[c] = palloc0(n * sizeof(bool));
	}
	for (int i = 0; i < n; i++)
	{
		const DgwReceived *o = &arrivals[i].object;
		const DgwCaller *caller = arrivals[i].caller;

		if (!gets_row(&arrivals[i]))
			continue;
		values[0][rows] = Int32GetDatum(caller->listener_id);
		values[1][rows] = CStringGetTextDatum(caller->calling_ae);
		values[2][rows] = CStringGetTextDatum(caller->called_ae);
		values[3][rows] = dgw_inet_of(caller->peer_address);
		values[4][rows] = text_of(o->sop_class_uid, &nulls[4][rows]);
		values[5][rows] = text_of(o->sop_instance_uid, &nulls[5][rows]);
		values[6][rows] = text_of(o->transfer_syntax_uid, &nulls[6][rows]);
		values[7][rows] = text_of(o->path, &nulls[7][rows]);
		values[8][rows] = Int64GetDatum((int64) o->size);
		values[9][rows] = sha256_of(o->sha256);
		if (with_headers)
		{
			values[10][rows] = text_of(o->header, &nulls[10][rows]);
			values[11][rows] = text_of(o->header_error, &nulls[11][rows]);
		}
		else
		{
			nulls[10][rows] = true;
			values[11][rows] = CStringGetTextDatum("the header cannot be kept as jsonb");
		}
		values[12][rows] = BoolGetDatum(places->mirror_path != NULL && !o->mirrored);
		rows++;
	}

	for (int c = 0; c < N_COLUMNS; c++)
		parameters[c] = column(values[c], nulls[c], rows, column_types[c]);
	dgw_plan(&plan,
			 "SELECT dicomgw._ingest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
			 N_COLUMNS, parameter_types);
	if (SPI_execute_plan(plan, parameters, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not record received objects");
}

static char last_error[200];

const char *
dgw_batch_last_error(void)
{
	return last_error;
}

/*
 * Data errors quote the data, which here is a patient's: only their code is
 * logged.
 */
static void
log_refusal(const ErrorData *edata, int n)
{
	bool quotes_data = ERRCODE_TO_CATEGORY(edata->sqlerrcode) == ERRCODE_DATA_EXCEPTION;

	strlcpy(last_error, quotes_data ? unpack_sql_state(edata->sqlerrcode) : edata->message,
			sizeof(last_error));
	ereport(LOG, (errcode(edata->sqlerrcode),
				  errmsg("could not record %d received object(s): %s", n, last_error)));
}

/*
 * One transaction for these arrivals.  An error is logged and reported as its
 * SQLSTATE, 0 if there was none; the process goes on either way.
 */
static int
commit_rows(DgwArrival *arrivals, int n, const DgwPlaces *places, bool with_headers)
{
	MemoryContext caller = CurrentMemoryContext;
	DgwArrival *before = palloc(n * sizeof(DgwArrival));
	volatile int sqlstate = 0;
	MemoryContext spi;

	memcpy(before, arrivals, n * sizeof(DgwArrival));
	PG_TRY();
	{
		dgw_begin("recording received objects");
		dgw_ingest_lock(ShareLock);
		spi = MemoryContextSwitchTo(caller);
		dgw_check_files(arrivals, n, places);
		MemoryContextSwitchTo(spi);
		dgw_apply_duplicates(arrivals, n, places->storage_path);
		if (count_rows(arrivals, n) > 0)
		{
			insert_rows(arrivals, n, places, with_headers);
			dgw_journal_write(arrivals, n);
		}
		dgw_commit();
	}
	PG_CATCH();
	{
		ErrorData *edata;

		MemoryContextSwitchTo(caller);
		edata = CopyErrorData();
		FlushErrorState();
		dgw_abort();
		MemoryContextSwitchTo(caller);
		/* What was found out about one may hang on another that is not recorded now. */
		memcpy(arrivals, before, n * sizeof(DgwArrival));
		sqlstate = edata->sqlerrcode;
		log_refusal(edata, n);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	pfree(before);
	return sqlstate;
}

static void
commit_one(DgwArrival *arrival, const DgwPlaces *places)
{
	int sqlstate = commit_rows(arrival, 1, places, true);

	if (sqlstate != 0 && ERRCODE_TO_CATEGORY(sqlstate) == ERRCODE_DATA_EXCEPTION)
		sqlstate = commit_rows(arrival, 1, places, false);
	if (sqlstate == 0)
		return;
	if (ERRCODE_TO_CATEGORY(sqlstate) == ERRCODE_INSUFFICIENT_RESOURCES)
	{
		arrival->status = DGW_STATUS_OUT_OF_RESOURCES;
		arrival->comment = "the database is out of resources";
	}
	else
	{
		arrival->status = DGW_STATUS_PROCESSING_FAILURE;
		arrival->comment = "the database refused the object";
	}
}

void
dgw_batch_commit(DgwArrival *arrivals, int n, const char *storage_path, const char *mirror_path)
{
	DgwPlaces places = {storage_path, mirror_path};

	last_error[0] = '\0';
	if (!dgw_journal_has_room())
		dgw_sync_files(arrivals, n, &places);
	if (count_rows(arrivals, n) > 0 && commit_rows(arrivals, n, &places, true) != 0)
		for (int i = 0; i < n; i++)
			if (gets_row(&arrivals[i]))
				commit_one(&arrivals[i], &places);
	dgw_journal_written(arrivals, n);
}
