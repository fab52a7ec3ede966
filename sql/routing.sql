/*
 * What the receiver and the router do, one set-based statement a step.  The
 * names with an underscore are the workers' own.
 */
CREATE FUNCTION dicomgw._ingest(
    p_listener_id integer[], p_calling_ae text[], p_called_ae text[], p_peer_address inet[],
    p_sop_class_uid text[], p_sop_instance_uid text[], p_transfer_syntax_uid text[],
    p_file_path text[], p_size bigint[], p_sha256 bytea[], p_header text[], p_header_error text[],
    p_to_mirror boolean[] DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    WITH received AS MATERIALIZED (
        SELECT nextval('dicomgw.instance_id_seq') AS id, r.*
        FROM unnest(p_listener_id, p_calling_ae, p_called_ae, p_peer_address,
                    p_sop_class_uid, p_sop_instance_uid, p_transfer_syntax_uid,
                    p_file_path, p_size, p_sha256, p_header, p_header_error, p_to_mirror)
            AS r(listener_id, calling_ae, called_ae, peer_address,
                 sop_class_uid, sop_instance_uid, transfer_syntax_uid,
                 file_path, size, sha256, header, header_error, to_mirror)
    ), header AS (
        INSERT INTO dicomgw.instance_header (instance_id, received_at, header)
        SELECT id, now(), header::jsonb FROM received WHERE header IS NOT NULL
    ), repair AS (
        INSERT INTO dicomgw.storage_repair (instance_id, file_path, size, sha256)
        SELECT id, file_path, size, sha256 FROM received WHERE to_mirror
    )
    INSERT INTO dicomgw.ingest (id, received_at, listener_id, calling_ae, called_ae, peer_address,
                                sop_class_uid, sop_instance_uid, transfer_syntax_uid,
                                file_path, size, sha256, header_error)
    SELECT id, now(), listener_id, calling_ae, called_ae, peer_address,
           sop_class_uid, sop_instance_uid, transfer_syntax_uid,
           file_path, size, sha256, header_error
    FROM received;
END
$$;
COMMENT ON FUNCTION dicomgw._ingest(integer[], text[], text[], inet[], text[], text[], text[], text[], bigint[], bytea[], text[], text[], boolean[]) IS
    'Receiver: records a batch of received objects; an error if any of the headers is no jsonb';

-- Never a scan of a whole table, whatever the statistics of a queue that was empty a minute ago may say.
CREATE FUNCTION dicomgw._kept_versions(p_sop_instance_uid text[], p_transfer_syntax_uid text[], p_sha256 bytea[])
RETURNS TABLE (ordinal bigint, file_path text, size bigint)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
BEGIN
    RETURN QUERY
    SELECT a.ordinal, k.file_path, k.size
    FROM unnest(p_sop_instance_uid, p_transfer_syntax_uid, p_sha256)
         WITH ORDINALITY AS a(sop_instance_uid, transfer_syntax_uid, sha256, ordinal)
    CROSS JOIN LATERAL (
        SELECT i.file_path, i.size FROM dicomgw.ingest i
        WHERE i.sop_instance_uid = a.sop_instance_uid
          AND (a.sha256 IS NULL OR (i.sha256 = a.sha256 AND i.transfer_syntax_uid = a.transfer_syntax_uid))
        UNION ALL
        SELECT i.file_path, i.size FROM dicomgw.instance i
        WHERE i.sop_instance_uid = a.sop_instance_uid AND i.removed_at IS NULL
          AND (a.sha256 IS NULL OR (i.sha256 = a.sha256 AND i.transfer_syntax_uid = a.transfer_syntax_uid))
        LIMIT 10
    ) k;
END
$$;
COMMENT ON FUNCTION dicomgw._kept_versions(text[], text[], bytea[]) IS
    'Receiver: files of the objects that are kept under these SOP Instance UIDs, at most 10 each; without a digest of any bytes, else of those';

CREATE FUNCTION dicomgw._claim_ingest(p_limit integer) RETURNS bigint[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN ARRAY(SELECT i.id FROM dicomgw.ingest i
                 WHERE i.route_after <= now()
                 ORDER BY i.id LIMIT p_limit
                 FOR UPDATE SKIP LOCKED);
END
$$;
COMMENT ON FUNCTION dicomgw._claim_ingest(integer) IS 'Router: locks the oldest objects that are to be routed; returns their numbers';

-- The joins are by key over few rows, whatever the statistics of a young partition may say.
CREATE FUNCTION dicomgw._file_instances(p_ids bigint[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
BEGIN
    WITH batch AS MATERIALIZED (
        SELECT i.id, i.received_at, i.listener_id, i.calling_ae, i.called_ae, i.peer_address,
               i.sop_class_uid, i.sop_instance_uid, i.transfer_syntax_uid,
               i.file_path, i.size, i.sha256, i.header_error, a.*
        FROM dicomgw.ingest i
        LEFT JOIN dicomgw.instance_header h ON h.instance_id = i.id AND h.received_at = i.received_at
        CROSS JOIN LATERAL dicomgw.header_attributes(h.header) a
        WHERE i.id = ANY (p_ids)
    ), filed_study AS (
        INSERT INTO dicomgw.study AS s
            (study_instance_uid, patient_id, patient_name, study_date, study_description, accession_number,
             instances, size, first_received_at, last_received_at)
        SELECT study_instance_uid,
               (array_agg(patient_id ORDER BY id))[1], (array_agg(patient_name ORDER BY id))[1],
               (array_agg(study_date ORDER BY id))[1], (array_agg(study_description ORDER BY id))[1],
               (array_agg(accession_number ORDER BY id))[1],
               count(*), sum(size), min(received_at), max(received_at)
        FROM batch WHERE study_instance_uid IS NOT NULL
        GROUP BY study_instance_uid ORDER BY study_instance_uid
        ON CONFLICT (study_instance_uid) DO UPDATE
            SET instances = s.instances + excluded.instances,
                size = s.size + excluded.size,
                last_received_at = greatest(s.last_received_at, excluded.last_received_at)
        RETURNING s.id, s.study_instance_uid
    ), filed_series AS (
        -- Objects that name a study but no series are a series, too: they are found, and replayed, with their study.
        INSERT INTO dicomgw.series AS s
            (study_id, series_instance_uid, modality, series_number, series_description, instances)
        SELECT f.id, coalesce(b.series_instance_uid, ''),
               (array_agg(b.modality ORDER BY b.id))[1], (array_agg(b.series_number ORDER BY b.id))[1],
               (array_agg(b.series_description ORDER BY b.id))[1], count(*)
        FROM batch b JOIN filed_study f USING (study_instance_uid)
        GROUP BY 1, 2 ORDER BY 1, 2
        ON CONFLICT (study_id, series_instance_uid) DO UPDATE
            SET instances = s.instances + excluded.instances
        RETURNING s.id, s.study_id, s.series_instance_uid
    ), scope AS (
        INSERT INTO dicomgw.series_scope (study_id, series_id, calling_ae, institution_name)
        SELECT DISTINCT s.study_id, s.id, b.calling_ae, coalesce(b.institution_name, '')
        FROM batch b
        JOIN filed_study f USING (study_instance_uid)
        JOIN filed_series s ON s.study_id = f.id AND s.series_instance_uid = coalesce(b.series_instance_uid, '')
        ON CONFLICT DO NOTHING
    )
    INSERT INTO dicomgw.instance
        (id, series_id, received_at, listener_id, calling_ae, called_ae, peer_address,
         sop_class_uid, sop_instance_uid, transfer_syntax_uid, file_path, size, sha256, header_error, institution_name)
    SELECT b.id, s.id, b.received_at, b.listener_id, b.calling_ae, b.called_ae, b.peer_address,
           b.sop_class_uid, b.sop_instance_uid, b.transfer_syntax_uid, b.file_path, b.size, b.sha256, b.header_error,
           b.institution_name
    FROM batch b
    LEFT JOIN filed_study f USING (study_instance_uid)
    LEFT JOIN filed_series s ON s.study_id = f.id AND s.series_instance_uid = coalesce(b.series_instance_uid, '');

    DELETE FROM dicomgw.ingest WHERE id = ANY (p_ids);
END
$$;
COMMENT ON FUNCTION dicomgw._file_instances(bigint[]) IS
    'Router: moves objects from ingest to study, series and instance';

CREATE FUNCTION dicomgw._enqueue(
    p_ids bigint[], p_match_instance bigint[], p_match_route integer[],
    p_error_instance bigint[], p_error_route text[], p_error_message text[])
RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_empty text;
    v_jobs  integer;
BEGIN
    SELECT r.destination_group INTO v_empty FROM dicomgw.route r
    WHERE r.id = ANY (p_match_route) AND r.destination IS NULL
      AND NOT EXISTS (SELECT FROM dicomgw.destination_group_member m WHERE m.destination_group = r.destination_group)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'destination group "%" has no members', v_empty USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;

    -- Two routes to one destination make one job, of the higher priority.  A group's member is chosen once a study.
    WITH match AS MATERIALIZED (
        SELECT m.instance_id, r.id AS route_id, r.priority, d.id AS destination_id, g.id AS group_id, s.study_id
        FROM unnest(p_match_instance, p_match_route) AS m(instance_id, route_id)
        JOIN dicomgw.route r ON r.id = m.route_id
        LEFT JOIN dicomgw.destination d ON d.name = r.destination
        LEFT JOIN dicomgw.destination_group g ON g.name = r.destination_group
        LEFT JOIN dicomgw.instance i ON g.id IS NOT NULL AND i.id = m.instance_id
        LEFT JOIN dicomgw.series s ON s.id = i.series_id
    ), member AS MATERIALIZED (
        SELECT u.group_id, u.study_id, u.key, dicomgw._group_member(u.group_id, u.study_id, u.key) AS destination_id
        FROM (SELECT DISTINCT m.group_id, m.study_id, coalesce(m.study_id, m.instance_id) AS key
              FROM match m WHERE m.group_id IS NOT NULL) u
    )
    INSERT INTO dicomgw.forward_job (instance_id, destination_id, route_id, group_id, priority)
    SELECT DISTINCT ON (t.instance_id, t.destination_id) t.instance_id, t.destination_id, t.route_id, t.group_id, t.priority
    FROM (SELECT m.instance_id, coalesce(m.destination_id, b.destination_id) AS destination_id, m.route_id, m.group_id, m.priority
          FROM match m
          LEFT JOIN member b ON b.group_id = m.group_id AND b.study_id IS NOT DISTINCT FROM m.study_id
                            AND b.key = coalesce(m.study_id, m.instance_id)) t
    ORDER BY t.instance_id, t.destination_id, t.priority DESC, t.route_id;
    GET DIAGNOSTICS v_jobs = ROW_COUNT;

    INSERT INTO dicomgw.routing_decision (instance_id, matched, errors)
    SELECT i.id, coalesce(m.routes, '{}'), e.errors
    FROM unnest(p_ids) AS i(id)
    LEFT JOIN (SELECT instance_id, array_agg(route_id ORDER BY route_id) AS routes
               FROM unnest(p_match_instance, p_match_route) AS u(instance_id, route_id)
               GROUP BY instance_id) m ON m.instance_id = i.id
    LEFT JOIN (SELECT instance_id, jsonb_object_agg(route, message) AS errors
               FROM unnest(p_error_instance, p_error_route, p_error_message) AS u(instance_id, route, message)
               GROUP BY instance_id) e ON e.instance_id = i.id;
    RETURN v_jobs;
END
$$;
COMMENT ON FUNCTION dicomgw._enqueue(bigint[], bigint[], integer[], bigint[], text[], text[]) IS
    'Router: makes the jobs of a batch and records what was decided for each object; returns how many jobs';

CREATE FUNCTION dicomgw._defer_ingest(p_id bigint, p_error text) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    UPDATE dicomgw.ingest
    SET route_attempts = route_attempts + 1,
        route_after = now() + dicomgw.retry_delay('10 seconds', 2, '10 minutes', route_attempts + 1),
        route_error = p_error
    WHERE id = p_id;
END;
COMMENT ON FUNCTION dicomgw._defer_ingest(bigint, text) IS
    'Router: sets an object aside that could not be routed, to be tried again later';
