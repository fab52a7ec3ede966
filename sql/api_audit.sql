/*
 * HTTP: where the audit log is sent to, for admins.
 */
CREATE VIEW dicomgw_api.audit_repository WITH (security_invoker = true) AS
    SELECT t.* FROM dicomgw.audit_repository t;
COMMENT ON VIEW dicomgw_api.audit_repository IS 'Syslog receivers that get each entry of the audit log as a DICOM audit message';

CREATE VIEW dicomgw_api.audit_export_status WITH (security_invoker = true) AS
    SELECT t.* FROM dicomgw.audit_export_status t;
