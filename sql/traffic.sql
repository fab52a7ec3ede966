/*
 * How much came and went, minute by minute and hour by hour: filled by the fold
 * of the measurements (measurement.sql), so it agrees with the counters.
 *
 * Minutes and hours are those of UTC.  What is folded late goes to the minute in
 * which it happened.  A row of the minute that is under way is changed by each fold, and
 * never again later.
 */
CREATE TABLE dicomgw.traffic_minute (
    at             timestamptz NOT NULL,
    destination    text NOT NULL,
    received       bigint NOT NULL,
    received_bytes bigint NOT NULL,
    sent           bigint NOT NULL,
    sent_bytes     bigint NOT NULL,
    failed         bigint NOT NULL,
    PRIMARY KEY (destination, at)
) WITH (fillfactor = 80);
COMMENT ON TABLE dicomgw.traffic_minute IS 'What was received, sent and failed in each minute of the last 30 days; see dicomgw.time_series()';
COMMENT ON COLUMN dicomgw.traffic_minute.at IS 'beginning of the minute';
COMMENT ON COLUMN dicomgw.traffic_minute.destination IS 'name of the destination at that time; empty: all of them together, and what was received';
COMMENT ON COLUMN dicomgw.traffic_minute.received IS 'objects received';
COMMENT ON COLUMN dicomgw.traffic_minute.received_bytes IS 'bytes of their datasets';
COMMENT ON COLUMN dicomgw.traffic_minute.sent IS 'jobs that ended as sent';
COMMENT ON COLUMN dicomgw.traffic_minute.sent_bytes IS 'bytes of the datasets, as they were received';
COMMENT ON COLUMN dicomgw.traffic_minute.failed IS 'jobs that became dead letters';

CREATE TABLE dicomgw.traffic_hour (LIKE dicomgw.traffic_minute INCLUDING INDEXES INCLUDING COMMENTS) WITH (fillfactor = 50);
COMMENT ON TABLE dicomgw.traffic_hour IS 'What was received, sent and failed in each hour of the last two years; see dicomgw.time_series()';
COMMENT ON COLUMN dicomgw.traffic_hour.at IS 'beginning of the hour';

CREATE FUNCTION dicomgw._fold_traffic(p_after bigint[], p_up_to bigint[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_step text;
BEGIN
    FOREACH v_step IN ARRAY '{minute,hour}'::text[] LOOP
        EXECUTE format('
            INSERT INTO dicomgw.%I AS t (at, destination, received, received_bytes, sent, sent_bytes, failed)
            SELECT date_trunc(%L, m.at, ''UTC''), d.destination,
                   coalesce(sum(m.objects) FILTER (WHERE m.kind = ''received''), 0),
                   coalesce(sum(m.bytes) FILTER (WHERE m.kind = ''received''), 0),
                   coalesce(sum(m.objects) FILTER (WHERE m.kind = ''sent''), 0),
                   coalesce(sum(m.bytes) FILTER (WHERE m.kind = ''sent''), 0),
                   coalesce(sum(m.objects) FILTER (WHERE m.kind = ''failed''), 0)
            FROM dicomgw._measured($1, $2) m
            CROSS JOIN LATERAL (SELECT '''' UNION ALL SELECT m.subject WHERE m.kind <> ''received'') AS d(destination)
            WHERE m.kind IN (''received'', ''sent'', ''failed'')
            GROUP BY 1, 2
            ON CONFLICT (destination, at) DO UPDATE
                SET received = t.received + excluded.received, received_bytes = t.received_bytes + excluded.received_bytes,
                    sent = t.sent + excluded.sent, sent_bytes = t.sent_bytes + excluded.sent_bytes, failed = t.failed + excluded.failed',
            'traffic_' || v_step, v_step)
        USING p_after, p_up_to;
    END LOOP;
END
$$;
COMMENT ON FUNCTION dicomgw._fold_traffic(bigint[], bigint[]) IS 'Maintenance: adds the measurements between two folds to their minutes and hours';

CREATE FUNCTION dicomgw._expire_traffic(p_now timestamptz DEFAULT now()) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
BEGIN
    DELETE FROM dicomgw.traffic_minute t WHERE t.at < p_now - interval '30 days';
    DELETE FROM dicomgw.traffic_hour t WHERE t.at < p_now - interval '2 years';
    RETURN '';
END
$$;
COMMENT ON FUNCTION dicomgw._expire_traffic(timestamptz) IS 'Maintenance: forgets minutes after 30 days, hours after two years';

CREATE FUNCTION dicomgw._refuse_limited() RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT (SELECT s.sees_all FROM dicomgw._scope() s) THEN
        RAISE EXCEPTION 'a user who is limited to some calling AE titles or institutions may not see counts of everybody''s objects'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
END
$$;
COMMENT ON FUNCTION dicomgw._refuse_limited() IS 'Called by what counts the objects of everybody: an error for a user who sees some only';

CREATE FUNCTION dicomgw._check_time_series(p_since timestamptz, p_until timestamptz, p_step interval, p_destination text) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM dicomgw._refuse_limited();
    IF p_since IS NULL OR p_until IS NULL OR NOT isfinite(p_since) OR NOT isfinite(p_until) THEN
        RAISE EXCEPTION 'since and until must be times' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF p_step IS NULL OR p_step < interval '1 minute' OR extract(epoch FROM p_step) % 60 <> 0
       OR extract(year FROM p_step) * 12 + extract(month FROM p_step) <> 0 THEN
        RAISE EXCEPTION 'step must be whole minutes, hours or days' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF (p_until - p_since) / 5000.0 > p_step THEN
        RAISE EXCEPTION 'too many rows: from % until % there are more than 5000 steps of %', p_since, p_until, p_step
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Use a longer step.';
    END IF;
    IF extract(epoch FROM p_step) % 3600 <> 0 AND p_since < now() - interval '30 days' THEN
        RAISE EXCEPTION 'minutes are kept for 30 days only' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Use a step of whole hours.';
    END IF;
    IF p_destination IS NOT NULL
       AND NOT EXISTS (SELECT FROM dicomgw.destination d WHERE d.name = p_destination)
       AND NOT EXISTS (SELECT FROM dicomgw.counted c WHERE c.kind IN ('sent', 'failed') AND c.subject = p_destination) THEN
        PERFORM dicomgw._destination_id(p_destination); -- says so
    END IF;
END
$$;
COMMENT ON FUNCTION dicomgw._check_time_series(timestamptz, timestamptz, interval, text) IS
    'Called by time_series: an error for who may not see it, and for what cannot be shown';

-- In UTC: a step of a day is 24 hours, also when clocks are changed.
CREATE FUNCTION dicomgw.time_series(since timestamptz, until timestamptz DEFAULT now(), step interval DEFAULT '1 minute', destination text DEFAULT NULL)
RETURNS TABLE (at timestamptz, received bigint, received_bytes bigint, sent bigint, sent_bytes bigint, failed bigint)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
    c_origin CONSTANT timestamptz := '2000-01-01 00:00:00+00';
    v_first  timestamptz;
BEGIN
    PERFORM dicomgw._check_time_series(since, until, step, destination);
    v_first := date_bin(step, since, c_origin);
    RETURN QUERY EXECUTE format('
        SELECT g.at, CASE WHEN $5 IS NULL THEN coalesce(t.received, 0) END, CASE WHEN $5 IS NULL THEN coalesce(t.received_bytes, 0) END,
               coalesce(t.sent, 0), coalesce(t.sent_bytes, 0), coalesce(t.failed, 0)
        FROM generate_series($1, $2 - interval ''1 microsecond'', $3) AS g(at)
        LEFT JOIN (SELECT date_bin($3, r.at, $4) AS at, sum(r.received)::bigint AS received, sum(r.received_bytes)::bigint AS received_bytes,
                          sum(r.sent)::bigint AS sent, sum(r.sent_bytes)::bigint AS sent_bytes, sum(r.failed)::bigint AS failed
                   FROM dicomgw.%I r
                   WHERE r.destination = coalesce($5, '''') AND r.at >= $1 AND r.at < $2
                   GROUP BY 1) t ON t.at = g.at
        ORDER BY g.at',
        CASE WHEN extract(epoch FROM step) % 3600 = 0 THEN 'traffic_hour' ELSE 'traffic_minute' END)
    USING v_first, until, step, c_origin, destination;
END
$$;
COMMENT ON FUNCTION dicomgw.time_series(timestamptz, timestamptz, interval, text) IS
    'What was received, sent and failed, a row for each step (whole minutes; UTC) that begins before until, the first one that of since, those in which nothing was included; at most 5000. Of one destination: nothing is said of what was received. Minutes are kept for 30 days, hours (steps of whole hours) for two years; a few seconds behind';
