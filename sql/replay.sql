/*
 * Sending again what was received, whatever was sent before.
 */
CREATE FUNCTION dicomgw.replay(instance_ids bigint[], destination text, priority integer DEFAULT 5, OUT jobs bigint, OUT skipped bigint)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_destination integer := dicomgw._destination_id(destination);
BEGIN
    -- The lock keeps retention away from them until their jobs can be seen; what it is removing just now is
    -- waited for, and left out.
    WITH kept AS MATERIALIZED (
        SELECT i.id FROM dicomgw.instance i
        WHERE i.id = ANY (instance_ids) AND i.removed_at IS NULL
        ORDER BY i.id
        FOR KEY SHARE OF i
    )
    INSERT INTO dicomgw.forward_job (instance_id, destination_id, priority)
    SELECT k.id, v_destination, replay.priority FROM kept k ORDER BY k.id;
    GET DIAGNOSTICS jobs = ROW_COUNT;
    skipped := (SELECT count(DISTINCT u.id) FROM unnest(instance_ids) AS u(id)) - jobs;
    IF skipped > 0 THEN
        RAISE NOTICE '% of % objects were skipped: retention has removed their files, or they are not routed yet, or there are none of these numbers',
            skipped, skipped + jobs;
    END IF;
    PERFORM dicomgw._audit('replay', format('destination %s', destination),
                           jsonb_build_object('jobs', jobs, 'skipped', skipped, 'priority', priority));
    PERFORM dicomgw.notify_work();
END
$$;
COMMENT ON FUNCTION dicomgw.replay(bigint[], text, integer) IS
    'Sends these objects to a destination, whatever was sent before: any query''s result, e.g. (SELECT array_agg(instance_id) FROM dicomgw.route_row WHERE …). Skipped are those whose file retention has removed';

CREATE FUNCTION dicomgw.replay_study(study_instance_uid text, destination text, priority integer DEFAULT 5, OUT jobs bigint, OUT skipped bigint)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_study bigint := dicomgw._study_id(study_instance_uid);
BEGIN
    SELECT r.jobs, r.skipped INTO jobs, skipped
    FROM dicomgw.replay(ARRAY(SELECT i.id FROM dicomgw.series s JOIN dicomgw.instance i ON i.series_id = s.id
                              WHERE s.study_id = v_study), destination, priority) r;
END
$$;
COMMENT ON FUNCTION dicomgw.replay_study(text, text, integer) IS
    'Sends every object received of a study to a destination, whatever was sent before; returns how many jobs that makes. Objects whose file retention has removed are skipped, with a notice';
