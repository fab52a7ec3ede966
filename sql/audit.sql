/*
 * Who did what: every verb of a person, every change of the configuration,
 * every sign-in and every look at a patient's data writes here, and nobody can
 * write over it.
 *
 * audit_chain makes that evident: each link is a SHA-256 over the link before
 * and an entry.  Whoever owns the database can still make all links anew;
 * the newest one, kept elsewhere, shows that, too.
 */
CREATE TABLE dicomgw.audit_log (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor       text NOT NULL DEFAULT dicomgw.actor(),
    session_id  uuid DEFAULT dicomgw._session_id(),
    address     inet DEFAULT dicomgw.client_address(),
    application text DEFAULT coalesce(dicomgw._request_header('user-agent'), nullif(current_setting('application_name'), '')),
    action      text NOT NULL,
    target      text,
    details     jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_log_at_idx ON dicomgw.audit_log (at);
CREATE INDEX audit_log_view_idx ON dicomgw.audit_log (actor, target, at) WHERE action IN ('view', 'export');
COMMENT ON TABLE dicomgw.audit_log IS 'What people did and looked at; it can be added to, and nothing else. dicomgw.verify_audit() checks it';
COMMENT ON COLUMN dicomgw.audit_log.id IS 'number of the entry';
COMMENT ON COLUMN dicomgw.audit_log.at IS 'when';
COMMENT ON COLUMN dicomgw.audit_log.actor IS 'who: the user that has signed in, or the database role that has logged in';
COMMENT ON COLUMN dicomgw.audit_log.session_id IS 'in which session of the HTTP interface; NULL: in none';
COMMENT ON COLUMN dicomgw.audit_log.address IS 'from where; NULL: a local socket';
COMMENT ON COLUMN dicomgw.audit_log.application IS 'with which program, as it calls itself';
COMMENT ON COLUMN dicomgw.audit_log.action IS
    'what: a verb (retry, cancel, pause, ...); insert, update, delete of configuration; login, failed login, logout, change_password, ...; view, export; start';
COMMENT ON COLUMN dicomgw.audit_log.target IS 'to what: a destination, a study, a job, a row of the configuration, a user';
COMMENT ON COLUMN dicomgw.audit_log.details IS 'with which arguments, and how many it concerned; no patient data, no secrets';

CREATE TABLE dicomgw.audit_chain (
    position bigint PRIMARY KEY,
    entry    bigint NOT NULL UNIQUE REFERENCES dicomgw.audit_log,
    hash     bytea NOT NULL
);
COMMENT ON TABLE dicomgw.audit_chain IS 'Hashes over the audit log, in the order of commit: each over the one before and an entry';
COMMENT ON COLUMN dicomgw.audit_chain.position IS 'number of the link, from 1 without gaps';
COMMENT ON COLUMN dicomgw.audit_chain.entry IS 'the entry of audit_log';
COMMENT ON COLUMN dicomgw.audit_chain.hash IS 'SHA-256 over the hash before, the position and the entry''s columns';

CREATE FUNCTION dicomgw._protect_audit_log() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'the audit log can be added to, and nothing else' USING ERRCODE = 'insufficient_privilege';
END
$$;
COMMENT ON FUNCTION dicomgw._protect_audit_log() IS 'Trigger of audit_log and audit_chain: nothing is changed or removed, by the owner neither';
CREATE TRIGGER protect BEFORE UPDATE OR DELETE OR TRUNCATE ON dicomgw.audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION dicomgw._protect_audit_log();
ALTER TABLE dicomgw.audit_log ENABLE ALWAYS TRIGGER protect;
CREATE TRIGGER protect BEFORE UPDATE OR DELETE OR TRUNCATE ON dicomgw.audit_chain
    FOR EACH STATEMENT EXECUTE FUNCTION dicomgw._protect_audit_log();
ALTER TABLE dicomgw.audit_chain ENABLE ALWAYS TRIGGER protect;

-- Numbers and dates in a form that no setting of a session changes.
CREATE FUNCTION dicomgw._audit_hash(p_before bytea, p_position bigint, p_entry dicomgw.audit_log) RETURNS bytea
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN sha256(coalesce(p_before, '') || convert_to(jsonb_build_array(
        p_position, p_entry.id, extract(epoch FROM p_entry.at), p_entry.actor, p_entry.session_id, p_entry.address::text,
        p_entry.application, p_entry.action, p_entry.target, p_entry.details)::text, 'UTF8'));
END
$$;
COMMENT ON FUNCTION dicomgw._audit_hash(bytea, bigint, dicomgw.audit_log) IS 'Called for each link of audit_chain: its hash';

-- With the owner's rights: whoever acts may not write here himself.
CREATE FUNCTION dicomgw._chain_audit() RETURNS trigger
LANGUAGE c SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'dgw_chain_audit';
COMMENT ON FUNCTION dicomgw._chain_audit() IS 'Trigger of audit_log, at COMMIT: adds the link of an entry to audit_chain';
CREATE CONSTRAINT TRIGGER chain AFTER INSERT ON dicomgw.audit_log
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION dicomgw._chain_audit();

CREATE FUNCTION dicomgw._audit(p_action text, p_target text, p_details jsonb, p_actor text DEFAULT NULL) RETURNS void
LANGUAGE c
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'dgw_audit';
COMMENT ON FUNCTION dicomgw._audit(text, text, jsonb, text) IS
    'Verbs: writes an entry of the audit log, in a read-only transaction, too; without an actor it is who acts now';

-- With the owner's rights: it writes what the reader may not write himself.  A page that is looked at
-- every two seconds is one look.
CREATE FUNCTION dicomgw.note_view(target text, action text DEFAULT 'view') RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_actor   CONSTANT text := dicomgw.actor();
    v_session CONSTANT uuid := dicomgw._session_id();
BEGIN
    IF action NOT IN ('view', 'export') THEN
        RAISE EXCEPTION 'an action that is noted is view or export' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF length(target) > 300 THEN
        RAISE EXCEPTION 'what is looked at has a name of more than 300 characters' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF NOT EXISTS (SELECT FROM dicomgw.audit_log a
                   WHERE a.actor = v_actor AND a.action IN ('view', 'export') AND a.action = note_view.action AND a.at > now() - interval '10 minutes'
                     AND a.target = note_view.target AND a.session_id IS NOT DISTINCT FROM v_session) THEN
        PERFORM dicomgw._audit(action, target, '{}');
    END IF;
    RETURN true;
END
$$;
COMMENT ON FUNCTION dicomgw.note_view(text, text) IS
    'Notes in the audit log that somebody looks at a patient''s data (or takes it away: export), at most once in ten minutes for the same thing; always true, so that a view can have it in its WHERE. The target names a study or an object by its UID, nothing else of the patient';

CREATE FUNCTION dicomgw.verify_audit(OUT entries bigint, OUT first_broken bigint, OUT problem text, OUT head text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    SELECT count(*) INTO entries FROM dicomgw.audit_log;
    SELECT c.position || ':' || encode(c.hash, 'hex') INTO head FROM dicomgw.audit_chain c ORDER BY c.position DESC LIMIT 1;

    SELECT b.entry, b.problem INTO first_broken, problem
    FROM (SELECT l.position, l.entry,
                 CASE WHEN l.position <> l.expected THEN 'links before it are missing'
                      WHEN e.id IS NULL THEN 'the entry is missing'
                      WHEN l.hash <> dicomgw._audit_hash(l.before, l.position, e) THEN 'the entry, or a link before it, was changed' END AS problem
          FROM (SELECT c.position, c.entry, c.hash, row_number() OVER w AS expected, lag(c.hash) OVER w AS before
                FROM dicomgw.audit_chain c WINDOW w AS (ORDER BY c.position)) l
          LEFT JOIN dicomgw.audit_log e ON e.id = l.entry
          UNION ALL
          SELECT NULL, e.id, 'the entry has no link: it was not written by this extension'
          FROM dicomgw.audit_log e
          WHERE NOT EXISTS (SELECT FROM dicomgw.audit_chain c WHERE c.entry = e.id)
            AND e.xmin IS DISTINCT FROM pg_current_xact_id_if_assigned()::xid) b -- ours get theirs at COMMIT
    WHERE b.problem IS NOT NULL
    ORDER BY b.position, b.entry LIMIT 1;
END
$$;
COMMENT ON FUNCTION dicomgw.verify_audit() IS
    'Goes through the audit log and its chain of hashes: number of entries, the first one that was tampered with (NULL: none) and how, and the newest link, to be kept elsewhere and compared later';
