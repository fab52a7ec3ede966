/*-------------------------------------------------------------------------
 *
 * audit_export.c
 *	  The worker "dicomgw audit": sends the audit log to audit repositories.
 *
 * The worker has the bookmark of each repository (dicomgw.audit_export), and
 * dicomgw-syslog the connection.  One turn: hear what the programs say; then, in
 * one transaction, record that, read which repositories there are, and fetch
 * the next batch for each that may have one; then, with no transaction open,
 * hand the batches to a program each.
 *
 * A bookmark moves only when a program has said that the whole of its batch is
 * delivered.  A crash between that and the commit, or a connection that breaks,
 * means that a batch is sent again: at least once, in order, never with a gap.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/epoll.h>

#include "catalog/pg_type.h"
#include "lib/ilist.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "audit_session.h"
#include "worker.h"

/* Beyond what the program's own timeouts make of it (seconds). */
#define GRACE_SECONDS 5

typedef struct Repository
{
	dlist_node node;
	int32 id;
	char name[256]; /* for messages */
	DgwAuditSession session;
	DgwFrameWriter told; /* AUDIT_REPOSITORY, to which the batch under way goes */

	/* What the open transaction is to record. */
	DgwAuditOutcome outcome;
	char *why;

	/* What it has read. */
	bool listed;
	TimestampTz next_attempt_at;
	DgwFrameWriter batch;
	int64 last; /* position of the batch's last record; 0: there is no batch */
	long timeout_ms;
	bool failing;
} Repository;

static dlist_head repositories = DLIST_STATIC_INIT(repositories);
static int epoll_fd = -1;
static uint64 n_batches;

static bool
is_busy(const Repository *repository)
{
	return repository->session.helper.pid != 0;
}

static Repository *
find_repository(int32 id)
{
	Repository *repository;
	dlist_iter iter;

	dlist_foreach(iter, &repositories)
	{
		repository = dlist_container(Repository, node, iter.cur);
		if (repository->id == id)
			return repository;
	}
	repository = MemoryContextAllocZero(TopMemoryContext, sizeof(Repository));
	repository->id = id;
	dlist_push_tail(&repositories, &repository->node);
	return repository;
}

/* ---------- what the programs say ---------- */

static void
hear(Repository *repository)
{
	if (!is_busy(repository))
		return;
	repository->outcome = dgw_audit_session_read(&repository->session, &repository->why);
	if (repository->outcome == DGW_AUDIT_FAILED)
		ereport(LOG, (errmsg("could not send the audit log to repository \"%s\": %s",
							 repository->name, repository->why)));
}

static void
record(Repository *repository)
{
	static SPIPlanPtr delivered = NULL;
	static SPIPlanPtr failed = NULL;
	Datum values[2] = {Int32GetDatum(repository->id)};
	SPIPlanPtr plan;

	if (repository->outcome == DGW_AUDIT_UNDER_WAY)
		return;
	if (repository->outcome == DGW_AUDIT_DONE)
	{
		plan = dgw_plan(&delivered, "SELECT dicomgw._audit_delivered($1, $2)", 2,
						(Oid[]){INT4OID, INT8OID});
		values[1] = Int64GetDatum(repository->session.last);
		n_batches++;
	}
	else
	{
		plan =
			dgw_plan(&failed, "SELECT dicomgw._audit_failed($1, $2)", 2, (Oid[]){INT4OID, TEXTOID});
		values[1] = CStringGetTextDatum(repository->why);
	}
	if (SPI_execute_plan(plan, values, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not record how far the audit log was sent");
	repository->failing = repository->outcome == DGW_AUDIT_FAILED;
	if (repository->failing)
		dgw_note_error("audit repository \"%s\": %s", repository->name, repository->why);
	repository->outcome = DGW_AUDIT_UNDER_WAY;
}

/* ---------- what is to be sent ---------- */

static DgwSlice
text_column(HeapTuple tuple, TupleDesc desc, int column)
{
	char *text = SPI_getvalue(tuple, desc, column);

	return dgw_slice(text != NULL ? text : "");
}

static int32
int_column(HeapTuple tuple, TupleDesc desc, int column)
{
	bool isnull;

	return DatumGetInt32(SPI_getbinval(tuple, desc, column, &isnull));
}

/* A batch for a repository that is another one by now is recalled. */
static void
tell_where(Repository *repository, const DgwAuditRepository *m)
{
	dgw_writer_reset(&repository->batch);
	dgw_encode_audit_repository(&repository->batch, m);
	if (repository->batch.len == repository->told.len &&
		memcmp(repository->batch.data, repository->told.data, repository->told.len) == 0)
		return;
	if (is_busy(repository))
		dgw_audit_session_drop(&repository->session);
	dgw_writer_reset(&repository->told);
	dgw_encode_audit_repository(&repository->told, m);
	repository->next_attempt_at = 0;
}

static void
fetch_batch(Repository *repository, int64 position)
{
	static SPIPlanPtr plan = NULL;
	Datum values[] = {Int32GetDatum(repository->id), Int64GetDatum(position)};
	SPITupleTable *rows;

	dgw_plan(&plan,
			 "SELECT v_position, v_priority, v_at, v_message FROM dicomgw._audit_records($1, $2)",
			 2, (Oid[]){INT4OID, INT8OID});
	if (SPI_execute_plan(plan, values, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the audit log");
	rows = SPI_tuptable;
	for (uint64 i = 0; i < rows->numvals; i++)
	{
		HeapTuple tuple = rows->vals[i];
		bool isnull;
		DgwAuditRecord m = {
			.position = DatumGetInt64(SPI_getbinval(tuple, rows->tupdesc, 1, &isnull)),
			.priority = (uint8_t) int_column(tuple, rows->tupdesc, 2),
			.at = text_column(tuple, rows->tupdesc, 3),
			.xml = text_column(tuple, rows->tupdesc, 4),
		};

		dgw_encode_audit_record(&repository->batch, &m);
		repository->last = (int64) m.position;
	}
	SPI_freetuptable(rows);
}

static void
read_repository(HeapTuple tuple, TupleDesc desc)
{
	Repository *repository = find_repository(int_column(tuple, desc, 1));
	DgwAuditRepository m = {
		.host = text_column(tuple, desc, 3),
		.port = (uint16_t) int_column(tuple, desc, 4),
		.tls = (uint8_t) int_column(tuple, desc, 5),
		.tls_ca = text_column(tuple, desc, 6),
		.tls_certificate = text_column(tuple, desc, 7),
		.tls_key = text_column(tuple, desc, 8),
		.tls_server_name = text_column(tuple, desc, 9),
		.needs_close = (uint8_t) int_column(tuple, desc, 10),
		.connect_timeout = (uint32_t) int_column(tuple, desc, 11),
		.response_timeout = (uint32_t) int_column(tuple, desc, 12),
	};
	bool isnull;
	int64 position = DatumGetInt64(SPI_getbinval(tuple, desc, 13, &isnull));

	repository->listed = true;
	strlcpy(repository->name, text_column(tuple, desc, 2).data, sizeof(repository->name));
	repository->next_attempt_at = DatumGetTimestampTz(SPI_getbinval(tuple, desc, 14, &isnull));
	/* a connection, TLS, all the bytes, the end */
	repository->timeout_ms = 1000L * (m.connect_timeout + 3L * m.response_timeout + GRACE_SECONDS);
	tell_where(repository, &m);
	if (!is_busy(repository) && repository->next_attempt_at <= GetCurrentTimestamp())
		fetch_batch(repository, position);
}

static void
note_start_of_gateway(void)
{
	static bool noted = false;

	if (!noted && SPI_execute("SELECT dicomgw._audit_start()", false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not note the start of the gateway");
	noted = true;
}

static void
read_repositories(void)
{
	static SPIPlanPtr plan = NULL;
	SPITupleTable *rows;
	dlist_iter iter;

	dgw_plan(&plan,
			 "SELECT id, name, host, port, tls, tls_ca, tls_certificate, tls_key, tls_server_name,"
			 " needs_close_notify::integer, connect_timeout, response_timeout, position,"
			 " next_attempt_at FROM dicomgw.audit_target ORDER BY id",
			 0, NULL);
	/* not as "read only": it is to see what this transaction has just recorded */
	if (SPI_execute_plan(plan, NULL, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read dicomgw.audit_target");
	rows = SPI_tuptable;
	if (rows->numvals > 0)
		note_start_of_gateway();
	dlist_foreach(iter, &repositories)
	{
		Repository *repository = dlist_container(Repository, node, iter.cur);

		repository->listed = false;
		repository->last = 0;
	}
	for (uint64 i = 0; i < rows->numvals; i++)
		read_repository(rows->vals[i], rows->tupdesc);
	SPI_freetuptable(rows);
}

/* Those that were deleted, or are to get nothing any more. */
static void
forget_repositories(void)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &repositories)
	{
		Repository *repository = dlist_container(Repository, node, iter.cur);

		if (repository->listed)
			continue;
		if (is_busy(repository))
			dgw_audit_session_drop(&repository->session);
		dlist_delete(&repository->node);
		dgw_writer_free(&repository->told);
		dgw_writer_free(&repository->batch);
		pfree(repository);
	}
}

/* ---------- the worker ---------- */

static void
one_turn(void)
{
	dlist_iter iter;

	dlist_foreach(iter, &repositories) hear(dlist_container(Repository, node, iter.cur));

	dgw_begin("recording what was sent, and reading the audit log");
	dlist_foreach(iter, &repositories) record(dlist_container(Repository, node, iter.cur));
	read_repositories();
	dgw_commit();

	forget_repositories();
	dlist_foreach(iter, &repositories)
	{
		Repository *repository = dlist_container(Repository, node, iter.cur);

		if (repository->last != 0)
			dgw_audit_session_start(&repository->session, &repository->batch, repository->last,
									repository->timeout_ms, epoll_fd);
	}
}

/* What people see; returns how long nothing can be due (ms). */
static long
show(void)
{
	TimestampTz now = GetCurrentTimestamp();
	long wait = DGW_POLL_MS;
	bool failing = false;
	int n = 0;
	dlist_iter iter;

	dlist_foreach(iter, &repositories)
	{
		Repository *repository = dlist_container(Repository, node, iter.cur);
		TimestampTz due =
			is_busy(repository) ? repository->session.deadline : repository->next_attempt_at;

		n++;
		failing = failing || repository->failing;
		if (due > now)
			wait = Min(wait, TimestampDifferenceMilliseconds(now, due) + 1);
	}
	if (!failing)
		dgw_clear_error();
	dgw_idle("%d audit repositories; " UINT64_FORMAT " batch(es) sent", n, n_batches);
	return wait;
}

void
dgw_audit_run(void)
{
	MemoryContext context =
		AllocSetContextCreate(TopMemoryContext, "dicomgw audit turn", ALLOCSET_DEFAULT_SIZES);
	WaitEventSet *wait_set;

	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_fd < 0)
		ereport(ERROR, (errcode_for_socket_access(), errmsg("could not create epoll set: %m")));
	wait_set = dgw_wait_set(epoll_fd);

	for (;;)
	{
		(void) dgw_between_turns();
		MemoryContextReset(context);
		MemoryContextSwitchTo(context);
		one_turn();
		dgw_wait(wait_set, show());
	}
}
