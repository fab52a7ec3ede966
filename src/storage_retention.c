/*-------------------------------------------------------------------------
 *
 * storage_retention.c
 *	  A task of maintenance: removes the files of delivered objects, by age
 *	  and by space pressure.
 *
 * Rows first: a transaction locks a few of the oldest objects, makes sure
 * that no job of theirs is left, and notes that they are removed.  When that is
 * on disk their files go, in both places.  A crash in between leaves files
 * that no row names; the check of the storage removes them.
 *
 * Objects that may not be removed (waiting to be sent, never sent) are passed
 * over.  A pass remembers how far it came, so that they are not looked at
 * again and again; it begins anew after a while, since some may have been
 * delivered meanwhile, and the later the longer it took.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "guc.h"
#include "maintenance.h"
#include "space.h"
#include "storage_file.h"
#include "worker.h"

#define EXAMINE 1000 /* objects looked at in a transaction */
#define REMOVE 200	 /* objects removed in one; then the space is asked for again */

/* A pass begins anew after this, and after this many times the time that it took. */
#define PASS_INTERVAL_MS (10 * 60 * 1000)
#define PASS_REST 10

typedef struct Pass
{
	TimestampTz received_at; /* the last object that was looked at */
	int64 id;
	TimestampTz begun;
	int64 worked_ms;
	bool at_end;	   /* of what there is for now */
	const char *place; /* that is short of space; NULL: by age */
	int64 allowance;   /* bytes that may be removed there for now */
	TimestampTz allowed_at;
} Pass;

static Pass age_pass;
static Pass space_passes[DGW_N_PLACES];

typedef struct Removal
{
	int examined;
	int n;
	int64 bytes;
	char **file_paths;
} Removal;

/* ---------- a pass over the objects ---------- */

static void
begin_anew(Pass *pass, TimestampTz now)
{
	pass->received_at = DT_NOBEGIN;
	pass->id = 0;
	pass->begun = now;
	pass->worked_ms = 0;
}

static void
begin_anew_if_due(Pass *pass)
{
	TimestampTz now = GetCurrentTimestamp();
	int64 rest_ms = Max(PASS_INTERVAL_MS, PASS_REST * pass->worked_ms);

	if (pass->begun == 0 ||
		(pass->at_end && now >= TimestampTzPlusMilliseconds(pass->begun, rest_ms)))
		begin_anew(pass, now);
	pass->at_end = false;
}

static void
read_removal(Pass *pass, Removal *removal, MemoryContext context)
{
	HeapTuple row = SPI_tuptable->vals[0];
	TupleDesc tupdesc = SPI_tuptable->tupdesc;
	MemoryContext caller = MemoryContextSwitchTo(context);
	bool isnull;
	Datum *paths;
	ArrayType *array;

	removal->examined = DatumGetInt32(SPI_getbinval(row, tupdesc, 1, &isnull));
	if (removal->examined > 0)
	{
		pass->received_at = DatumGetTimestampTz(SPI_getbinval(row, tupdesc, 2, &isnull));
		pass->id = DatumGetInt64(SPI_getbinval(row, tupdesc, 3, &isnull));
	}
	removal->bytes = DatumGetInt64(SPI_getbinval(row, tupdesc, 4, &isnull));
	array = DatumGetArrayTypeP(SPI_getbinval(row, tupdesc, 5, &isnull));
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &paths, NULL, &removal->n);
	removal->file_paths = palloc(sizeof(char *) * (removal->n + 1));
	for (int i = 0; i < removal->n; i++)
		removal->file_paths[i] = TextDatumGetCString(paths[i]);
	MemoryContextSwitchTo(caller);
}

/* The rows of the next objects: noted as removed, and that note is on disk. */
static void
retire(Pass *pass, TimestampTz before, int64 bytes, Removal *removal)
{
	static SPIPlanPtr plan = NULL;
	MemoryContext context = CurrentMemoryContext;
	Datum values[] = {
		pass->place != NULL ? CStringGetTextDatum(pass->place) : (Datum) 0,
		TimestampTzGetDatum(pass->received_at),
		Int64GetDatum(pass->id),
		TimestampTzGetDatum(before),
		Int32GetDatum(EXAMINE),
		Int32GetDatum(REMOVE),
		Int64GetDatum(bytes),
	};

	dgw_begin("removing delivered objects");
	if (SPI_execute_plan(dgw_plan(&plan,
								  "SELECT examined, last_received_at, last_id, bytes, file_paths "
								  "FROM dicomgw._retire($1, $2, $3, $4, $5, $6, $7)",
								  7,
								  (Oid[]){TEXTOID, TIMESTAMPTZOID, INT8OID, TIMESTAMPTZOID, INT4OID,
										  INT4OID, INT8OID}),
						 values, pass->place != NULL ? NULL : "n", false, 1) != SPI_OK_SELECT ||
		SPI_processed != 1)
		elog(ERROR, "could not remove delivered objects");
	read_removal(pass, removal, context);
	if (removal->n > 0)
		ForceSyncCommit();
	dgw_commit();
	MemoryContextSwitchTo(context);
}

/* A place that refuses says so once, not once a file. */
static void
remove_files_from(DgwPlace place, const Removal *removal)
{
	int failed = 0;
	int why = 0;

	for (int i = 0; i < removal->n; i++)
	{
		if (dgw_file_remove(place, removal->file_paths[i]))
			continue;
		why = errno;
		failed++;
	}
	errno = why;
	if (failed > 0)
		ereport(LOG, (errcode_for_file_access(),
					  errmsg("could not remove %d of %d files from the %s: %m", failed, removal->n,
							 dgw_place_name(place)),
					  errdetail("The next check of the storage tries it again.")));
}

static void
remove_files(const Removal *removal)
{
	for (int place = 0; place < DGW_N_PLACES; place++)
		if (dgw_place_root((DgwPlace) place) != NULL)
			remove_files_from((DgwPlace) place, removal);
}

/* The next few objects of a pass; returns the bytes of those removed. */
static int64
next_objects(Pass *pass, TimestampTz before, int64 bytes, int *removed)
{
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "dicomgw removal", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	TimestampTz started = GetCurrentTimestamp();
	Removal removal = {0};

	retire(pass, before, bytes, &removal);
	remove_files(&removal);
	pass->at_end = removal.examined == 0;
	pass->worked_ms += TimestampDifferenceMilliseconds(started, GetCurrentTimestamp());
	*removed += removal.n;
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	return removal.bytes;
}

static bool
slice_is_over(TimestampTz started)
{
	return ProcDiePending || dgw_on_hold() ||
		   TimestampDifferenceExceeds(started, GetCurrentTimestamp(), DGW_SLICE_MS);
}

/* ---------- by age ---------- */

static bool
remove_by_age(int *removed)
{
	TimestampTz started = GetCurrentTimestamp();
	TimestampTz before = started - dgw_object_retention * USECS_PER_DAY;

	begin_anew_if_due(&age_pass);
	while (!age_pass.at_end)
	{
		(void) next_objects(&age_pass, before, PG_INT64_MAX, removed);
		if (slice_is_over(started))
			break;
	}
	return !age_pass.at_end;
}

/* ---------- by space ---------- */

/* A mirror that is away is somebody else's trouble: nothing can be won there. */
static bool
space_is_short(DgwPlace place, DgwSpace *space)
{
	const char *root = dgw_place_root(place);

	if (root == NULL)
		return false;
	if (!dgw_space_of(root, space))
	{
		if (place == DGW_MIRROR)
			return false;
		ereport(ERROR,
				(errcode_for_file_access(), errmsg("could not ask how full the storage is: %m")));
	}
	return space->used_percent > dgw_space_retention;
}

/*
 * Some file systems free what is removed only after a while: what one turn
 * removes is bounded by what it found to be too much at its start.
 */
static bool
remove_by_space(DgwPlace place, int *removed, StringInfo trouble)
{
	Pass *pass = &space_passes[place];
	TimestampTz started = GetCurrentTimestamp();
	DgwSpace space;

	if (!space_is_short(place, &space))
		return false;
	pass->place = dgw_place_name(place);
	if (TimestampDifferenceExceeds(pass->allowed_at, started, 60 * 1000))
	{
		pass->allowance =
			(int64) (space.total / 100) * (space.used_percent - dgw_space_retention + 1);
		pass->allowed_at = started;
	}
	begin_anew_if_due(pass);
	while (pass->allowance > 0 && !pass->at_end)
	{
		pass->allowance -= next_objects(pass, DT_NOEND, pass->allowance, removed);
		if (!space_is_short(place, &space))
			return false;
		if (slice_is_over(started))
			break;
	}
	if (pass->at_end)
		appendStringInfo(trouble,
						 "%sthe %s is %d %% full, above dicomgw.space_retention (%d %%), and "
						 "no delivered object is left to remove",
						 trouble->len > 0 ? "; " : "", pass->place, space.used_percent,
						 dgw_space_retention);
	return pass->allowance > 0 && !pass->at_end;
}

bool
dgw_retention_slice(StringInfo did, StringInfo trouble)
{
	static int64 total = 0;
	int removed = 0;
	bool more = false;

	if (dgw_object_retention > 0)
		more = remove_by_age(&removed);
	for (int place = 0; place < DGW_N_PLACES && dgw_space_retention > 0; place++)
		more = remove_by_space((DgwPlace) place, &removed, trouble) || more;
	total += removed;
	if (dgw_object_retention > 0 || dgw_space_retention > 0 || total > 0)
		appendStringInfo(did, "retention: " INT64_FORMAT " removed", total);
	return more;
}
