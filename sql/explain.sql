/*
 * Why an object went where it went: each route in the version that was in force
 * when it was decided, what became of it, and which part of its predicate that
 * hung on.
 *
 * That is found by time.  The router reads the routes after its transaction has
 * begun, so a change that was committed in the same moment may count already,
 * or not yet; a route that took the object is always shown, and an outcome that
 * the predicate does not give now is said to be one.
 */
CREATE FUNCTION dicomgw.explain_predicate(predicate text, instance_id bigint)
RETURNS TABLE (term integer, connective text, text text, value boolean, error text, decides boolean)
LANGUAGE c STRICT STABLE
AS 'MODULE_PATHNAME', 'dgw_explain_predicate';
COMMENT ON FUNCTION dicomgw.explain_predicate(text, bigint) IS
    'What a predicate comes to on an object that was received: as a whole (term 0), then each term that its outermost AND or OR joins; decides: it is for this term that the whole is what it is';

CREATE FUNCTION dicomgw._explain_terms(p_predicate text, p_instance_id bigint, OUT terms jsonb, OUT value boolean, OUT error text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('text', t.text, 'error', t.error, 'connective', t.connective, 'decides', t.decides))
                     || jsonb_build_object('value', t.value) ORDER BY t.term) FILTER (WHERE t.term > 0),
           bool_or(coalesce(t.value, false)) FILTER (WHERE t.term = 0 AND t.error IS NULL),
           max(t.error) FILTER (WHERE t.term = 0)
    INTO terms, value, error
    FROM dicomgw.explain_predicate(p_predicate, p_instance_id) t;
EXCEPTION WHEN OTHERS THEN -- it was a predicate when it was written: what it names is gone
    error := SQLERRM;
END
$$;
COMMENT ON FUNCTION dicomgw._explain_terms(text, bigint) IS
    'Called by explain_routing: the terms of a predicate on an object, its value, or why it has none';

CREATE FUNCTION dicomgw._jobs_of(p_instance_id bigint)
RETURNS TABLE (route_id integer, destination text, job jsonb)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT j.route_id, j.destination,
           jsonb_strip_nulls(jsonb_build_object('job_id', j.id, 'destination', j.destination, 'state', j.state, 'at', j.at, 'detail', j.detail))
    FROM (SELECT s.job_id AS id, s.route_id, s.destination, s.state, coalesce(l.failed_at, s.since) AS at, s.reason AS detail
          FROM dicomgw.job_status s LEFT JOIN dicomgw.dead_letter l ON l.id = s.job_id
          WHERE s.instance_id = p_instance_id
          UNION ALL
          SELECT h.job_id, h.route_id, h.destination, h.outcome, h.ended_at, coalesce(dicomgw.status_text(h.status), h.comment)
          FROM dicomgw.forward_history h WHERE h.instance_id = p_instance_id) j
    ORDER BY j.id
$$;
COMMENT ON FUNCTION dicomgw._jobs_of(bigint) IS
    'Called by explain_routing: the jobs that an object has or had, each with its state';

CREATE FUNCTION dicomgw._routes_at(p_at timestamptz, p_matched integer[])
RETURNS TABLE (id integer, name text, version integer, contents jsonb, in_force boolean)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH then_in_force AS (
        SELECT v.* FROM dicomgw.configuration_as_of('route', p_at) v
        UNION ALL
        -- it took the object, so it was in force, though the history has it a moment later
        SELECT * FROM (SELECT DISTINCT ON (h.row_key) h.* FROM dicomgw.configuration_history h
                       WHERE h.table_name = 'route' AND h.row_key = ANY (p_matched::text[]) AND h.operation <> 'delete'
                         AND h.row_key NOT IN (SELECT v.row_key FROM dicomgw.configuration_as_of('route', p_at) v)
                       ORDER BY h.row_key, h.valid_from < p_at, CASE WHEN h.valid_from < p_at THEN -h.version ELSE h.version END) m
    )
    SELECT f.row_key::integer, f.name, f.version, f.contents, true FROM then_in_force f
    UNION ALL
    SELECT n.row_key::integer, n.name, n.version, n.contents, false FROM dicomgw.configuration_as_of('route') n
    WHERE n.row_key NOT IN (SELECT f.row_key FROM then_in_force f)
$$;
COMMENT ON FUNCTION dicomgw._routes_at(timestamptz, integer[]) IS
    'Called by explain_routing: the routes in force at this time, and those of now that did not exist then';

CREATE FUNCTION dicomgw.explain_routing(instance_id bigint,
    OUT route text, OUT version integer, OUT in_force boolean, OUT outcome text, OUT predicate text, OUT terms jsonb, OUT jobs jsonb,
    OUT remark text)
RETURNS SETOF record
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_object   dicomgw.instance;
    v_decision dicomgw.routing_decision;
    v_at       timestamptz;
    v_kept     boolean;
BEGIN
    SELECT i.* INTO v_object FROM dicomgw.instance i WHERE i.id = explain_routing.instance_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'object % %', instance_id,
                CASE WHEN EXISTS (SELECT FROM dicomgw.ingest i WHERE i.id = explain_routing.instance_id)
                     THEN 'is not routed yet' ELSE 'was not received' END
            USING ERRCODE = 'PT404', HINT = 'SELECT * FROM dicomgw.unrouted lists what is not routed yet, and why.';
    END IF;
    SELECT d.* INTO v_decision FROM dicomgw.routing_decision d
    WHERE d.instance_id = explain_routing.instance_id ORDER BY d.decided_at DESC LIMIT 1;
    v_at := coalesce(v_decision.decided_at, v_object.received_at);
    -- one that could not be read was not there for the router either
    v_kept := v_object.header_error IS NOT NULL
        OR EXISTS (SELECT FROM dicomgw.instance_header h WHERE h.instance_id = v_object.id AND h.received_at = v_object.received_at);

    RETURN QUERY
    WITH job AS MATERIALIZED (
        SELECT j.* FROM dicomgw._jobs_of(v_object.id) j
    ), known AS (
        SELECT r.*, coalesce(r.id = ANY (v_decision.matched), false) AS took, v_decision.errors ->> r.name AS failure,
               coalesce((r.contents ->> 'stop')::boolean, false) AS stops,
               coalesce((r.contents ->> 'is_default')::boolean, false) AS is_default,
               coalesce((r.contents ->> 'enabled')::boolean, true) AS enabled,
               coalesce((r.contents ->> 'valid_from')::timestamptz <= v_at, true)
                   AND coalesce(v_at < (r.contents ->> 'valid_until')::timestamptz, true) AS valid,
               row_number() OVER (ORDER BY NOT r.in_force, (r.contents ->> 'is_default')::boolean, (r.contents ->> 'position')::integer,
                                           r.id) AS place,
               (SELECT jsonb_agg(j.job) FROM job j WHERE j.route_id = r.id) AS jobs,
               n.version AS version_now
        FROM dicomgw._routes_at(v_at, v_decision.matched) r
        LEFT JOIN dicomgw.configuration_as_of('route') n ON n.row_key = r.id::text
    ), evaluated AS (
        SELECT k.*, t.terms, t.value, t.error,
               (array_agg(k.name) FILTER (WHERE k.took AND k.stops) OVER (ORDER BY k.place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING))[1]
                   AS stopped_by,
               bool_or(k.took) OVER () AS somebody_took
        FROM known k
        LEFT JOIN LATERAL dicomgw._explain_terms(k.contents ->> 'predicate', v_object.id) t ON v_kept
    ), concluded AS (
        SELECT e.*,
               CASE WHEN e.took AND e.contents ->> 'trigger' IN ('series', 'study') AND e.jobs IS NULL THEN 'gathered'
                    WHEN e.took THEN 'matched'
                    WHEN e.failure IS NOT NULL THEN 'error'
                    WHEN NOT e.enabled THEN 'disabled'
                    WHEN NOT e.valid THEN 'not valid'
                    WHEN e.in_force AND e.stopped_by IS NOT NULL THEN 'stopped before'
                    WHEN e.in_force AND e.is_default AND e.somebody_took THEN 'not needed'
                    WHEN e.in_force AND v_decision.instance_id IS NOT NULL THEN 'not matched'
                    WHEN e.error IS NOT NULL THEN 'would fail'
                    WHEN e.value THEN 'would match'
                    WHEN NOT e.value THEN 'would not match'
                    ELSE 'unknown' END AS outcome
        FROM evaluated e
    )
    SELECT c.name, c.version, c.in_force, c.outcome, c.contents ->> 'predicate', c.terms, c.jobs,
           nullif(concat_ws('; ', c.failure,
               CASE WHEN c.outcome = 'stopped before' THEN format('route "%s" stopped it', c.stopped_by) END,
               CASE WHEN NOT v_kept THEN 'the header is no longer kept: the terms cannot be shown' END,
               CASE WHEN c.outcome LIKE 'would%' THEN c.error END,
               CASE WHEN c.outcome IN ('matched', 'gathered') AND NOT coalesce(c.value, NOT v_kept)
                      OR c.outcome = 'not matched' AND (c.value OR c.error IS NOT NULL)
                    THEN format('now the predicate %s: it depends on the time or on something that has changed, or the route was changed in that moment',
                                coalesce('fails: ' || c.error, 'gives ' || c.value)) END,
               CASE WHEN c.outcome = 'matched' AND c.jobs IS NULL
                    THEN coalesce((SELECT format('the job for destination "%s" is that of %s', j.destination,
                                                 coalesce(format('route "%s"', o.name), 'another route'))
                                   FROM job j LEFT JOIN known o ON o.id = j.route_id
                                   WHERE j.destination = c.contents ->> 'destination' LIMIT 1), 'its jobs are no longer kept') END,
               CASE WHEN NOT c.in_force THEN 'the route did not exist then'
                    WHEN v_decision.instance_id IS NULL THEN 'the decision is no longer kept' END,
               CASE WHEN c.version_now IS NULL THEN 'the route was deleted since'
                    WHEN c.version_now <> c.version THEN format('the route has version %s now', c.version_now) END), '')
    FROM concluded c
    ORDER BY c.place;
END
$$;
COMMENT ON FUNCTION dicomgw.explain_routing(bigint) IS
    'Why an object went where it went: each route in the version in force when it was (last) decided, and those of now that did not exist then (in_force false); outcome: matched, gathered (waits for its series or study), not matched, error, disabled, not valid, stopped before, not needed (default route), would match, would not match, would fail, unknown; terms: the parts of the predicate with their values, evaluated now on the header as kept; jobs: what was done';
