/*-------------------------------------------------------------------------
 *
 * journal_mend.c
 *	  The journal: files that are not as they should be (see journal.h).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "journal.h"
#include "storage_write.h"
#include "worker.h"

/* Files whose bytes are in memory at a time. */
#define PORTION 64

/* A file as the journal has it. */
typedef struct Entry
{
	char *path;
	bytea *content;
} Entry;

/* ---------- what the journal has ---------- */

/* The paths up to the next portion's, which the list then begins with. */
static Datum
next_portion(DgwSlice *list)
{
	Datum paths[PORTION];
	int n = 0;

	while (n < PORTION && list->len > 0)
	{
		const char *end = memchr(list->data, '\n', list->len);
		size_t len = end != NULL ? (size_t) (end - list->data) : list->len;

		paths[n++] = PointerGetDatum(cstring_to_text_with_len(list->data, (int) len));
		len = Min(len + 1, list->len);
		list->data += len;
		list->len -= len;
	}
	return PointerGetDatum(construct_array(paths, n, TEXTOID, -1, false, TYPALIGN_INT));
}

/* Returns how many entries there are. */
static int
read_entries(Datum paths, Entry entries[PORTION])
{
	static SPIPlanPtr plan = NULL;
	MemoryContext caller = CurrentMemoryContext;
	int n;

	dgw_begin("reading the journal");
	dgw_plan(&plan, "SELECT file_path, content FROM dicomgw._journaled($1)", 1,
			 (Oid[]){TEXTARRAYOID});
	if (SPI_execute_plan(plan, &paths, NULL, true, PORTION) != SPI_OK_SELECT)
		elog(ERROR, "could not read the journal");
	n = (int) SPI_processed;
	for (int i = 0; i < n; i++)
	{
		HeapTuple row = SPI_tuptable->vals[i];
		TupleDesc desc = SPI_tuptable->tupdesc;
		MemoryContext spi = MemoryContextSwitchTo(caller);
		bool isnull;

		entries[i].path = SPI_getvalue(row, desc, 1);
		entries[i].content = DatumGetByteaPCopy(SPI_getbinval(row, desc, 2, &isnull));
		MemoryContextSwitchTo(spi);
	}
	dgw_commit();
	MemoryContextSwitchTo(caller);
	return n;
}

/* ---------- files ---------- */

static bool
is_as_it_should_be(const Entry *entry)
{
	size_t size = VARSIZE_ANY_EXHDR(entry->content);
	char *path = dgw_file_full_path(DGW_STORAGE, entry->path);
	int fd = path != NULL ? open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) : -1;
	struct stat st;
	bool same = false;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && (size_t) st.st_size == size)
	{
		char *found = palloc(size);

		same = pg_pread(fd, found, size, 0) == (ssize_t) size &&
			   memcmp(found, VARDATA_ANY(entry->content), size) == 0;
		pfree(found);
	}
	close(fd);
	return same;
}

static const char *
fill(int fd, void *arg)
{
	const Entry *entry = arg;

	if (dgw_write_all(fd, VARDATA_ANY(entry->content), VARSIZE_ANY_EXHDR(entry->content)))
		return NULL;
	return dgw_failed_to("write the new copy");
}

const char *
dgw_journal_mend(DgwSlice paths)
{
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "dicomgw journal", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	const char *problem = NULL;
	int n_restored = 0;

	while (paths.len > 0 && problem == NULL)
	{
		Entry entries[PORTION];
		int n = read_entries(next_portion(&paths), entries);

		for (int i = 0; i < n && problem == NULL; i++)
		{
			if (is_as_it_should_be(&entries[i]))
				continue;
			problem = dgw_file_write(DGW_STORAGE, entries[i].path, fill, &entries[i]);
			n_restored += problem == NULL;
		}
		if (problem == NULL)
			MemoryContextReset(context);
	}
	if (n_restored > 0)
		ereport(LOG,
				(errmsg("restored %d file(s) of received objects from the journal", n_restored)));
	MemoryContextSwitchTo(caller);
	if (problem != NULL)
		problem = pstrdup(problem);
	MemoryContextDelete(context);
	return problem;
}
