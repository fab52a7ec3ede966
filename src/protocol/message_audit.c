/*-------------------------------------------------------------------------
 *
 * message_audit.c
 *	  Encoders and decoders of the audit channel (message.h): dicomgw-syslog
 *	  and the audit worker.
 *
 *-------------------------------------------------------------------------
 */
#include "message.h"

bool
dgw_encode_audit_repository(DgwFrameWriter *w, const DgwAuditRepository *m)
{
	dgw_frame_begin(w, DGW_MSG_AUDIT_REPOSITORY);
	dgw_put_slice(w, m->host);
	dgw_put_u16(w, m->port);
	dgw_put_u8(w, m->tls);
	dgw_put_u8(w, m->needs_close);
	dgw_put_u32(w, m->connect_timeout);
	dgw_put_u32(w, m->response_timeout);
	dgw_put_slice(w, m->tls_ca);
	dgw_put_slice(w, m->tls_certificate);
	dgw_put_slice(w, m->tls_key);
	dgw_put_slice(w, m->tls_server_name);
	return dgw_frame_end(w);
}

bool
dgw_decode_audit_repository(DgwFrame *f, DgwAuditRepository *m)
{
	m->host = dgw_get_slice(f);
	m->port = dgw_get_u16(f);
	m->tls = dgw_get_u8(f);
	m->needs_close = dgw_get_u8(f);
	m->connect_timeout = dgw_get_u32(f);
	m->response_timeout = dgw_get_u32(f);
	m->tls_ca = dgw_get_slice(f);
	m->tls_certificate = dgw_get_slice(f);
	m->tls_key = dgw_get_slice(f);
	m->tls_server_name = dgw_get_slice(f);
	return dgw_frame_complete(f);
}

bool
dgw_encode_audit_record(DgwFrameWriter *w, const DgwAuditRecord *m)
{
	dgw_frame_begin(w, DGW_MSG_AUDIT_RECORD);
	dgw_put_u64(w, m->position);
	dgw_put_u8(w, m->priority);
	dgw_put_slice(w, m->at);
	dgw_put_slice(w, m->xml);
	return dgw_frame_end(w);
}

bool
dgw_decode_audit_record(DgwFrame *f, DgwAuditRecord *m)
{
	m->position = dgw_get_u64(f);
	m->priority = dgw_get_u8(f);
	m->at = dgw_get_slice(f);
	m->xml = dgw_get_slice(f);
	return dgw_frame_complete(f);
}

bool
dgw_encode_audit_delivered(DgwFrameWriter *w, const DgwAuditDelivered *m)
{
	dgw_frame_begin(w, DGW_MSG_AUDIT_DELIVERED);
	dgw_put_u64(w, m->position);
	return dgw_frame_end(w);
}

bool
dgw_decode_audit_delivered(DgwFrame *f, DgwAuditDelivered *m)
{
	m->position = dgw_get_u64(f);
	return dgw_frame_complete(f);
}

bool
dgw_encode_audit_failed(DgwFrameWriter *w, const DgwAuditFailed *m)
{
	dgw_frame_begin(w, DGW_MSG_AUDIT_FAILED);
	dgw_put_slice(w, m->message);
	return dgw_frame_end(w);
}

bool
dgw_decode_audit_failed(DgwFrame *f, DgwAuditFailed *m)
{
	m->message = dgw_get_slice(f);
	return dgw_frame_complete(f);
}
