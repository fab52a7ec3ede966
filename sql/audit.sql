/*
 * Who did what: every verb of a person writes here, nobody can write over it.
 */
CREATE TABLE dicomgw.audit_log (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor       text NOT NULL DEFAULT session_user,
    address     inet DEFAULT inet_client_addr(),
    application text DEFAULT nullif(current_setting('application_name'), ''),
    action      text NOT NULL,
    target      text,
    details     jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_log_at_idx ON dicomgw.audit_log (at);
COMMENT ON TABLE dicomgw.audit_log IS 'What people did to the queue and to destinations; it can be added to, and nothing else';
COMMENT ON COLUMN dicomgw.audit_log.id IS 'number of the entry';
COMMENT ON COLUMN dicomgw.audit_log.at IS 'when';
COMMENT ON COLUMN dicomgw.audit_log.actor IS 'who: the role that logged in';
COMMENT ON COLUMN dicomgw.audit_log.address IS 'from where; NULL: a local socket';
COMMENT ON COLUMN dicomgw.audit_log.application IS 'with which program, as it calls itself';
COMMENT ON COLUMN dicomgw.audit_log.action IS 'what: retry, cancel, set_priority, move, replay, pause, resume, delete_destination, set_credentials';
COMMENT ON COLUMN dicomgw.audit_log.target IS 'to what: a destination, a study, a job';
COMMENT ON COLUMN dicomgw.audit_log.details IS 'with which arguments, and how many it concerned; no patient data';

CREATE FUNCTION dicomgw._protect_audit_log() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'the audit log can be added to, and nothing else' USING ERRCODE = 'insufficient_privilege';
END
$$;
COMMENT ON FUNCTION dicomgw._protect_audit_log() IS 'Trigger of audit_log: no entry is changed or removed, by its owner neither';
CREATE TRIGGER protect BEFORE UPDATE OR DELETE OR TRUNCATE ON dicomgw.audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION dicomgw._protect_audit_log();
ALTER TABLE dicomgw.audit_log ENABLE ALWAYS TRIGGER protect;

CREATE FUNCTION dicomgw._audit(p_action text, p_target text, p_details jsonb) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    INSERT INTO dicomgw.audit_log (action, target, details) VALUES (p_action, p_target, coalesce(jsonb_strip_nulls(p_details), '{}'));
END;
COMMENT ON FUNCTION dicomgw._audit(text, text, jsonb) IS 'Verbs: writes an entry of the audit log';
