/*-------------------------------------------------------------------------
 *
 * receiver_batch.h
 *	  One batch of received objects: made durable together.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_RECEIVER_BATCH_H
#define DGW_RECEIVER_BATCH_H

#include "protocol/message.h"

/* DIMSE status codes, PS3.7 C.5 and PS3.4 B.2.3 */
#define DGW_STATUS_PROCESSING_FAILURE 0x0110
#define DGW_STATUS_DUPLICATE_SOP_INSTANCE 0x0111
#define DGW_STATUS_OUT_OF_RESOURCES 0xA700

/* What to do with an object whose SOP Instance UID was received before: listener.duplicates. */
typedef enum DgwDuplicates
{
	DGW_DUPLICATES_KEEP,   /* each version is an object of its own */
	DGW_DUPLICATES_IGNORE, /* a byte-identical repeat: success, nothing else */
	DGW_DUPLICATES_REFUSE  /* 0111H */
} DgwDuplicates;

/* What a batch has to know of an association. */
typedef struct DgwCaller
{
	uint32_t listener_id;
	DgwDuplicates duplicates;
	char calling_ae[17];
	char called_ae[17];
	char peer_address[64];
} DgwCaller;

/* One received object on its way into the database; the slices point into its association's frame. */
typedef struct DgwArrival
{
	DgwReceived object;
	const DgwCaller *caller;
	uint16_t status; /* 0: committed, or ignored; otherwise why not (PS3.7 C) */
	const char *comment;
	bytea *content; /* of its file, for the journal; NULL: that is synced */
	bool ignored;	/* with status 0: it is here already, so it has no row and needs no file */
} DgwArrival;

/*
 * Sync the directories of the objects' files, then commit their rows; sets
 * the status of each.  mirror_path: NULL if there is no mirror; an object that
 * is not at the mirror gets a row in dicomgw.storage_repair, too.  Never
 * raises an ERROR for what is wrong with an object or with the database: then
 * nothing of that object is in the database, and its status says so.
 */
extern void dgw_batch_commit(DgwArrival *arrivals, int n, const char *storage_path,
							 const char *mirror_path);

/* What the database last said against rows of that batch; empty: nothing. */
extern const char *dgw_batch_last_error(void);

#endif /* DGW_RECEIVER_BATCH_H */
