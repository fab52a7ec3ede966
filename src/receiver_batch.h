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
	uint16_t status; /* 0: committed; otherwise why not (PS3.7 C) */
	const char *comment;
} DgwArrival;

/*
 * Sync the directories of the objects' files, then commit their rows; sets
 * the status of each.  Never raises an ERROR for what is wrong with an object
 * or with the database: then nothing of that object is in the database, and
 * its status says so.
 */
extern void dgw_batch_commit(DgwArrival *arrivals, int n, const char *storage_path);

#endif /* DGW_RECEIVER_BATCH_H */
