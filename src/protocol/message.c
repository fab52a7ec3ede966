/*-------------------------------------------------------------------------
 *
 * message.c
 *	  The table of what may be said where (message.h), and the messages that
 *	  all channels have.
 *
 *-------------------------------------------------------------------------
 */
#include "message.h"

/* Longest payload of a message that carries no header: names, UIDs, a line of text. */
#define SMALL (64 * 1024)

static const struct
{
	const char *name;
	unsigned channels; /* DgwChannelKind, or'ed */
	unsigned ways;	   /* DgwDirection, or'ed */
	size_t max_payload;
} messages[] = {
	[DGW_MSG_HELLO] = {"HELLO",
					   DGW_CHANNEL_CONTROL | DGW_CHANNEL_SENDER | DGW_CHANNEL_RENDER |
						   DGW_CHANNEL_AUDIT | DGW_CHANNEL_SYNC,
					   DGW_TO_WORKER | DGW_TO_HELPER, SMALL},
	[DGW_MSG_LOG] = {"LOG",
					 DGW_CHANNEL_CONTROL | DGW_CHANNEL_ASSOCIATION | DGW_CHANNEL_SENDER |
						 DGW_CHANNEL_RENDER | DGW_CHANNEL_AUDIT | DGW_CHANNEL_SYNC,
					 DGW_TO_WORKER, SMALL},
	[DGW_MSG_CONFIG] = {"CONFIG", DGW_CHANNEL_CONTROL, DGW_TO_HELPER, DGW_FRAME_MAX_PAYLOAD},
	[DGW_MSG_LISTENER_STATE] = {"LISTENER_STATE", DGW_CHANNEL_CONTROL, DGW_TO_WORKER, SMALL},
	[DGW_MSG_STORAGE] = {"STORAGE", DGW_CHANNEL_CONTROL, DGW_TO_HELPER, SMALL},
	[DGW_MSG_ASSOCIATION] = {"ASSOCIATION", DGW_CHANNEL_CONTROL, DGW_TO_WORKER, SMALL},
	[DGW_MSG_TURNED_AWAY] = {"TURNED_AWAY", DGW_CHANNEL_CONTROL, DGW_TO_WORKER, SMALL},
	[DGW_MSG_ABORT] = {"ABORT", DGW_CHANNEL_CONTROL, DGW_TO_HELPER, SMALL},
	[DGW_MSG_REQUESTED] = {"REQUESTED", DGW_CHANNEL_ASSOCIATION, DGW_TO_WORKER, SMALL},
	[DGW_MSG_ADMITTED] = {"ADMITTED", DGW_CHANNEL_ASSOCIATION, DGW_TO_HELPER, SMALL},
	[DGW_MSG_REJECTED] = {"REJECTED", DGW_CHANNEL_ASSOCIATION, DGW_TO_HELPER, SMALL},
	[DGW_MSG_OPENED] = {"OPENED", DGW_CHANNEL_ASSOCIATION, DGW_TO_WORKER, SMALL},
	[DGW_MSG_RECEIVED] = {"RECEIVED", DGW_CHANNEL_ASSOCIATION, DGW_TO_WORKER,
						  DGW_FRAME_MAX_PAYLOAD},
	[DGW_MSG_COMMITTED] = {"COMMITTED", DGW_CHANNEL_ASSOCIATION, DGW_TO_HELPER, SMALL},
	[DGW_MSG_REFUSED] = {"REFUSED", DGW_CHANNEL_ASSOCIATION, DGW_TO_HELPER, SMALL},
	[DGW_MSG_CLOSED] = {"CLOSED", DGW_CHANNEL_ASSOCIATION, DGW_TO_WORKER, SMALL},
	[DGW_MSG_DESTINATION] = {"DESTINATION", DGW_CHANNEL_SENDER, DGW_TO_HELPER, SMALL},
	[DGW_MSG_JOB] = {"JOB", DGW_CHANNEL_SENDER, DGW_TO_HELPER, DGW_FRAME_MAX_PAYLOAD},
	[DGW_MSG_ASSOCIATED] = {"ASSOCIATED", DGW_CHANNEL_SENDER, DGW_TO_WORKER, SMALL},
	[DGW_MSG_RESULT] = {"RESULT", DGW_CHANNEL_SENDER, DGW_TO_WORKER, SMALL},
	[DGW_MSG_ASSOCIATION_FAILED] = {"ASSOCIATION_FAILED", DGW_CHANNEL_SENDER, DGW_TO_WORKER, SMALL},
	[DGW_MSG_ECHO] = {"ECHO", DGW_CHANNEL_SENDER, DGW_TO_HELPER, 0},
	[DGW_MSG_ECHO_RESULT] = {"ECHO_RESULT", DGW_CHANNEL_SENDER, DGW_TO_WORKER, SMALL},
	[DGW_MSG_RENDER] = {"RENDER", DGW_CHANNEL_RENDER, DGW_TO_HELPER, SMALL},
	[DGW_MSG_RENDERED] = {"RENDERED", DGW_CHANNEL_RENDER, DGW_TO_WORKER, DGW_FRAME_MAX_PAYLOAD},
	[DGW_MSG_AUDIT_REPOSITORY] = {"AUDIT_REPOSITORY", DGW_CHANNEL_AUDIT, DGW_TO_HELPER, SMALL},
	[DGW_MSG_AUDIT_RECORD] = {"AUDIT_RECORD", DGW_CHANNEL_AUDIT, DGW_TO_HELPER,
							  DGW_FRAME_MAX_PAYLOAD},
	[DGW_MSG_AUDIT_DELIVERED] = {"AUDIT_DELIVERED", DGW_CHANNEL_AUDIT, DGW_TO_WORKER, SMALL},
	[DGW_MSG_AUDIT_FAILED] = {"AUDIT_FAILED", DGW_CHANNEL_AUDIT, DGW_TO_WORKER, SMALL},
	[DGW_MSG_SYNC] = {"SYNC", DGW_CHANNEL_SYNC, DGW_TO_HELPER, DGW_FRAME_MAX_PAYLOAD},
	[DGW_MSG_SYNCED] = {"SYNCED", DGW_CHANNEL_SYNC, DGW_TO_WORKER, DGW_FRAME_MAX_PAYLOAD},
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
