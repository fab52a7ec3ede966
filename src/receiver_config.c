/*-------------------------------------------------------------------------
 *
 * receiver_config.c
 *	  What the receiver tells dicomgw-scp (see receiver_config.h).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catalog/pg_type.h"
#include "utils/memutils.h"

#include "admission.h"
#include "guc.h"
#include "journal.h"
#include "receiver_config.h"
#include "worker.h"

char *dgw_receiver_storage;
char *dgw_receiver_mirror;

/*
 * Make the storage folder if it is not there, and make its name durable.  If
 * that can't be done, no objects are accepted and the reason is shown
 * (water_marks.c), until it can.
 */
static void
ensure_storage(const char *path)
{
	char parent[MAXPGPATH];
	int fd;

	if (mkdir(path, S_IRWXU) != 0)
		return;
	strlcpy(parent, path, sizeof(parent));
	get_parent_directory(parent);
	fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) != 0)
		ereport(LOG,
				(errcode_for_file_access(), errmsg("could not sync directory \"%s\": %m", parent)));
	if (fd >= 0)
		close(fd);
}

static char *
keep(char *old, const char *path)
{
	if (old != NULL)
		pfree(old);
	return path == NULL ? NULL : MemoryContextStrdup(TopMemoryContext, path);
}

static void
read_listener(DgwListener *l, HeapTuple row, TupleDesc desc, MemoryContext context)
{
	const char *client = SPI_getvalue(row, desc, 8);
	DgwSlice *texts[] = {&l->bind_address, &l->tls_certificate, &l->tls_key, &l->tls_ca,
						 &l->tls_crl};
	static const int columns[] = {2, 9, 10, 11, 12};

	l->id = atoi(SPI_getvalue(row, desc, 1));
	l->port = atoi(SPI_getvalue(row, desc, 3));
	l->max_pdu = atoi(SPI_getvalue(row, desc, 4));
	l->association_timeout = atoi(SPI_getvalue(row, desc, 5));
	l->idle_timeout = atoi(SPI_getvalue(row, desc, 6));
	l->tls = SPI_getvalue(row, desc, 7)[0] == 't';
	l->tls_client = strcmp(client, "required") == 0	  ? DGW_CLIENT_CERT_REQUIRED
					: strcmp(client, "optional") == 0 ? DGW_CLIENT_CERT_OPTIONAL
													  : DGW_CLIENT_CERT_NONE;
	for (int i = 0; i < (int) lengthof(columns); i++)
		*texts[i] = dgw_slice(MemoryContextStrdup(context, SPI_getvalue(row, desc, columns[i])));
}

static void
read_listeners(DgwConfig *config, MemoryContext context)
{
	static SPIPlanPtr plan = NULL;

	dgw_plan(&plan,
			 "SELECT id, bind_address, port, max_pdu,"
			 " extract(epoch FROM association_timeout)::int, extract(epoch FROM idle_timeout)::int,"
			 " tls, tls_client_certificate, coalesce(tls_certificate, ''), coalesce(tls_key, ''),"
			 " coalesce(tls_ca, ''), coalesce(tls_crl, '')"
			 " FROM dicomgw.listener WHERE enabled ORDER BY id LIMIT $1",
			 1, (Oid[]){INT4OID});
	if (SPI_execute_plan(plan, (Datum[]){Int32GetDatum(DGW_MAX_LISTENERS)}, NULL, true, 0) !=
		SPI_OK_SELECT)
		elog(ERROR, "could not read dicomgw.listener");

	config->n_listeners = (uint32_t) SPI_processed;
	for (uint32_t i = 0; i < config->n_listeners; i++)
		read_listener(&config->listeners[i], SPI_tuptable->vals[i], SPI_tuptable->tupdesc, context);
}

DgwConfig *
dgw_receiver_config(void)
{
	MemoryContext context = CurrentMemoryContext;
	DgwConfig *config = palloc0(sizeof(DgwConfig));
	char *storage = dgw_storage_directory();
	char *mirror = dgw_mirror_directory();

	ensure_storage(storage);
	dgw_begin("reading the configuration");
	read_listeners(config, context);
	dgw_admission_load();
	dgw_commit();
	MemoryContextSwitchTo(context);

	dgw_receiver_storage = keep(dgw_receiver_storage, storage);
	dgw_receiver_mirror = keep(dgw_receiver_mirror, mirror);
	config->storage_path = dgw_slice(storage);
	config->mirror_path = dgw_slice(mirror != NULL ? mirror : "");
	config->mirror_needed = mirror != NULL && dgw_mirror_failure == DGW_MIRROR_REFUSE;
	config->journal_size = dgw_journal_size();
	config->max_associations = dgw_max_associations;
	return config;
}
