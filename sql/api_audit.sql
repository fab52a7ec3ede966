/*
 * HTTP: where the audit log is sent to, for admins.
 */
CREATE VIEW dicomgw_api.audit_repository WITH (security_invoker = true) AS
    SELECT t.id, t.name, t.enabled, t.host, t.port, t.tls, t.tls_ca, t.tls_certificate, t.tls_key, t.tls_server_name, t.needs_close_notify, t.connect_timeout, t.response_timeout, t.source, t.enterprise_site, t.patient_data
    FROM dicomgw.audit_repository t;
COMMENT ON VIEW dicomgw_api.audit_repository IS 'Syslog receivers that get each entry of the audit log as a DICOM audit message';
COMMENT ON COLUMN dicomgw_api.audit_repository.id IS 'number of the repository';
COMMENT ON COLUMN dicomgw_api.audit_repository.name IS 'what people call it';
COMMENT ON COLUMN dicomgw_api.audit_repository.enabled IS 'false: nothing is sent; what is not sent waits';
COMMENT ON COLUMN dicomgw_api.audit_repository.host IS 'host name, IPv4 or IPv6 address';
COMMENT ON COLUMN dicomgw_api.audit_repository.port IS 'TCP port';
COMMENT ON COLUMN dicomgw_api.audit_repository.tls IS 'TLS 1.2 or 1.3 after BCP 195: verify-full (a CA that we trust has signed its certificate, for the name that we connect to), verify-ca, require (the certificate is not looked at); off: for tests, plain TCP with the same framing (RFC 6587)';
COMMENT ON COLUMN dicomgw_api.audit_repository.tls_ca IS 'PEM file of the CA certificates that we trust there; null: those that the system trusts';
COMMENT ON COLUMN dicomgw_api.audit_repository.tls_certificate IS 'PEM file of our own certificate and its chain (IHE ITI-19 wants one); null: we show none';
COMMENT ON COLUMN dicomgw_api.audit_repository.tls_key IS 'PEM file of its private key, without a passphrase';
COMMENT ON COLUMN dicomgw_api.audit_repository.tls_server_name IS 'name that the server''s certificate must have (verify-full), and that is sent as SNI; null: host';
COMMENT ON COLUMN dicomgw_api.audit_repository.needs_close_notify IS 'true: a batch counts as delivered only if the receiver ends the connection with a close_notify of its own, as RFC 5425 says it must; false: an end in order by TCP will do (for rsyslog with GnuTLS); without TLS it means nothing';
COMMENT ON COLUMN dicomgw_api.audit_repository.connect_timeout IS 'time for name resolution and the TCP connection';
COMMENT ON COLUMN dicomgw_api.audit_repository.response_timeout IS 'time for the TLS handshake, for taking more, and for the end of the connection';
COMMENT ON COLUMN dicomgw_api.audit_repository.source IS 'AuditSourceID: what we call ourselves there';
COMMENT ON COLUMN dicomgw_api.audit_repository.enterprise_site IS 'AuditEnterpriseSiteID; null: none';
COMMENT ON COLUMN dicomgw_api.audit_repository.patient_data IS 'true: messages about a study name its patient (ID and name), as DICOM wants it; the audit log itself has UIDs only';

CREATE VIEW dicomgw_api.audit_export_status WITH (security_invoker = true) AS
    SELECT t.repository, t.enabled, t.connected, t.since, t.last_id, t.last_sent_at, t.waiting, t.oldest_waiting_since, t.failures, t.next_attempt_at, t.last_error, t.last_error_at
    FROM dicomgw.audit_export_status t;
COMMENT ON VIEW dicomgw_api.audit_export_status IS 'One row an audit repository: does it get the audit log, and what is it still to get';
COMMENT ON COLUMN dicomgw_api.audit_export_status.repository IS 'name of the repository';
COMMENT ON COLUMN dicomgw_api.audit_export_status.enabled IS 'false: nothing is sent';
COMMENT ON COLUMN dicomgw_api.audit_export_status.connected IS 'true: the last connection ended as it should; false: it failed, or there was none yet';
COMMENT ON COLUMN dicomgw_api.audit_export_status.since IS 'since when that is so; null: nothing was tried yet';
COMMENT ON COLUMN dicomgw_api.audit_export_status.last_id IS 'entry of audit_log that was sent last';
COMMENT ON COLUMN dicomgw_api.audit_export_status.last_sent_at IS 'when';
COMMENT ON COLUMN dicomgw_api.audit_export_status.waiting IS 'entries that it has not, as far as we know';
COMMENT ON COLUMN dicomgw_api.audit_export_status.oldest_waiting_since IS 'when the first of them was written';
COMMENT ON COLUMN dicomgw_api.audit_export_status.failures IS 'failed attempts since the last success';
COMMENT ON COLUMN dicomgw_api.audit_export_status.next_attempt_at IS 'not tried before; null: as soon as there is something to send';
COMMENT ON COLUMN dicomgw_api.audit_export_status.last_error IS 'why the last failed attempt failed';
COMMENT ON COLUMN dicomgw_api.audit_export_status.last_error_at IS 'when';
