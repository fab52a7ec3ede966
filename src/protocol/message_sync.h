/*-------------------------------------------------------------------------
 *
 * message_sync.h
 *	  What is said on the sync channel, between the receiver and dicomgw-sync.
 *
 * A part of message.h, which includes it and has the rules.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_MESSAGE_SYNC_H
#define DGW_MESSAGE_SYNC_H

#include "message.h"

#ifdef __cplusplus
extern "C"
{
#endif

	/* Put these files and their names on the disk. */
	typedef struct DgwSync
	{
		DgwSlice root;	/* absolute */
		DgwSlice paths; /* below it, each ended by a newline */
	} DgwSync;

	/* All of them are, but for these. */
	typedef struct DgwSynced
	{
		DgwSlice failed;  /* as paths above */
		DgwSlice message; /* why the first of them is not; empty if all are */
	} DgwSynced;

	extern bool dgw_encode_sync(DgwFrameWriter *w, const DgwSync *m);
	extern bool dgw_encode_synced(DgwFrameWriter *w, const DgwSynced *m);
	extern bool dgw_decode_sync(DgwFrame *f, DgwSync *m);
	extern bool dgw_decode_synced(DgwFrame *f, DgwSynced *m);

#ifdef __cplusplus
}
#endif

#endif /* DGW_MESSAGE_SYNC_H */
