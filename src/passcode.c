/*-------------------------------------------------------------------------
 *
 * passcode.c
 *	  Passcodes of remote AEs are kept as Argon2id hashes (RFC 9106).
 *
 * The association process compares (helper/identity.cpp): it is the one that
 * has the passcode, and a worker has no time for it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "password.h"

/*
 * One of OWASP's choices of equal strength: the one with the least memory,
 * because every association process may be at it.
 */
#define TIME_COST 5
#define MEMORY_KIB 7168

PG_FUNCTION_INFO_V1(dgw_hash_passcode);

/* dicomgw._hash_passcode(): a passcode that is a hash already (a dump is restored) stays. */
Datum
dgw_hash_passcode(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	HeapTuple row;
	TupleDesc desc;
	char *passcode;
	int column;
	Datum value;
	bool isnull = false;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("function \"%s\" was not called by trigger manager",
							   "dicomgw._hash_passcode")));
	row = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple;
	desc = RelationGetDescr(trigger->tg_relation);
	column = SPI_fnumber(desc, "passcode");
	passcode = column > 0 ? SPI_getvalue(row, desc, column) : NULL;
	if (passcode == NULL || strncmp(passcode, DGW_ARGON2_PREFIX, strlen(DGW_ARGON2_PREFIX)) == 0)
		return PointerGetDatum(row);
	if (passcode[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a passcode cannot be empty"),
				 errhint("Set it to NULL to ask for the user name alone.")));
	value = CStringGetTextDatum(dgw_argon2_hash(passcode, TIME_COST, MEMORY_KIB, "passcode"));
	return PointerGetDatum(heap_modify_tuple_by_cols(row, desc, 1, &column, &value, &isnull));
}
