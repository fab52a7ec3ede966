/*-------------------------------------------------------------------------
 *
 * admission.h
 *	  Who may open an association, and what for: listener and remote_ae.
 *
 * The receiver holds these tables in memory, anew after each change, so an
 * A-ASSOCIATE-RQ costs no query.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_ADMISSION_H
#define DGW_ADMISSION_H

#include "receiver_batch.h"
#include "receiver_shared.h"

/* Associations that are admitted now, this caller's own request not included. */
typedef struct DgwOpenCounts
{
	int total;
	int listener;	 /* on this listener */
	int listener_ae; /* on this listener, from this calling AE title */
	int ae;			 /* from this calling AE title */
} DgwOpenCounts;

typedef struct DgwDecision
{
	bool admitted;
	DgwAdmitted terms; /* if admitted; its slices live until the next dgw_admission_load() */
	DgwDuplicates duplicates;
	DgwRejected rejection; /* if not */
	char reason[200];	   /* and why, in the standard's words and ours */
} DgwDecision;

/* Read the tables, in the open transaction. */
extern void dgw_admission_load(void);

/* May this caller (info: as in its REQUESTED) have an association? */
extern void dgw_admission_decide(const DgwAssociationInfo *info, int identity_type,
								 const DgwOpenCounts *open, DgwDecision *decision);

#endif /* DGW_ADMISSION_H */
