/*-------------------------------------------------------------------------
 *
 * guc.h
 *	  The settings dicomgw.*: all of them can be changed by a reload.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_GUC_H
#define DGW_GUC_H

extern char *dgw_database;
extern char *dgw_storage_path;
extern int dgw_journal_kilobytes;
extern char *dgw_storage_mirror_path; /* empty: no mirror */
extern int dgw_mirror_failure;		  /* DgwMirrorFailure */
extern int dgw_storage_high_water;	  /* percent in use; 100: no limit */
extern int dgw_storage_low_water;	  /* percent in use */
extern char *dgw_helper_path;
extern bool dgw_routing;
extern int dgw_predicate_timeout;
extern int dgw_max_associations;
extern int dgw_max_senders;
extern int dgw_header_retention;  /* days; 0: for ever */
extern int dgw_history_retention; /* days; 0: for ever */
extern int dgw_object_retention;  /* days; 0: for ever */
extern int dgw_space_retention;	  /* percent in use; 0: never */
extern int dgw_orphan_grace;	  /* minutes */
extern int dgw_preview_cache;	  /* MiB; 0: none */
extern int dgw_argon2_memory;	  /* KiB */
extern int dgw_argon2_time;
extern int
	dgw_password_checks; /* this and what follows is read in SQL (sql/sign_in.sql, sql/session.sql) */
extern int dgw_password_min_length;
extern int dgw_sign_in_failures;
extern int dgw_session_lifetime;	   /* minutes */
extern int dgw_session_idle;		   /* minutes */
extern int dgw_alert_destination_down; /* seconds; these are read in SQL, too (sql/alert.sql) */
extern int dgw_alert_queue_age;		   /* minutes */
extern int dgw_alert_unrouted_age;	   /* minutes */
extern int dgw_alert_certificate_days;

/* What to do with an object that can't be written to the mirror. */
typedef enum DgwMirrorFailure
{
	DGW_MIRROR_REFUSE, /* refuse it */
	DGW_MIRROR_REPAIR  /* keep it, and copy it to the mirror later */
} DgwMirrorFailure;

extern void dgw_guc_init(void);

/* dicomgw.storage_path as an absolute path, palloc'ed. */
extern char *dgw_storage_directory(void);

/* dicomgw.storage_mirror_path as an absolute path, palloc'ed; NULL: there is no mirror. */
extern char *dgw_mirror_directory(void);

/* Full path of a helper program, palloc'ed. */
extern char *dgw_helper_program(const char *name);

#endif /* DGW_GUC_H */
