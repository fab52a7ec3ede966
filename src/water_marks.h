/*-------------------------------------------------------------------------
 *
 * water_marks.h
 *	  Whether there is room for new objects: dicomgw.storage_high_water and
 *	  storage_low_water.
 *
 * Above the high mark objects are refused (A700H) while associations are
 * accepted as ever; below the low mark they are taken again.  A mirror counts
 * if no object is kept without it (dicomgw.mirror_failure = refuse).
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_WATER_MARKS_H
#define DGW_WATER_MARKS_H

/* How often it makes sense to look (ms). */
#define DGW_WATER_CHECK_MS 1000

/*
 * Look at the file systems, if it is time; mirror may be NULL.  True if what
 * was found differs from before.
 */
extern bool dgw_water_check(const char *storage, const char *mirror);

/* The settings have changed: what was decided by the old ones is forgotten. */
extern void dgw_water_forget(void);

/* Are objects taken?  If not, the comment is for senders (at most 64 characters). */
extern bool dgw_water_accepting(void);
extern const char *dgw_water_comment(void);

/* The same for people: empty if all is well. */
extern const char *dgw_water_problem(void);

#endif /* DGW_WATER_MARKS_H */
