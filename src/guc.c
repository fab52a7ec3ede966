/*-------------------------------------------------------------------------
 *
 * guc.c
 *	  The settings dicomgw.*.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port.h"
#include "utils/guc.h"

#include "guc.h"

char *dgw_database;
char *dgw_storage_path;
char *dgw_helper_path;
bool dgw_routing;
int dgw_max_associations;
int dgw_header_retention;
int dgw_history_retention;

void
dgw_guc_init(void)
{
	DefineCustomStringVariable("dicomgw.database", "Database in which the workers run.",
							   "They wait until it exists and has the extension.", &dgw_database,
							   "dicomgw", PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("dicomgw.storage_path", "Folder in which received objects are kept.",
							   "A relative path is taken from the data directory.  Rows name the "
							   "files relative to it, so that it can be moved as a whole.",
							   &dgw_storage_path, "dicomgw", PGC_SIGHUP, GUC_SUPERUSER_ONLY, NULL,
							   NULL, NULL);
	DefineCustomStringVariable(
		"dicomgw.helper_path", "Folder with the programs dicomgw-scp and dicomgw-scu.",
		"Empty: the folder dicomgw beside PostgreSQL's own libraries.", &dgw_helper_path, "",
		PGC_SIGHUP, GUC_SUPERUSER_ONLY, NULL, NULL, NULL);
	DefineCustomBoolVariable("dicomgw.routing", "Route received objects.",
							 "When it is off they are received and wait (dicomgw.unrouted).",
							 &dgw_routing, true, PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("dicomgw.max_associations",
							"Associations that may be open to the listeners at the same time.",
							NULL, &dgw_max_associations, 1000, 1, 10000, PGC_SIGHUP, 0, NULL, NULL,
							NULL);
	DefineCustomIntVariable("dicomgw.header_retention",
							"Days for which the headers of received objects are kept as rows.",
							"0 keeps them for ever.  The objects themselves are not touched.",
							&dgw_header_retention, 0, 0, 36500, PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("dicomgw.history_retention",
							"Days for which routing decisions and ended jobs are kept.",
							"0 keeps them for ever.  Dead letters stay until a person decides.",
							&dgw_history_retention, 0, 0, 36500, PGC_SIGHUP, 0, NULL, NULL, NULL);
	MarkGUCPrefixReserved("dicomgw");
}

char *
dgw_storage_directory(void)
{
	char *path;

	if (is_absolute_path(dgw_storage_path))
		path = pstrdup(dgw_storage_path);
	else
		path = psprintf("%s/%s", DataDir, dgw_storage_path);
	canonicalize_path(path);
	return path;
}

char *
dgw_helper_program(const char *name)
{
	char *path;

	if (dgw_helper_path[0] != '\0')
		path = psprintf("%s/%s", dgw_helper_path, name);
	else
		path = psprintf("%s/dicomgw/%s", pkglib_path, name);
	canonicalize_path(path);
	return path;
}
