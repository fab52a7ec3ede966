/*-------------------------------------------------------------------------
 *
 * message_audit.h
 *	  What is said on the audit channel, between the audit worker and
 *	  dicomgw-syslog.
 *
 * A part of message.h, which includes it and has the rules.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_MESSAGE_AUDIT_H
#define DGW_MESSAGE_AUDIT_H

#include "message.h"

#ifdef __cplusplus
extern "C"
{
#endif

	/* Said once, before the first AUDIT_RECORD: a syslog receiver (RFC 5425), and who we are there. */
	typedef struct DgwAuditRepository
	{
		DgwSlice host;
		uint16_t port;
		uint8_t tls;			   /* DgwTlsCheck; off: octet counting over TCP (RFC 6587 3.4.1) */
		uint8_t needs_close;	   /* 1: only a close_notify of its own confirms what it was sent */
		uint32_t connect_timeout;  /* seconds */
		uint32_t response_timeout; /* seconds for TLS, for taking more, and for its end */
		DgwSlice tls_ca; /* absolute paths of PEM files; empty CA: those the system trusts */
		DgwSlice tls_certificate;
		DgwSlice tls_key;
		DgwSlice tls_server_name; /* that its certificate must have; empty: host */
	} DgwAuditRepository;

	/* One audit message; when all are said, the worker closes its side of the channel. */
	typedef struct DgwAuditRecord
	{
		uint64_t position; /* of its link in audit_chain */
		uint8_t priority;  /* PRI, RFC 5424 6.2.1 */
		DgwSlice at;	   /* TIMESTAMP, RFC 5424 6.2.3 */
		DgwSlice xml;	   /* PS3.15 A.5.1, in UTF-8 */
	} DgwAuditRecord;

	/* The repository has read all of them to the end. */
	typedef struct DgwAuditDelivered
	{
		uint64_t position; /* of the last one */
	} DgwAuditDelivered;

	/* Nobody knows what it has of them. */
	typedef struct DgwAuditFailed
	{
		DgwSlice message;
	} DgwAuditFailed;

	extern bool dgw_encode_audit_repository(DgwFrameWriter *w, const DgwAuditRepository *m);
	extern bool dgw_encode_audit_record(DgwFrameWriter *w, const DgwAuditRecord *m);
	extern bool dgw_encode_audit_delivered(DgwFrameWriter *w, const DgwAuditDelivered *m);
	extern bool dgw_encode_audit_failed(DgwFrameWriter *w, const DgwAuditFailed *m);
	extern bool dgw_decode_audit_repository(DgwFrame *f, DgwAuditRepository *m);
	extern bool dgw_decode_audit_record(DgwFrame *f, DgwAuditRecord *m);
	extern bool dgw_decode_audit_delivered(DgwFrame *f, DgwAuditDelivered *m);
	extern bool dgw_decode_audit_failed(DgwFrame *f, DgwAuditFailed *m);

#ifdef __cplusplus
}
#endif

#endif /* DGW_MESSAGE_AUDIT_H */
