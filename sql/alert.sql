/*
 * What somebody should look at now: one row a trouble, gone when it is over.
 *
 * Messages are for the person who is woken by them: what, since when, what to do.
 * What is cheap to ask only: the heads of queues, small tables, shared memory;
 * nothing is counted that may be large.  A standby has no alerts, its primary has.
 */
CREATE VIEW dicomgw.alert AS
    WITH threshold AS MATERIALIZED (
        SELECT coalesce(current_setting('dicomgw.alert_destination_down', true), '5min')::interval AS destination_down,
               coalesce(current_setting('dicomgw.alert_queue_age', true), '1h')::interval AS queue_age,
               coalesce(current_setting('dicomgw.alert_unrouted_age', true), '10min')::interval AS unrouted_age,
               make_interval(days => coalesce(current_setting('dicomgw.alert_certificate_days', true), '30')::integer) AS certificate
    ), worker AS (
        SELECT 'critical', 'worker_down', w.worker,
               format('The worker "%s" does not run%s%s. It is started again by itself; if it does not stay up, the server''s log says why.', w.worker,
                      ' since ' || w.since::timestamptz(0), ': ' || w.last_error), w.since
        FROM dicomgw.worker_status() w WHERE NOT w.running
    ), listener AS (
        SELECT 'critical', 'listener_down', l.name,
               format('Listener "%s" (port %s) takes no connections: %s. Senders are turned away until that is put right: SELECT * FROM dicomgw.listener_status.',
                      l.name, l.port, coalesce(s.message, 'the receiver has not opened it')), NULL::timestamptz
        FROM dicomgw.listener l LEFT JOIN dicomgw.listener_states() s ON s.listener_id = l.id
        WHERE l.enabled AND NOT coalesce(s.listening, false)
    ), certificate AS (
        SELECT CASE WHEN s.certificate_expires_at < now() + t.certificate / 4 THEN 'critical' ELSE 'warning' END, 'certificate_expires', l.name,
               format('The certificate of listener "%s" %s at %s. Put a new one in its place (%s) and run SELECT pg_reload_conf().', l.name,
                      CASE WHEN s.certificate_expires_at < now() THEN 'has expired' ELSE 'expires' END,
                      s.certificate_expires_at::timestamptz(0), l.tls_certificate), s.certificate_expires_at - t.certificate
        FROM dicomgw.listener_states() s JOIN dicomgw.listener l ON l.id = s.listener_id CROSS JOIN threshold t
        WHERE l.enabled AND s.certificate_expires_at < now() + t.certificate
    ), storage AS (
        SELECT CASE WHEN s.problem IS NOT NULL OR s.used_percent >= s.high_water THEN 'critical' ELSE 'warning' END, 'storage_low', s.place,
               CASE WHEN s.problem IS NOT NULL
                    THEN format('The %s (%s) cannot be used: %s. Objects are refused until it can.', s.place, s.path, s.problem)
                    ELSE format('The %s (%s) is %s %% full, %s are free; %s. Make room, or set dicomgw.object_retention or dicomgw.space_retention.',
                                s.place, s.path, s.used_percent, pg_size_pretty(s.available),
                                CASE WHEN s.used_percent >= s.high_water THEN 'objects are refused (A700H)'
                                     ELSE format('at %s %% objects are refused', s.high_water) END) END,
               CASE WHEN NOT r.accepts_objects THEN r.since END
        FROM dicomgw.storage_status() s CROSS JOIN dicomgw._receiving() r
        WHERE s.problem IS NOT NULL OR s.used_percent >= least(s.low_water, s.high_water)
    ), damage AS (
        SELECT 'critical', 'storage_problem', p.place,
               format('%s file(s) in the %s are missing or damaged, the first found at %s. SELECT * FROM dicomgw.storage_problem lists them; what the other copy can mend is repaired by itself.',
                      count(*), p.place, min(p.found_at)::timestamptz(0)), min(p.found_at)
        FROM dicomgw.storage_problem p GROUP BY p.place
    ), destination AS (
        SELECT CASE WHEN s.since < now() - 12 * t.destination_down THEN 'critical' ELSE 'warning' END, 'destination_down', d.name,
               format('Destination "%s" is down since %s: %s. Its jobs wait and lose nothing; it is probed by itself. SELECT dicomgw.echo(''%s'') asks it now, SELECT dicomgw.move(destination => ''%s'', ...) sends elsewhere.',
                      d.name, s.since::timestamptz(0), s.reason, d.name, d.name), s.since
        FROM dicomgw.destination_state s JOIN dicomgw.destination d ON d.id = s.destination_id CROSS JOIN threshold t
        WHERE s.state <> 'up' AND NOT d.paused AND s.since < now() - t.destination_down
    ), queue AS (
        SELECT 'warning', 'queue_old', d.name,
               format('A job for destination "%s" waits since %s%s. SELECT * FROM dicomgw.job_status WHERE destination = ''%s'' ORDER BY since LIMIT 10 says why.',
                      d.name, j.created_at::timestamptz(0),
                      CASE WHEN d.paused THEN format('; it is paused by %s since %s', d.paused_by, d.paused_at::timestamptz(0)) END, d.name), j.created_at
        FROM dicomgw.destination d
        JOIN dicomgw.destination_open o ON o.destination_id = d.id
        LEFT JOIN dicomgw.destination_state s ON s.destination_id = d.id
        CROSS JOIN threshold t
        CROSS JOIN LATERAL (
            -- The first one of each priority: said so that only forward_job_claim_idx has this order.
            SELECT min(h.created_at) AS created_at
            FROM generate_series(0, 9) AS l(priority)
            CROSS JOIN LATERAL (SELECT q.created_at FROM dicomgw.forward_job q
                                WHERE q.destination_id = d.id AND q.priority BETWEEN l.priority AND l.priority
                                ORDER BY q.priority DESC, q.id LIMIT 1) h
        ) j
        WHERE (d.paused OR o.may_send) AND coalesce(s.state, 'up') = 'up' AND j.created_at < now() - t.queue_age
    ), failed AS (
        SELECT 'warning', 'dead_letter', d.name,
               format('%s job(s) for destination "%s" failed for good, the first at %s. SELECT error, count(*) FROM dicomgw.dead_letter GROUP BY 1 says why; then SELECT dicomgw.retry(destination => ''%s'') or dicomgw.cancel(...).',
                      l.jobs, d.name, l.since::timestamptz(0), d.name), l.since
        FROM (SELECT x.destination_id, count(*) AS jobs, min(x.failed_at) AS since FROM dicomgw.dead_letter x GROUP BY 1) l
        JOIN dicomgw.destination d ON d.id = l.destination_id
    ), unrouted AS (
        SELECT CASE WHEN o.route_error IS NULL AND r.routing THEN 'critical' ELSE 'warning' END, 'unrouted', 'router',
               format('An object that was received at %s is not routed yet: %s. SELECT * FROM dicomgw.unrouted WHERE decided_at IS NULL lists them.',
                      o.received_at::timestamptz(0),
                      CASE WHEN NOT r.routing THEN 'routing is switched off (dicomgw.routing)'
                           ELSE coalesce('routing it failed: ' || o.route_error, 'the router has not come to it') END), o.received_at
        FROM (SELECT g.* FROM dicomgw.ingest g ORDER BY g.id LIMIT 1) o
        CROSS JOIN (SELECT coalesce(current_setting('dicomgw.routing', true), 'on')::boolean AS routing) r
        CROSS JOIN threshold t
        WHERE o.received_at < now() - t.unrouted_age
    ), audit_export AS (
        SELECT 'warning', 'audit_export_stuck', p.repository,
               format('%s. Nothing is lost, it is tried again by itself. SELECT * FROM dicomgw.audit_export_status says more.', p.message), p.since
        FROM dicomgw.audit_export_problems() p
    )
    SELECT a.severity, a.kind, a.subject, a.message, a.since
    FROM (TABLE worker UNION ALL TABLE listener UNION ALL TABLE certificate UNION ALL TABLE storage UNION ALL TABLE damage
          UNION ALL TABLE destination UNION ALL TABLE queue UNION ALL TABLE failed UNION ALL TABLE unrouted UNION ALL TABLE audit_export)
         AS a(severity, kind, subject, message, since)
    WHERE NOT pg_is_in_recovery();
COMMENT ON VIEW dicomgw.alert IS 'What somebody should look at now: one row a trouble, gone when it is over';
COMMENT ON COLUMN dicomgw.alert.severity IS 'critical: objects are refused, lost or stand still; warning: that may come of it';
COMMENT ON COLUMN dicomgw.alert.kind IS
    'worker_down, listener_down, certificate_expires, storage_low, storage_problem, destination_down, queue_old, dead_letter, unrouted, audit_export_stuck';
COMMENT ON COLUMN dicomgw.alert.subject IS 'worker, listener, place of storage, destination or audit repository that it is about';
COMMENT ON COLUMN dicomgw.alert.message IS 'what, since when, what to do';
COMMENT ON COLUMN dicomgw.alert.since IS 'since when; NULL: it is not known';
