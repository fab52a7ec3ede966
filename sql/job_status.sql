/*
 * What waits, and the one reason why; and each destination on a line.
 */
CREATE VIEW dicomgw.destination_hold AS
    -- the first that is true
    SELECT d.id AS destination_id, d.name, d.max_attempts, h.code, h.reason, h.until,
           concat_ws(' and ', d.max_objects_per_second || ' objects/s', d.max_bytes_per_second || ' bytes/s') AS rate
    FROM dicomgw.destination d
    LEFT JOIN dicomgw.destination_state s ON s.destination_id = d.id
    CROSS JOIN (SELECT coalesce(bool_or(running), false) AS running, max(last_error) AS last_error
                FROM dicomgw.worker_status() WHERE worker = 'forwarder') f
    -- of a name that is none nothing is computed: most destinations have no windows, and lists come here for each job
    CROSS JOIN LATERAL dicomgw._window(
        (SELECT e.destination FROM dicomgw.destination_window e WHERE e.destination = d.name LIMIT 1), now()) w
    CROSS JOIN LATERAL (
        SELECT 'forwarder' AS code, format('the forwarder is not running: %s', coalesce(f.last_error, 'no reason known')) AS reason,
               NULL::timestamptz AS until
        WHERE NOT f.running
        UNION ALL
        SELECT 'paused', format('destination "%s" is paused by %s since %s%s', d.name, coalesce(d.paused_by, 'somebody'),
                                d.paused_at::timestamptz(0), ': ' || d.pause_reason), NULL
        WHERE d.paused
        UNION ALL
        SELECT 'window', format('destination "%s" is outside its windows; %s', d.name,
                                coalesce('the next opens at ' || w.changes_at::timestamptz(0), 'none ever opens')), w.changes_at
        WHERE NOT w.open
        UNION ALL
        SELECT 'down', format('destination "%s" is down since %s: %s; %s', d.name, s.since::timestamptz(0), s.reason,
                              CASE s.state WHEN 'probing' THEN 'it is being probed'
                                           ELSE 'next probe at ' || s.next_probe_at::timestamptz(0) END), s.next_probe_at
        WHERE s.state <> 'up'
        UNION ALL
        SELECT NULL, NULL, NULL
        LIMIT 1
    ) h;
COMMENT ON VIEW dicomgw.destination_hold IS 'What holds up all jobs of a destination, if anything does';
COMMENT ON COLUMN dicomgw.destination_hold.destination_id IS 'number of the destination';
COMMENT ON COLUMN dicomgw.destination_hold.name IS 'its name';
COMMENT ON COLUMN dicomgw.destination_hold.max_attempts IS 'how often a job is offered to it';
COMMENT ON COLUMN dicomgw.destination_hold.code IS 'forwarder (not running), paused, window or down; NULL: nothing does';
COMMENT ON COLUMN dicomgw.destination_hold.reason IS 'the same in words';
COMMENT ON COLUMN dicomgw.destination_hold.until IS 'when that may be over, if it is known';
COMMENT ON COLUMN dicomgw.destination_hold.rate IS 'what its rate is limited to; empty: nothing';

-- Without a WITH, and the two tables together before anything else: so a page of it comes by their indexes, whatever waits.
CREATE VIEW dicomgw.job_status AS
    SELECT j.id AS job_id,
           CASE c.code WHEN 'sending' THEN 'sending' WHEN 'failed' THEN 'failed' ELSE 'waiting' END AS state,
           t.name AS destination,
           i.sop_instance_uid,
           c.code AS reason_code,
           CASE c.code
               WHEN 'failed' THEN format('failed for good after %s attempt(s): %s', j.attempts, j.error)
               WHEN 'sending' THEN 'is being sent'
               WHEN 'backoff' THEN CASE WHEN j.attempts = 0 THEN format('is put off until %s', j.not_before::timestamptz(0))
                                        ELSE format('attempt %s of %s failed (%s); next one at %s',
                                                    j.attempts, t.max_attempts, j.error, j.not_before::timestamptz(0)) END
               WHEN 'rate' THEN format('%s; at most %s', ahead.place, t.rate)
               WHEN 'queue' THEN ahead.place
               ELSE t.reason
           END AS reason,
           CASE c.code WHEN 'backoff' THEN j.not_before WHEN 'sending' THEN NULL WHEN 'failed' THEN NULL ELSE t.until END AS waits_until,
           j.created_at AS since, j.priority, j.attempts, j.error AS last_error, i.id AS instance_id, j.route_id,
           g.name AS destination_group
    FROM (SELECT id, instance_id, destination_id, route_id, group_id, priority, created_at, attempts, last_error AS error, not_before,
                 lease_until, false AS failed
          FROM dicomgw.forward_job
          UNION ALL
          SELECT id, instance_id, destination_id, route_id, group_id, priority, created_at, attempts, error, NULL, NULL, true
          FROM dicomgw.dead_letter) j
    JOIN dicomgw.instance i ON i.id = j.instance_id
    JOIN dicomgw.destination_hold t ON t.destination_id = j.destination_id
    LEFT JOIN dicomgw.destination_group g ON g.id = j.group_id
    CROSS JOIN LATERAL (
        SELECT CASE WHEN j.failed THEN 'failed'
                    WHEN j.lease_until > now() THEN 'sending'
                    WHEN t.code IS NOT NULL THEN t.code
                    WHEN j.not_before > now() THEN 'backoff'
                    WHEN t.rate <> '' THEN 'rate'
                    ELSE 'queue' END AS code
    ) c
    CROSS JOIN LATERAL (
        -- of those that are due, the ones that are claimed before it, as far as it matters; a value is made for a row that shows it
        SELECT CASE WHEN c.code IN ('rate', 'queue')
                    THEN (SELECT CASE WHEN count(*) = 1000 THEN format('is behind %s other(s) or more', count(*) FILTER (WHERE b.is_due))
                                      WHEN bool_or(b.is_due) THEN format('is behind %s other(s)', count(*) FILTER (WHERE b.is_due))
                                      ELSE 'is next' END
                          FROM (SELECT w.not_before <= now() AS is_due FROM dicomgw.forward_job w
                                WHERE w.destination_id = j.destination_id AND w.priority >= j.priority
                                  AND (w.priority > j.priority OR w.id < j.id)
                                ORDER BY w.priority DESC, w.id LIMIT 1000) b) END AS place
    ) ahead;
COMMENT ON VIEW dicomgw.job_status IS
    'Every job that is not done, with the one reason why: waiting, being sent, or failed for good';
COMMENT ON COLUMN dicomgw.job_status.job_id IS 'number of the job';
COMMENT ON COLUMN dicomgw.job_status.state IS 'waiting, sending or failed';
COMMENT ON COLUMN dicomgw.job_status.destination IS 'where it goes';
COMMENT ON COLUMN dicomgw.job_status.sop_instance_uid IS 'SOP Instance UID of the object';
COMMENT ON COLUMN dicomgw.job_status.reason_code IS 'sending, forwarder (not running), paused, window, down, backoff, rate, queue or failed';
COMMENT ON COLUMN dicomgw.job_status.reason IS 'why it is not done';
COMMENT ON COLUMN dicomgw.job_status.waits_until IS 'when that may be over, if it is known';
COMMENT ON COLUMN dicomgw.job_status.since IS 'when it was put into the queue';
COMMENT ON COLUMN dicomgw.job_status.priority IS '0 to 9, higher ones are sent first';
COMMENT ON COLUMN dicomgw.job_status.attempts IS 'how often it was offered to the peer';
COMMENT ON COLUMN dicomgw.job_status.last_error IS 'the last refusal';
COMMENT ON COLUMN dicomgw.job_status.instance_id IS 'number of the object';
COMMENT ON COLUMN dicomgw.job_status.route_id IS 'the route that asked for it; NULL: a person did';
COMMENT ON COLUMN dicomgw.job_status.destination_group IS 'group whose member the destination is; NULL: it was named itself';

CREATE VIEW dicomgw.destination_status AS
    SELECT d.name AS destination,
           CASE WHEN d.paused THEN 'paused' WHEN NOT w.open THEN 'closed' ELSE coalesce(s.state, 'unknown') END AS state,
           CASE WHEN d.paused THEN d.pause_reason WHEN s.state <> 'up' THEN s.reason END AS reason,
           CASE WHEN d.paused THEN d.paused_at ELSE s.since END AS since,
           CASE WHEN s.state = 'down' THEN s.next_probe_at END AS next_probe_at,
           CASE WHEN d.paused THEN d.paused_by END AS paused_by,
           w.changes_at AS window_changes_at,
           coalesce(s.associations, 0) AS associations, coalesce(s.concurrency, 1) AS concurrency, d.max_associations,
           coalesce(j.waiting, 0) AS waiting, coalesce(j.sending, 0) AS sending, coalesce(l.failed, 0) AS failed, j.oldest
    FROM dicomgw.destination d
    LEFT JOIN dicomgw.destination_state s ON s.destination_id = d.id
    LEFT JOIN LATERAL (SELECT x.* FROM dicomgw._window(d.name, now()) x
                       WHERE EXISTS (SELECT FROM dicomgw.destination_window e WHERE e.destination = d.name)) w ON true
    LEFT JOIN (SELECT destination_id, count(*) FILTER (WHERE lease_until <= now()) AS waiting,
                      count(*) FILTER (WHERE lease_until > now()) AS sending, min(created_at) AS oldest
               FROM dicomgw.forward_job GROUP BY destination_id) j ON j.destination_id = d.id
    LEFT JOIN (SELECT destination_id, count(*) AS failed FROM dicomgw.dead_letter GROUP BY destination_id) l ON l.destination_id = d.id;
COMMENT ON VIEW dicomgw.destination_status IS 'One row a destination: does it answer, may it be sent to, and what waits for it';
COMMENT ON COLUMN dicomgw.destination_status.destination IS 'its name';
COMMENT ON COLUMN dicomgw.destination_status.state IS 'up, down, probing, paused, closed (outside its windows), or unknown (nothing was sent there yet)';
COMMENT ON COLUMN dicomgw.destination_status.reason IS 'why it is down or paused';
COMMENT ON COLUMN dicomgw.destination_status.since IS 'since when it is so';
COMMENT ON COLUMN dicomgw.destination_status.next_probe_at IS 'when it is asked again';
COMMENT ON COLUMN dicomgw.destination_status.paused_by IS 'who paused it';
COMMENT ON COLUMN dicomgw.destination_status.window_changes_at IS 'when its window opens or closes; NULL: it has none';
COMMENT ON COLUMN dicomgw.destination_status.associations IS 'associations open to it, as of a second ago';
COMMENT ON COLUMN dicomgw.destination_status.concurrency IS 'associations that it may have now';
COMMENT ON COLUMN dicomgw.destination_status.max_associations IS 'and at most';
COMMENT ON COLUMN dicomgw.destination_status.waiting IS 'jobs that wait';
COMMENT ON COLUMN dicomgw.destination_status.sending IS 'jobs that are being sent';
COMMENT ON COLUMN dicomgw.destination_status.failed IS 'dead letters';
COMMENT ON COLUMN dicomgw.destination_status.oldest IS 'when the oldest job was put into the queue';

CREATE VIEW dicomgw.totals AS
    SELECT (SELECT count(*) FROM dicomgw.ingest) + (SELECT count(*) FROM dicomgw.instance) AS received,
           (SELECT count(*) FROM dicomgw.ingest) AS unrouted,
           (SELECT count(*) FROM dicomgw.instance) AS routed,
           (SELECT count(*) FROM dicomgw.forward_job WHERE lease_until <= now()) AS waiting,
           (SELECT count(*) FROM dicomgw.forward_job WHERE lease_until > now()) AS sending,
           (SELECT count(*) FROM dicomgw.forward_history WHERE outcome = 'sent') AS sent,
           (SELECT count(*) FROM dicomgw.dead_letter) AS failed;
COMMENT ON VIEW dicomgw.totals IS 'How many objects and jobs there are in each state; counts rows, so it takes its time on a large history';
COMMENT ON COLUMN dicomgw.totals.received IS 'objects received and acknowledged';
COMMENT ON COLUMN dicomgw.totals.unrouted IS 'of them, not routed yet';
COMMENT ON COLUMN dicomgw.totals.routed IS 'of them, routed';
COMMENT ON COLUMN dicomgw.totals.waiting IS 'jobs that wait';
COMMENT ON COLUMN dicomgw.totals.sending IS 'jobs being sent';
COMMENT ON COLUMN dicomgw.totals.sent IS 'jobs that ended as sent';
COMMENT ON COLUMN dicomgw.totals.failed IS 'dead letters';
