/*-------------------------------------------------------------------------
 *
 * storage.c
 *	  The SQL functions about the stored files: how full the places are, what
 *	  is wrong with a file, and its removal.
 *
 * Those that take a path are for the extension's own functions and for
 * superusers; see storage_file.h for what a path may be.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/stat.h>

#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "guc.h"
#include "space.h"
#include "storage_file.h"

PG_FUNCTION_INFO_V1(dgw_storage_status);
PG_FUNCTION_INFO_V1(dgw_file_problem_sql);
PG_FUNCTION_INFO_V1(dgw_remove_file);

static void
put_status(ReturnSetInfo *result, DgwPlace place, const char *root)
{
	Datum values[8];
	bool nulls[8] = {false};
	DgwSpace space = {0};
	struct stat st;
	const char *problem = NULL;

	if (stat(root, &st) != 0 || !dgw_space_of(root, &space))
		problem = strerror(errno);
	else if (!S_ISDIR(st.st_mode))
		problem = strerror(ENOTDIR);

	values[0] = CStringGetTextDatum(dgw_place_name(place));
	values[1] = CStringGetTextDatum(root);
	values[2] = Int64GetDatum((int64) space.total);
	values[3] = Int64GetDatum((int64) space.available);
	values[4] = Int32GetDatum(space.used_percent);
	nulls[2] = nulls[3] = nulls[4] = problem != NULL;
	values[5] = Int32GetDatum(dgw_storage_high_water);
	values[6] = Int32GetDatum(dgw_storage_low_water);
	values[7] = CStringGetTextDatum(problem != NULL ? problem : "");
	nulls[7] = problem == NULL;
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/*
 * dicomgw.storage_status() returns setof record: one row a place
 */
Datum
dgw_storage_status(PG_FUNCTION_ARGS)
{
	InitMaterializedSRF(fcinfo, 0);
	for (int place = 0; place < DGW_N_PLACES; place++)
	{
		char *root = dgw_place_root((DgwPlace) place);

		if (root != NULL)
			put_status((ReturnSetInfo *) fcinfo->resultinfo, (DgwPlace) place, root);
	}
	return (Datum) 0;
}

/*
 * dicomgw._file_problem(place text, file_path text, size bigint, sha256 bytea) returns text
 */
Datum
dgw_file_problem_sql(PG_FUNCTION_ARGS)
{
	const char *problem;
	const uint8 *sha256 = NULL;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	if (!PG_ARGISNULL(3))
	{
		bytea *value = PG_GETARG_BYTEA_PP(3);

		if (VARSIZE_ANY_EXHDR(value) != DGW_SHA256_SIZE)
			PG_RETURN_TEXT_P(cstring_to_text("has no SHA-256 to compare it with"));
		sha256 = (const uint8 *) VARDATA_ANY(value);
	}
	problem = dgw_file_problem(dgw_place_named(text_to_cstring(PG_GETARG_TEXT_PP(0))),
							   text_to_cstring(PG_GETARG_TEXT_PP(1)), PG_GETARG_INT64(2), sha256);
	if (problem == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(problem));
}

/*
 * dicomgw._remove_file(place text, file_path text) returns text: why it could not
 */
Datum
dgw_remove_file(PG_FUNCTION_ARGS)
{
	if (dgw_file_remove(dgw_place_named(text_to_cstring(PG_GETARG_TEXT_PP(0))),
						text_to_cstring(PG_GETARG_TEXT_PP(1))))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(strerror(errno)));
}
