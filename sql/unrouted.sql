/*
 * Objects that went nowhere: why, and another try.
 */
-- The two tables together before anything else, so that a page of it comes by their indexes.
CREATE VIEW dicomgw.unrouted AS
    SELECT u.instance_id, coalesce(u.sop_instance_uid, i.sop_instance_uid) AS sop_instance_uid, coalesce(u.received_at, i.received_at) AS received_at,
           coalesce(u.calling_ae, i.calling_ae) AS calling_ae,
           CASE WHEN u.decided_at IS NOT NULL
                THEN coalesce((SELECT 'no route took it; failed: ' || string_agg(format('%s (%s)', e.key, e.value), ', ' ORDER BY e.key)
                               FROM jsonb_each_text(u.errors) e), 'no route matched')
                WHEN u.route_error IS NOT NULL
                THEN format('routing failed %s times, last: %s; next try at %s', u.route_attempts, u.route_error, u.route_after::timestamptz(0))
                WHEN NOT coalesce(current_setting('dicomgw.routing', true), 'on')::boolean
                THEN 'routing is switched off (dicomgw.routing)'
                ELSE 'waits for the router'
           END AS reason,
           u.decided_at
    FROM (SELECT g.id AS instance_id, NULL::timestamptz AS decided_at, NULL::jsonb AS errors, g.sop_instance_uid, g.received_at, g.calling_ae,
                 g.route_attempts, g.route_error, g.route_after
          FROM dicomgw.ingest g
          UNION ALL
          SELECT d.instance_id, d.decided_at, d.errors, NULL, NULL, NULL, NULL, NULL, NULL
          FROM dicomgw.routing_decision d
          WHERE d.matched = '{}'
            -- and there is no newer one: looked for row by row, in the partitions of later days only
            AND (SELECT true FROM dicomgw.routing_decision n
                 WHERE n.instance_id = d.instance_id AND n.decided_at > d.decided_at LIMIT 1) IS NOT TRUE) u
    LEFT JOIN dicomgw.instance i ON i.id = u.instance_id
    WHERE u.decided_at IS NULL OR i.id IS NOT NULL;
COMMENT ON VIEW dicomgw.unrouted IS
    'Objects that were received and go nowhere, and why: not routed yet, or taken by no route; dicomgw.route_again() tries those once more';
COMMENT ON COLUMN dicomgw.unrouted.instance_id IS 'number of the object';
COMMENT ON COLUMN dicomgw.unrouted.sop_instance_uid IS 'SOP Instance UID';
COMMENT ON COLUMN dicomgw.unrouted.received_at IS 'when it was received';
COMMENT ON COLUMN dicomgw.unrouted.calling_ae IS 'AE title of the sender';
COMMENT ON COLUMN dicomgw.unrouted.reason IS 'why it goes nowhere';
COMMENT ON COLUMN dicomgw.unrouted.decided_at IS 'when that was decided; NULL: it is not routed yet';

-- By key, one by one: never a scan of history, whatever the statistics may say.
CREATE FUNCTION dicomgw._route_rows(p_ids bigint[]) RETURNS SETOF dicomgw.route_row
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_seqscan = off
AS $$
BEGIN
    RETURN QUERY SELECT r.* FROM dicomgw.route_row r WHERE r.instance_id = ANY (p_ids);
END
$$;
COMMENT ON FUNCTION dicomgw._route_rows(bigint[]) IS
    'Router, in the session of a person: what the predicates see of these objects';

CREATE FUNCTION dicomgw._evaluate_routes(
    p_ids bigint[], OUT match_instance bigint[], OUT match_route integer[],
    OUT error_instance bigint[], OUT error_route text[], OUT error_message text[], OUT match_expected integer[])
LANGUAGE c STRICT VOLATILE
AS 'MODULE_PATHNAME', 'dgw_evaluate_routes';
COMMENT ON FUNCTION dicomgw._evaluate_routes(bigint[]) IS
    'Router, in the session of a person: which routes of now take these objects, as pairs, and which fail on which';

CREATE FUNCTION dicomgw.route_again(instance_ids bigint[],
    OUT objects bigint, OUT jobs bigint, OUT gathered bigint, OUT unmatched bigint, OUT skipped bigint)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_ids     bigint[];
    v_found   record;
    v_earlier record;
    v_new     record;
    v_at      timestamptz;
BEGIN
    -- The lock keeps retention away from them until what becomes of them can be seen, and whoever else asks for
    -- the same, until he sees what was decided here.
    v_ids := ARRAY(SELECT i.id FROM dicomgw.instance i
                   WHERE i.id = ANY (instance_ids) AND i.removed_at IS NULL
                   ORDER BY i.id FOR NO KEY UPDATE OF i);
    objects := cardinality(v_ids);
    skipped := (SELECT count(DISTINCT u.id) FROM unnest(instance_ids) AS u(id)) - objects;

    SELECT f.* INTO v_found FROM dicomgw._evaluate_routes(v_ids) f;
    SELECT array_agg(i.id) AS instances, array_agg(r.id) AS routes INTO v_earlier
    FROM unnest(v_ids) AS i(id)
    CROSS JOIN LATERAL (SELECT d.matched FROM dicomgw.routing_decision d WHERE d.instance_id = i.id
                        ORDER BY d.decided_at DESC LIMIT 1) d
    CROSS JOIN LATERAL unnest(d.matched) AS r(id);
    SELECT coalesce(array_agg(m.instance_id), '{}') AS instances, coalesce(array_agg(m.route_id), '{}') AS routes,
           coalesce(array_agg(m.expected), '{}') AS expected INTO v_new
    FROM unnest(v_found.match_instance, v_found.match_route, v_found.match_expected) AS m(instance_id, route_id, expected)
    WHERE NOT EXISTS (SELECT FROM unnest(v_earlier.instances, v_earlier.routes) AS e(instance_id, route_id)
                      WHERE e.instance_id = m.instance_id AND e.route_id = m.route_id)
      -- that decision may be forgotten (dicomgw.history_retention) while it still waits for its study
      AND NOT EXISTS (SELECT FROM dicomgw.gathering_instance o JOIN dicomgw.gathering g ON g.id = o.gathering_id
                      WHERE o.instance_id = m.instance_id AND g.route_id = m.route_id);

    v_at := clock_timestamp();
    SELECT q.jobs, q.gathered INTO jobs, gathered
    FROM dicomgw._enqueue(v_ids, v_new.instances, v_new.routes, v_found.error_instance, v_found.error_route, v_found.error_message,
                          v_new.expected, v_earlier.instances, v_earlier.routes, v_at) q;
    unmatched := (SELECT count(*) FROM dicomgw.routing_decision d
                  WHERE d.instance_id = ANY (v_ids) AND d.decided_at = v_at AND d.matched = '{}');
    PERFORM dicomgw._audit('route_again', format('%s object(s)', objects),
                           jsonb_build_object('jobs', jobs, 'gathered', gathered, 'unmatched', unmatched, 'skipped', skipped));
    PERFORM dicomgw.notify_work();
END
$$;
COMMENT ON FUNCTION dicomgw.route_again(bigint[]) IS
    'Evaluates the routes of now over these objects, e.g. (SELECT array_agg(instance_id) FROM dicomgw.unrouted), for routes that have not taken them yet. Returns how many objects, jobs made, objects that wait for their study, objects that no route has taken, and how many were skipped: not routed yet, or their file is removed';
