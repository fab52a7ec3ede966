/*-------------------------------------------------------------------------
 *
 * message_sync.c
 *	  Encoders and decoders of the sync channel (message.h): dicomgw-sync and
 *	  the receiver.
 *
 *-------------------------------------------------------------------------
 */
#include "message.h"

bool
dgw_encode_sync(DgwFrameWriter *w, const DgwSync *m)
{
	dgw_frame_begin(w, DGW_MSG_SYNC);
	dgw_put_slice(w, m->root);
	dgw_put_slice(w, m->paths);
	return dgw_frame_end(w);
}

bool
dgw_decode_sync(DgwFrame *f, DgwSync *m)
{
	m->root = dgw_get_slice(f);
	m->paths = dgw_get_slice(f);
	return dgw_frame_complete(f);
}

bool
dgw_encode_synced(DgwFrameWriter *w, const DgwSynced *m)
{
	dgw_frame_begin(w, DGW_MSG_SYNCED);
	dgw_put_slice(w, m->failed);
	dgw_put_slice(w, m->message);
	return dgw_frame_end(w);
}

bool
dgw_decode_synced(DgwFrame *f, DgwSynced *m)
{
	m->failed = dgw_get_slice(f);
	m->message = dgw_get_slice(f);
	return dgw_frame_complete(f);
}
