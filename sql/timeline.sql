/*
 * What became of an object: everything that is known of it, in order of time.
 */
CREATE FUNCTION dicomgw.timeline(sop_instance_uid text,
    OUT at timestamptz, OUT instance_id bigint, OUT event text, OUT job_id bigint, OUT destination text, OUT status text,
    OUT duration interval, OUT detail text)
RETURNS SETOF record
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_ids bigint[] := ARRAY(SELECT i.id FROM dicomgw.instance i WHERE i.sop_instance_uid = timeline.sop_instance_uid
                            UNION ALL
                            SELECT i.id FROM dicomgw.ingest i WHERE i.sop_instance_uid = timeline.sop_instance_uid);
BEGIN
    IF cardinality(v_ids) = 0 THEN
        RAISE EXCEPTION 'object % was not received', sop_instance_uid
            USING ERRCODE = 'PT404', HINT = 'SELECT sop_instance_uid FROM dicomgw.instance lists those that were.';
    END IF;

    RETURN QUERY
    WITH received AS (
        SELECT i.id, i.received_at, i.listener_id, i.calling_ae, i.called_ae, i.peer_address, i.size, i.transfer_syntax_uid,
               i.header_error, i.removed_at
        FROM dicomgw.instance i WHERE i.id = ANY (v_ids)
        UNION ALL
        SELECT i.id, i.received_at, i.listener_id, i.calling_ae, i.called_ae, i.peer_address, i.size, i.transfer_syntax_uid,
               i.header_error, NULL
        FROM dicomgw.ingest i WHERE i.id = ANY (v_ids)
    ), ended AS (
        SELECT h.* FROM dicomgw.forward_history h WHERE h.instance_id = ANY (v_ids)
    ), job AS (
        SELECT j.id, j.instance_id, j.created_at, j.route_id, d.name AS destination
        FROM dicomgw.forward_job j JOIN dicomgw.destination d ON d.id = j.destination_id WHERE j.instance_id = ANY (v_ids)
        UNION ALL
        SELECT l.id, l.instance_id, l.created_at, l.route_id, d.name
        FROM dicomgw.dead_letter l JOIN dicomgw.destination d ON d.id = l.destination_id WHERE l.instance_id = ANY (v_ids)
        UNION ALL
        SELECT e.job_id, e.instance_id, e.created_at, e.route_id, e.destination FROM ended e
    ), happened (at, step, instance_id, event, job_id, destination, status, duration, detail) AS (
        SELECT r.received_at, 1, r.id, 'received', NULL::bigint, NULL, NULL, NULL::interval,
               format('from %s at %s, called as %s%s: %s bytes, transfer syntax %s%s', r.calling_ae,
                      coalesce(host(r.peer_address), 'an unknown address'), r.called_ae, ' by listener ' || quote_ident(l.name),
                      r.size, r.transfer_syntax_uid, '; header: ' || r.header_error)
        FROM received r LEFT JOIN dicomgw.listener l ON l.id = r.listener_id
        UNION ALL
        SELECT d.decided_at, 2, d.instance_id, 'routed', NULL, NULL, NULL, NULL,
               coalesce((SELECT 'matched: ' || string_agg(coalesce(t.name, 'a route that was deleted'), ', ' ORDER BY m.n)
                         FROM unnest(d.matched) WITH ORDINALITY AS m(id, n) LEFT JOIN dicomgw.route t ON t.id = m.id),
                        'no route matched')
               || coalesce((SELECT '; failed: ' || string_agg(x.key || ' (' || x.value || ')', ', ' ORDER BY x.key)
                            FROM jsonb_each_text(d.errors) x), '')
        FROM dicomgw.routing_decision d WHERE d.instance_id = ANY (v_ids)
        UNION ALL
        SELECT j.created_at, 3, j.instance_id, 'queued', j.id, j.destination, NULL, NULL,
               CASE WHEN j.route_id IS NULL THEN 'by a person'
                    ELSE 'by route ' || coalesce((SELECT quote_ident(r.name) FROM dicomgw.route r WHERE r.id = j.route_id), 'that was deleted') END
        FROM job j
        UNION ALL
        SELECT a.attempted_at, 4, a.instance_id, 'attempt failed', a.job_id, a.destination, dicomgw.status_text(a.status), a.duration,
               format('attempt %s: %s', a.attempt, concat_ws('; offending element ', a.error, a.offending))
        FROM dicomgw.forward_attempt a WHERE a.instance_id = ANY (v_ids)
        UNION ALL
        SELECT e.ended_at, 5, e.instance_id, e.outcome, e.job_id, e.destination, dicomgw.status_text(e.status), e.duration,
               concat_ws('; ', CASE WHEN e.outcome = 'sent' THEN format('attempt %s', e.attempts) END, e.comment,
                         'offending element ' || e.offending, 'converted to transfer syntax ' || e.sent_transfer_syntax_uid)
        FROM ended e
        UNION ALL
        SELECT l.failed_at, 5, l.instance_id, 'failed', l.id, d.name, dicomgw.status_text(l.status), NULL,
               format('given up after %s attempt(s): %s', l.attempts, l.error)
        FROM dicomgw.dead_letter l JOIN dicomgw.destination d ON d.id = l.destination_id WHERE l.instance_id = ANY (v_ids)
        UNION ALL
        SELECT r.removed_at, 6, r.id, 'removed', NULL, NULL, NULL, NULL, 'retention has removed its file'
        FROM received r WHERE r.removed_at IS NOT NULL
        UNION ALL
        SELECT now(), 7, s.instance_id, s.state, s.job_id, s.destination, NULL, NULL, s.reason
        FROM dicomgw.job_status s
        WHERE s.state <> 'failed' AND s.instance_id = ANY (v_ids)
        UNION ALL
        SELECT now(), 7, u.instance_id, 'waiting', NULL, NULL, NULL, NULL, u.reason
        FROM dicomgw.unrouted u
        WHERE u.decided_at IS NULL AND u.instance_id = ANY (v_ids) -- what was decided is told above
        UNION ALL
        SELECT now(), 7, g.instance_id, 'waiting', NULL, NULL, NULL, NULL, format('gathered by route %I: %s', s.route, s.reason)
        FROM dicomgw.gathering_instance g JOIN dicomgw.gathering_status s ON s.gathering_id = g.gathering_id
        WHERE g.instance_id = ANY (v_ids)
    )
    SELECT h.at, h.instance_id, h.event, h.job_id, h.destination, h.status, h.duration, h.detail
    FROM happened h
    ORDER BY h.at, h.step, h.instance_id, h.job_id;
END
$$;
COMMENT ON FUNCTION dicomgw.timeline(text) IS
    'What became of an object, by its SOP Instance UID: received, routed, queued, each attempt, sent or not, and what it waits for now; all versions of it, if it was received more than once';
