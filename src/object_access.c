/*-------------------------------------------------------------------------
 *
 * object_access.c
 *	  A stored object as a person asks for it (see object_access.h).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "catalog/pg_type.h"
#include "storage/fd.h"
#include "utils/builtins.h"

#include "kept_plan.h"
#include "object_access.h"

static void
note_view(const char *sop_instance_uid, const char *action)
{
	static SPIPlanPtr plan = NULL;
	static Oid types[] = {TEXTOID, TEXTOID};
	Datum values[] = {CStringGetTextDatum(psprintf("object %.64s", sop_instance_uid)),
					  CStringGetTextDatum(action)};

	if (SPI_execute_plan(dgw_plan(&plan, "SELECT dicomgw.note_view($1, $2)", 2, types), values,
						 NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not write the audit log");
}

static char *
text_of(HeapTuple row, int column, MemoryContext context)
{
	char *value = SPI_getvalue(row, SPI_tuptable->tupdesc, column);

	return MemoryContextStrdup(context, value != NULL ? value : "");
}

static void
read_row(DgwObject *object, HeapTuple row, MemoryContext context)
{
	TupleDesc desc = SPI_tuptable->tupdesc;
	bool isnull;
	bytea *sha256;

	object->sop_instance_uid = text_of(row, 1, context);
	object->transfer_syntax_uid = text_of(row, 2, context);
	object->file_path = text_of(row, 3, context);
	object->size = DatumGetInt64(SPI_getbinval(row, desc, 4, &isnull));
	sha256 = DatumGetByteaPP(SPI_getbinval(row, desc, 5, &isnull));
	memset(object->sha256, 0, sizeof(object->sha256));
	memcpy(object->sha256, VARDATA_ANY(sha256),
		   Min(VARSIZE_ANY_EXHDR(sha256), sizeof(object->sha256)));
	if (DatumGetBool(SPI_getbinval(row, desc, 6, &isnull)))
		ereport(ERROR, (errcode(DGW_ERRCODE_GONE),
						errmsg("the file of object " INT64_FORMAT " was removed", object->id),
						errdetail("Retention removes the files of objects that were delivered.")));
}

void
dgw_object_find(int64 id, const char *action, DgwObject *object)
{
	static SPIPlanPtr plan = NULL;
	static Oid types[] = {INT8OID};
	MemoryContext caller = CurrentMemoryContext;
	Datum value = Int64GetDatum(id);

	object->id = id;
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	if (SPI_execute_plan(
			dgw_plan(&plan,
					 "SELECT sop_instance_uid, transfer_syntax_uid, file_path, size, sha256, "
					 "removed_at IS NOT NULL FROM dicomgw.instance WHERE id = $1 UNION ALL "
					 "SELECT sop_instance_uid, transfer_syntax_uid, file_path, size, sha256, "
					 "false FROM dicomgw.ingest WHERE id = $1",
					 1, types),
			&value, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read dicomgw.instance");
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(DGW_ERRCODE_NOT_FOUND), errmsg("there is no object " INT64_FORMAT, id)));
	read_row(object, SPI_tuptable->vals[0], caller);
	note_view(object->sop_instance_uid, action);
	SPI_finish();
}

int
dgw_object_open_at(const DgwObject *object, DgwPlace place, int64 *file_size)
{
	char *path = dgw_file_full_path(place, object->file_path);
	struct stat st;
	int fd;

	if (path == NULL)
		return -1;
	/* Not to wait for ever, should the name lead to a FIFO. */
	fd = OpenTransientFile(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | PG_BINARY);
	pfree(path);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
		!dgw_file_size_fits(st.st_size, object->size))
	{
		CloseTransientFile(fd);
		return -1;
	}
	*file_size = st.st_size;
	return fd;
}

int
dgw_object_open(const DgwObject *object, int64 *file_size)
{
	for (int place = 0; place < DGW_N_PLACES; place++)
	{
		int fd = dgw_object_open_at(object, (DgwPlace) place, file_size);

		if (fd >= 0)
			return fd;
	}
	dgw_object_unavailable(object);
}

void
dgw_object_unavailable(const DgwObject *object)
{
	ereport(ERROR, (errcode(DGW_ERRCODE_UNAVAILABLE),
					errmsg("the file of object " INT64_FORMAT " is missing or damaged", object->id),
					errhint("dicomgw.verify() says what is wrong with it, dicomgw.storage_problem "
							"lists what was found.")));
}
