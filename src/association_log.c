/*-------------------------------------------------------------------------
 *
 * association_log.c
 *	  Associations that have ended, on their way into the tables (see
 *	  association_log.h).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "association_log.h"
#include "worker.h"

#define BATCH 256
#define MAX_WAITING 4096 /* while the database can't take them */
#define DELAY_MS 500	 /* for more to come */
#define PAUSE_MS 50		 /* between two batches */

typedef struct Ended
{
	DgwAssociationInfo info;
	TimestampTz ended_at;
	const char *outcome;
	int connections;
	char reason[200];
} Ended;

static Ended *waiting;
static int n_waiting;
static int max_waiting;
static int n_lost;

void
dgw_log_association(const DgwAssociationInfo *info, const char *outcome, const char *reason,
					int connections)
{
	Ended *ended;

	if (n_waiting == MAX_WAITING)
	{
		n_lost++;
		return;
	}
	if (n_waiting == max_waiting)
	{
		max_waiting = max_waiting == 0 ? 64 : max_waiting * 2;
		if (waiting == NULL)
			waiting = MemoryContextAlloc(TopMemoryContext, max_waiting * sizeof(Ended));
		else
			waiting = repalloc(waiting, max_waiting * sizeof(Ended));
	}
	ended = &waiting[n_waiting++];
	ended->info = *info;
	ended->ended_at = GetCurrentTimestamp();
	ended->outcome = outcome;
	ended->connections = connections;
	strlcpy(ended->reason, reason, sizeof(ended->reason));
}

/* ---------- columns ---------- */

/* Gives the value of one row, and whether it is NULL. */
typedef Datum (*Getter)(const Ended *ended, bool *isnull);

static Datum
text_or_null(const char *text, bool *isnull)
{
	*isnull = text[0] == '\0';
	return CStringGetTextDatum(text);
}

#define TEXT_GETTER(name, field)                                                                   \
	static Datum get_##name(const Ended *ended, bool *isnull)                                      \
	{                                                                                              \
		return text_or_null(ended->field, isnull);                                                 \
	}
#define VALUE_GETTER(name, value)                                                                  \
	static Datum get_##name(const Ended *ended, bool *isnull)                                      \
	{                                                                                              \
		return value;                                                                              \
	}

VALUE_GETTER(id, Int64GetDatum(ended->info.id))
VALUE_GETTER(listener_id, Int32GetDatum(ended->info.listener_id))
VALUE_GETTER(peer_address, dgw_inet_of(ended->info.peer_address))
VALUE_GETTER(peer_port, Int32GetDatum(ended->info.peer_port))
TEXT_GETTER(calling_ae, info.calling_ae)
TEXT_GETTER(called_ae, info.called_ae)
TEXT_GETTER(username, info.username)
TEXT_GETTER(implementation_class_uid, info.implementation_class_uid)
TEXT_GETTER(implementation_version, info.implementation_version)
TEXT_GETTER(tls_version, info.tls_version)
TEXT_GETTER(tls_cipher, info.tls_cipher)
TEXT_GETTER(tls_subject, info.tls_subject)
VALUE_GETTER(started_at, TimestampTzGetDatum(ended->info.started_at))
VALUE_GETTER(ended_at, TimestampTzGetDatum(ended->ended_at))
VALUE_GETTER(objects, Int64GetDatum(ended->info.objects))
VALUE_GETTER(bytes, Int64GetDatum(ended->info.bytes))
TEXT_GETTER(outcome, outcome)
TEXT_GETTER(reason, reason)
VALUE_GETTER(accepted, BoolGetDatum(ended->info.admitted))
VALUE_GETTER(connections, Int32GetDatum(ended->connections))

/* The parameters of dicomgw._record_associations, in their order. */
static const struct
{
	Getter get;
	Oid type;
	Oid array_type;
} columns[] = {
	{get_id, INT8OID, INT8ARRAYOID},
	{get_listener_id, INT4OID, INT4ARRAYOID},
	{get_peer_address, INETOID, INETARRAYOID},
	{get_peer_port, INT4OID, INT4ARRAYOID},
	{get_calling_ae, TEXTOID, TEXTARRAYOID},
	{get_called_ae, TEXTOID, TEXTARRAYOID},
	{get_username, TEXTOID, TEXTARRAYOID},
	{get_implementation_class_uid, TEXTOID, TEXTARRAYOID},
	{get_implementation_version, TEXTOID, TEXTARRAYOID},
	{get_tls_version, TEXTOID, TEXTARRAYOID},
	{get_tls_cipher, TEXTOID, TEXTARRAYOID},
	{get_tls_subject, TEXTOID, TEXTARRAYOID},
	{get_started_at, TIMESTAMPTZOID, TIMESTAMPTZARRAYOID},
	{get_ended_at, TIMESTAMPTZOID, TIMESTAMPTZARRAYOID},
	{get_objects, INT8OID, INT8ARRAYOID},
	{get_bytes, INT8OID, INT8ARRAYOID},
	{get_outcome, TEXTOID, TEXTARRAYOID},
	{get_reason, TEXTOID, TEXTARRAYOID},
	{get_accepted, BOOLOID, BOOLARRAYOID},
	{get_connections, INT4OID, INT4ARRAYOID},
};

static Datum
column(int c, int n)
{
	Datum *values = palloc(n * sizeof(Datum));
	bool *nulls = palloc0(n * sizeof(bool));
	int lbound = 1;
	int16 typlen;
	bool byval;
	char align;

	for (int i = 0; i < n; i++)
		values[i] = columns[c].get(&waiting[i], &nulls[i]);
	get_typlenbyvalalign(columns[c].type, &typlen, &byval, &align);
	return PointerGetDatum(
		construct_md_array(values, nulls, 1, &n, &lbound, columns[c].type, typlen, byval, align));
}

/* ---------- recording ---------- */

static void
record(int n)
{
	static SPIPlanPtr plan = NULL;
	Datum parameters[lengthof(columns)];
	Oid types[lengthof(columns)];

	dgw_begin("recording associations");
	for (int c = 0; c < (int) lengthof(columns); c++)
	{
		types[c] = columns[c].array_type;
		parameters[c] = column(c, n);
	}
	dgw_plan(&plan,
			 "SELECT dicomgw._record_associations($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,"
			 " $12, $13, $14, $15, $16, $17, $18, $19, $20)",
			 lengthof(columns), types);
	if (SPI_execute_plan(plan, parameters, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not record associations");
	dgw_commit();
}

/* One batch; what can't be recorded now is tried again, the receiver goes on. */
static void
record_softly(int n)
{
	MemoryContext caller = CurrentMemoryContext;

	PG_TRY();
	{
		record(n);
		memmove(waiting, waiting + n, (n_waiting - n) * sizeof(Ended));
		n_waiting -= n;
	}
	PG_CATCH();
	{
		ErrorData *edata;

		MemoryContextSwitchTo(caller);
		edata = CopyErrorData();
		FlushErrorState();
		dgw_abort();
		ereport(LOG, (errcode(edata->sqlerrcode),
					  errmsg("could not record ended associations: %s", edata->message)));
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	if (n_lost > 0)
		ereport(LOG, (errmsg("%d ended association(s) could not be recorded", n_lost)));
	n_lost = 0;
}

long
dgw_flush_association_log(void)
{
	static TimestampTz tried_at = 0;
	TimestampTz now;

	if (n_waiting == 0)
		return -1;
	now = GetCurrentTimestamp();
	if (n_waiting < BATCH && !TimestampDifferenceExceeds(waiting[0].ended_at, now, DELAY_MS))
		return Max(DELAY_MS - TimestampDifferenceMilliseconds(waiting[0].ended_at, now), 1);
	/* Not over and over, if the database doesn't take them. */
	if (!TimestampDifferenceExceeds(tried_at, now, PAUSE_MS))
		return PAUSE_MS;
	tried_at = now;
	record_softly(Min(n_waiting, BATCH));
	return n_waiting == 0 ? -1 : PAUSE_MS;
}
