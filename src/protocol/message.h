/*-------------------------------------------------------------------------
 *
 * message.h
 *	  The messages between the background workers and the helper programs.
 *
 * Six kinds of channel, each a Unix stream socket with a worker ("W") at
 * one end and a helper process ("H") at the other:
 *
 *	control		receiver <-> dicomgw-scp, the listening parent
 *	association	receiver <-> one association process of dicomgw-scp; its
 *				descriptor comes beside the ASSOCIATION message
 *	sender		forwarder (or a backend that runs dicomgw.echo) <-> dicomgw-scu,
 *				or dicomgw-stow for a DICOMweb destination
 *	render		a backend that shows an object <-> dicomgw-render
 *	audit		audit worker <-> dicomgw-syslog
 *	sync		receiver <-> dicomgw-sync
 *
 * What may be said, by whom, on which channel:
 *
 *	message				channel			way		answered by
 *	HELLO				all but association	both	HELLO (H first)
 *	LOG					all				H -> W	-
 *	CONFIG				control			W -> H	LISTENER_STATE, one a listener
 *	LISTENER_STATE		control			H -> W	-
 *	STORAGE				control			W -> H	-
 *	ASSOCIATION			control			H -> W	-  (a descriptor beside it)
 *	TURNED_AWAY			control			H -> W	-
 *	ABORT				control			W -> H	CLOSED, of that association
 *	REQUESTED			association		H -> W	ADMITTED or REJECTED
 *	ADMITTED			association		W -> H	OPENED or CLOSED
 *	REJECTED			association		W -> H	CLOSED
 *	OPENED				association		H -> W	-
 *	RECEIVED			association		H -> W	COMMITTED or REFUSED
 *	COMMITTED			association		W -> H	-
 *	REFUSED				association		W -> H	-
 *	CLOSED				association		H -> W	-  (the last one)
 *	DESTINATION			sender			W -> H	-
 *	JOB					sender			W -> H	RESULT, or ASSOCIATION_FAILED for all
 *	ASSOCIATED			sender			H -> W	-
 *	RESULT				sender			H -> W	-
 *	ASSOCIATION_FAILED	sender			H -> W	-  (the last one: the sender exits)
 *	ECHO				sender			W -> H	ECHO_RESULT
 *	ECHO_RESULT			sender			H -> W	-
 *	RENDER				render			W -> H	RENDERED  (the object's descriptor beside it)
 *	RENDERED			render			H -> W	-  (a picture's descriptor beside it)
 *	AUDIT_REPOSITORY	audit			W -> H	-
 *	AUDIT_RECORD		audit			W -> H	AUDIT_DELIVERED or AUDIT_FAILED for all
 *	AUDIT_DELIVERED		audit			H -> W	-  (the last one: the program exits)
 *	AUDIT_FAILED		audit			H -> W	-  (the last one: the program exits)
 *	SYNC				sync			W -> H	SYNCED
 *	SYNCED				sync			H -> W	-
 *
 * dgw_message_permitted() is this table as code: whatever it does not permit
 * ends the conversation.  Each message has one struct, one encoder and one
 * decoder; both ends use the same, so they can't drift apart.  A decoded
 * slice points into the frame and is valid as long as the frame is.
 *
 * Strings are UTF-8 unless a field says otherwise, AE titles and UIDs without
 * their padding.  Nothing here may carry patient data but the header itself.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_MESSAGE_H
#define DGW_MESSAGE_H

#include "frame.h"

#ifdef __cplusplus
extern "C"
{
#endif

/* Raised whenever a message changes; both ends must have the same. */
#define DGW_PROTOCOL_VERSION 6

/* The descriptor on which a helper program finds its channel. */
#define DGW_CHANNEL_FD 3

#define DGW_SHA256_LEN 32

	typedef enum DgwMessageType
	{
		DGW_MSG_HELLO = 1,
		DGW_MSG_LOG,
		DGW_MSG_CONFIG,
		DGW_MSG_LISTENER_STATE,
		DGW_MSG_STORAGE,
		DGW_MSG_ASSOCIATION,
		DGW_MSG_TURNED_AWAY,
		DGW_MSG_ABORT,
		DGW_MSG_REQUESTED,
		DGW_MSG_ADMITTED,
		DGW_MSG_REJECTED,
		DGW_MSG_OPENED,
		DGW_MSG_RECEIVED,
		DGW_MSG_COMMITTED,
		DGW_MSG_REFUSED,
		DGW_MSG_CLOSED,
		DGW_MSG_DESTINATION,
		DGW_MSG_JOB,
		DGW_MSG_ASSOCIATED,
		DGW_MSG_RESULT,
		DGW_MSG_ASSOCIATION_FAILED,
		DGW_MSG_ECHO,
		DGW_MSG_ECHO_RESULT,
		DGW_MSG_RENDER,
		DGW_MSG_RENDERED,
		DGW_MSG_AUDIT_REPOSITORY,
		DGW_MSG_AUDIT_RECORD,
		DGW_MSG_AUDIT_DELIVERED,
		DGW_MSG_AUDIT_FAILED,
		DGW_MSG_SYNC,
		DGW_MSG_SYNCED
	} DgwMessageType;

	typedef enum DgwChannelKind
	{
		DGW_CHANNEL_CONTROL = 1,
		DGW_CHANNEL_ASSOCIATION = 2,
		DGW_CHANNEL_SENDER = 4,
		DGW_CHANNEL_RENDER = 8,
		DGW_CHANNEL_AUDIT = 16,
		DGW_CHANNEL_SYNC = 32
	} DgwChannelKind;

	typedef enum DgwDirection
	{
		DGW_TO_WORKER = 1,
		DGW_TO_HELPER = 2
	} DgwDirection;

	extern bool dgw_message_permitted(uint16_t type, DgwChannelKind channel, DgwDirection way,
									  size_t payload_len);
	extern const char *dgw_message_name(uint16_t type);

	/* ---------- all channels ---------- */

	typedef struct DgwHello
	{
		uint32_t protocol; /* DGW_PROTOCOL_VERSION */
		DgwSlice program;  /* "dicomgw-scp 0.1.0", for the log */
	} DgwHello;

	typedef enum DgwLogLevel
	{
		DGW_LOG_DEBUG = 1,
		DGW_LOG_INFO,
		DGW_LOG_WARNING
	} DgwLogLevel;

	typedef struct DgwLog
	{
		uint8_t level; /* DgwLogLevel */
		DgwSlice text; /* one line, no patient data */
	} DgwLog;

	/* ---------- control channel ---------- */

	/* What a listener with TLS asks of the peer's certificate. */
	typedef enum DgwClientCertificate
	{
		DGW_CLIENT_CERT_NONE = 0,
		DGW_CLIENT_CERT_OPTIONAL, /* one that is sent must be valid */
		DGW_CLIENT_CERT_REQUIRED
	} DgwClientCertificate;

	/* Where connections are accepted, and how; who is let in is the receiver's business. */
	typedef struct DgwListener
	{
		uint32_t id; /* dicomgw.listener.id */
		DgwSlice bind_address;
		uint16_t port;
		uint32_t max_pdu;			  /* bytes */
		uint32_t association_timeout; /* seconds until the A-ASSOCIATE-RQ is complete (ARTIM) */
		uint32_t idle_timeout;		  /* seconds in which a whole PDU must come */
		uint8_t tls;				  /* 1: TLS 1.2 or 1.3 after BCP 195 */
		uint8_t tls_client;			  /* DgwClientCertificate */
		DgwSlice tls_certificate;	  /* absolute paths of PEM files; empty: none */
		DgwSlice tls_key;
		DgwSlice tls_ca;
		DgwSlice tls_crl;
	} DgwListener;

#define DGW_MAX_LISTENERS 64

	/* The whole configuration of dicomgw-scp; a new one replaces the old one. */
	typedef struct DgwConfig
	{
		DgwSlice storage_path; /* absolute; exists and is writable */
		DgwSlice mirror_path;  /* absolute; empty: no mirror */
		uint8_t mirror_needed; /* 1: no object is kept without its mirror copy */
		uint64_t journal_size; /* a dataset of up to so many bytes need not be synced; 0: all are */
		uint32_t max_associations;
		uint32_t n_listeners;
		DgwListener listeners[DGW_MAX_LISTENERS];
	} DgwConfig;

	typedef struct DgwListenerState
	{
		uint32_t id;
		uint8_t listening;			  /* 1: bound and listening; 0: not, message says why */
		DgwSlice message;			  /* also while listening: what is wrong with its certificate */
		uint64_t certificate_expires; /* notAfter, seconds since 1970; 0: no TLS, or not read */
	} DgwListenerState;

	/* Said when it changes; at first objects are accepted. */
	typedef struct DgwStorage
	{
		uint8_t accepting; /* 0: new objects are answered A700H with this comment */
		DgwSlice comment;
	} DgwStorage;

	/* A connection was accepted; the association channel's descriptor is beside it. */
	typedef struct DgwAssociation
	{
		uint32_t listener_id;
		uint32_t pid; /* of the association process */
		DgwSlice peer_address;
		uint16_t peer_port;
	} DgwAssociation;

	/* Connections from an address that were closed before they had a process. */
	typedef struct DgwTurnedAway
	{
		uint32_t listener_id;
		DgwSlice peer_address;
		uint32_t connections;
		uint8_t left;	  /* 1: the peer went by itself, as health checks do */
		DgwSlice message; /* why */
	} DgwTurnedAway;

	/* End this association with A-ABORT: a person wants it. */
	typedef struct DgwAbort
	{
		uint32_t pid; /* of its ASSOCIATION message */
	} DgwAbort;

	/* ---------- association channel ---------- */

	/* A complete A-ASSOCIATE-RQ has come: may it be accepted? */
	typedef struct DgwRequested
	{
		DgwSlice calling_ae;
		DgwSlice called_ae;
		DgwSlice implementation_class_uid;
		DgwSlice implementation_version;
		uint32_t max_pdu;	   /* that the peer receives, in bytes; 0: unlimited */
		uint32_t contexts;	   /* presentation contexts proposed */
		uint8_t identity_type; /* User-Identity-Type, PS3.7 D.3.3.7; 0: no such item */
		DgwSlice username;	   /* with types 1 and 2 */
		DgwSlice tls_version;  /* "TLSv1.3"; empty: no TLS */
		DgwSlice tls_cipher;
		DgwSlice tls_subject; /* of the peer's certificate, RFC 2253; empty: it sent none */
	} DgwRequested;

#define DGW_MAX_TRANSFER_SYNTAXES 32

	/* What this caller may do here. */
	typedef struct DgwAdmitted
	{
		uint8_t may_store;
		uint8_t may_echo;
		uint8_t keep_mismatch;	  /* 1: UIDs of command and data set may differ; 0: A900H */
		uint64_t max_object_size; /* bytes of the dataset; 0: no limit */
		DgwSlice
			passcode_hash; /* Argon2id that the passcode must match; empty: none is asked for */
		uint32_t n_transfer_syntaxes; /* preferred, in this order; 0: the sender's order */
		DgwSlice transfer_syntaxes[DGW_MAX_TRANSFER_SYNTAXES];
	} DgwAdmitted;

	/* Answer with this A-ASSOCIATE-RJ (PS3.8 9.3.4). */
	typedef struct DgwRejected
	{
		uint8_t result;
		uint8_t source;
		uint8_t reason;
	} DgwRejected;

	/* The A-ASSOCIATE-AC is sent. */
	typedef struct DgwOpened
	{
		uint32_t contexts; /* presentation contexts accepted */
	} DgwOpened;

	/*
	 * An object is in place under its final name.  Its bytes and its name are on
	 * the disk; or they are not, and the receiver puts the bytes into the journal.
	 */
	typedef struct DgwReceived
	{
		uint64_t seq;  /* counts the objects of this association, from 1 */
		DgwSlice path; /* below the storage path */
		DgwSlice sop_class_uid;
		DgwSlice sop_instance_uid;
		DgwSlice transfer_syntax_uid;
		uint64_t size; /* bytes of the dataset, without the file meta group */
		uint8_t sha256[DGW_SHA256_LEN];
		DgwSlice header;	   /* DICOM JSON (PS3.18 F), valid UTF-8; empty if there is none */
		DgwSlice header_error; /* what could not be read or was left out; empty if nothing */
		uint8_t mirrored; /* 1: synced and in place at the mirror, too; 0: it has to be repaired */
		uint8_t synced;	  /* 0: it is small, and for the journal */
	} DgwReceived;

	/* The row is committed: the helper answers C-STORE-RSP 0000H. */
	typedef struct DgwCommitted
	{
		uint64_t seq;
	} DgwCommitted;

	/* No row: the helper removes the files and answers with this status, which may be 0000H. */
	typedef struct DgwRefused
	{
		uint64_t seq;
		uint16_t status;  /* DIMSE status, PS3.7 C and PS3.4 B.2.3 */
		DgwSlice comment; /* Error Comment (0000,0902), at most 64 characters */
	} DgwRefused;

	typedef enum DgwCloseReason
	{
		DGW_CLOSE_RELEASED = 1, /* A-RELEASE, as it should be */
		DGW_CLOSE_PEER_ABORTED, /* A-ABORT from the peer */
		DGW_CLOSE_PEER_GONE,	/* connection closed or reset */
		DGW_CLOSE_TIMEOUT,		/* nothing came for too long */
		DGW_CLOSE_REJECTED,		/* we sent A-ASSOCIATE-RJ */
		DGW_CLOSE_PROTOCOL,		/* not DICOM, or against its rules: we aborted */
		DGW_CLOSE_FAILURE,		/* something of ours failed: we aborted */
		DGW_CLOSE_TLS,			/* no TLS session: the message says why */
		DGW_CLOSE_TOLD			/* ABORT: a person wanted it */
	} DgwCloseReason;

	typedef struct DgwClosed
	{
		uint8_t reason;	  /* DgwCloseReason */
		uint32_t objects; /* answered with success */
		uint64_t bytes;	  /* of datasets, refused ones included */
		DgwSlice message;
	} DgwClosed;

	/* ---------- sender channel ---------- */

	/* What is asked of the certificate of a server that we connect to; names are libpq's sslmode. */
	typedef enum DgwTlsCheck
	{
		DGW_TLS_OFF = 0,
		DGW_TLS_REQUIRE,	/* encrypted; its certificate is not looked at */
		DGW_TLS_VERIFY_CA,	/* signed by a CA that we trust */
		DGW_TLS_VERIFY_FULL /* and made out to the name that we connect to (RFC 6125) */
	} DgwTlsCheck;

	/* What may be done to an object whose own transfer syntax the peer does not accept; bits. */
	typedef enum DgwConversion
	{
		DGW_CONVERT_UNCOMPRESSED = 1, /* from one uncompressed transfer syntax to another */
		DGW_CONVERT_DECOMPRESS = 2	  /* from a compressed one to an uncompressed one */
	} DgwConversion;

	/* Said once, before the first JOB or ECHO. */
	typedef struct DgwDestination
	{
		DgwSlice host; /* of a DIMSE destination: dicomgw-scu */
		uint16_t port;
		DgwSlice calling_ae;
		DgwSlice called_ae;
		uint32_t max_pdu;			  /* bytes we offer to receive */
		uint32_t connect_timeout;	  /* seconds */
		uint32_t association_timeout; /* seconds for the A-ASSOCIATE-AC */
		uint32_t response_timeout;	  /* seconds for a C-STORE-RSP, C-ECHO-RSP or HTTP response */
		uint32_t linger;			  /* milliseconds an idle association is kept open */
		DgwSlice storage_path;		  /* absolute */
		uint8_t tls;				  /* DgwTlsCheck */
		DgwSlice tls_ca; /* absolute paths of PEM files; empty CA: those the system trusts */
		DgwSlice tls_certificate;
		DgwSlice tls_key;
		DgwSlice tls_server_name; /* that its certificate must have; empty: host */
		uint8_t conversion;		  /* DgwConversion, or'ed */
		DgwSlice
			compression;   /* transfer syntax to compress into if the peer accepts it; or empty */
		DgwSlice url;	   /* of a DICOMweb destination: dicomgw-stow; "/studies" is appended */
		DgwSlice username; /* HTTP basic authentication; empty: none */
		DgwSlice password;
		DgwSlice bearer_token; /* HTTP bearer authentication; empty: none */
		DgwSlice proxy;		   /* URL of an HTTP proxy; empty: none */
		uint32_t batch;		   /* most instances in one STOW-RS request */
	} DgwDestination;

	typedef struct DgwJob
	{
		uint64_t id;
		uint64_t token; /* fencing token of the claim */
		DgwSlice path;	/* below the storage path */
		DgwSlice sop_class_uid;
		DgwSlice sop_instance_uid;
		DgwSlice transfer_syntax_uid;
		uint64_t size;
		uint8_t sha256[DGW_SHA256_LEN];
		DgwSlice edits; /* plan of its edits (src/helper/edit_plan.h); empty: none */
	} DgwJob;

	/* An association is open; jobs are being sent over it. */
	typedef struct DgwAssociated
	{
		uint32_t proposed; /* presentation contexts */
		uint32_t accepted;
		DgwSlice implementation_class_uid; /* of the peer */
		DgwSlice implementation_version;
	} DgwAssociated;

	/*
	 * How an attempt ended.  BROKEN is not said by a sender but found by the
	 * worker: of the job that was on its way when the association failed.
	 */
	typedef enum DgwOutcome
	{
		DGW_OUTCOME_RESPONSE = 1,  /* the peer answered; status says what */
		DGW_OUTCOME_NO_CONTEXT,	   /* the peer accepts no presentation context for it */
		DGW_OUTCOME_FILE_MISSING,  /* our file can't be read */
		DGW_OUTCOME_FILE_DAMAGED,  /* size or SHA-256 differ from what was received */
		DGW_OUTCOME_NO_CONVERSION, /* it can't be converted to what the peer accepts */
		DGW_OUTCOME_REFUSED,	   /* for good, without a DIMSE status (HTTP 4xx) */
		DGW_OUTCOME_DEFERRED,	   /* for now, without a DIMSE status (HTTP 429, 5xx) */
		DGW_OUTCOME_BROKEN,
		DGW_OUTCOME_NOT_EDITED /* its route's edits can't be made on it */
	} DgwOutcome;

	typedef struct DgwResult
	{
		uint64_t id;
		uint64_t token;
		uint8_t outcome;	/* DgwOutcome */
		uint16_t status;	/* with DGW_OUTCOME_RESPONSE: DIMSE status */
		DgwSlice comment;	/* the peer's Error Comment, or our own words */
		DgwSlice offending; /* Offending Element (0000,0901): "(0010,0020),(0008,0060)", or empty */
		DgwSlice sent_transfer_syntax_uid; /* if it was converted, else empty */
		uint32_t duration_us;
	} DgwResult;

	typedef enum DgwFailure
	{
		DGW_FAIL_CONNECT = 1, /* name, route, refused, timed out */
		DGW_FAIL_REJECTED,	  /* A-ASSOCIATE-RJ */
		DGW_FAIL_ABORTED,	  /* A-ABORT, or the connection broke */
		DGW_FAIL_TIMEOUT,	  /* no A-ASSOCIATE-AC or no response in time */
		DGW_FAIL_PROTOCOL	  /* the peer answered with something that it may not */
	} DgwFailure;

	/* The jobs that have no RESULT yet are to be tried again, later. */
	typedef struct DgwAssociationFailed
	{
		uint8_t failure;	   /* DgwFailure */
		uint64_t during_job;   /* the job on its way when it broke; 0: none was */
		uint8_t reject_result; /* of the A-ASSOCIATE-RJ (PS3.8 9.3.4), else 0 */
		uint8_t reject_source;
		uint8_t reject_reason;
		DgwSlice message;
	} DgwAssociationFailed;

	typedef struct DgwEchoResult
	{
		uint8_t ok;
		uint8_t
			associated;	 /* 1: an association was accepted (HTTP: the server answered), ok or not */
		uint16_t status; /* of the C-ECHO-RSP */
		uint32_t associate_us;	 /* connect and negotiation */
		uint32_t round_trip_us;	 /* C-ECHO-RQ to C-ECHO-RSP */
		uint32_t peer_max_pdu;	 /* bytes; 0: unlimited */
		DgwSlice implementation; /* class UID and version name of the peer; HTTP: Server */
		DgwSlice tls_version;	 /* "TLSv1.3"; empty: no TLS */
		DgwSlice tls_cipher;
		DgwSlice tls_subject; /* of the peer's certificate, RFC 2253 */
		DgwSlice message;	  /* if not ok: why */
	} DgwEchoResult;

	/* ---------- render channel ---------- */

	typedef enum DgwRenderWhat
	{
		DGW_RENDER_PICTURE = 1, /* a frame as PNG, and what is known of the image */
		DGW_RENDER_IMAGE,		/* what is known of the image alone */
		DGW_RENDER_HEADER		/* the header as DICOM JSON */
	} DgwRenderWhat;

	/* Said once; the object's file is beside it, open for reading. */
	typedef struct DgwRender
	{
		uint8_t what;			 /* DgwRenderWhat */
		uint64_t dataset_offset; /* in the file */
		DgwSlice transfer_syntax_uid;
		uint32_t frame;		/* from 1 */
		uint32_t width;		/* that the picture has to fit into; 0: any */
		uint32_t height;	/* likewise */
		uint8_t has_window; /* 1: the values below; 0: those of the object */
		double window_center;
		double window_width;
	} DgwRender;

	typedef enum DgwRenderOutcome
	{
		DGW_RENDER_DONE = 1,
		DGW_RENDER_NO_FRAME, /* it has fewer frames */
		DGW_RENDER_CANNOT	 /* for good; message says why */
	} DgwRenderOutcome;

	/* What is known of an image; also of one that can't be shown, as far as it was read. */
	typedef struct DgwImage
	{
		uint32_t rows;
		uint32_t columns;
		uint32_t frames;
		uint32_t samples;
		uint32_t bits_stored;
		DgwSlice photometric_interpretation;
		uint8_t has_window; /* the one that is used unless another is asked for */
		double window_center;
		double window_width;
		uint8_t has_range; /* the least and greatest value of the frame, rescaled */
		double pixel_min;
		double pixel_max;
	} DgwImage;

	typedef struct DgwRendered
	{
		uint8_t outcome;  /* DgwRenderOutcome */
		DgwSlice message; /* what is wrong, without patient data: "its image is damaged" */
		DgwImage image;
		uint64_t png_size; /* bytes in the descriptor beside it; 0: there is none */
		DgwSlice header;   /* DICOM JSON; empty unless asked for */
	} DgwRendered;

	/*
 * Encoders append one frame to the writer; decoders return false if the frame
 * is not exactly one such message.
 */
	extern bool dgw_encode_hello(DgwFrameWriter *w, const DgwHello *m);
	extern bool dgw_encode_log(DgwFrameWriter *w, const DgwLog *m);
	extern bool dgw_encode_config(DgwFrameWriter *w, const DgwConfig *m);
	extern bool dgw_encode_listener_state(DgwFrameWriter *w, const DgwListenerState *m);
	extern bool dgw_encode_storage(DgwFrameWriter *w, const DgwStorage *m);
	extern bool dgw_encode_association(DgwFrameWriter *w, const DgwAssociation *m);
	extern bool dgw_encode_turned_away(DgwFrameWriter *w, const DgwTurnedAway *m);
	extern bool dgw_encode_abort(DgwFrameWriter *w, const DgwAbort *m);
	extern bool dgw_encode_requested(DgwFrameWriter *w, const DgwRequested *m);
	extern bool dgw_encode_admitted(DgwFrameWriter *w, const DgwAdmitted *m);
	extern bool dgw_encode_rejected(DgwFrameWriter *w, const DgwRejected *m);
	extern bool dgw_encode_opened(DgwFrameWriter *w, const DgwOpened *m);
	extern bool dgw_encode_received(DgwFrameWriter *w, const DgwReceived *m);
	extern bool dgw_encode_committed(DgwFrameWriter *w, const DgwCommitted *m);
	extern bool dgw_encode_refused(DgwFrameWriter *w, const DgwRefused *m);
	extern bool dgw_encode_closed(DgwFrameWriter *w, const DgwClosed *m);
	extern bool dgw_encode_destination(DgwFrameWriter *w, const DgwDestination *m);
	extern bool dgw_encode_job(DgwFrameWriter *w, const DgwJob *m);
	extern bool dgw_encode_associated(DgwFrameWriter *w, const DgwAssociated *m);
	extern bool dgw_encode_result(DgwFrameWriter *w, const DgwResult *m);
	extern bool dgw_encode_association_failed(DgwFrameWriter *w, const DgwAssociationFailed *m);
	extern bool dgw_encode_echo(DgwFrameWriter *w);
	extern bool dgw_encode_echo_result(DgwFrameWriter *w, const DgwEchoResult *m);
	extern bool dgw_encode_render(DgwFrameWriter *w, const DgwRender *m);
	extern bool dgw_encode_rendered(DgwFrameWriter *w, const DgwRendered *m);

	extern bool dgw_decode_hello(DgwFrame *f, DgwHello *m);
	extern bool dgw_decode_log(DgwFrame *f, DgwLog *m);
	extern bool dgw_decode_config(DgwFrame *f, DgwConfig *m);
	extern bool dgw_decode_listener_state(DgwFrame *f, DgwListenerState *m);
	extern bool dgw_decode_storage(DgwFrame *f, DgwStorage *m);
	extern bool dgw_decode_association(DgwFrame *f, DgwAssociation *m);
	extern bool dgw_decode_turned_away(DgwFrame *f, DgwTurnedAway *m);
	extern bool dgw_decode_abort(DgwFrame *f, DgwAbort *m);
	extern bool dgw_decode_requested(DgwFrame *f, DgwRequested *m);
	extern bool dgw_decode_admitted(DgwFrame *f, DgwAdmitted *m);
	extern bool dgw_decode_rejected(DgwFrame *f, DgwRejected *m);
	extern bool dgw_decode_opened(DgwFrame *f, DgwOpened *m);
	extern bool dgw_decode_received(DgwFrame *f, DgwReceived *m);
	extern bool dgw_decode_committed(DgwFrame *f, DgwCommitted *m);
	extern bool dgw_decode_refused(DgwFrame *f, DgwRefused *m);
	extern bool dgw_decode_closed(DgwFrame *f, DgwClosed *m);
	extern bool dgw_decode_destination(DgwFrame *f, DgwDestination *m);
	extern bool dgw_decode_job(DgwFrame *f, DgwJob *m);
	extern bool dgw_decode_associated(DgwFrame *f, DgwAssociated *m);
	extern bool dgw_decode_result(DgwFrame *f, DgwResult *m);
	extern bool dgw_decode_association_failed(DgwFrame *f, DgwAssociationFailed *m);
	extern bool dgw_decode_echo_result(DgwFrame *f, DgwEchoResult *m);
	extern bool dgw_decode_render(DgwFrame *f, DgwRender *m);
	extern bool dgw_decode_rendered(DgwFrame *f, DgwRendered *m);

#ifdef __cplusplus
}
#endif

#include "message_audit.h"
#include "message_sync.h"

#endif /* DGW_MESSAGE_H */
