/*-------------------------------------------------------------------------
 *
 * message.c
 *	  Encoders and decoders of the messages in message.h, and the table of
 *	  what may be said where.
 *
 *-------------------------------------------------------------------------
 */
#include "message.h"

#include <string.h>

/* Longest payload of a message that carries no header: names, UIDs, a line of text. */
#define SMALL (64 * 1024)

static const struct
{
	const char *name;
	unsigned channels; /* DgwChannelKind, or'ed */
	unsigned ways;	   /* DgwDirection, or'ed */
	size_t max_payload;
} messages[] = {
	[DGW_MSG_HELLO] = {"HELLO", DGW_CHANNEL_CONTROL | DGW_CHANNEL_SENDER,
					   DGW_TO_WORKER | DGW_TO_HELPER, SMALL},
	[DGW_MSG_LOG] = {"LOG", DGW_CHANNEL_CONTROL | DGW_CHANNEL_ASSOCIATION | DGW_CHANNEL_SENDER,
					 DGW_TO_WORKER, SMALL},
	[DGW_MSG_CONFIG] = {"CONFIG", DGW_CHANNEL_CONTROL, DGW_TO_HELPER, SMALL},
	[DGW_MSG_LISTENER_STATE] = {"LISTENER_STATE", DGW_CHANNEL_CONTROL, DGW_TO_WORKER, SMALL},
	[DGW_MSG_ASSOCIATION] = {"ASSOCIATION", DGW_CHANNEL_CONTROL, DGW_TO_WORKER, SMALL},
	[DGW_MSG_OPENED] = {"OPENED", DGW_CHANNEL_ASSOCIATION, DGW_TO_WORKER, SMALL},
	[DGW_MSG_RECEIVED] = {"RECEIVED", DGW_CHANNEL_ASSOCIATION, DGW_TO_WORKER,
						  DGW_FRAME_MAX_PAYLOAD},
	[DGW_MSG_COMMITTED] = {"COMMITTED", DGW_CHANNEL_ASSOCIATION, DGW_TO_HELPER, SMALL},
	[DGW_MSG_REFUSED] = {"REFUSED", DGW_CHANNEL_ASSOCIATION, DGW_TO_HELPER, SMALL},
	[DGW_MSG_CLOSED] = {"CLOSED", DGW_CHANNEL_ASSOCIATION, DGW_TO_WORKER, SMALL},
	[DGW_MSG_DESTINATION] = {"DESTINATION", DGW_CHANNEL_SENDER, DGW_TO_HELPER, SMALL},
	[DGW_MSG_JOB] = {"JOB", DGW_CHANNEL_SENDER, DGW_TO_HELPER, SMALL},
	[DGW_MSG_ASSOCIATED] = {"ASSOCIATED", DGW_CHANNEL_SENDER, DGW_TO_WORKER, SMALL},
	[DGW_MSG_RESULT] = {"RESULT", DGW_CHANNEL_SENDER, DGW_TO_WORKER, SMALL},
	[DGW_MSG_ASSOCIATION_FAILED] = {"ASSOCIATION_FAILED", DGW_CHANNEL_SENDER, DGW_TO_WORKER, SMALL},
	[DGW_MSG_ECHO] = {"ECHO", DGW_CHANNEL_SENDER, DGW_TO_HELPER, 0},
	[DGW_MSG_ECHO_RESULT] = {"ECHO_RESULT", DGW_CHANNEL_SENDER, DGW_TO_WORKER, SMALL},
};

#define N_MESSAGES (sizeof(messages) / sizeof(messages[0]))

bool
dgw_message_permitted(uint16_t type, DgwChannelKind channel, DgwDirection way, size_t payload_len)
{
	return type < N_MESSAGES && (messages[type].channels & channel) != 0 &&
		   (messages[type].ways & way) != 0 && payload_len <= messages[type].max_payload;
}

const char *
dgw_message_name(uint16_t type)
{
	if (type >= N_MESSAGES || messages[type].name == NULL)
		return "unknown";
	return messages[type].name;
}

bool
dgw_encode_hello(DgwFrameWriter *w, const DgwHello *m)
{
	dgw_frame_begin(w, DGW_MSG_HELLO);
	dgw_put_u32(w, m->protocol);
	dgw_put_slice(w, m->program);
	return dgw_frame_end(w);
}

bool
dgw_decode_hello(DgwFrame *f, DgwHello *m)
{
	m->protocol = dgw_get_u32(f);
	m->program = dgw_get_slice(f);
	return dgw_frame_complete(f);
}

bool
dgw_encode_log(DgwFrameWriter *w, const DgwLog *m)
{
	dgw_frame_begin(w, DGW_MSG_LOG);
	dgw_put_u8(w, m->level);
	dgw_put_slice(w, m->text);
	return dgw_frame_end(w);
}

bool
dgw_decode_log(DgwFrame *f, DgwLog *m)
{
	m->level = dgw_get_u8(f);
	m->text = dgw_get_slice(f);
	return dgw_frame_complete(f);
}

static void
put_listener(DgwFrameWriter *w, const DgwListener *l)
{
	dgw_put_u32(w, l->id);
	dgw_put_slice(w, l->bind_address);
	dgw_put_u16(w, l->port);
	dgw_put_slice(w, l->ae_title);
	dgw_put_u32(w, l->max_pdu);
	dgw_put_u32(w, l->association_timeout);
	dgw_put_u32(w, l->idle_timeout);
}

static void
get_listener(DgwFrame *f, DgwListener *l)
{
	l->id = dgw_get_u32(f);
	l->bind_address = dgw_get_slice(f);
	l->port = dgw_get_u16(f);
	l->ae_title = dgw_get_slice(f);
	l->max_pdu = dgw_get_u32(f);
	l->association_timeout = dgw_get_u32(f);
	l->idle_timeout = dgw_get_u32(f);
}

bool
dgw_encode_config(DgwFrameWriter *w, const DgwConfig *m)
{
	dgw_frame_begin(w, DGW_MSG_CONFIG);
	dgw_put_slice(w, m->storage_path);
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
	return dgw_frame_end(w);
}

bool
dgw_decode_listener_state(DgwFrame *f, DgwListenerState *m)
{
	m->id = dgw_get_u32(f);
	m->listening = dgw_get_u8(f);
	m->message = dgw_get_slice(f);
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
dgw_encode_opened(DgwFrameWriter *w, const DgwOpened *m)
{
	dgw_frame_begin(w, DGW_MSG_OPENED);
	dgw_put_slice(w, m->calling_ae);
	dgw_put_slice(w, m->called_ae);
	dgw_put_slice(w, m->implementation_class_uid);
	dgw_put_slice(w, m->implementation_version);
	return dgw_frame_end(w);
}

bool
dgw_decode_opened(DgwFrame *f, DgwOpened *m)
{
	m->calling_ae = dgw_get_slice(f);
	m->called_ae = dgw_get_slice(f);
	m->implementation_class_uid = dgw_get_slice(f);
	m->implementation_version = dgw_get_slice(f);
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
	dgw_put_slice(w, m->message);
	return dgw_frame_end(w);
}

bool
dgw_decode_closed(DgwFrame *f, DgwClosed *m)
{
	m->reason = dgw_get_u8(f);
	m->objects = dgw_get_u32(f);
	m->message = dgw_get_slice(f);
	return dgw_frame_complete(f);
}

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
	dgw_put_u16(w, m->status);
	dgw_put_u32(w, m->associate_us);
	dgw_put_u32(w, m->round_trip_us);
	dgw_put_u32(w, m->peer_max_pdu);
	dgw_put_slice(w, m->implementation);
	dgw_put_slice(w, m->message);
	return dgw_frame_end(w);
}

bool
dgw_decode_echo_result(DgwFrame *f, DgwEchoResult *m)
{
	m->ok = dgw_get_u8(f);
	m->status = dgw_get_u16(f);
	m->associate_us = dgw_get_u32(f);
	m->round_trip_us = dgw_get_u32(f);
	m->peer_max_pdu = dgw_get_u32(f);
	m->implementation = dgw_get_slice(f);
	m->message = dgw_get_slice(f);
	return dgw_frame_complete(f);
}
