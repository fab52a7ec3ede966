/*
 * Dry run: what a predicate would take of what was received, and how that
 * differs from what was decided then.
 */

-- Objects come in the order of time; this finds a window of it, and costs next to nothing to keep.
CREATE INDEX instance_received_at_idx ON dicomgw.instance USING brin (received_at);

-- The settings: headers are looked up by key, day by day, not all of those there ever were; and a plan over so many
-- partitions is not worth compiling.
CREATE FUNCTION dicomgw._try_predicate(p_predicate text, p_since timestamptz, p_until timestamptz)
RETURNS TABLE (instance_id bigint, modality text, calling_ae text, study_instance_uid text, size bigint,
               has_header boolean, matched boolean, error text)
LANGUAGE c STRICT STABLE
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
AS 'MODULE_PATHNAME', 'dgw_try_predicate';
COMMENT ON FUNCTION dicomgw._try_predicate(text, timestamptz, timestamptz) IS
    'Called by route_dry_run: evaluates a predicate on each object that was received in this time';

CREATE FUNCTION dicomgw.route_dry_run(
    predicate text, since timestamptz DEFAULT now() - interval '30 days', until timestamptz DEFAULT now(),
    route text DEFAULT NULL, samples integer DEFAULT 5,
    OUT grouped_by text, OUT value text, OUT evaluated bigint, OUT objects bigint, OUT studies bigint, OUT bytes numeric,
    OUT newly bigint, OUT no_longer bigint, OUT sample_ids bigint[])
RETURNS SETOF record
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_route integer;
BEGIN
    IF route IS NOT NULL THEN
        SELECT r.id INTO v_route FROM dicomgw.route r WHERE r.name = route;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'route "%" does not exist', route
                USING ERRCODE = 'undefined_object', HINT = 'SELECT name FROM dicomgw.route lists them.';
        END IF;
    END IF;

    RETURN QUERY
    WITH decided AS (
        -- A decision may bear a time before its object's: its transaction has begun, and then waited.
        SELECT d.instance_id, bool_or(CASE WHEN v_route IS NULL THEN d.matched <> '{}' ELSE v_route = ANY (d.matched) END) AS taken
        FROM dicomgw.routing_decision d WHERE d.decided_at >= since - interval '1 day'
        GROUP BY d.instance_id
    ), tried AS MATERIALIZED (
        SELECT t.*, coalesce(d.taken, false) AS taken
        FROM dicomgw._try_predicate(predicate, since, until) t LEFT JOIN decided d USING (instance_id)
    ), counted AS (
        SELECT CASE grouping(t.modality, t.calling_ae, t.study_instance_uid) WHEN 7 THEN 1 WHEN 3 THEN 2 WHEN 5 THEN 3 ELSE 4 END AS place,
               coalesce(t.modality, t.calling_ae, t.study_instance_uid) AS value, count(*) AS evaluated,
               count(*) FILTER (WHERE t.matched) AS objects,
               count(DISTINCT t.study_instance_uid) FILTER (WHERE t.matched) AS studies,
               coalesce(sum(t.size) FILTER (WHERE t.matched), 0) AS bytes,
               count(*) FILTER (WHERE t.matched AND NOT t.taken) AS newly,
               CASE WHEN v_route IS NOT NULL THEN count(*) FILTER (WHERE t.taken AND NOT t.matched) END AS no_longer,
               (array_agg(t.instance_id ORDER BY t.instance_id) FILTER (WHERE t.matched))[:samples] AS sample_ids
        FROM tried t
        GROUP BY GROUPING SETS ((), (t.modality), (t.calling_ae), (t.study_instance_uid))
        UNION ALL
        SELECT x.place, x.value, count(*), count(*), count(DISTINCT t.study_instance_uid), sum(t.size), NULL, NULL,
               (array_agg(t.instance_id ORDER BY t.instance_id))[:samples]
        FROM tried t
        CROSS JOIN LATERAL (SELECT 5 AS place, t.error AS value WHERE t.error IS NOT NULL
                            UNION ALL
                            SELECT 6, 'its header could not be read, or is no longer kept' WHERE NOT t.has_header) x
        GROUP BY x.place, x.value
    )
    SELECT ('{total,modality,calling_ae,study,error,no header}'::text[])[c.place], c.value,
           c.evaluated, c.objects, c.studies, c.bytes, c.newly, c.no_longer, coalesce(c.sample_ids, '{}')
    FROM counted c
    WHERE c.place = 1 OR c.objects > 0 OR c.no_longer > 0
    ORDER BY c.place, c.objects DESC, c.value;
END
$$;
COMMENT ON FUNCTION dicomgw.route_dry_run(text, timestamptz, timestamptz, text, integer) IS
    'What a predicate would take of what was received: in total, by modality, calling AE title and study, and where it fails. Of evaluated objects it takes objects; newly: were not taken then, by this route, or, without one, by any; no_longer: this route took them then. Nothing is written';
