/*-------------------------------------------------------------------------
 *
 * init.c
 *	  Loading the library: settings, hooks, the launcher; and what CREATE
 *	  EXTENSION has to say.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_database.h"
#include "commands/dbcommands.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "tcop/utility.h"
#include "utils/acl.h"

#include "guc.h"
#include "launcher.h"
#include "shared.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(dgw_installed);

extern PGDLLEXPORT void _PG_init(void);

static ProcessUtility_hook_type prev_process_utility = NULL;

/*
 * The database that a command needs without any session in it, or NULL.
 */
static const char *
database_wanted_empty(Node *statement)
{
	switch (nodeTag(statement))
	{
		case T_DropdbStmt:
			return ((DropdbStmt *) statement)->dbname;

		case T_RenameStmt:
			if (((RenameStmt *) statement)->renameType == OBJECT_DATABASE)
				return ((RenameStmt *) statement)->subname;
			return NULL;

		case T_AlterDatabaseStmt:
		{
			ListCell *lc;

			foreach (lc, ((AlterDatabaseStmt *) statement)->options)
				if (strcmp(lfirst_node(DefElem, lc)->defname, "tablespace") == 0)
					return ((AlterDatabaseStmt *) statement)->dbname;
			return NULL;
		}

		case T_CreatedbStmt:
		{
			ListCell *lc;

			foreach (lc, ((CreatedbStmt *) statement)->options)
			{
				DefElem *option = lfirst_node(DefElem, lc);

				if (strcmp(option->defname, "template") == 0 && option->arg != NULL &&
					IsA(option->arg, String))
					return strVal(option->arg);
			}
			return NULL;
		}

		default:
			return NULL;
	}
}

static bool
owns_database(Oid database)
{
#if PG_VERSION_NUM >= 160000
	return object_ownercheck(DatabaseRelationId, database, GetUserId());
#else
	return pg_database_ownercheck(database, GetUserId());
#endif
}

static bool
is_drop_extension(Node *statement)
{
	return IsA(statement, DropStmt) && ((DropStmt *) statement)->removeType == OBJECT_EXTENSION;
}

/*
 * Let the workers leave before a command that they would block, and wake them
 * after a DROP EXTENSION so that they see at once that they are to go.
 */
static void
process_utility(PlannedStmt *pstmt, const char *query, bool read_only_tree,
				ProcessUtilityContext context, ParamListInfo params, QueryEnvironment *env,
				DestReceiver *dest, QueryCompletion *qc)
{
	const char *wanted = database_wanted_empty(pstmt->utilityStmt);

	if (wanted != NULL && dgw_shared != NULL && strcmp(wanted, dgw_database) == 0)
	{
		Oid database = get_database_oid(wanted, true);

		if (OidIsValid(database) && owns_database(database))
			dgw_hold_workers();
	}
	if (is_drop_extension(pstmt->utilityStmt))
		dgw_wake_at_commit(true);

	if (prev_process_utility)
		prev_process_utility(pstmt, query, read_only_tree, context, params, env, dest, qc);
	else
		standard_ProcessUtility(pstmt, query, read_only_tree, context, params, env, dest, qc);
}

void
_PG_init(void)
{
	dgw_guc_init();
	dgw_shared_init();
	if (!process_shared_preload_libraries_in_progress)
		return;
	prev_process_utility = ProcessUtility_hook;
	ProcessUtility_hook = process_utility;
	dgw_launcher_register();
}

/* dicomgw._installed() returns void: the last statement of CREATE EXTENSION. */
Datum
dgw_installed(PG_FUNCTION_ARGS)
{
	const char *here = get_database_name(MyDatabaseId);

	dgw_wake_at_commit(true);
	if (dgw_shared == NULL)
		ereport(WARNING,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("dicomgw is not in shared_preload_libraries, so nothing is received or "
						"forwarded"),
				 errhint("Set shared_preload_libraries = 'dicomgw' in postgresql.conf and restart "
						 "the server.")));
	else if (strcmp(here, dgw_database) != 0)
		ereport(
			WARNING,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the workers of dicomgw run in database \"%s\", not in this one", dgw_database),
			 errhint("Set dicomgw.database = '%s' in postgresql.conf and reload the server, or "
					 "install the extension there.",
					 here)));
	PG_RETURN_VOID();
}
