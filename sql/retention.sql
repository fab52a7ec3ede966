/*
 * Retention: the files of delivered objects are removed by age or when space
 * is short (dicomgw.object_retention, dicomgw.space_retention); by default none.
 *
 * An object is delivered when at least one destination took it, no job of it
 * is left, dead letters included, and no route keeps it until its series or
 * study is complete.  The rows that say so may go before the
 * file does (dicomgw.history_retention): then dicomgw.delivered remembers it.
 */
CREATE TABLE dicomgw.delivered (
    instance_id bigint PRIMARY KEY
);
COMMENT ON TABLE dicomgw.delivered IS
    'Objects that were sent, whose file is kept, and whose rows in forward_history were dropped: what retention must still know of them then';
COMMENT ON COLUMN dicomgw.delivered.instance_id IS 'the object';

CREATE VIEW dicomgw.removable AS
    SELECT i.id AS instance_id, i.received_at, i.file_path, i.size
    FROM dicomgw.instance i
    WHERE i.removed_at IS NULL
      AND NOT EXISTS (SELECT FROM dicomgw.forward_job j WHERE j.instance_id = i.id)
      AND NOT EXISTS (SELECT FROM dicomgw.dead_letter l WHERE l.instance_id = i.id)
      AND NOT EXISTS (SELECT FROM dicomgw.gathering_instance g WHERE g.instance_id = i.id)
      -- most are sent on the day, and are found without a look into every partition
      AND (EXISTS (SELECT FROM dicomgw.forward_history h WHERE h.instance_id = i.id AND h.outcome = 'sent'
                   AND h.ended_at >= i.received_at AND h.ended_at < i.received_at + interval '1 day')
           OR EXISTS (SELECT FROM dicomgw.delivered d WHERE d.instance_id = i.id)
           OR EXISTS (SELECT FROM dicomgw.forward_history h WHERE h.instance_id = i.id AND h.outcome = 'sent'));
COMMENT ON VIEW dicomgw.removable IS
    'Objects whose file retention may remove: at least one destination has it, no job that has not ended, nor a dead letter, is left, and no route waits for its study to be complete';
COMMENT ON COLUMN dicomgw.removable.instance_id IS 'number of the object';
COMMENT ON COLUMN dicomgw.removable.received_at IS 'when it was received';
COMMENT ON COLUMN dicomgw.removable.file_path IS 'its Part 10 file';
COMMENT ON COLUMN dicomgw.removable.size IS 'bytes of the dataset';

CREATE TABLE dicomgw.removal_log (
    day     date,
    reason  text,
    objects bigint NOT NULL,
    bytes   bigint NOT NULL,
    PRIMARY KEY (day, reason),
    CONSTRAINT removal_log_reason_is_age_or_space CHECK (reason IN ('age', 'space'))
);
COMMENT ON TABLE dicomgw.removal_log IS 'What retention removed, by day (UTC) and reason';
COMMENT ON COLUMN dicomgw.removal_log.day IS 'the day';
COMMENT ON COLUMN dicomgw.removal_log.reason IS 'age: dicomgw.object_retention; space: dicomgw.space_retention';
COMMENT ON COLUMN dicomgw.removal_log.objects IS 'objects whose files were removed';
COMMENT ON COLUMN dicomgw.removal_log.bytes IS 'bytes of their datasets';

-- A job may be made for an object at the same time (dicomgw.replay_study): it locks the object against
-- removal, and here it is locked against jobs before a second look, by a statement that sees what was
-- committed until then.  What somebody else holds is left for the next pass.
CREATE FUNCTION dicomgw._retire(
    p_place text, p_after_received_at timestamptz, p_after_id bigint, p_before timestamptz,
    p_examine integer, p_remove integer, p_bytes bigint,
    OUT examined integer, OUT last_received_at timestamptz, OUT last_id bigint, OUT bytes bigint, OUT file_paths text[])
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_seqscan = off
AS $$
DECLARE
    v     record;
    v_ids bigint[] := '{}';
BEGIN
    examined := 0;
    bytes := 0;
    file_paths := '{}';
    FOR v IN
        WITH next AS MATERIALIZED (
            SELECT i.id, i.received_at, i.file_path, i.size
            FROM dicomgw.instance i
            WHERE i.removed_at IS NULL AND (i.received_at, i.id) > (p_after_received_at, p_after_id) AND i.received_at < p_before
            ORDER BY i.received_at, i.id LIMIT p_examine
        )
        SELECT n.*, r.instance_id IS NOT NULL AS fits
        FROM next n
        LEFT JOIN LATERAL (SELECT m.instance_id FROM dicomgw.removable m WHERE m.instance_id = n.id LIMIT 1) r ON true
        ORDER BY n.received_at, n.id
    LOOP
        examined := examined + 1;
        last_received_at := v.received_at;
        last_id := v.id;
        -- a file that is not there (a file system that is not mounted) makes no room
        CONTINUE WHEN NOT v.fits OR dicomgw._file_problem(p_place, v.file_path, v.size, NULL) = 'missing';
        PERFORM FROM dicomgw.instance i WHERE i.id = v.id AND i.removed_at IS NULL FOR UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND;
        PERFORM FROM dicomgw.removable m WHERE m.instance_id = v.id;
        CONTINUE WHEN NOT FOUND;
        v_ids := v_ids || v.id;
        file_paths := file_paths || v.file_path;
        bytes := bytes + v.size;
        EXIT WHEN cardinality(v_ids) >= p_remove OR bytes >= p_bytes;
    END LOOP;
    IF cardinality(v_ids) > 0 THEN
        UPDATE dicomgw.instance i SET removed_at = now() WHERE i.id = ANY (v_ids);
        DELETE FROM dicomgw.delivered d WHERE d.instance_id = ANY (v_ids);
        DELETE FROM dicomgw.storage_repair r WHERE r.instance_id = ANY (v_ids);
        DELETE FROM dicomgw.storage_problem p WHERE p.instance_id = ANY (v_ids);
        INSERT INTO dicomgw.removal_log AS l (day, reason, objects, bytes)
        VALUES ((now() AT TIME ZONE 'UTC')::date, CASE WHEN p_place IS NULL THEN 'age' ELSE 'space' END, cardinality(v_ids), _retire.bytes)
        ON CONFLICT (day, reason) DO UPDATE SET objects = l.objects + excluded.objects, bytes = l.bytes + excluded.bytes;
    END IF;
END
$$;
COMMENT ON FUNCTION dicomgw._retire(text, timestamptz, bigint, timestamptz, integer, integer, bigint) IS
    'Maintenance: notes delivered objects as removed, oldest first, after the one given, because of their age or, if a place (storage, mirror) is named, to make room there; the files are removed when that is committed. Returns how far it came, and the files';

CREATE FUNCTION dicomgw._note_delivered(p_partition text) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_noted bigint;
BEGIN
    EXECUTE format('INSERT INTO dicomgw.delivered (instance_id)
                    SELECT DISTINCT h.instance_id FROM dicomgw.%I h
                    JOIN dicomgw.instance i ON i.id = h.instance_id
                    WHERE h.outcome = ''sent'' AND i.removed_at IS NULL
                    ON CONFLICT DO NOTHING', p_partition);
    GET DIAGNOSTICS v_noted = ROW_COUNT;
    RETURN v_noted;
END
$$;
COMMENT ON FUNCTION dicomgw._note_delivered(text) IS
    'Maintenance, before it drops a partition of forward_history: remembers which objects that are still kept were sent; returns how many';

-- ---------- repair ----------

CREATE FUNCTION dicomgw._repairs_due(p_limit integer) RETURNS SETOF dicomgw.storage_repair
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    WITH due AS MATERIALIZED (
        SELECT r.* FROM dicomgw.storage_repair r
        WHERE r.next_try_at <= now()
        ORDER BY r.next_try_at, r.instance_id LIMIT p_limit
        FOR UPDATE SKIP LOCKED
    ), void AS (
        DELETE FROM dicomgw.storage_repair r USING due d
        WHERE r.instance_id = d.instance_id
          AND NOT EXISTS (SELECT FROM dicomgw.stored_object o WHERE o.instance_id = d.instance_id)
        RETURNING r.instance_id
    )
    SELECT d.* FROM due d WHERE d.instance_id NOT IN (SELECT o.instance_id FROM void o);
END
$$;
COMMENT ON FUNCTION dicomgw._repairs_due(integer) IS 'Maintenance: the next objects to be repaired; those that are not kept any more are struck off';

CREATE FUNCTION dicomgw._repaired(p_instance_id bigint, p_error text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_file_path text;
BEGIN
    IF p_error IS NULL THEN
        DELETE FROM dicomgw.storage_repair r WHERE r.instance_id = p_instance_id RETURNING r.file_path INTO v_file_path;
        DELETE FROM dicomgw.storage_problem p WHERE p.file_path = v_file_path;
    ELSE
        UPDATE dicomgw.storage_repair r
        SET attempts = r.attempts + 1, error = p_error,
            next_try_at = now() + dicomgw.retry_delay('10 seconds', 2, '10 minutes', r.attempts + 1)
        WHERE r.instance_id = p_instance_id;
    END IF;
END
$$;
COMMENT ON FUNCTION dicomgw._repaired(bigint, text) IS
    'Maintenance: an object has two good copies (error NULL), or why not yet; then it is tried again after 10 seconds to 10 minutes';

CREATE FUNCTION dicomgw._repairs_waiting(p_patience interval, OUT waiting bigint, OUT complaint text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_oldest timestamptz;
    v_error  text;
BEGIN
    SELECT count(*), min(r.since) INTO waiting, v_oldest FROM dicomgw.storage_repair r;
    IF v_oldest < now() - p_patience THEN
        SELECT r.error INTO v_error FROM dicomgw.storage_repair r WHERE r.error IS NOT NULL ORDER BY r.since LIMIT 1;
        complaint := format('%s objects lack a good copy in storage or mirror, the first since %s: %s',
                            waiting, v_oldest::timestamptz(0), coalesce(v_error, 'its turn has not come yet'));
    END IF;
END
$$;
COMMENT ON FUNCTION dicomgw._repairs_waiting(interval) IS 'Maintenance: how many objects wait for their repair, and, if one does for longer than this, what to say of it';
