/*-------------------------------------------------------------------------
 *
 * message_sending.c
 *	  Encoders and decoders of the sender channel (message.h): dicomgw-scu or
 *	  dicomgw-stow, and the forwarder.
 *
 *-------------------------------------------------------------------------
 */
#include "message.h"

bool
dgw_encode_destination(DgwFrameWriter *w, const DgwDestination *m)
{
	dgw_frame_begin(w, DGW_MSG_DESTINATION);
	dgw_put_slice(w, m->host);
	dgw_put_u16(w, m->port);
	dgw_put_slice(w, m->calling_ae);
	dgw_put_slice(w, m->called_ae);
	dgw_put_u32(w, m->max_pdu);
	dgw_put_u32(w, m->connect_timeout);
	dgw_put_u32(w, m->association_timeout);
	dgw_put_u32(w, m->response_timeout);
	dgw_put_u32(w, m->linger);
	dgw_put_slice(w, m->storage_path);
	dgw_put_u8(w, m->tls);
	dgw_put_slice(w, m->tls_ca);
	dgw_put_slice(w, m->tls_certificate);
	dgw_put_slice(w, m->tls_key);
	dgw_put_slice(w, m->tls_server_name);
	dgw_put_u8(w, m->conversion);
	dgw_put_slice(w, m->compression);
	dgw_put_slice(w, m->url);
	dgw_put_slice(w, m->username);
	dgw_put_slice(w, m->password);
	dgw_put_slice(w, m->bearer_token);
	dgw_put_slice(w, m->proxy);
	dgw_put_u32(w, m->batch);
	return dgw_frame_end(w);
}

bool
dgw_decode_destination(DgwFrame *f, DgwDestination *m)
{
	m->host = dgw_get_slice(f);
	m->port = dgw_get_u16(f);
	m->calling_ae = dgw_get_slice(f);
	m->called_ae = dgw_get_slice(f);
	m->max_pdu = dgw_get_u32(f);
	m->connect_timeout = dgw_get_u32(f);
	m->association_timeout = dgw_get_u32(f);
	m->response_timeout = dgw_get_u32(f);
	m->linger = dgw_get_u32(f);
	m->storage_path = dgw_get_slice(f);
	m->tls = dgw_get_u8(f);
	m->tls_ca = dgw_get_slice(f);
	m->tls_certificate = dgw_get_slice(f);
	m->tls_key = dgw_get_slice(f);
	m->tls_server_name = dgw_get_slice(f);
	m->conversion = dgw_get_u8(f);
	m->compression = dgw_get_slice(f);
	m->url = dgw_get_slice(f);
	m->username = dgw_get_slice(f);
	m->password = dgw_get_slice(f);
	m->bearer_token = dgw_get_slice(f);
	m->proxy = dgw_get_slice(f);
	m->batch = dgw_get_u32(f);
	return dgw_frame_complete(f);
}

bool
dgw_encode_job(DgwFrameWriter *w, const DgwJob *m)
{
	dgw_frame_begin(w, DGW_MSG_JOB);
	dgw_put_u64(w, m->id);
	dgw_put_u64(w, m->token);
	dgw_put_slice(w, m->path);
	dgw_put_slice(w, m->sop_class_uid);
	dgw_put_slice(w, m->sop_instance_uid);
	dgw_put_slice(w, m->transfer_syntax_uid);
	dgw_put_u64(w, m->size);
	dgw_put_bytes(w, m->sha256, sizeof(m->sha256));
	dgw_put_slice(w, m->edits);
	return dgw_frame_end(w);
}

bool
dgw_decode_job(DgwFrame *f, DgwJob *m)
{
	m->id = dgw_get_u64(f);
	m->token = dgw_get_u64(f);
	m->path = dgw_get_slice(f);
	m->sop_class_uid = dgw_get_slice(f);
	m->sop_instance_uid = dgw_get_slice(f);
	m->transfer_syntax_uid = dgw_get_slice(f);
	m->size = dgw_get_u64(f);
	dgw_get_bytes(f, m->sha256, sizeof(m->sha256));
	m->edits = dgw_get_slice(f);
	return dgw_frame_complete(f);
}

bool
dgw_encode_associated(DgwFrameWriter *w, const DgwAssociated *m)
{
	dgw_frame_begin(w, DGW_MSG_ASSOCIATED);
	dgw_put_u32(w, m->proposed);
	dgw_put_u32(w, m->accepted);
	dgw_put_slice(w, m->implementation_class_uid);
	dgw_put_slice(w, m->implementation_version);
	return dgw_frame_end(w);
}

bool
dgw_decode_associated(DgwFrame *f, DgwAssociated *m)
{
	m->proposed = dgw_get_u32(f);
	m->accepted = dgw_get_u32(f);
	m->implementation_class_uid = dgw_get_slice(f);
	m->implementation_version = dgw_get_slice(f);
	return dgw_frame_complete(f);
}

bool
dgw_encode_result(DgwFrameWriter *w, const DgwResult *m)
{
	dgw_frame_begin(w, DGW_MSG_RESULT);
	dgw_put_u64(w, m->id);
	dgw_put_u64(w, m->token);
	dgw_put_u8(w, m->outcome);
	dgw_put_u16(w, m->status);
	dgw_put_slice(w, m->comment);
	dgw_put_slice(w, m->offending);
	dgw_put_slice(w, m->sent_transfer_syntax_uid);
	dgw_put_u32(w, m->duration_us);
	return dgw_frame_end(w);
}

bool
dgw_decode_result(DgwFrame *f, DgwResult *m)
{
	m->id = dgw_get_u64(f);
	m->token = dgw_get_u64(f);
	m->outcome = dgw_get_u8(f);
	m->status = dgw_get_u16(f);
	m->comment = dgw_get_slice(f);
	m->offending = dgw_get_slice(f);
	m->sent_transfer_syntax_uid = dgw_get_slice(f);
	m->duration_us = dgw_get_u32(f);
	return dgw_frame_complete(f);
}

bool
dgw_encode_association_failed(DgwFrameWriter *w, const DgwAssociationFailed *m)
{
	dgw_frame_begin(w, DGW_MSG_ASSOCIATION_FAILED);
	dgw_put_u8(w, m->failure);
	dgw_put_u64(w, m->during_job);
	dgw_put_u8(w, m->reject_result);
	dgw_put_u8(w, m->reject_source);
	dgw_put_u8(w, m->reject_reason);
	dgw_put_slice(w, m->message);
	return dgw_frame_end(w);
}

bool
dgw_decode_association_failed(DgwFrame *f, DgwAssociationFailed *m)
{
	m->failure = dgw_get_u8(f);
	m->during_job = dgw_get_u64(f);
	m->reject_result = dgw_get_u8(f);
	m->reject_source = dgw_get_u8(f);
	m->reject_reason = dgw_get_u8(f);
	m->message = dgw_get_slice(f);
	return dgw_frame_complete(f);
}

bool
dgw_encode_echo(DgwFrameWriter *w)
{
	dgw_frame_begin(w, DGW_MSG_ECHO);
	return dgw_frame_end(w);
}

bool
dgw_encode_echo_result(DgwFrameWriter *w, const DgwEchoResult *m)
{
	dgw_frame_begin(w, DGW_MSG_ECHO_RESULT);
	dgw_put_u8(w, m->ok);
	dgw_put_u8(w, m->associated);
	dgw_put_u16(w, m->status);
	dgw_put_u32(w, m->associate_us);
	dgw_put_u32(w, m->round_trip_us);
	dgw_put_u32(w, m->peer_max_pdu);
	dgw_put_slice(w, m->implementation);
	dgw_put_slice(w, m->tls_version);
	dgw_put_slice(w, m->tls_cipher);
	dgw_put_slice(w, m->tls_subject);
	dgw_put_slice(w, m->message);
	return dgw_frame_end(w);
}

bool
dgw_decode_echo_result(DgwFrame *f, DgwEchoResult *m)
{
	m->ok = dgw_get_u8(f);
	m->associated = dgw_get_u8(f);
	m->status = dgw_get_u16(f);
	m->associate_us = dgw_get_u32(f);
	m->round_trip_us = dgw_get_u32(f);
	m->peer_max_pdu = dgw_get_u32(f);
	m->implementation = dgw_get_slice(f);
	m->tls_version = dgw_get_slice(f);
	m->tls_cipher = dgw_get_slice(f);
	m->tls_subject = dgw_get_slice(f);
	m->message = dgw_get_slice(f);
	return dgw_frame_complete(f);
}
