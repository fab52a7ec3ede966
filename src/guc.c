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
int dgw_journal_kilobytes;
char *dgw_storage_mirror_path;
int dgw_mirror_failure;
int dgw_storage_high_water;
int dgw_storage_low_water;
char *dgw_helper_path;
bool dgw_routing;
int dgw_predicate_timeout;
int dgw_max_associations;
int dgw_max_senders;
int dgw_header_retention;
int dgw_history_retention;
int dgw_object_retention;
int dgw_space_retention;
int dgw_orphan_grace;
int dgw_preview_cache;
int dgw_argon2_memory;
int dgw_argon2_time;
int dgw_password_checks;
int dgw_password_min_length;
int dgw_sign_in_failures;
int dgw_session_lifetime;
int dgw_session_idle;
int dgw_alert_destination_down;
int dgw_alert_queue_age;
int dgw_alert_unrouted_age;
int dgw_alert_certificate_days;

static const struct config_enum_entry mirror_failures[] = {
	{"refuse", DGW_MIRROR_REFUSE, false},
	{"repair", DGW_MIRROR_REPAIR, false},
	{NULL, 0, false},
};

static void
define_storage_settings(void)
{
	DefineCustomStringVariable("dicomgw.storage_path", "Folder in which received objects are kept.",
							   "A relative path is taken from the data directory.  Rows name the "
							   "files relative to it, so that it can be moved as a whole.",
							   &dgw_storage_path, "dicomgw", PGC_SIGHUP, GUC_SUPERUSER_ONLY, NULL,
							   NULL, NULL);
	DefineCustomStringVariable("dicomgw.storage_mirror_path",
							   "Folder in which each received object is kept a second time.",
							   "It must exist, on another file system.  Success is answered when "
							   "both copies are on disk.  "
							   "Empty: there is no mirror.",
							   &dgw_storage_mirror_path, "", PGC_SIGHUP, GUC_SUPERUSER_ONLY, NULL,
							   NULL, NULL);
	DefineCustomIntVariable(
		"dicomgw.journal_size",
		"Largest object that is durable by PostgreSQL's WAL alone at first.",
		"Its sender does not wait until its file is on the disk, too.  0: all wait.  With a mirror "
		"all do.",
		&dgw_journal_kilobytes, 64, 0, 1024, PGC_SIGHUP, GUC_UNIT_KB, NULL, NULL, NULL);
	DefineCustomEnumVariable(
		"dicomgw.mirror_failure", "What to do with an object that can't be written to the mirror.",
		"refuse: its sender keeps it.  repair: it is kept, and copied to the "
		"mirror when that is well again.",
		&dgw_mirror_failure, DGW_MIRROR_REFUSE, mirror_failures, PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable(
		"dicomgw.storage_high_water",
		"Percent of the storage file system in use at which objects are refused.",
		"They are answered A700H until dicomgw.storage_low_water is reached.  100 "
		"is no limit.  The mirror's file system counts, too.",
		&dgw_storage_high_water, 95, 1, 100, PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("dicomgw.storage_low_water",
							"Percent of the storage file system in use below which objects are "
							"accepted again.",
							NULL, &dgw_storage_low_water, 90, 1, 100, PGC_SIGHUP, 0, NULL, NULL,
							NULL);
}

static void
define_retention_settings(void)
{
	DefineCustomIntVariable("dicomgw.header_retention",
							"Days for which the headers of received objects are kept as rows.",
							"0 keeps them for ever.  The objects themselves are not touched.",
							&dgw_header_retention, 0, 0, 36500, PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable(
		"dicomgw.history_retention",
		"Days for which routing decisions, ended jobs and ended associations are "
		"kept.",
		"0 keeps them for ever.  Dead letters stay until a person decides.", &dgw_history_retention,
		0, 0, 36500, PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable(
		"dicomgw.object_retention", "Days for which the files of delivered objects are kept.",
		"0 keeps them for ever.  An object with a job that has not ended is never "
		"removed.",
		&dgw_object_retention, 0, 0, 36500, PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("dicomgw.space_retention",
							"Percent of the storage file system in use above which the files of "
							"delivered objects are removed, oldest first.",
							"0 removes none.  An object with a job that has not ended is never "
							"removed.",
							&dgw_space_retention, 0, 0, 99, PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable(
		"dicomgw.orphan_grace",
		"Age at which a file in the storage folder that no row names is removed.",
		"Such files are left by a crash, and were never acknowledged.", &dgw_orphan_grace, 60, 0,
		525600, PGC_SIGHUP, GUC_UNIT_MIN, NULL, NULL, NULL);
}

static void
define_preview_settings(void)
{
	DefineCustomIntVariable(
		"dicomgw.preview_cache", "Space for pictures of objects that were looked at.",
		"They are kept below the storage folder for a day at most, and the "
		"oldest are removed first.  0 keeps none.",
		&dgw_preview_cache, 1024, 0, 1024 * 1024, PGC_SIGHUP, GUC_UNIT_MB, NULL, NULL, NULL);
}

static void
define_sign_in_settings(void)
{
	DefineCustomIntVariable(
		"dicomgw.argon2_memory", "Memory that hashing a password takes.",
		"A hash made with other parameters is made anew when its user signs in.",
		&dgw_argon2_memory, 19456, 8192, 1048576, PGC_SIGHUP, GUC_UNIT_KB, NULL, NULL, NULL);
	DefineCustomIntVariable("dicomgw.argon2_time", "Passes over that memory.", NULL,
							&dgw_argon2_time, 2, 1, 100, PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("dicomgw.password_checks",
							"Passwords that may be verified at the same time.",
							"Whoever comes beyond that is told to try again (503).",
							&dgw_password_checks, 4, 1, 1000, PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("dicomgw.password_min_length",
							"Characters that a password has at least.", NULL,
							&dgw_password_min_length, 12, 8, 1000, PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("dicomgw.sign_in_failures",
							"Failed sign-ins in a row after which a user has to wait.",
							"The wait doubles with each further failure, up to 15 minutes.  An "
							"address may fail four times as often.",
							&dgw_sign_in_failures, 5, 1, 1000, PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("dicomgw.session_lifetime", "Time after which a session ends.", NULL,
							&dgw_session_lifetime, 720, 1, 43200, PGC_SIGHUP, GUC_UNIT_MIN, NULL,
							NULL, NULL);
	DefineCustomIntVariable(
		"dicomgw.session_idle", "Time after which a session ends that nobody uses.", NULL,
		&dgw_session_idle, 60, 5, 43200, PGC_SIGHUP, GUC_UNIT_MIN, NULL, NULL, NULL);
}

static void
define_alert_settings(void)
{
	DefineCustomIntVariable("dicomgw.alert_destination_down",
							"Time for which a destination may be down before there is an alert.",
							"It is critical after twelve times as long.",
							&dgw_alert_destination_down, 300, 0, 604800, PGC_SIGHUP, GUC_UNIT_S,
							NULL, NULL, NULL);
	DefineCustomIntVariable(
		"dicomgw.alert_queue_age", "Time for which a job may wait before there is an alert.",
		"One that waits for a window of its destination, or because that is "
		"down, does not count.",
		&dgw_alert_queue_age, 60, 0, 525600, PGC_SIGHUP, GUC_UNIT_MIN, NULL, NULL, NULL);
	DefineCustomIntVariable(
		"dicomgw.alert_unrouted_age",
		"Time for which a received object may wait for the router before there is an alert.", NULL,
		&dgw_alert_unrouted_age, 10, 0, 525600, PGC_SIGHUP, GUC_UNIT_MIN, NULL, NULL, NULL);
	DefineCustomIntVariable("dicomgw.alert_certificate_days",
							"Days before its end at which there is an alert for the certificate of "
							"a listener.",
							"It is critical in the last quarter of them.",
							&dgw_alert_certificate_days, 30, 0, 3650, PGC_SIGHUP, 0, NULL, NULL,
							NULL);
}

void
dgw_guc_init(void)
{
	DefineCustomStringVariable("dicomgw.database", "Database in which the workers run.",
							   "They wait until it exists and has the extension.", &dgw_database,
							   "dicomgw", PGC_SIGHUP, 0, NULL, NULL, NULL);
	define_storage_settings();
	DefineCustomStringVariable("dicomgw.helper_path", "Folder with the helper programs.",
							   "Empty: the folder dicomgw beside PostgreSQL's own libraries.",
							   &dgw_helper_path, "", PGC_SIGHUP, GUC_SUPERUSER_ONLY, NULL, NULL,
							   NULL);
	DefineCustomBoolVariable("dicomgw.routing", "Route received objects.",
							 "When it is off they are received and wait (dicomgw.unrouted).",
							 &dgw_routing, true, PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable(
		"dicomgw.predicate_timeout", "Time that a route's predicate may take for one object.",
		"Then it counts as failed for that object.  A route of which this "
		"happens again and again is passed over for the rest of the batch.",
		&dgw_predicate_timeout, 250, 10, 60000, PGC_SUSET, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("dicomgw.max_associations",
							"Associations that may be open to the listeners at the same time.",
							NULL, &dgw_max_associations, 1000, 1, 10000, PGC_SIGHUP, 0, NULL, NULL,
							NULL);
	DefineCustomIntVariable(
		"dicomgw.max_senders",
		"Sender programs that may run at the same time, for all destinations.",
		"Each has one association.  Destinations beyond that take turns.  As many "
		"again may wait for destinations that do not answer.",
		&dgw_max_senders, 64, 1, 1000, PGC_SIGHUP, 0, NULL, NULL, NULL);
	define_retention_settings();
	define_preview_settings();
	define_sign_in_settings();
	define_alert_settings();
	MarkGUCPrefixReserved("dicomgw");
}

static char *
absolute_directory(const char *setting)
{
	char *path;

	if (is_absolute_path(setting))
		path = pstrdup(setting);
	else
		path = psprintf("%s/%s", DataDir, setting);
	canonicalize_path(path);
	return path;
}

char *
dgw_storage_directory(void)
{
	return absolute_directory(dgw_storage_path);
}

char *
dgw_mirror_directory(void)
{
	return dgw_storage_mirror_path[0] == '\0' ? NULL : absolute_directory(dgw_storage_mirror_path);
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
