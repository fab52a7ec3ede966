/*-------------------------------------------------------------------------
 *
 * journal.c
 *	  The journal: what is in it, and emptying it (see journal.h).
 *
 * A half is emptied when it is the other one's turn, and all of its files are on
 * the disk.  That takes a lock that nobody else can have beside it, and
 * the receiver waits for nobody: it tries again later.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "guc.h"
#include "journal.h"
#include "worker.h"

/* It is the other half's turn when one has so many bytes, or after so long (ms). */
#define TURN_SIZE (16 * 1024 * 1024)
#define TURN_MS 60000

/* A half that somebody is reading can't be emptied; try again after (ms). */
#define RETRY_MS 1000

/* The files are not synced as fast as objects come in: no more than that. */
#define MAX_SIZE (4 * TURN_SIZE)

typedef struct Half
{
	uint64 size; /* bytes of all its rows */
	int n_files; /* not known to be on the disk */
	TimestampTz since;
} Half;

static const char *const tables[DGW_N_HALVES] = {"journal_a", "journal_b"};

static Half halves[DGW_N_HALVES];
static int current; /* the half that takes what comes in */

uint64
dgw_journal_size(void)
{
	return dgw_storage_mirror_path[0] == '\0' ? (uint64) dgw_journal_kilobytes * 1024 : 0;
}

bool
dgw_journal_has_room(void)
{
	return halves[current].size < MAX_SIZE;
}

/* ---------- writing ---------- */

static bool
is_written(const DgwArrival *arrival)
{
	return arrival->status == 0 && !arrival->ignored && !arrival->object.synced;
}

static Datum
array_of(Datum *values, int n, Oid type)
{
	return PointerGetDatum(construct_array(values, n, type, -1, false, TYPALIGN_INT));
}

void
dgw_journal_write(const DgwArrival *arrivals, int n)
{
	static SPIPlanPtr plans[DGW_N_HALVES];
	Datum *uids = palloc(n * sizeof(Datum));
	Datum *paths = palloc(n * sizeof(Datum));
	Datum *contents = palloc(n * sizeof(Datum));
	Datum parameters[3];
	int rows = 0;

	for (int i = 0; i < n; i++)
	{
		const DgwReceived *o = &arrivals[i].object;

		if (!is_written(&arrivals[i]))
			continue;
		uids[rows] = PointerGetDatum(
			cstring_to_text_with_len(o->sop_instance_uid.data, o->sop_instance_uid.len));
		paths[rows] = PointerGetDatum(cstring_to_text_with_len(o->path.data, o->path.len));
		contents[rows++] = PointerGetDatum(arrivals[i].content);
	}
	if (rows == 0)
		return;
	parameters[0] = array_of(uids, rows, TEXTOID);
	parameters[1] = array_of(paths, rows, TEXTOID);
	parameters[2] = array_of(contents, rows, BYTEAOID);
	dgw_plan(&plans[current],
			 psprintf("INSERT INTO dicomgw.%s (sop_instance_uid, file_path, content)"
					  " SELECT * FROM unnest($1, $2, $3)",
					  tables[current]),
			 3, (Oid[]){TEXTARRAYOID, TEXTARRAYOID, BYTEAARRAYOID});
	if (SPI_execute_plan(plans[current], parameters, NULL, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not write to the journal");
}

static void
note(int half, DgwSlice path, uint64 size)
{
	if (halves[half].size == 0)
		halves[half].since = GetCurrentTimestamp();
	halves[half].size += size;
	halves[half].n_files++;
	dgw_journal_sync_later(half, path);
}

void
dgw_journal_written(const DgwArrival *arrivals, int n)
{
	for (int i = 0; i < n; i++)
		if (is_written(&arrivals[i]))
			note(current, arrivals[i].object.path, VARSIZE_ANY_EXHDR(arrivals[i].content));
}

/* ---------- emptying ---------- */

void
dgw_journal_settled(const int n[DGW_N_HALVES])
{
	for (int half = 0; half < DGW_N_HALVES; half++)
		halves[half].n_files -= n[half];
}

/* False: somebody is reading it. */
static bool
empty(int half)
{
	bool emptied;
	Oid table;

	dgw_begin("emptying the journal");
	table = get_relname_relid(tables[half], get_namespace_oid("dicomgw", false));
	emptied = ConditionalLockRelationOid(table, AccessExclusiveLock);
	if (emptied)
	{
		if (SPI_execute(psprintf("TRUNCATE dicomgw.%s", tables[half]), false, 0) != SPI_OK_UTILITY)
			elog(ERROR, "could not empty the journal");
		halves[half] = (Half){0};
	}
	dgw_commit();
	return emptied;
}

void
dgw_journal_turn(int epoll_fd)
{
	static TimestampTz next_attempt = 0;
	int other = 1 - current;

	dgw_journal_sync_turn(epoll_fd);
	if (halves[other].size > 0 && halves[other].n_files == 0 &&
		next_attempt <= GetCurrentTimestamp() && !empty(other))
		next_attempt = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), RETRY_MS);
	if (halves[other].size == 0 && halves[current].size > 0 &&
		(halves[current].size >= TURN_SIZE ||
		 TimestampDifferenceExceeds(halves[current].since, GetCurrentTimestamp(), TURN_MS)))
		current = other;
}

/* ---------- the start ---------- */

/* What a receiver before this one has left: files that may not be on the disk. */
static StringInfo
read_journal(void)
{
	MemoryContext caller = CurrentMemoryContext;
	StringInfo paths = makeStringInfo();

	dgw_begin("reading the journal");
	if (SPI_execute("SELECT half, file_path, octet_length(content) FROM dicomgw.journal", true,
					0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the journal");
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple row = SPI_tuptable->vals[i];
		TupleDesc desc = SPI_tuptable->tupdesc;
		const char *path = SPI_getvalue(row, desc, 2);
		bool isnull;

		note(DatumGetInt32(SPI_getbinval(row, desc, 1, &isnull)), dgw_slice(path),
			 (uint64) DatumGetInt32(SPI_getbinval(row, desc, 3, &isnull)));
		appendStringInfo(paths, "%s\n", path);
	}
	dgw_commit();
	MemoryContextSwitchTo(caller);
	return paths;
}

void
dgw_journal_begin(void)
{
	StringInfo paths = read_journal();
	const char *problem = dgw_journal_mend((DgwSlice){paths->data, (size_t) paths->len});

	if (problem != NULL)
		ereport(ERROR, (errmsg("could not restore received objects from the journal: %s", problem),
						errdetail("Nothing is received, routed or forwarded until it can be.")));
	dgw_shared->journal_mended = true;
	dgw_wake(DGW_LAUNCHER);
}
