/*-------------------------------------------------------------------------
 *
 * conditions.h
 *	  What is wrong with the receiver just now, for dicomgw.status.
 *
 * Several things can be wrong at once, and each gets well by itself: each has
 * its own line here, and last_error shows them all.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_CONDITIONS_H
#define DGW_CONDITIONS_H

typedef enum DgwCondition
{
	DGW_CONDITION_HELPER,	 /* the helper program is down */
	DGW_CONDITION_STORAGE,	 /* the storage folder or the mirror can't be used, or is full */
	DGW_CONDITION_LISTENERS, /* some do not listen, or have a bad certificate */
	DGW_CONDITION_RECORDING, /* received objects can't be recorded */
	DGW_CONDITION_JOURNAL	 /* files that can't be synced */
} DgwCondition;

#define DGW_N_CONDITIONS (DGW_CONDITION_JOURNAL + 1)

/* An empty text: all is well.  Logged when it changes. */
extern void dgw_condition(DgwCondition condition, const char *text);

#endif /* DGW_CONDITIONS_H */
