/*-------------------------------------------------------------------------
 *
 * audit.c
 *	  Entries of the audit log, and the chain of hashes over them
 *	  (sql/audit.sql).
 *
 * To look at a patient's data is an act that is audited, and PostgREST runs
 * GET in a read-only transaction.  So what is written here is written in
 * those, too: the look and its entry commit together, or neither does.  On a
 * standby, where nothing can be written, the look fails.
 *
 * The chain is extended by a deferred trigger, that is, within COMMIT: whoever
 * lets a transaction lie open holds up nobody's audit.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/uuid.h"

#include "kept_plan.h"
#include "shared.h"

/* "dgwa": in SQL pg_advisory_xact_lock(0, 1684502369) */
#define AUDIT_CHAIN_LOCK_KEY 0x64677761

PG_FUNCTION_INFO_V1(dgw_audit);
PG_FUNCTION_INFO_V1(dgw_chain_audit);
PG_FUNCTION_INFO_V1(dgw_touch_session);

/* The plan is made once a session. */
static void
write_anyway(SPIPlanPtr *plan, const char *sql, int nargs, Oid *types, Datum *values,
			 const char *nulls, Snapshot snapshot)
{
	bool read_only = XactReadOnly;
	int result = SPI_OK_CONNECT;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	dgw_plan(plan, sql, nargs, types);
	XactReadOnly = false;
	PG_TRY();
	{
		result =
			SPI_execute_snapshot(*plan, values, nulls, snapshot, InvalidSnapshot, false, true, 0);
	}
	PG_FINALLY();
	{
		XactReadOnly = read_only;
	}
	PG_END_TRY();
	if (result < 0)
		elog(ERROR, "could not execute \"%s\": %s", sql, SPI_result_code_string(result));
	SPI_finish();
}

/* dicomgw._audit(action text, target text, details jsonb, actor text) returns void */
Datum
dgw_audit(PG_FUNCTION_ARGS)
{
	static SPIPlanPtr plan = NULL;
	static Oid types[] = {TEXTOID, TEXTOID, JSONBOID, TEXTOID};
	Datum values[4];
	char nulls[4];

	for (int i = 0; i < 4; i++)
	{
		values[i] = PG_ARGISNULL(i) ? (Datum) 0 : PG_GETARG_DATUM(i);
		nulls[i] = PG_ARGISNULL(i) ? 'n' : ' ';
	}
	write_anyway(&plan,
				 "INSERT INTO dicomgw.audit_log (action, target, details, actor) "
				 "VALUES ($1, $2, coalesce(pg_catalog.jsonb_strip_nulls($3), '{}'), "
				 "coalesce($4, dicomgw.actor()))",
				 4, types, values, nulls, InvalidSnapshot);
	PG_RETURN_VOID();
}

/*
 * dicomgw._chain_audit() returns trigger.  The newest link is read by a
 * snapshot taken under the lock, whatever the transaction's isolation level.
 */
Datum
dgw_chain_audit(PG_FUNCTION_ARGS)
{
	static SPIPlanPtr plan = NULL;
	static Oid types[] = {INT8OID};
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	TupleDesc desc;
	LOCKTAG tag;
	Datum id;
	bool isnull;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("function \"%s\" was not called by trigger manager",
							   "dicomgw._chain_audit")));
	desc = RelationGetDescr(trigger->tg_relation);
	id = heap_getattr(trigger->tg_trigtuple, SPI_fnumber(desc, "id"), desc, &isnull);

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, 0, AUDIT_CHAIN_LOCK_KEY, 2);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
	write_anyway(&plan,
				 "INSERT INTO dicomgw.audit_chain (position, entry, hash) "
				 "SELECT coalesce(c.position, 0) + 1, e.id, "
				 "dicomgw._audit_hash(c.hash, coalesce(c.position, 0) + 1, e) "
				 "FROM dicomgw.audit_log e "
				 "LEFT JOIN (SELECT position, hash FROM dicomgw.audit_chain "
				 "ORDER BY position DESC LIMIT 1) c ON true WHERE e.id = $1",
				 1, types, &id, NULL, GetLatestSnapshot());
	dgw_wake_audit_at_commit();
	return PointerGetDatum(trigger->tg_trigtuple);
}

/*
 * dicomgw._touch_session(id uuid) returns void.  Not more than once a minute,
 * and nobody waits for another request of the same session.
 */
Datum
dgw_touch_session(PG_FUNCTION_ARGS)
{
	static SPIPlanPtr plan = NULL;
	static Oid types[] = {UUIDOID};
	Datum id = PG_GETARG_DATUM(0);

	write_anyway(&plan,
				 "UPDATE dicomgw.session s SET last_seen_at = pg_catalog.now() "
				 "FROM (SELECT t.id FROM dicomgw.session t WHERE t.id = $1 "
				 "AND t.last_seen_at < pg_catalog.now() - interval '1 minute' "
				 "FOR NO KEY UPDATE SKIP LOCKED) t WHERE s.id = t.id",
				 1, types, &id, NULL, InvalidSnapshot);
	PG_RETURN_VOID();
}
