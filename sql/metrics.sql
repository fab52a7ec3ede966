/*
 * Metrics for Prometheus: the counters of measurement.sql, and how things stand
 * now.  dicomgw.metric says what there is; dicomgw.metrics() gives all of it in
 * the text exposition format.
 *
 * Nothing here reads history; what grows with the queue is one scan of it.
 */
CREATE TABLE dicomgw.metric (
    name     text PRIMARY KEY,
    type     text NOT NULL,
    help     text NOT NULL,
    CONSTRAINT metric_name_is_ours CHECK (name ~ '^dicomgw_[a-z_]+$'),
    CONSTRAINT metric_type_is_known CHECK (type IN ('counter', 'gauge', 'histogram'))
);
COMMENT ON TABLE dicomgw.metric IS 'The metrics that dicomgw.metrics() gives';
COMMENT ON COLUMN dicomgw.metric.name IS 'its name';
COMMENT ON COLUMN dicomgw.metric.type IS 'counter, gauge or histogram';
COMMENT ON COLUMN dicomgw.metric.help IS 'what it says';
INSERT INTO dicomgw.metric (name, type, help) VALUES
    ('dicomgw_build_info', 'gauge', 'Always 1; the labels say which versions run'),
    ('dicomgw_ready', 'gauge', '1: objects are received, routed and forwarded'),
    ('dicomgw_counters_updated_timestamp_seconds', 'gauge', 'When the counters last changed'),
    ('dicomgw_received_objects_total', 'counter', 'Objects received and acknowledged'),
    ('dicomgw_received_bytes_total', 'counter', 'Bytes of their datasets'),
    ('dicomgw_routed_objects_total', 'counter', 'Objects routed'),
    ('dicomgw_sent_objects_total', 'counter', 'Jobs that ended as sent, by the peer''s status'),
    ('dicomgw_sent_bytes_total', 'counter', 'Bytes of their datasets, as they were received'),
    ('dicomgw_failed_objects_total', 'counter', 'Jobs that failed for good, by the peer''s status, or the class of the failure'),
    ('dicomgw_failed_bytes_total', 'counter', 'Bytes of their datasets, as they were received'),
    ('dicomgw_retried_objects_total', 'counter', 'Attempts that failed and will be repeated, by the peer''s status, or the class of the failure'),
    ('dicomgw_route_duration_seconds', 'histogram', 'From the receipt of an object until it is routed'),
    ('dicomgw_send_duration_seconds', 'histogram', 'From the C-STORE-RQ (or the HTTP request) to the answer, of what was sent'),
    ('dicomgw_delivery_duration_seconds', 'histogram', 'From the receipt of an object until it was sent, of what a route has sent'),
    ('dicomgw_associations_total', 'counter', 'Associations that have ended and connections that were refused, by outcome'),
    ('dicomgw_associations_open', 'gauge', 'Associations open now, and connections that have not asked for one yet'),
    ('dicomgw_listener_up', 'gauge', '1: the listener takes connections'),
    ('dicomgw_listener_certificate_expiry_timestamp_seconds', 'gauge', 'When the certificate of the listener expires'),
    ('dicomgw_accepts_objects', 'gauge', '1: objects are accepted; 0: the storage is full or cannot be used'),
    ('dicomgw_unrouted_objects', 'gauge', 'Objects received and not routed yet'),
    ('dicomgw_unrouted_oldest_age_seconds', 'gauge', 'How long ago the oldest of them was received; 0: there is none'),
    ('dicomgw_queue_jobs', 'gauge', 'Jobs that have not ended: waiting, backoff (refused, until the next attempt), sending, failed (dead letters)'),
    ('dicomgw_queue_oldest_age_seconds', 'gauge', 'How long ago the oldest of them was put into the queue, dead letters: failed'),
    ('dicomgw_destination_up', 'gauge', '1: the destination answers, or was not tried yet'),
    ('dicomgw_destination_paused', 'gauge', '1: a person has paused it'),
    ('dicomgw_destination_associations', 'gauge', 'Associations open to it'),
    ('dicomgw_storage_size_bytes', 'gauge', 'Size of the file system in which objects are kept'),
    ('dicomgw_storage_free_bytes', 'gauge', 'Bytes of it that can still be used'),
    ('dicomgw_storage_used_ratio', 'gauge', 'Share of it in use, as df shows it'),
    ('dicomgw_storage_high_water_ratio', 'gauge', 'Share in use at which objects are refused'),
    ('dicomgw_storage_low_water_ratio', 'gauge', 'Share in use below which they are accepted again'),
    ('dicomgw_storage_problems', 'gauge', 'Files found missing or damaged'),
    ('dicomgw_storage_repairs', 'gauge', 'Objects that wait to be copied to storage or mirror'),
    ('dicomgw_worker_running', 'gauge', '1: the worker runs'),
    ('dicomgw_worker_restarts_total', 'counter', 'Times it was started anew after an error, since the server started'),
    ('dicomgw_worker_last_activity_timestamp_seconds', 'gauge', 'When it last did something'),
    ('dicomgw_audit_entries_total', 'counter', 'Length of the chain of the audit log'),
    ('dicomgw_alerts', 'gauge', 'Rows of dicomgw.alert');

-- ---------- samples ----------

CREATE FUNCTION dicomgw._metric_labels(VARIADIC p_pairs text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
RETURN (SELECT string_agg(format('%s="%s"', p_pairs[i],
                                 replace(replace(replace(p_pairs[i + 1], '\', '\\'), '"', '\"'), E'\n', '\n')), ',' ORDER BY i)
        FROM generate_series(1, cardinality(p_pairs), 2) i);
COMMENT ON FUNCTION dicomgw._metric_labels(text[]) IS 'Called by metrics: labels and their values, which may be any text, as Prometheus has them';

CREATE FUNCTION dicomgw._metric_counters(OUT name text, OUT labels text, OUT value numeric) RETURNS SETOF record
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH total AS MATERIALIZED (
        SELECT c.kind, c.subject, c.label, c.objects, c.bytes FROM dicomgw.counted c WHERE c.kind NOT IN ('route', 'send', 'delivery')
        UNION ALL -- from the beginning, so that the first one is seen as an increase
        SELECT 'received', l.name, '', 0, 0 FROM dicomgw.listener l
        UNION ALL
        SELECT 'sent', d.name, '0000H', 0, 0 FROM dicomgw.destination d
        UNION ALL
        SELECT 'routed', '', '', 0, 0
    ), summed AS (
        SELECT t.kind, t.subject, t.label, sum(t.objects) AS objects, sum(t.bytes) AS bytes FROM total t GROUP BY 1, 2, 3
    ), labelled AS MATERIALIZED (
        SELECT s.*, CASE s.kind WHEN 'received' THEN dicomgw._metric_labels('listener', s.subject)
                                WHEN 'association' THEN dicomgw._metric_labels('listener', s.subject, 'outcome', s.label)
                                WHEN 'routed' THEN NULL
                                ELSE dicomgw._metric_labels('destination', s.subject, 'status', s.label) END AS labels
        FROM summed s
    )
    SELECT CASE l.kind WHEN 'association' THEN 'dicomgw_associations_total' ELSE format('dicomgw_%s_objects_total', l.kind) END, l.labels, l.objects
    FROM labelled l
    UNION ALL
    SELECT format('dicomgw_%s_bytes_total', l.kind), l.labels, l.bytes FROM labelled l WHERE l.kind IN ('received', 'sent', 'failed');
END;
COMMENT ON FUNCTION dicomgw._metric_counters() IS 'Called by metrics: counters of objects, bytes and associations';

CREATE FUNCTION dicomgw._metric_histograms(OUT name text, OUT suffix text, OUT labels text, OUT value numeric) RETURNS SETOF record
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH part AS MATERIALIZED (
        SELECT c.* FROM dicomgw.counted c WHERE c.kind IN ('route', 'send', 'delivery')
    ), histogram AS MATERIALIZED (
        SELECT p.kind, p.subject, format('dicomgw_%s_duration_seconds', p.kind) AS name, sum(p.objects) AS objects, sum(p.seconds) AS seconds,
               CASE WHEN p.subject <> '' THEN dicomgw._metric_labels('destination', p.subject) END AS labels
        FROM part p GROUP BY 1, 2
    )
    SELECT h.name, '_bucket', concat_ws(',', h.labels, 'le="' || b.bound || '"'),
           coalesce(sum(p.objects) OVER (PARTITION BY h.kind, h.subject ORDER BY b.n), 0)
    FROM histogram h
    CROSS JOIN unnest(dicomgw.duration_bounds()::text[] || '+Inf'::text) WITH ORDINALITY AS b(bound, n)
    LEFT JOIN part p ON p.kind = h.kind AND p.subject = h.subject AND p.label = b.bound
    UNION ALL
    SELECT h.name, '_sum', h.labels, h.seconds::numeric FROM histogram h
    UNION ALL
    SELECT h.name, '_count', h.labels, h.objects FROM histogram h;
END;
COMMENT ON FUNCTION dicomgw._metric_histograms() IS 'Called by metrics: durations';

CREATE FUNCTION dicomgw._metric_receiving(OUT name text, OUT labels text, OUT value numeric) RETURNS SETOF record
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT 'dicomgw_associations_open', dicomgw._metric_labels('listener', l.name, 'state', s.state),
           (SELECT count(*) FROM dicomgw._open_associations() a WHERE a.listener_id = l.id AND a.state = s.state)
    FROM dicomgw.listener l CROSS JOIN unnest('{connected,open}'::text[]) AS s(state)
    UNION ALL
    SELECT 'dicomgw_listener_up', dicomgw._metric_labels('listener', l.name), coalesce(s.listening, false)::integer
    FROM dicomgw.listener l LEFT JOIN dicomgw.listener_states() s ON s.listener_id = l.id WHERE l.enabled
    UNION ALL
    SELECT 'dicomgw_listener_certificate_expiry_timestamp_seconds', dicomgw._metric_labels('listener', l.name),
           extract(epoch FROM s.certificate_expires_at)
    FROM dicomgw.listener l JOIN dicomgw.listener_states() s ON s.listener_id = l.id WHERE s.certificate_expires_at IS NOT NULL
    UNION ALL
    SELECT 'dicomgw_accepts_objects', NULL, r.accepts_objects::integer FROM dicomgw._receiving() r
    UNION ALL
    SELECT v.name, NULL, v.value
    FROM (SELECT count(*) AS objects, coalesce(extract(epoch FROM now() - min(i.received_at)), 0) AS age FROM dicomgw.ingest i) u
    CROSS JOIN LATERAL (VALUES ('dicomgw_unrouted_objects', u.objects), ('dicomgw_unrouted_oldest_age_seconds', greatest(u.age, 0))) AS v(name, value)
    UNION ALL
    SELECT v.name, dicomgw._metric_labels('place', s.place), v.value
    FROM dicomgw.storage_status() s
    CROSS JOIN LATERAL (VALUES ('dicomgw_storage_size_bytes', s.total::numeric), ('dicomgw_storage_free_bytes', s.available),
                               ('dicomgw_storage_used_ratio', s.used_percent / 100.0), ('dicomgw_storage_high_water_ratio', s.high_water / 100.0),
                               ('dicomgw_storage_low_water_ratio', s.low_water / 100.0)) AS v(name, value)
    WHERE v.value IS NOT NULL
    UNION ALL
    SELECT 'dicomgw_storage_problems', dicomgw._metric_labels('place', w.place),
           (SELECT count(*) FROM dicomgw.storage_problem p WHERE p.place = w.place)
    FROM unnest('{storage,mirror}'::text[]) AS w(place)
    UNION ALL
    SELECT 'dicomgw_storage_repairs', NULL, count(*) FROM dicomgw.storage_repair;
END;
COMMENT ON FUNCTION dicomgw._metric_receiving() IS 'Called by metrics: how receiving and storage stand';

CREATE FUNCTION dicomgw._metric_queue(OUT name text, OUT labels text, OUT value numeric) RETURNS SETOF record
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH queued AS MATERIALIZED (
        SELECT j.destination_id,
               CASE WHEN j.lease_until > now() THEN 'sending' WHEN j.not_before > now() THEN 'backoff' ELSE 'waiting' END AS state,
               count(*) AS jobs, min(j.created_at) AS oldest
        FROM dicomgw.forward_job j GROUP BY 1, 2
        UNION ALL
        SELECT l.destination_id, 'failed', count(*), min(l.failed_at) FROM dicomgw.dead_letter l GROUP BY 1
    ), destination AS MATERIALIZED (
        SELECT d.id, d.paused, dicomgw._metric_labels('destination', d.name) AS labels FROM dicomgw.destination d
    )
    SELECT v.name, format('%s,state="%s"', d.labels, s.state), v.value
    FROM destination d
    CROSS JOIN unnest('{waiting,backoff,sending,failed}'::text[]) AS s(state)
    LEFT JOIN queued q ON q.destination_id = d.id AND q.state = s.state
    CROSS JOIN LATERAL (VALUES ('dicomgw_queue_jobs', coalesce(q.jobs, 0)::numeric),
                               ('dicomgw_queue_oldest_age_seconds', greatest(coalesce(extract(epoch FROM now() - q.oldest), 0), 0))) AS v(name, value)
    UNION ALL
    SELECT v.name, d.labels, v.value
    FROM destination d LEFT JOIN dicomgw.destination_state s ON s.destination_id = d.id
    CROSS JOIN LATERAL (VALUES ('dicomgw_destination_up', (coalesce(s.state, 'up') = 'up')::integer), ('dicomgw_destination_paused', d.paused::integer),
                               ('dicomgw_destination_associations', coalesce(s.associations, 0))) AS v(name, value);
END;
COMMENT ON FUNCTION dicomgw._metric_queue() IS 'Called by metrics: how the queue and the destinations stand';

CREATE FUNCTION dicomgw._metric_gateway(OUT name text, OUT labels text, OUT value numeric) RETURNS SETOF record
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT 'dicomgw_build_info', dicomgw._metric_labels('version', e.extversion, 'postgresql', current_setting('server_version')), 1::numeric
    FROM pg_extension e WHERE e.extname = 'dicomgw'
    UNION ALL
    SELECT 'dicomgw_ready', NULL, dicomgw.ready()::integer
    UNION ALL
    SELECT 'dicomgw_counters_updated_timestamp_seconds', NULL, extract(epoch FROM max(f.folded_at)) FROM dicomgw.measurement_fold f
    UNION ALL
    SELECT v.name, dicomgw._metric_labels('worker', w.worker), v.value
    FROM dicomgw.worker_status() w
    CROSS JOIN LATERAL (VALUES ('dicomgw_worker_running', w.running::integer::numeric), ('dicomgw_worker_restarts_total', w.restarts),
                               ('dicomgw_worker_last_activity_timestamp_seconds', extract(epoch FROM w.last_action_at))) AS v(name, value)
    WHERE v.value IS NOT NULL
    UNION ALL
    SELECT 'dicomgw_audit_entries_total', NULL, coalesce(max(a.position), 0) FROM dicomgw.audit_chain a
    UNION ALL
    SELECT 'dicomgw_alerts', format('severity="%s"', s.severity), count(a.kind)
    FROM unnest('{critical,warning}'::text[]) AS s(severity) LEFT JOIN dicomgw.alert a ON a.severity = s.severity GROUP BY s.severity;
END;
COMMENT ON FUNCTION dicomgw._metric_gateway() IS 'Called by metrics: versions, workers, audit log, alerts';

-- ---------- all of it ----------

-- With the owner's rights: who fetches metrics may fetch these, and look at nothing else.
CREATE FUNCTION dicomgw.metrics() RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM dicomgw._refuse_limited();
    RETURN (
        WITH sample AS MATERIALIZED (
            SELECT s.name, s.suffix, s.labels, s.value, row_number() OVER () AS n
            FROM (SELECT c.name, '' AS suffix, c.labels, c.value FROM dicomgw._metric_counters() c
                  UNION ALL SELECT * FROM dicomgw._metric_histograms()
                  UNION ALL SELECT r.name, '', r.labels, r.value FROM dicomgw._metric_receiving() r
                  UNION ALL SELECT q.name, '', q.labels, q.value FROM dicomgw._metric_queue() q
                  UNION ALL SELECT g.name, '', g.labels, g.value FROM dicomgw._metric_gateway() g) s
        )
        SELECT string_agg(format(E'# HELP %1$s %2$s\n# TYPE %1$s %3$s\n', m.name, replace(m.help, '\', '\\'), m.type) || coalesce(f.lines, ''), '' ORDER BY m.name)
        FROM dicomgw.metric m
        LEFT JOIN (SELECT s.name, string_agg(format(E'%s%s%s %s\n', s.name, s.suffix, '{' || s.labels || '}', trim_scale(s.value)), '' ORDER BY s.n) AS lines
                   FROM sample s GROUP BY s.name) f ON f.name = m.name);
END
$$;
COMMENT ON FUNCTION dicomgw.metrics() IS
    'Metrics in Prometheus'' text exposition format; counters are a few seconds behind, and go on over restarts and retention';
