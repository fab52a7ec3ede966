/*-------------------------------------------------------------------------
 *
 * receiver_batch.c
 *	  One batch of received objects: made durable together.
 *
 * The helper has synced each file's bytes and put it in place.  Here the
 * directories are synced, one fsync for all the files of a batch in each, and
 * then one transaction records the whole batch.  If that fails, the objects
 * are tried one by one, so that one odd header costs nobody else anything; a
 * header that jsonb refuses is left out and said so; and what still can't be
 * recorded is refused, so that its sender keeps it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <unistd.h>

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/inet.h"
#include "utils/memutils.h"

#include "receiver_batch.h"
#include "worker.h"

/* DIMSE status codes, PS3.7 C.5 and PS3.4 B.2.3 */
#define STATUS_PROCESSING_FAILURE 0x0110
#define STATUS_OUT_OF_RESOURCES 0xA700

/* ---------- directories ---------- */

/* The last directory whose way up to the storage path is known to be on disk. */
static char rooted_directory[MAXPGPATH];

static bool
sync_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool synced;

	if (fd < 0)
	{
		ereport(LOG,
				(errcode_for_file_access(), errmsg("could not open directory \"%s\": %m", path)));
		return false;
	}
	synced = fsync(fd) == 0;
	if (!synced)
		ereport(LOG,
				(errcode_for_file_access(), errmsg("could not sync directory \"%s\": %m", path)));
	close(fd);
	return synced;
}

/* A directory, and if it is a new one every directory above it up to the storage path. */
static bool
sync_up_to_root(const char *directory, const char *storage_path)
{
	char path[MAXPGPATH];

	if (!sync_directory(directory))
		return false;
	if (strcmp(directory, rooted_directory) == 0)
		return true;
	strlcpy(path, directory, sizeof(path));
	while (strlen(path) > strlen(storage_path))
	{
		get_parent_directory(path);
		if (!sync_directory(path))
			return false;
	}
	strlcpy(rooted_directory, directory, sizeof(rooted_directory));
	return true;
}

/* Sync the directory of each file; neighbours of one directory share one sync. */
static void
sync_directories(DgwArrival *arrivals, int n, const char *storage_path)
{
	char last[MAXPGPATH] = "";
	bool last_synced = false;

	for (int i = 0; i < n; i++)
	{
		char directory[MAXPGPATH];

		snprintf(directory, sizeof(directory), "%s/%.*s", storage_path,
				 (int) arrivals[i].object.path.len, arrivals[i].object.path.data);
		get_parent_directory(directory);
		if (strcmp(directory, last) != 0)
		{
			strlcpy(last, directory, sizeof(last));
			last_synced = sync_up_to_root(directory, storage_path);
		}
		if (!last_synced)
		{
			arrivals[i].status = STATUS_PROCESSING_FAILURE;
			arrivals[i].comment = "could not sync the storage directory";
		}
	}
}

/* ---------- rows ---------- */

static Datum
text_of(DgwSlice slice, bool *isnull)
{
	*isnull = slice.len == 0;
	return PointerGetDatum(cstring_to_text_with_len(slice.data, slice.len));
}

/* A scoped IPv6 address is recorded without its scope, which inet can't hold. */
static Datum
inet_of(const char *address)
{
	char plain[64];

	strlcpy(plain, address, sizeof(plain));
	plain[strcspn(plain, "%")] = '\0';
	return DirectFunctionCall1(inet_in, CStringGetDatum(plain));
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
column(Datum *values, bool *nulls, int n, Oid type, int16 typlen, bool byval, char align)
{
	int lbound = 1;

	return PointerGetDatum(
		construct_md_array(values, nulls, 1, &n, &lbound, type, typlen, byval, align));
}

#define N_COLUMNS 12

static const Oid column_types[N_COLUMNS] = {INT4OID, TEXTOID, TEXTOID, INETOID,	 TEXTOID, TEXTOID,
											TEXTOID, TEXTOID, INT8OID, BYTEAOID, TEXTOID, TEXTOID};
static Oid parameter_types[N_COLUMNS] = {INT4ARRAYOID, TEXTARRAYOID,  TEXTARRAYOID, INETARRAYOID,
										 TEXTARRAYOID, TEXTARRAYOID,  TEXTARRAYOID, TEXTARRAYOID,
										 INT8ARRAYOID, BYTEAARRAYOID, TEXTARRAYOID, TEXTARRAYOID};

/* Insert rows for the arrivals that are well so far, in the open transaction. */
static void
insert_rows(DgwArrival *arrivals, int n, bool with_headers)
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

		if (arrivals[i].status != 0)
			continue;
		values[0][rows] = Int32GetDatum(caller->listener_id);
		values[1][rows] = CStringGetTextDatum(caller->calling_ae);
		values[2][rows] = CStringGetTextDatum(caller->called_ae);
		values[3][rows] = inet_of(caller->peer_address);
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
		rows++;
	}

	for (int c = 0; c < N_COLUMNS; c++)
	{
		bool byval = column_types[c] == INT4OID || column_types[c] == INT8OID;
		int16 typlen = column_types[c] == INT4OID ? 4 : column_types[c] == INT8OID ? 8 : -1;
		char align = column_types[c] == INT8OID ? TYPALIGN_DOUBLE : TYPALIGN_INT;

		parameters[c] = column(values[c], nulls[c], rows, column_types[c], typlen, byval, align);
	}
	dgw_plan(&plan, "SELECT dicomgw._ingest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
			 N_COLUMNS, parameter_types);
	if (SPI_execute_plan(plan, parameters, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not record received objects");
}

/*
 * Data errors quote the data, which here is a patient's: only their code is
 * logged.
 */
static void
log_refusal(const ErrorData *edata, int n)
{
	bool quotes_data = ERRCODE_TO_CATEGORY(edata->sqlerrcode) == ERRCODE_DATA_EXCEPTION;

	ereport(LOG, (errcode(edata->sqlerrcode),
				  errmsg("could not record %d received object(s): %s", n,
						 quotes_data ? unpack_sql_state(edata->sqlerrcode) : edata->message)));
	dgw_note_error("could not record %d received object(s): %s", n,
				   quotes_data ? unpack_sql_state(edata->sqlerrcode) : edata->message);
}

/*
 * One transaction for these arrivals.  An error is logged and reported as its
 * SQLSTATE, 0 if there was none; the process goes on either way.
 */
static int
commit_rows(DgwArrival *arrivals, int n, bool with_headers)
{
	MemoryContext caller = CurrentMemoryContext;
	volatile int sqlstate = 0;

	PG_TRY();
	{
		dgw_begin("recording received objects");
		insert_rows(arrivals, n, with_headers);
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
		sqlstate = edata->sqlerrcode;
		log_refusal(edata, n);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	return sqlstate;
}

static void
commit_one(DgwArrival *arrival)
{
	int sqlstate = commit_rows(arrival, 1, true);

	if (sqlstate != 0 && ERRCODE_TO_CATEGORY(sqlstate) == ERRCODE_DATA_EXCEPTION)
		sqlstate = commit_rows(arrival, 1, false);
	if (sqlstate == 0)
		return;
	if (ERRCODE_TO_CATEGORY(sqlstate) == ERRCODE_INSUFFICIENT_RESOURCES)
	{
		arrival->status = STATUS_OUT_OF_RESOURCES;
		arrival->comment = "the database is out of resources";
	}
	else
	{
		arrival->status = STATUS_PROCESSING_FAILURE;
		arrival->comment = "the database refused the object";
	}
}

void
dgw_batch_commit(DgwArrival *arrivals, int n, const char *storage_path)
{
	int well = 0;

	sync_directories(arrivals, n, storage_path);
	for (int i = 0; i < n; i++)
		well += arrivals[i].status == 0;
	if (well == 0 || commit_rows(arrivals, n, true) == 0)
		return;
	for (int i = 0; i < n; i++)
		if (arrivals[i].status == 0)
			commit_one(&arrivals[i]);
}
