/*-------------------------------------------------------------------------
 *
 * samples.c
 *	  One sample of every message, and TAP (see samples.h).
 *
 *-------------------------------------------------------------------------
 */
#include "samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int tests_run;
static int tests_failed;

void
ok(bool passed, const char *name)
{
	tests_run++;
	if (!passed)
		tests_failed++;
	printf("%sok %d - %s\n", passed ? "" : "not ", tests_run, name);
	fflush(stdout);
}

int
done(void)
{
	printf("1..%d\n", tests_run);
	return tests_failed == 0 ? 0 : 1;
}

DgwSlice
slice(const char *text)
{
	DgwSlice s = {text, strlen(text)};

	return s;
}

#define UID_CT slice("1.2.840.10008.5.1.4.1.1.2")
#define UID_INSTANCE slice("1.2.3.4.5")
#define UID_IMPLICIT slice("1.2.840.10008.1.2")

static const uint8_t some_sha256[DGW_SHA256_LEN] = {0xde, 0xad, [31] = 0xff};

static bool
encode_config(DgwFrameWriter *w)
{
	DgwConfig *m = calloc(1, sizeof(*m));
	bool encoded;

	if (m == NULL)
		return false;
	m->storage_path = slice("/var/lib/images");
	m->mirror_path = slice("/mnt/mirror");
	m->mirror_needed = 1;
	m->journal_size = 65536;
	m->max_associations = 100;
	m->n_listeners = 2;
	for (uint32_t i = 0; i < m->n_listeners; i++)
	{
		m->listeners[i].id = i + 1;
		m->listeners[i].bind_address = slice("127.0.0.1");
		m->listeners[i].port = (uint16_t) (11112 + i);
		m->listeners[i].max_pdu = 131072;
		m->listeners[i].association_timeout = 30;
		m->listeners[i].idle_timeout = 60;
		m->listeners[i].tls = 1;
		m->listeners[i].tls_client = DGW_CLIENT_CERT_REQUIRED;
		m->listeners[i].tls_certificate = slice("/etc/dicomgw/server.pem");
		m->listeners[i].tls_key = slice("/etc/dicomgw/server.key");
		m->listeners[i].tls_ca = slice("/etc/dicomgw/ca.pem");
		m->listeners[i].tls_crl = slice("");
	}
	encoded = dgw_encode_config(w, m);
	free(m);
	return encoded;
}

static bool
encode_received(DgwFrameWriter *w)
{
	DgwReceived m = {.seq = 7,
					 .path = slice("2026/11/23/abc/0001.dcm"),
					 .sop_class_uid = UID_CT,
					 .sop_instance_uid = UID_INSTANCE,
					 .transfer_syntax_uid = UID_IMPLICIT,
					 .size = UINT64_MAX,
					 .header = slice("{\"00080060\":{\"vr\":\"CS\",\"Value\":[\"CT\"]}}"),
					 .header_error = slice(""),
					 .mirrored = 1,
					 .synced = 1};

	memcpy(m.sha256, some_sha256, sizeof(m.sha256));
	return dgw_encode_received(w, &m);
}

static bool
encode_requested(DgwFrameWriter *w)
{
	DgwRequested m = {.calling_ae = slice("CT1"),
					  .called_ae = slice("DICOMGW"),
					  .implementation_class_uid = slice("1.2.3"),
					  .implementation_version = slice("CT_1_0"),
					  .max_pdu = 16384,
					  .contexts = 3,
					  .identity_type = 2,
					  .username = slice("ct1"),
					  .tls_version = slice("TLSv1.3"),
					  .tls_cipher = slice("TLS_AES_256_GCM_SHA384"),
					  .tls_subject = slice("CN=ct1,O=Hospital")};

	return dgw_encode_requested(w, &m);
}

static bool
encode_admitted(DgwFrameWriter *w)
{
	DgwAdmitted m = {.may_store = 1,
					 .may_echo = 1,
					 .keep_mismatch = 1,
					 .max_object_size = UINT64_MAX,
					 .passcode_hash = slice("$argon2id$v=19$m=7168,t=5,p=1$c2FsdA$aGFzaA"),
					 .n_transfer_syntaxes = 2,
					 .transfer_syntaxes = {UID_IMPLICIT, slice("1.2.840.10008.1.2.4.70")}};

	return dgw_encode_admitted(w, &m);
}

static bool
encode_job(DgwFrameWriter *w)
{
	DgwJob m = {.id = 1,
				.token = 2,
				.path = slice("2026/11/23/abc/0001.dcm"),
				.sop_class_uid = UID_CT,
				.sop_instance_uid = UID_INSTANCE,
				.transfer_syntax_uid = UID_IMPLICIT,
				.size = 524288,
				.edits = slice("{\"steps\": []}")};

	memcpy(m.sha256, some_sha256, sizeof(m.sha256));
	return dgw_encode_job(w, &m);
}

static bool
encode_render(DgwFrameWriter *w)
{
	DgwRender m = {.what = DGW_RENDER_PICTURE,
				   .dataset_offset = 376,
				   .transfer_syntax_uid = UID_IMPLICIT,
				   .frame = 3,
				   .width = 256,
				   .height = 128,
				   .has_window = 1,
				   .window_center = 40.5,
				   .window_width = 400};

	return dgw_encode_render(w, &m);
}

static bool
encode_rendered(DgwFrameWriter *w)
{
	DgwRendered m = {.outcome = DGW_RENDER_DONE,
					 .message = slice(""),
					 .image = {.rows = 512,
							   .columns = 256,
							   .frames = 20,
							   .samples = 1,
							   .bits_stored = 12,
							   .photometric_interpretation = slice("MONOCHROME2"),
							   .has_window = 1,
							   .window_center = 40.5,
							   .window_width = 400,
							   .has_range = 1,
							   .pixel_min = -1024,
							   .pixel_max = 3071},
					 .png_size = UINT64_MAX,
					 .header = slice("{}")};

	return dgw_encode_rendered(w, &m);
}

static bool
encode_audit_repository(DgwFrameWriter *w)
{
	DgwAuditRepository m = {.host = slice("arr.example"),
							.port = 6514,
							.tls = DGW_TLS_VERIFY_FULL,
							.needs_close = 1,
							.connect_timeout = 10,
							.response_timeout = 30,
							.tls_ca = slice("/etc/ca.pem"),
							.tls_certificate = slice("/etc/cert.pem"),
							.tls_key = slice("/etc/key.pem"),
							.tls_server_name = slice("arr.example")};

	return dgw_encode_audit_repository(w, &m);
}

/* Appends the sample of this type. */
bool
encode_sample(DgwFrameWriter *w, uint16_t type)
{
	DgwHello hello = {DGW_PROTOCOL_VERSION, slice("dicomgw-scp 0.1.0")};
	DgwLog log = {DGW_LOG_WARNING, slice("peer closed the connection")};
	DgwListenerState state = {3, 1, slice(""), 1800000000};
	DgwStorage storage = {0, slice("storage is full")};
	DgwAssociation association = {3, 4711, slice("::1"), 40000};
	DgwTurnedAway turned_away = {3, slice("::1"), 12, 0, slice("too many connections")};
	DgwAbort abort_message = {4711};
	DgwRejected rejected = {1, 1, 7};
	DgwOpened opened = {2};
	DgwCommitted committed = {7};
	DgwRefused refused = {7, 0xA700, slice("out of space")};
	DgwClosed closed = {DGW_CLOSE_RELEASED, 12, 1 << 20, slice("")};
	DgwDestination destination = {
		.host = slice("pacs"),
		.port = 104,
		.calling_ae = slice("DICOMGW"),
		.called_ae = slice("PACS"),
		.max_pdu = 16384,
		.connect_timeout = 5,
		.association_timeout = 10,
		.response_timeout = 30,
		.linger = 500,
		.storage_path = slice("/var/lib/images"),
		.tls = DGW_TLS_VERIFY_FULL,
		.tls_ca = slice("/etc/ca.pem"),
		.tls_certificate = slice("/etc/cert.pem"),
		.tls_key = slice("/etc/key.pem"),
		.tls_server_name = slice("pacs.example"),
		.conversion = DGW_CONVERT_UNCOMPRESSED | DGW_CONVERT_DECOMPRESS,
		.compression = slice("1.2.840.10008.1.2.4.70"),
		.url = slice("https://pacs.example/dicom-web"),
		.username = slice("gateway"),
		.password = slice("secret"),
		.bearer_token = slice("token"),
		.proxy = slice("http://proxy.example:3128"),
		.batch = 20,
	};
	DgwAssociated associated = {4, 3, slice("1.2.3"), slice("PACS_1")};
	DgwResult result = {1,
						2,
						DGW_OUTCOME_RESPONSE,
						0xB000,
						slice("coerced"),
						slice("(0010,0020)"),
						slice("1.2.840.10008.1.2.1"),
						900};
	DgwAssociationFailed failed = {DGW_FAIL_REJECTED, 1, 1, 1, 7, slice("called AE title")};
	DgwEchoResult echo = {1,
						  1,
						  0,
						  700,
						  90,
						  16384,
						  slice("1.2.3 PACS_1"),
						  slice("TLSv1.3"),
						  slice("TLS_AES_256_GCM_SHA384"),
						  slice("CN=pacs"),
						  slice("")};

	DgwAuditRecord record = {7, 85, slice("2026-11-25T14:00:00Z"), slice("<AuditMessage/>")};
	DgwAuditDelivered delivered = {7};
	DgwAuditFailed audit_failed = {slice("could not connect")};
	DgwSync sync = {slice("/var/lib/images"),
					slice("2026/11/23/1200/a.dcm\n2026/11/23/1201/b.dcm\n")};
	DgwSynced synced = {slice("2026/11/23/1201/b.dcm\n"), slice("Input/output error")};

	switch ((DgwMessageType) type)
	{
		case DGW_MSG_HELLO:
			return dgw_encode_hello(w, &hello);
		case DGW_MSG_LOG:
			return dgw_encode_log(w, &log);
		case DGW_MSG_CONFIG:
			return encode_config(w);
		case DGW_MSG_LISTENER_STATE:
			return dgw_encode_listener_state(w, &state);
		case DGW_MSG_STORAGE:
			return dgw_encode_storage(w, &storage);
		case DGW_MSG_ASSOCIATION:
			return dgw_encode_association(w, &association);
		case DGW_MSG_TURNED_AWAY:
			return dgw_encode_turned_away(w, &turned_away);
		case DGW_MSG_ABORT:
			return dgw_encode_abort(w, &abort_message);
		case DGW_MSG_REQUESTED:
			return encode_requested(w);
		case DGW_MSG_ADMITTED:
			return encode_admitted(w);
		case DGW_MSG_REJECTED:
			return dgw_encode_rejected(w, &rejected);
		case DGW_MSG_OPENED:
			return dgw_encode_opened(w, &opened);
		case DGW_MSG_RECEIVED:
			return encode_received(w);
		case DGW_MSG_COMMITTED:
			return dgw_encode_committed(w, &committed);
		case DGW_MSG_REFUSED:
			return dgw_encode_refused(w, &refused);
		case DGW_MSG_CLOSED:
			return dgw_encode_closed(w, &closed);
		case DGW_MSG_DESTINATION:
			return dgw_encode_destination(w, &destination);
		case DGW_MSG_JOB:
			return encode_job(w);
		case DGW_MSG_ASSOCIATED:
			return dgw_encode_associated(w, &associated);
		case DGW_MSG_RESULT:
			return dgw_encode_result(w, &result);
		case DGW_MSG_ASSOCIATION_FAILED:
			return dgw_encode_association_failed(w, &failed);
		case DGW_MSG_ECHO:
			return dgw_encode_echo(w);
		case DGW_MSG_ECHO_RESULT:
			return dgw_encode_echo_result(w, &echo);
		case DGW_MSG_RENDER:
			return encode_render(w);
		case DGW_MSG_RENDERED:
			return encode_rendered(w);
		case DGW_MSG_AUDIT_REPOSITORY:
			return encode_audit_repository(w);
		case DGW_MSG_AUDIT_RECORD:
			return dgw_encode_audit_record(w, &record);
		case DGW_MSG_AUDIT_DELIVERED:
			return dgw_encode_audit_delivered(w, &delivered);
		case DGW_MSG_AUDIT_FAILED:
			return dgw_encode_audit_failed(w, &audit_failed);
		case DGW_MSG_SYNC:
			return dgw_encode_sync(w, &sync);
		case DGW_MSG_SYNCED:
			return dgw_encode_synced(w, &synced);
	}
	return false;
}

/*
 * Decode a frame of this type and, if asked to, encode it anew: what goes in
 * must come out.  The struct is on the heap for ASan to see overruns.
 */
#define DECODE(type_name, verb)                                                                    \
	do                                                                                             \
	{                                                                                              \
		type_name *m = calloc(1, sizeof(*m));                                                      \
		bool decoded = m != NULL && dgw_decode_##verb(f, m);                                       \
		if (decoded && again != NULL)                                                              \
			decoded = dgw_encode_##verb(again, m);                                                 \
		free(m);                                                                                   \
		return decoded;                                                                            \
	} while (0)

bool
decode_sample(DgwFrame *f, DgwFrameWriter *again)
{
	switch ((DgwMessageType) f->type)
	{
		case DGW_MSG_HELLO:
			DECODE(DgwHello, hello);
		case DGW_MSG_LOG:
			DECODE(DgwLog, log);
		case DGW_MSG_CONFIG:
			DECODE(DgwConfig, config);
		case DGW_MSG_LISTENER_STATE:
			DECODE(DgwListenerState, listener_state);
		case DGW_MSG_STORAGE:
			DECODE(DgwStorage, storage);
		case DGW_MSG_ASSOCIATION:
			DECODE(DgwAssociation, association);
		case DGW_MSG_TURNED_AWAY:
			DECODE(DgwTurnedAway, turned_away);
		case DGW_MSG_ABORT:
			DECODE(DgwAbort, abort);
		case DGW_MSG_REQUESTED:
			DECODE(DgwRequested, requested);
		case DGW_MSG_ADMITTED:
			DECODE(DgwAdmitted, admitted);
		case DGW_MSG_REJECTED:
			DECODE(DgwRejected, rejected);
		case DGW_MSG_OPENED:
			DECODE(DgwOpened, opened);
		case DGW_MSG_RECEIVED:
			DECODE(DgwReceived, received);
		case DGW_MSG_COMMITTED:
			DECODE(DgwCommitted, committed);
		case DGW_MSG_REFUSED:
			DECODE(DgwRefused, refused);
		case DGW_MSG_CLOSED:
			DECODE(DgwClosed, closed);
		case DGW_MSG_DESTINATION:
			DECODE(DgwDestination, destination);
		case DGW_MSG_JOB:
			DECODE(DgwJob, job);
		case DGW_MSG_ASSOCIATED:
			DECODE(DgwAssociated, associated);
		case DGW_MSG_RESULT:
			DECODE(DgwResult, result);
		case DGW_MSG_ASSOCIATION_FAILED:
			DECODE(DgwAssociationFailed, association_failed);
		case DGW_MSG_ECHO_RESULT:
			DECODE(DgwEchoResult, echo_result);
		case DGW_MSG_RENDER:
			DECODE(DgwRender, render);
		case DGW_MSG_RENDERED:
			DECODE(DgwRendered, rendered);
		case DGW_MSG_AUDIT_REPOSITORY:
			DECODE(DgwAuditRepository, audit_repository);
		case DGW_MSG_AUDIT_RECORD:
			DECODE(DgwAuditRecord, audit_record);
		case DGW_MSG_AUDIT_DELIVERED:
			DECODE(DgwAuditDelivered, audit_delivered);
		case DGW_MSG_AUDIT_FAILED:
			DECODE(DgwAuditFailed, audit_failed);
		case DGW_MSG_SYNC:
			DECODE(DgwSync, sync);
		case DGW_MSG_SYNCED:
			DECODE(DgwSynced, synced);
		case DGW_MSG_ECHO:
			if (again != NULL && !dgw_encode_echo(again))
				return false;
			return dgw_frame_complete(f);
	}
	return false;
}
