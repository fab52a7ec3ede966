/*
 * HTTP: the gateway as a whole: does it run, who calls, how full are its disks.
 */
CREATE VIEW dicomgw_api.worker WITH (security_invoker = true) AS
    SELECT t.* FROM dicomgw.status t;
CREATE VIEW dicomgw_api.listener_status WITH (security_invoker = true) AS
    SELECT t.* FROM dicomgw.listener_status t;
CREATE VIEW dicomgw_api.receiving WITH (security_invoker = true) AS
    SELECT t.* FROM dicomgw.receiving t;

-- Polled by everybody, all the time: nothing here grows with the history.
CREATE VIEW dicomgw_api.totals WITH (security_invoker = true) AS
    WITH counted AS MATERIALIZED (
        SELECT (SELECT coalesce(sum(c.objects), 0) FROM dicomgw.caller c)::bigint
               + (SELECT coalesce(sum(a.objects), 0) FROM dicomgw.open_associations() a)::bigint AS received,
               (SELECT count(*) FROM dicomgw.ingest) AS unrouted
    )
    SELECT c.received, c.unrouted, c.received - c.unrouted AS routed, j.waiting, j.sending,
           (SELECT coalesce(sum(d.sent), 0) FROM dicomgw.study_delivery d)::bigint AS sent,
           (SELECT count(*) FROM dicomgw.dead_letter) AS failed
    FROM counted c
    CROSS JOIN (SELECT count(*) FILTER (WHERE f.lease_until <= now()) AS waiting, count(*) FILTER (WHERE f.lease_until > now()) AS sending
                FROM dicomgw.forward_job f) j;
COMMENT ON VIEW dicomgw_api.totals IS 'How many objects and jobs there are in each state; those of the past are counters that were kept, of objects that are forgotten, too';
COMMENT ON COLUMN dicomgw_api.totals.received IS 'objects answered with success';

-- ---------- who calls ----------

CREATE VIEW dicomgw_api.association WITH (security_invoker = true) AS
    SELECT t.* FROM dicomgw.association t;
CREATE VIEW dicomgw_api.caller WITH (security_invoker = true) AS
    SELECT t.* FROM dicomgw.caller t;

CREATE FUNCTION dicomgw_api.abort_association(association_id bigint) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM dicomgw._refuse_get();
    RETURN dicomgw.abort_association(association_id);
END
$$;
COMMENT ON FUNCTION dicomgw_api.abort_association(bigint) IS
    'Ends an open association with A-ABORT, at once; what was acknowledged is kept. False: it is not open (any more)';

-- ---------- storage ----------

CREATE VIEW dicomgw_api.storage WITH (security_invoker = true) AS
    SELECT t.* FROM dicomgw.storage t;
CREATE VIEW dicomgw_api.storage_problem WITH (security_invoker = true) AS
    SELECT t.* FROM dicomgw.storage_problem t;
CREATE VIEW dicomgw_api.storage_check WITH (security_invoker = true) AS
    SELECT t.* FROM dicomgw.storage_check t;
CREATE VIEW dicomgw_api.storage_repair WITH (security_invoker = true) AS
    SELECT t.* FROM dicomgw.storage_repair t;
CREATE VIEW dicomgw_api.removal_log WITH (security_invoker = true) AS
    SELECT t.* FROM dicomgw.removal_log t;

CREATE FUNCTION dicomgw_api.check_storage(remove_orphans boolean DEFAULT true, also_older boolean DEFAULT false)
RETURNS SETOF dicomgw.storage_finding
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM dicomgw._refuse_get();
    RETURN QUERY SELECT f.* FROM dicomgw.check_storage(remove_orphans, also_older) f;
END
$$;
COMMENT ON FUNCTION dicomgw_api.check_storage(boolean, boolean) IS
    'Compares files and rows, in storage and mirror, and answers what does not match, when it has looked at everything. Files without row and temporary files are removed when they are old enough, unless remove_orphans is false; also_older: also those from before the installation or the last recovery, which may have been acknowledged. Rows are never dropped';

CREATE FUNCTION dicomgw_api.verify(instance_id bigint DEFAULT NULL, study_instance_uid text DEFAULT NULL)
RETURNS SETOF dicomgw.verification
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM dicomgw._refuse_get();
    IF num_nonnulls(instance_id, study_instance_uid) <> 1 THEN
        RAISE EXCEPTION 'either instance_id or study_instance_uid has to be given' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN QUERY SELECT v.* FROM dicomgw.verify(instance_id) v UNION ALL SELECT v.* FROM dicomgw.verify(study_instance_uid) v;
END
$$;
COMMENT ON FUNCTION dicomgw_api.verify(bigint, text) IS
    'Reads the file of an object, or those of a study, again, in storage and mirror, and compares size and SHA-256 with what was received; what is wrong is noted in storage_problem, and repaired if the other copy is good. ok is null if retention has removed it';

-- ---------- settings, versions ----------

-- With the owner's rights: two of ours are for superusers, and say no more than storage does.
CREATE FUNCTION dicomgw.settings(OUT name text, OUT value text, OUT default_value text, OUT unit text, OUT description text, OUT source text,
                                 OUT needs_restart boolean, OUT pending_restart boolean)
RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT s.name, s.setting, s.boot_val, s.unit, concat_ws('  ', s.short_desc, s.extra_desc), s.source, s.context = 'postmaster', s.pending_restart
    FROM pg_settings s WHERE s.name LIKE 'dicomgw.%' ORDER BY s.name;
END;
COMMENT ON FUNCTION dicomgw.settings() IS 'Our settings, as this server has them; see the view setting';

CREATE VIEW dicomgw_api.setting WITH (security_invoker = true) AS
    SELECT t.* FROM dicomgw.settings() t;
COMMENT ON VIEW dicomgw_api.setting IS 'Settings of the server (dicomgw.*); they are changed in postgresql.conf or with ALTER SYSTEM';
COMMENT ON COLUMN dicomgw_api.setting.name IS 'name of the setting';
COMMENT ON COLUMN dicomgw_api.setting.value IS 'its value';
COMMENT ON COLUMN dicomgw_api.setting.default_value IS 'what it is if nobody sets it';
COMMENT ON COLUMN dicomgw_api.setting.unit IS 'unit of both; null: none';
COMMENT ON COLUMN dicomgw_api.setting.description IS 'what it is for';
COMMENT ON COLUMN dicomgw_api.setting.source IS 'where it was set: default, configuration file, and so on';
COMMENT ON COLUMN dicomgw_api.setting.needs_restart IS 'true: a change counts when the server is restarted; else when it is reloaded';
COMMENT ON COLUMN dicomgw_api.setting.pending_restart IS 'true: it was changed, and the server has to be restarted for that';

CREATE VIEW dicomgw_api.version WITH (security_invoker = true) AS
    SELECT (SELECT e.extversion FROM pg_extension e WHERE e.extname = 'dicomgw') AS dicomgw,
           split_part(current_setting('server_version'), ' ', 1) AS postgresql,
           dicomgw._dcmtk_version() AS dcmtk;
COMMENT ON VIEW dicomgw_api.version IS 'What is running';
COMMENT ON COLUMN dicomgw_api.version.dicomgw IS 'version of the extension';
COMMENT ON COLUMN dicomgw_api.version.postgresql IS 'version of the server';
COMMENT ON COLUMN dicomgw_api.version.dcmtk IS 'version of DCMTK that it was built with';
