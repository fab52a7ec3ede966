/*
 * What the receiver and the router do, one set-based statement a step.  The
 * names with an underscore are the workers' own.
 *
 * The plans are always the same, but a batch of one object looks cheaper than
 * the average, so the server would plan anew for each: that took longer than all
 * the rest, hence plan_cache_mode.
 */
CREATE FUNCTION dicomgw._ingest(
    p_listener_id integer[], p_calling_ae text[], p_called_ae text[], p_peer_address inet[],
    p_sop_class_uid text[], p_sop_instance_uid text[], p_transfer_syntax_uid text[],
    p_file_path text[], p_size bigint[], p_sha256 bytea[], p_header text[], p_header_error text[],
    p_to_mirror boolean[] DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
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
    ), measured AS (
        INSERT INTO dicomgw.measurement (writer, kind, subject, objects, bytes)
        SELECT 1, 'received', coalesce(l.name, r.listener_id::text, ''), count(*), sum(r.size)
        FROM received r LEFT JOIN dicomgw.listener l ON l.id = r.listener_id GROUP BY 3
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
CREATE FUNCTION dicomgw._file_instances(p_ids bigint[]) RETURNS SETOF dicomgw.route_row
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
    v_first timestamptz;
    v_last  timestamptz;
BEGIN
    -- Of the days that are kept only these are looked at.
    SELECT min(i.received_at), max(i.received_at) INTO v_first, v_last FROM dicomgw.ingest i WHERE i.id = ANY (p_ids);

    RETURN QUERY
    WITH batch AS MATERIALIZED (
        SELECT i.id, i.received_at, i.listener_id, i.calling_ae, i.called_ae, i.peer_address,
               i.sop_class_uid, i.sop_instance_uid, i.transfer_syntax_uid,
               i.file_path, i.size, i.sha256, i.header_error, h.header, a.*
        FROM dicomgw.ingest i
        LEFT JOIN dicomgw.instance_header h
               ON h.instance_id = i.id AND h.received_at = i.received_at AND h.received_at BETWEEN v_first AND v_last
        CROSS JOIN LATERAL dicomgw.header_attributes(h.header) a
        WHERE i.id = ANY (p_ids)
    ), filed_study AS (
        INSERT INTO dicomgw.study AS s
            (study_instance_uid, patient_id, patient_name, study_date, study_description, accession_number,
             instances, size, first_received_at, last_received_at)
        SELECT study_instance_uid,
               (array_agg(patient_id ORDER BY id) FILTER (WHERE patient_id IS NOT NULL))[1],
               (array_agg(patient_name ORDER BY id) FILTER (WHERE patient_name IS NOT NULL))[1],
               (array_agg(study_date ORDER BY id) FILTER (WHERE study_date IS NOT NULL))[1],
               (array_agg(study_description ORDER BY id) FILTER (WHERE study_description IS NOT NULL))[1],
               (array_agg(accession_number ORDER BY id) FILTER (WHERE accession_number IS NOT NULL))[1],
               count(*), sum(size), min(received_at), max(received_at)
        FROM batch WHERE study_instance_uid IS NOT NULL
        GROUP BY study_instance_uid ORDER BY study_instance_uid
        ON CONFLICT (study_instance_uid) DO UPDATE
            SET patient_id = coalesce(s.patient_id, excluded.patient_id),
                patient_name = coalesce(s.patient_name, excluded.patient_name),
                study_date = coalesce(s.study_date, excluded.study_date),
                study_description = coalesce(s.study_description, excluded.study_description),
                accession_number = coalesce(s.accession_number, excluded.accession_number),
                instances = s.instances + excluded.instances,
                size = s.size + excluded.size,
                last_received_at = greatest(s.last_received_at, excluded.last_received_at)
        RETURNING s.*
    ), contradiction AS (
        -- Who says it first has it; what others say of the same study is kept beside it.
        INSERT INTO dicomgw.study_conflict AS c (study_id, attribute, value, instance_id, instances)
        SELECT f.id, v.attribute, v.value, min(b.id), count(*)
        FROM batch b JOIN filed_study f USING (study_instance_uid)
        CROSS JOIN LATERAL (VALUES
            ('patient_id', b.patient_id, f.patient_id), ('patient_name', b.patient_name, f.patient_name),
            ('study_date', b.study_date::text, f.study_date::text), ('study_description', b.study_description, f.study_description),
            ('accession_number', b.accession_number, f.accession_number)) AS v(attribute, value, of_study)
        WHERE v.value <> v.of_study
        GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
        ON CONFLICT (study_id, attribute, value) DO UPDATE SET instances = c.instances + excluded.instances
    ), filed_series AS (
        -- Objects that name a study but no series are a series, too: they are found, and replayed, with their study.
        INSERT INTO dicomgw.series AS s
            (study_id, series_instance_uid, modality, series_number, series_description, instances, size,
             first_received_at, last_received_at)
        SELECT f.id, coalesce(b.series_instance_uid, ''),
               (array_agg(b.modality ORDER BY b.id))[1], (array_agg(b.series_number ORDER BY b.id))[1],
               (array_agg(b.series_description ORDER BY b.id))[1], count(*), sum(b.size), min(b.received_at), max(b.received_at)
        FROM batch b JOIN filed_study f USING (study_instance_uid)
        GROUP BY 1, 2 ORDER BY 1, 2
        ON CONFLICT (study_id, series_instance_uid) DO UPDATE
            SET instances = s.instances + excluded.instances,
                size = s.size + excluded.size,
                last_received_at = greatest(s.last_received_at, excluded.last_received_at)
        RETURNING s.id, s.study_id, s.series_instance_uid
    ), scope AS (
        INSERT INTO dicomgw.series_scope (study_id, series_id, calling_ae, institution_name)
        SELECT DISTINCT s.study_id, s.id, b.calling_ae, coalesce(b.institution_name, '')
        FROM batch b
        JOIN filed_study f USING (study_instance_uid)
        JOIN filed_series s ON s.study_id = f.id AND s.series_instance_uid = coalesce(b.series_instance_uid, '')
        ON CONFLICT DO NOTHING
    ), measured AS (
        INSERT INTO dicomgw.measurement (writer, kind, objects, bytes, seconds)
        SELECT 2, 'routed', count(*), sum(b.size), array_agg(extract(epoch FROM clock_timestamp() - b.received_at)::double precision)
        FROM batch b HAVING count(*) > 0
    ), filed AS (
        INSERT INTO dicomgw.instance
            (id, series_id, received_at, listener_id, calling_ae, called_ae, peer_address,
             sop_class_uid, sop_instance_uid, transfer_syntax_uid, file_path, size, sha256, header_error, institution_name,
             instance_number)
        SELECT b.id, s.id, b.received_at, b.listener_id, b.calling_ae, b.called_ae, b.peer_address,
               b.sop_class_uid, b.sop_instance_uid, b.transfer_syntax_uid, b.file_path, b.size, b.sha256, b.header_error,
               b.institution_name, b.instance_number
        FROM batch b
        LEFT JOIN filed_study f USING (study_instance_uid)
        LEFT JOIN filed_series s ON s.study_id = f.id AND s.series_instance_uid = coalesce(b.series_instance_uid, '')
    )
    -- As the view has it, of rows that no statement can see yet.
    SELECT b.id, b.received_at, l.name, b.calling_ae, b.called_ae, b.peer_address,
           b.sop_class_uid, b.sop_instance_uid, b.transfer_syntax_uid, b.size, b.header_error,
           b.patient_id, b.patient_name, b.patient_birth_date, b.patient_sex,
           b.study_instance_uid, b.study_date, b.study_description, b.accession_number, b.referring_physician,
           b.series_instance_uid, b.series_number, b.series_description, b.modality, b.body_part, b.protocol_name,
           b.instance_number, b.station_name, b.institution_name, b.manufacturer,
           b.header
    FROM batch b
    LEFT JOIN dicomgw.listener l ON l.id = b.listener_id;

    DELETE FROM dicomgw.ingest WHERE id = ANY (p_ids);
END
$$;
COMMENT ON FUNCTION dicomgw._file_instances(bigint[]) IS
    'Router: moves objects from ingest to study, series and instance; returns what the predicates see of them';

CREATE FUNCTION dicomgw._make_jobs(p_instance_id bigint[], p_route_id integer[]) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    v_jobs integer;
BEGIN
    -- Two routes to one destination make one job, of the higher priority, unless their edits differ.  A group's member is chosen once a study.
    WITH match AS MATERIALIZED (
        SELECT m.instance_id, r.id AS route_id, r.priority, d.id AS destination_id, g.id AS group_id, s.study_id
        FROM unnest(p_instance_id, p_route_id) AS m(instance_id, route_id)
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
    INSERT INTO dicomgw.forward_job (instance_id, destination_id, route_id, group_id, priority, edit_version)
    SELECT DISTINCT ON (t.instance_id, t.destination_id, v.edit_version)
           t.instance_id, t.destination_id, t.route_id, t.group_id, t.priority, v.edit_version
    FROM (SELECT m.instance_id, coalesce(m.destination_id, b.destination_id) AS destination_id, m.route_id, m.group_id, m.priority
          FROM match m
          LEFT JOIN member b ON b.group_id = m.group_id AND b.study_id IS NOT DISTINCT FROM m.study_id
                            AND b.key = coalesce(m.study_id, m.instance_id)) t
    JOIN (SELECT u.route_id, dicomgw._edit_version(u.route_id) AS edit_version
          FROM (SELECT DISTINCT unnest(p_route_id) AS route_id) u) v ON v.route_id = t.route_id
    ORDER BY t.instance_id, t.destination_id, v.edit_version, t.priority DESC, t.route_id;
    GET DIAGNOSTICS v_jobs = ROW_COUNT;
    RETURN v_jobs;
END
$$;
COMMENT ON FUNCTION dicomgw._make_jobs(bigint[], integer[]) IS
    'Router: makes the jobs for pairs of object and route; returns how many';

CREATE FUNCTION dicomgw._enqueue(
    p_ids bigint[], p_match_instance bigint[], p_match_route integer[],
    p_error_instance bigint[], p_error_route text[], p_error_message text[], p_match_expected integer[] DEFAULT NULL,
    p_earlier_instance bigint[] DEFAULT NULL, p_earlier_route integer[] DEFAULT NULL, p_decided_at timestamptz DEFAULT now(),
    OUT jobs integer, OUT gathered integer)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    v_prompt_instance bigint[];
    v_prompt_route    integer[];
    v_late_instance   bigint[];
    v_late_route      integer[];
    v_late_expected   integer[];
    v_void_instance   bigint[];
    v_void_route      text[];
    v_void_message    text[];
BEGIN
    -- A route that is gone since takes nothing; nor does one whose group has no members, and that is an error.
    -- What names no study can't wait for one.
    WITH match AS MATERIALIZED (
        SELECT m.instance_id, r.id AS route_id, r.name AS route, r.destination_group, m.expected,
               CASE WHEN r.destination IS NULL
                     AND NOT EXISTS (SELECT FROM dicomgw.destination_group_member x WHERE x.destination_group = r.destination_group)
                    THEN 'void'
                    WHEN i.series_id IS NOT NULL THEN 'late'
                    ELSE 'prompt' END AS kind
        FROM unnest(p_match_instance, p_match_route, p_match_expected) AS m(instance_id, route_id, expected)
        JOIN dicomgw.route r ON r.id = m.route_id
        LEFT JOIN dicomgw.instance i ON r.trigger <> 'instance' AND i.id = m.instance_id
    )
    SELECT coalesce(array_agg(m.instance_id) FILTER (WHERE m.kind = 'prompt'), '{}'),
           coalesce(array_agg(m.route_id) FILTER (WHERE m.kind = 'prompt'), '{}'),
           coalesce(array_agg(m.instance_id) FILTER (WHERE m.kind = 'late'), '{}'),
           coalesce(array_agg(m.route_id) FILTER (WHERE m.kind = 'late'), '{}'),
           coalesce(array_agg(m.expected) FILTER (WHERE m.kind = 'late'), '{}'),
           array_agg(m.instance_id) FILTER (WHERE m.kind = 'void'),
           array_agg(m.route) FILTER (WHERE m.kind = 'void'),
           array_agg(format('destination group "%s" has no members', m.destination_group)) FILTER (WHERE m.kind = 'void')
    INTO v_prompt_instance, v_prompt_route, v_late_instance, v_late_route, v_late_expected,
         v_void_instance, v_void_route, v_void_message
    FROM match m;

    jobs := dicomgw._make_jobs(v_prompt_instance, v_prompt_route) + dicomgw._gather(v_late_instance, v_late_route, v_late_expected);
    gathered := cardinality(v_late_instance);

    INSERT INTO dicomgw.routing_decision (instance_id, decided_at, matched, gathered, errors)
    SELECT i.id, p_decided_at, coalesce(m.routes, '{}'), m.gathered, e.errors
    FROM unnest(p_ids) AS i(id)
    LEFT JOIN (SELECT u.instance_id, array_agg(u.route_id ORDER BY u.route_id) AS routes,
                      array_agg(u.route_id ORDER BY u.route_id) FILTER (WHERE u.late) AS gathered
               FROM (SELECT p.*, false AS late FROM unnest(v_prompt_instance, v_prompt_route) AS p(instance_id, route_id)
                     UNION ALL
                     SELECT l.*, true FROM unnest(v_late_instance, v_late_route) AS l(instance_id, route_id)
                     UNION ALL
                     SELECT k.*, false FROM unnest(p_earlier_instance, p_earlier_route) AS k(instance_id, route_id)) u
               GROUP BY u.instance_id) m ON m.instance_id = i.id
    LEFT JOIN (SELECT u.instance_id, jsonb_object_agg(u.route, u.message) AS errors
               FROM unnest(p_error_instance || v_void_instance, p_error_route || v_void_route, p_error_message || v_void_message)
                   AS u(instance_id, route, message)
               GROUP BY u.instance_id) e ON e.instance_id = i.id;
END
$$;
COMMENT ON FUNCTION dicomgw._enqueue(bigint[], bigint[], integer[], bigint[], text[], text[], integer[], bigint[], integer[], timestamptz) IS
    'Router: makes the jobs of a batch, or keeps objects until their series or study is complete, and records what was decided for each, with the routes that took it earlier; returns how many jobs, and how many wait';

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
