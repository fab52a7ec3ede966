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
extern char *dgw_helper_path;
extern bool dgw_routing;
extern int dgw_max_associations;
extern int dgw_header_retention;  /* days; 0: for ever */
extern int dgw_history_retention; /* days; 0: for ever */

extern void dgw_guc_init(void);

/* dicomgw.storage_path as an absolute path, palloc'ed. */
extern char *dgw_storage_directory(void);

/* Full path of a helper program, palloc'ed. */
extern char *dgw_helper_program(const char *name);

#endif /* DGW_GUC_H */
