/*-------------------------------------------------------------------------
 *
 * storage_repair.c
 *	  A task of maintenance: gives each object its second copy (again).
 *
 * What is in dicomgw.storage_repair lacks a good copy in storage or mirror: the
 * mirror was down when the object came, or the check found a copy missing or
 * damaged.  It is made from the other one.  No transaction is open while files
 * are read and written; only this worker works on the table, and what the
 * tables say of an object is looked at before.
 *
 * A place that is away as a whole costs the objects no attempts: nothing is
 * tried until it is back.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/stat.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"

#include "guc.h"
#include "maintenance.h"
#include "space.h"
#include "storage_copy.h"
#include "worker.h"

#define BATCH 16

/* Objects may wait for so long before a person is told. */
#define PATIENCE "5 minutes"

typedef struct Patient
{
	int64 id;
	char *file_path;
	int64 size;
	uint8 sha256[DGW_SHA256_SIZE];
	const char *problem; /* NULL: both copies are good now */
	bool interrupted;
} Patient;

/* ---------- what is to be done ---------- */

static void
read_patient(Patient *patient, HeapTuple row, TupleDesc tupdesc, MemoryContext context)
{
	bool isnull;
	bytea *sha256;

	patient->id = DatumGetInt64(SPI_getbinval(row, tupdesc, 1, &isnull));
	patient->file_path = MemoryContextStrdup(context, SPI_getvalue(row, tupdesc, 2));
	patient->size = DatumGetInt64(SPI_getbinval(row, tupdesc, 3, &isnull));
	sha256 = DatumGetByteaPP(SPI_getbinval(row, tupdesc, 4, &isnull));
	/* A digest of another length is nothing that a file could match. */
	memset(patient->sha256, 0, sizeof(patient->sha256));
	memcpy(patient->sha256, VARDATA_ANY(sha256),
		   Min(VARSIZE_ANY_EXHDR(sha256), sizeof(patient->sha256)));
}

static int
take_patients(Patient *patients)
{
	static SPIPlanPtr plan = NULL;
	MemoryContext context = CurrentMemoryContext;
	Datum limit = Int32GetDatum(BATCH);
	int n;

	dgw_begin("taking objects to repair");
	if (SPI_execute_plan(dgw_plan(&plan,
								  "SELECT instance_id, file_path, size, sha256 "
								  "FROM dicomgw._repairs_due($1)",
								  1, (Oid[]){INT4OID}),
						 &limit, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read dicomgw.storage_repair");
	n = (int) SPI_processed;
	for (int i = 0; i < n; i++)
		read_patient(&patients[i], SPI_tuptable->vals[i], SPI_tuptable->tupdesc, context);
	dgw_commit();
	MemoryContextSwitchTo(context);
	return n;
}

static void
record_result(const Patient *patient)
{
	static SPIPlanPtr plan = NULL;
	Datum values[2] = {Int64GetDatum(patient->id)};
	MemoryContext context = CurrentMemoryContext;

	dgw_begin("recording a repair");
	if (patient->problem != NULL)
		values[1] = CStringGetTextDatum(patient->problem);
	if (SPI_execute_plan(
			dgw_plan(&plan, "SELECT dicomgw._repaired($1, $2)", 2, (Oid[]){INT8OID, TEXTOID}),
			values, patient->problem != NULL ? "  " : " n", false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not record a repair");
	dgw_commit();
	MemoryContextSwitchTo(context);
}

/* ---------- the repair ---------- */

/* A place that fills up would be the next trouble. */
static const char *
no_room(DgwPlace place)
{
	DgwSpace space;

	if (!dgw_space_of(dgw_place_root(place), &space))
		return psprintf("the %s cannot be asked for its space: %s", dgw_place_name(place),
						strerror(errno));
	if (dgw_storage_high_water < 100 && space.used_percent >= dgw_storage_high_water)
		return psprintf("no space: the %s is %d %% full", dgw_place_name(place),
						space.used_percent);
	return NULL;
}

/*
 * A copy that is missing is made from the other one, which is read only once,
 * for the copy; if there are two, both are compared with the digest to learn
 * which one is good.
 */
static const char *
repair(Patient *patient)
{
	const char *problems[DGW_N_PLACES];
	DgwPlace to;
	DgwPlace from;

	for (int place = 0; place < DGW_N_PLACES; place++)
		problems[place] =
			dgw_file_problem((DgwPlace) place, patient->file_path, patient->size, NULL);
	if (problems[DGW_STORAGE] == NULL && problems[DGW_MIRROR] == NULL)
		for (int place = 0; place < DGW_N_PLACES; place++)
			problems[place] = dgw_file_problem((DgwPlace) place, patient->file_path, patient->size,
											   patient->sha256);
	if (problems[DGW_STORAGE] == NULL && problems[DGW_MIRROR] == NULL)
		return NULL;
	if (problems[DGW_STORAGE] != NULL && problems[DGW_MIRROR] != NULL)
		return psprintf("no good copy is left: storage: %s; mirror: %s", problems[DGW_STORAGE],
						problems[DGW_MIRROR]);
	to = problems[DGW_STORAGE] != NULL ? DGW_STORAGE : DGW_MIRROR;
	from = to == DGW_STORAGE ? DGW_MIRROR : DGW_STORAGE;
	if (no_room(to) != NULL)
		return no_room(to);
	return dgw_file_copy(from, to, patient->file_path, patient->size, patient->sha256,
						 &patient->interrupted);
}

/* Digests want a resource owner, and there is no transaction to have one. */
static void
repair_with_owner(Patient *patient)
{
	ResourceOwner owner = ResourceOwnerCreate(NULL, "dicomgw repair");

	CurrentResourceOwner = owner;
	PG_TRY();
	{
		patient->problem = repair(patient);
	}
	PG_FINALLY();
	{
		CurrentResourceOwner = NULL;
		ResourceOwnerRelease(owner, RESOURCE_RELEASE_BEFORE_LOCKS, false, true);
		ResourceOwnerRelease(owner, RESOURCE_RELEASE_LOCKS, false, true);
		ResourceOwnerRelease(owner, RESOURCE_RELEASE_AFTER_LOCKS, false, true);
		ResourceOwnerDelete(owner);
	}
	PG_END_TRY();
}

/* Both places must be there for anything to be repaired. */
static const char *
place_away(void)
{
	for (int place = 0; place < DGW_N_PLACES; place++)
	{
		char *root = dgw_place_root((DgwPlace) place);
		struct stat st;

		if (stat(root, &st) != 0 || !S_ISDIR(st.st_mode))
			return psprintf("the %s is not there: \"%s\"", dgw_place_name((DgwPlace) place), root);
	}
	return NULL;
}

/* What is left, and what of it a person should know. */
static void
report(StringInfo did, StringInfo trouble)
{
	MemoryContext context = CurrentMemoryContext;
	const char *away = place_away();
	int64 waiting;
	bool isnull;
	char *complaint;

	dgw_begin("counting objects to repair");
	if (SPI_execute("SELECT waiting, complaint FROM dicomgw._repairs_waiting('" PATIENCE "')", true,
					1) != SPI_OK_SELECT ||
		SPI_processed != 1)
		elog(ERROR, "could not count dicomgw.storage_repair");
	waiting =
		DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	complaint = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2);
	if (complaint != NULL)
		complaint = MemoryContextStrdup(context, complaint);
	dgw_commit();
	MemoryContextSwitchTo(context);

	appendStringInfo(did, "repair: " INT64_FORMAT " waiting", waiting);
	if (away != NULL && waiting > 0)
		appendStringInfo(trouble, "%s; " INT64_FORMAT " objects wait for it", away, waiting);
	else if (complaint != NULL)
		appendStringInfoString(trouble, complaint);
}

bool
dgw_repair_slice(StringInfo did, StringInfo trouble)
{
	TimestampTz started = GetCurrentTimestamp();
	Patient patients[BATCH] = {0};
	int n = 0;
	int done = 0;

	if (dgw_storage_mirror_path[0] == '\0')
		return false;
	if (place_away() == NULL)
		n = take_patients(patients);
	while (done < n)
	{
		Patient *patient = &patients[done++];

		repair_with_owner(patient);
		if (patient->interrupted || ProcDiePending)
			return false;
		record_result(patient);
		if (TimestampDifferenceExceeds(started, GetCurrentTimestamp(), DGW_SLICE_MS))
			break;
	}
	report(did, trouble);
	return done < n || n == BATCH;
}
