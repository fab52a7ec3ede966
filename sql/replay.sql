/*
 * Sending again what was received, whatever was sent before.
 */
CREATE FUNCTION dicomgw._edits_of_route(p_route text) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_route   integer;
    v_version bigint;
BEGIN
    IF p_route IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT r.id INTO v_route FROM dicomgw.route r WHERE r.name = p_route;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'route "%" does not exist', p_route
            USING ERRCODE = 'undefined_object', HINT = 'SELECT name FROM dicomgw.route lists them.';
    END IF;
    v_version := dicomgw._edit_version(v_route);
    -- Who asks for edits does not want to send what was received.
    IF v_version IS NULL THEN
        RAISE EXCEPTION 'route "%" has no edits', p_route USING ERRCODE = 'PT409';
    END IF;
    RETURN v_version;
END
$$;
COMMENT ON FUNCTION dicomgw._edits_of_route(text) IS 'Verbs: the version of the edits of the route of this name; NULL: no route is named; an error if it has none';

CREATE FUNCTION dicomgw.replay(instance_ids bigint[], destination text, priority integer DEFAULT 5,
    edits_of_route text DEFAULT NULL, OUT jobs bigint, OUT skipped bigint)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_destination integer := dicomgw._destination_id(destination);
    v_version     bigint := dicomgw._edits_of_route(edits_of_route);
BEGIN
    -- The lock keeps retention away from them until their jobs can be seen; what it is removing just now is
    -- waited for, and left out.
    WITH kept AS MATERIALIZED (
        SELECT i.id FROM dicomgw.instance i
        WHERE i.id = ANY (instance_ids) AND i.removed_at IS NULL
        ORDER BY i.id
        FOR KEY SHARE OF i
    )
    INSERT INTO dicomgw.forward_job (instance_id, destination_id, priority, edit_version)
    SELECT k.id, v_destination, replay.priority, v_version FROM kept k ORDER BY k.id;
    GET DIAGNOSTICS jobs = ROW_COUNT;
    skipped := (SELECT count(DISTINCT u.id) FROM unnest(instance_ids) AS u(id)) - jobs;
    IF skipped > 0 THEN
        RAISE NOTICE '% of % objects were skipped: retention has removed their files, or they are not routed yet, or there are none of these numbers',
            skipped, skipped + jobs;
    END IF;
    PERFORM dicomgw._audit('replay', format('destination %s', destination),
                           jsonb_strip_nulls(jsonb_build_object('jobs', jobs, 'skipped', skipped, 'priority', priority,
                                                                'edits_of_route', edits_of_route)));
    PERFORM dicomgw.notify_work();
END
$$;
COMMENT ON FUNCTION dicomgw.replay(bigint[], text, integer, text) IS
    'Sends these objects to a destination, whatever was sent before: any query''s result, e.g. (SELECT array_agg(instance_id) FROM dicomgw.route_row WHERE …). Skipped are those whose file retention has removed. As they were received, unless edits_of_route names a route whose edits are made';

CREATE FUNCTION dicomgw.replay_study(study_instance_uid text, destination text, priority integer DEFAULT 5,
    edits_of_route text DEFAULT NULL, OUT jobs bigint, OUT skipped bigint)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_study bigint := dicomgw._study_id(study_instance_uid);
BEGIN
    SELECT r.jobs, r.skipped INTO jobs, skipped
    FROM dicomgw.replay(ARRAY(SELECT i.id FROM dicomgw.series s JOIN dicomgw.instance i ON i.series_id = s.id
                              WHERE s.study_id = v_study), destination, priority, edits_of_route) r;
END
$$;
COMMENT ON FUNCTION dicomgw.replay_study(text, text, integer, text) IS
    'Sends every object received of a study to a destination, whatever was sent before; returns how many jobs that makes. Objects whose file retention has removed are skipped, with a notice. As they were received, unless edits_of_route names a route whose edits are made';
