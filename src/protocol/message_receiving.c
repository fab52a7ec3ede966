/*-------------------------------------------------------------------------
 *
 * message_receiving.c
 *	  Encoders and decoders of the control and the association channel
 *	  (message.h): dicomgw-scp and the receiver.
 *
 *-------------------------------------------------------------------------
 */
#include "message.h"

static void
put_listener(DgwFrameWriter *w, const DgwListener *l)
{
	dgw_put_u32(w, l->id);
	dgw_put_slice(w, l->bind_address);
	dgw_put_u16(w, l->port);
	dgw_put_u32(w, l->max_pdu);
	dgw_put_u32(w, l->association_timeout);
	dgw_put_u32(w, l->idle_timeout);
	dgw_put_u8(w, l->tls);
	dgw_put_u8(w, l->tls_client);
	dgw_put_slice(w, l->tls_certificate);
	dgw_put_slice(w, l->tls_key);
	dgw_put_slice(w, l->tls_ca);
	dgw_put_slice(w, l->tls_crl);
}

static void
get_listener(DgwFrame *f, DgwListener *l)
{
	l->id = dgw_get_u32(f);
	l->bind_address = dgw_get_slice(f);
	l->port = dgw_get_u16(f);
	l->max_pdu = dgw_get_u32(f);
	l->association_timeout = dgw_get_u32(f);
	l->idle_timeout = dgw_get_u32(f);
	l->tls = dgw_get_u8(f);
	l->tls_client = dgw_get_u8(f);
	l->tls_certificate = dgw_get_slice(f);
	l->tls_key = dgw_get_slice(f);
	l->tls_ca = dgw_get_slice(f);
	l->tls_crl = dgw_get_slice(f);
}

bool
dgw_encode_config(DgwFrameWriter *w, const DgwConfig *m)
{
	dgw_frame_begin(w, DGW_MSG_CONFIG);
	dgw_put_slice(w, m->storage_path);
	dgw_put_slice(w, m->mirror_path);
	dgw_put_u8(w, m->mirror_needed);
	dgw_put_u64(w, m->journal_size);
	dgw_put_u32(w, m->max_associations);
	dgw_put_u32(w, m->n_listeners);
	for (uint32_t i = 0; i < m->n_listeners; i++)
		put_listener(w, &m->listeners[i]);
	return dgw_frame_end(w);
}

bool
dgw_decode_config(DgwFrame *f, DgwConfig *m)
{
	m->storage_path = dgw_get_slice(f);
	m->mirror_path = dgw_get_slice(f);
	m->mirror_needed = dgw_get_u8(f);
	m->journal_size = dgw_get_u64(f);
	m->max_associations = dgw_get_u32(f);
	m->n_listeners = dgw_get_u32(f);
	if (m->n_listeners > DGW_MAX_LISTENERS)
		return false;
	for (uint32_t i = 0; i < m->n_listeners; i++)
		get_listener(f, &m->listeners[i]);
	return dgw_frame_complete(f);
}

bool
dgw_encode_listener_state(DgwFrameWriter *w, const DgwListenerState *m)
{
	dgw_frame_begin(w, DGW_MSG_LISTENER_STATE);
	dgw_put_u32(w, m->id);
	dgw_put_u8(w, m->listening);
	dgw_put_slice(w, m->message);
	dgw_put_u64(w, m->certificate_expires);
	return dgw_frame_end(w);
}

bool
dgw_decode_listener_state(DgwFrame *f, DgwListenerState *m)
{
	m->id = dgw_get_u32(f);
	m->listening = dgw_get_u8(f);
	m->message = dgw_get_slice(f);
	m->certificate_expires = dgw_get_u64(f);
	return dgw_frame_complete(f);
}

bool
dgw_encode_storage(DgwFrameWriter *w, const DgwStorage *m)
{
	dgw_frame_begin(w, DGW_MSG_STORAGE);
	dgw_put_u8(w, m->accepting);
	dgw_put_slice(w, m->comment);
	return dgw_frame_end(w);
}

bool
dgw_decode_storage(DgwFrame *f, DgwStorage *m)
{
	m->accepting = dgw_get_u8(f);
	m->comment = dgw_get_slice(f);
	return dgw_frame_complete(f);
}

bool
dgw_encode_association(DgwFrameWriter *w, const DgwAssociation *m)
{
	dgw_frame_begin(w, DGW_MSG_ASSOCIATION);
	dgw_put_u32(w, m->listener_id);
	dgw_put_u32(w, m->pid);
	dgw_put_slice(w, m->peer_address);
	dgw_put_u16(w, m->peer_port);
	return dgw_frame_end(w);
}

bool
dgw_decode_association(DgwFrame *f, DgwAssociation *m)
{
	m->listener_id = dgw_get_u32(f);
	m->pid = dgw_get_u32(f);
	m->peer_address = dgw_get_slice(f);
	m->peer_port = dgw_get_u16(f);
	return dgw_frame_complete(f);
}

bool
dgw_encode_turned_away(DgwFrameWriter *w, const DgwTurnedAway *m)
{
	dgw_frame_begin(w, DGW_MSG_TURNED_AWAY);
	dgw_put_u32(w, m->listener_id);
	dgw_put_slice(w, m->peer_address);
	dgw_put_u32(w, m->connections);
	dgw_put_u8(w, m->left);
	dgw_put_slice(w, m->message);
	return dgw_frame_end(w);
}

bool
dgw_decode_turned_away(DgwFrame *f, DgwTurnedAway *m)
{
	m->listener_id = dgw_get_u32(f);
	m->peer_address = dgw_get_slice(f);
	m->connections = dgw_get_u32(f);
	m->left = dgw_get_u8(f);
	m->message = dgw_get_slice(f);
	return dgw_frame_complete(f);
}

bool
dgw_encode_abort(DgwFrameWriter *w, const DgwAbort *m)
{
	dgw_frame_begin(w, DGW_MSG_ABORT);
	dgw_put_u32(w, m->pid);
	return dgw_frame_end(w);
}

bool
dgw_decode_abort(DgwFrame *f, DgwAbort *m)
{
	m->pid = dgw_get_u32(f);
	return dgw_frame_complete(f);
}

bool
dgw_encode_requested(DgwFrameWriter *w, const DgwRequested *m)
{
	dgw_frame_begin(w, DGW_MSG_REQUESTED);
	dgw_put_slice(w, m->calling_ae);
	dgw_put_slice(w, m->called_ae);
	dgw_put_slice(w, m->implementation_class_uid);
	dgw_put_slice(w, m->implementation_version);
	dgw_put_u32(w, m->max_pdu);
	dgw_put_u32(w, m->contexts);
	dgw_put_u8(w, m->identity_type);
	dgw_put_slice(w, m->username);
	dgw_put_slice(w, m->tls_version);
	dgw_put_slice(w, m->tls_cipher);
	dgw_put_slice(w, m->tls_subject);
	return dgw_frame_end(w);
}

bool
dgw_decode_requested(DgwFrame *f, DgwRequested *m)
{
	m->calling_ae = dgw_get_slice(f);
	m->called_ae = dgw_get_slice(f);
	m->implementation_class_uid = dgw_get_slice(f);
	m->implementation_version = dgw_get_slice(f);
	m->max_pdu = dgw_get_u32(f);
	m->contexts = dgw_get_u32(f);
	m->identity_type = dgw_get_u8(f);
	m->username = dgw_get_slice(f);
	m->tls_version = dgw_get_slice(f);
	m->tls_cipher = dgw_get_slice(f);
	m->tls_subject = dgw_get_slice(f);
	return dgw_frame_complete(f);
}

bool
dgw_encode_admitted(DgwFrameWriter *w, const DgwAdmitted *m)
{
	dgw_frame_begin(w, DGW_MSG_ADMITTED);
	dgw_put_u8(w, m->may_store);
	dgw_put_u8(w, m->may_echo);
	dgw_put_u8(w, m->keep_mismatch);
	dgw_put_u64(w, m->max_object_size);
	dgw_put_slice(w, m->passcode_hash);
	dgw_put_u32(w, m->n_transfer_syntaxes);
	for (uint32_t i = 0; i < m->n_transfer_syntaxes; i++)
		dgw_put_slice(w, m->transfer_syntaxes[i]);
	return dgw_frame_end(w);
}

bool
dgw_decode_admitted(DgwFrame *f, DgwAdmitted *m)
{
	m->may_store = dgw_get_u8(f);
	m->may_echo = dgw_get_u8(f);
	m->keep_mismatch = dgw_get_u8(f);
	m->max_object_size = dgw_get_u64(f);
	m->passcode_hash = dgw_get_slice(f);
	m->n_transfer_syntaxes = dgw_get_u32(f);
	if (m->n_transfer_syntaxes > DGW_MAX_TRANSFER_SYNTAXES)
		return false;
	for (uint32_t i = 0; i < m->n_transfer_syntaxes; i++)
		m->transfer_syntaxes[i] = dgw_get_slice(f);
	return dgw_frame_complete(f);
}

bool
dgw_encode_rejected(DgwFrameWriter *w, const DgwRejected *m)
{
	dgw_frame_begin(w, DGW_MSG_REJECTED);
	dgw_put_u8(w, m->result);
	dgw_put_u8(w, m->source);
	dgw_put_u8(w, m->reason);
	return dgw_frame_end(w);
}

bool
dgw_decode_rejected(DgwFrame *f, DgwRejected *m)
{
	m->result = dgw_get_u8(f);
	m->source = dgw_get_u8(f);
	m->reason = dgw_get_u8(f);
	return dgw_frame_complete(f);
}

bool
dgw_encode_opened(DgwFrameWriter *w, const DgwOpened *m)
{
	dgw_frame_begin(w, DGW_MSG_OPENED);
	dgw_put_u32(w, m->contexts);
	return dgw_frame_end(w);
}

bool
dgw_decode_opened(DgwFrame *f, DgwOpened *m)
{
	m->contexts = dgw_get_u32(f);
	return dgw_frame_complete(f);
}

bool
dgw_encode_received(DgwFrameWriter *w, const DgwReceived *m)
{
	dgw_frame_begin(w, DGW_MSG_RECEIVED);
	dgw_put_u64(w, m->seq);
	dgw_put_slice(w, m->path);
	dgw_put_slice(w, m->sop_class_uid);
	dgw_put_slice(w, m->sop_instance_uid);
	dgw_put_slice(w, m->transfer_syntax_uid);
	dgw_put_u64(w, m->size);
	dgw_put_bytes(w, m->sha256, sizeof(m->sha256));
	dgw_put_slice(w, m->header);
	dgw_put_slice(w, m->header_error);
	dgw_put_u8(w, m->mirrored);
	dgw_put_u8(w, m->synced);
	return dgw_frame_end(w);
}

bool
dgw_decode_received(DgwFrame *f, DgwReceived *m)
{
	m->seq = dgw_get_u64(f);
	m->path = dgw_get_slice(f);
	m->sop_class_uid = dgw_get_slice(f);
	m->sop_instance_uid = dgw_get_slice(f);
	m->transfer_syntax_uid = dgw_get_slice(f);
	m->size = dgw_get_u64(f);
	dgw_get_bytes(f, m->sha256, sizeof(m->sha256));
	m->header = dgw_get_slice(f);
	m->header_error = dgw_get_slice(f);
	m->mirrored = dgw_get_u8(f);
	m->synced = dgw_get_u8(f);
	return dgw_frame_complete(f);
}

bool
dgw_encode_committed(DgwFrameWriter *w, const DgwCommitted *m)
{
	dgw_frame_begin(w, DGW_MSG_COMMITTED);
	dgw_put_u64(w, m->seq);
	return dgw_frame_end(w);
}

bool
dgw_decode_committed(DgwFrame *f, DgwCommitted *m)
{
	m->seq = dgw_get_u64(f);
	return dgw_frame_complete(f);
}

bool
dgw_encode_refused(DgwFrameWriter *w, const DgwRefused *m)
{
	dgw_frame_begin(w, DGW_MSG_REFUSED);
	dgw_put_u64(w, m->seq);
	dgw_put_u16(w, m->status);
	dgw_put_slice(w, m->comment);
	return dgw_frame_end(w);
}

bool
dgw_decode_refused(DgwFrame *f, DgwRefused *m)
{
	m->seq = dgw_get_u64(f);
	m->status = dgw_get_u16(f);
	m->comment = dgw_get_slice(f);
	return dgw_frame_complete(f);
}

bool
dgw_encode_closed(DgwFrameWriter *w, const DgwClosed *m)
{
	dgw_frame_begin(w, DGW_MSG_CLOSED);
	dgw_put_u8(w, m->reason);
	dgw_put_u32(w, m->objects);
	dgw_put_u64(w, m->bytes);
	dgw_put_slice(w, m->message);
	return dgw_frame_end(w);
}

bool
dgw_decode_closed(DgwFrame *f, DgwClosed *m)
{
	m->reason = dgw_get_u8(f);
	m->objects = dgw_get_u32(f);
	m->bytes = dgw_get_u64(f);
	m->message = dgw_get_slice(f);
	return dgw_frame_complete(f);
}
