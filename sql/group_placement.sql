/*
 * Which member of a destination group gets a job (see destination_group.sql).
 */
CREATE FUNCTION dicomgw._group_member(p_group_id integer, p_study_id bigint, p_instance_id bigint) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_balance boolean;
    v_current integer;
    v_member  integer;
BEGIN
    SELECT g.kind = 'balance' INTO v_balance FROM dicomgw.destination_group g WHERE g.id = p_group_id;
    IF v_balance THEN
        SELECT a.destination_id INTO v_current
        FROM dicomgw.group_assignment a WHERE a.group_id = p_group_id AND a.study_id = p_study_id;
    END IF;

    -- Whoever comes first by the hash of study and member does so for that study only: the load spreads, and
    -- when a member is lost only its own studies move.
    SELECT d.id INTO v_member
    FROM dicomgw.destination_group g
    JOIN dicomgw.destination_group_member m ON m.destination_group = g.name
    JOIN dicomgw.destination d ON d.name = m.destination
    JOIN dicomgw.destination_open o ON o.destination_id = d.id
    WHERE g.id = p_group_id
    ORDER BY o.takes_jobs DESC,
             CASE WHEN NOT v_balance THEN m.position END,
             d.id IS NOT DISTINCT FROM v_current DESC,
             CASE WHEN v_balance THEN hashint8extended(coalesce(p_study_id, p_instance_id), d.id) END, d.id
    LIMIT 1;

    IF v_balance AND p_study_id IS NOT NULL AND v_member IS DISTINCT FROM v_current AND v_member IS NOT NULL THEN
        INSERT INTO dicomgw.group_assignment AS a (group_id, study_id, destination_id)
        VALUES (p_group_id, p_study_id, v_member)
        ON CONFLICT (group_id, study_id) DO UPDATE SET destination_id = excluded.destination_id, assigned_at = now();
    END IF;
    RETURN v_member;
END
$$;
COMMENT ON FUNCTION dicomgw._group_member(integer, bigint, bigint) IS
    'Router: the member of a group that gets the objects of a study (or an object without one) now; NULL: the group has none';

CREATE FUNCTION dicomgw._place_jobs(p_limit integer) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_moved bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM dicomgw.destination_group) THEN
        RETURN 0;
    END IF;

    WITH member AS MATERIALIZED (
        SELECT g.id AS group_id, g.kind, d.id AS destination_id, m.position, o.takes_jobs
        FROM dicomgw.destination_group g
        JOIN dicomgw.destination_group_member m ON m.destination_group = g.name
        JOIN dicomgw.destination d ON d.name = m.destination
        JOIN dicomgw.destination_open o ON o.destination_id = d.id
    ), best AS (
        SELECT DISTINCT ON (group_id) group_id, destination_id, kind
        FROM member WHERE takes_jobs ORDER BY group_id, position, destination_id
    ), place AS (
        -- where jobs of a group may lie: with its members, and with those that were members
        SELECT b.group_id, b.kind, b.destination_id AS best_id, d.id AS destination_id
        FROM best b CROSS JOIN dicomgw.destination d
        WHERE EXISTS (SELECT FROM dicomgw.forward_job j WHERE j.group_id = b.group_id AND j.destination_id = d.id)
          AND CASE b.kind
              WHEN 'failover' THEN d.id <> b.destination_id
              ELSE NOT EXISTS (SELECT FROM member m WHERE m.group_id = b.group_id AND m.destination_id = d.id AND m.takes_jobs)
              END
    ), misplaced AS MATERIALIZED (
        SELECT j.id, p.group_id, p.kind, p.best_id, j.instance_id
        FROM place p JOIN dicomgw.forward_job j ON j.group_id = p.group_id AND j.destination_id = p.destination_id
        WHERE j.lease_until <= now()
        LIMIT p_limit
        FOR UPDATE OF j SKIP LOCKED
    ), filed AS MATERIALIZED (
        SELECT m.id, m.group_id, m.kind, m.best_id, m.instance_id, s.study_id
        FROM misplaced m
        JOIN dicomgw.instance i ON i.id = m.instance_id
        LEFT JOIN dicomgw.series s ON s.id = i.series_id
    ), choice AS MATERIALIZED (
        SELECT u.group_id, u.key, u.study_id,
               dicomgw._group_member(u.group_id, u.study_id, u.key) AS destination_id
        FROM (SELECT DISTINCT f.group_id, f.study_id, coalesce(f.study_id, f.instance_id) AS key
              FROM filed f WHERE f.kind = 'balance') u
    )
    UPDATE dicomgw.forward_job j
    SET destination_id = CASE f.kind WHEN 'failover' THEN f.best_id ELSE c.destination_id END, not_before = '-infinity'
    FROM filed f
    LEFT JOIN choice c ON c.group_id = f.group_id AND c.study_id IS NOT DISTINCT FROM f.study_id
                      AND c.key = coalesce(f.study_id, f.instance_id)
    WHERE j.id = f.id;
    GET DIAGNOSTICS v_moved = ROW_COUNT;
    RETURN v_moved;
END
$$;
COMMENT ON FUNCTION dicomgw._place_jobs(integer) IS
    'Forwarder: moves waiting jobs of groups from members that cannot take them to one that can, and those of a failover group back to an earlier member; at most so many, returns how many';
