/*
 * What a person types: what waits and why, and what to do about it.
 */
CREATE VIEW dicomgw.job_status AS
    SELECT j.id AS job_id,
           CASE WHEN j.lease_until > now() THEN 'sending' ELSE 'waiting' END AS state,
           d.name AS destination,
           i.sop_instance_uid,
           CASE
               WHEN j.lease_until > now() THEN 'is being sent'
               WHEN NOT coalesce(w.running, false)
                   THEN format('the forwarder is not running: %s', coalesce(w.last_error, 'no reason known'))
               WHEN d.paused THEN format('destination "%s" is paused', d.name)
               WHEN s.state <> 'up'
                   THEN format('destination "%s" is down since %s: %s; next try at %s',
                               d.name, s.since::timestamptz(0), s.reason, s.next_probe_at::timestamptz(0))
               WHEN j.not_before > now()
                   THEN format('attempt %s of %s failed (%s); next one at %s',
                               j.attempts, d.max_attempts, j.last_error, j.not_before::timestamptz(0))
               ELSE 'waits for its turn'
           END AS reason,
           j.created_at AS since, j.priority, j.attempts, j.last_error, i.id AS instance_id, j.route_id
    FROM dicomgw.forward_job j
    JOIN dicomgw.instance i ON i.id = j.instance_id
    JOIN dicomgw.destination d ON d.id = j.destination_id
    LEFT JOIN dicomgw.destination_state s ON s.destination_id = d.id
    LEFT JOIN (SELECT running, last_error FROM dicomgw.worker_status() WHERE worker = 'forwarder') w ON true
    UNION ALL
    SELECT l.id, 'failed', d.name, i.sop_instance_uid,
           format('failed for good after %s attempt(s): %s', l.attempts, l.error),
           l.created_at, l.priority, l.attempts, l.error, i.id, l.route_id
    FROM dicomgw.dead_letter l
    JOIN dicomgw.instance i ON i.id = l.instance_id
    JOIN dicomgw.destination d ON d.id = l.destination_id;
COMMENT ON VIEW dicomgw.job_status IS
    'Every job that is not done, with the one reason why: waiting, being sent, or failed for good';
COMMENT ON COLUMN dicomgw.job_status.job_id IS 'number of the job';
COMMENT ON COLUMN dicomgw.job_status.state IS 'waiting, sending or failed';
COMMENT ON COLUMN dicomgw.job_status.destination IS 'where it goes';
COMMENT ON COLUMN dicomgw.job_status.sop_instance_uid IS 'SOP Instance UID of the object';
COMMENT ON COLUMN dicomgw.job_status.reason IS 'why it is not done';
COMMENT ON COLUMN dicomgw.job_status.since IS 'when it was put into the queue';
COMMENT ON COLUMN dicomgw.job_status.priority IS 'higher ones are sent first';
COMMENT ON COLUMN dicomgw.job_status.attempts IS 'how often it was offered to the peer';
COMMENT ON COLUMN dicomgw.job_status.last_error IS 'the last refusal';
COMMENT ON COLUMN dicomgw.job_status.instance_id IS 'number of the object';
COMMENT ON COLUMN dicomgw.job_status.route_id IS 'the route that asked for it; NULL: a person did';

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

CREATE FUNCTION dicomgw.echo(destination text,
    OUT ok boolean, OUT message text, OUT status text,
    OUT associate_time interval, OUT round_trip_time interval, OUT peer_max_pdu bigint, OUT peer_implementation text,
    OUT tls_version text, OUT tls_cipher text, OUT tls_subject text)
LANGUAGE c STRICT VOLATILE
AS 'MODULE_PATHNAME', 'dgw_echo';
COMMENT ON FUNCTION dicomgw.echo(text) IS
    'C-ECHO to a destination, now: whether it answers, what it is, and how long it took; if not, why, and what was learnt so far';

CREATE FUNCTION dicomgw.echo(host text, port dicomgw.tcp_port, called_ae dicomgw.ae_title,
    calling_ae dicomgw.ae_title DEFAULT 'DICOMGW', tls text DEFAULT 'off',
    OUT ok boolean, OUT message text, OUT status text,
    OUT associate_time interval, OUT round_trip_time interval, OUT peer_max_pdu bigint, OUT peer_implementation text,
    OUT tls_version text, OUT tls_cipher text, OUT tls_subject text)
LANGUAGE c STRICT VOLATILE
AS 'MODULE_PATHNAME', 'dgw_echo_peer';
COMMENT ON FUNCTION dicomgw.echo(text, dicomgw.tcp_port, dicomgw.ae_title, dicomgw.ae_title, text) IS
    'C-ECHO to any application entity, before it is made a destination; tls as in dicomgw.destination, with the authorities that the system trusts';

CREATE FUNCTION dicomgw._echo_peer(host text, port dicomgw.tcp_port, called_ae dicomgw.ae_title, calling_ae dicomgw.ae_title,
    tls text) RETURNS SETOF dicomgw.sender_destination
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_peer dicomgw.sender_destination;
BEGIN
    IF host !~ '^[A-Za-z0-9._:%-]{1,253}$' THEN
        RAISE EXCEPTION '"%" is neither a host name nor an address', host
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF tls NOT IN ('off', 'require', 'verify-ca', 'verify-full') THEN
        RAISE EXCEPTION 'tls must be off, require, verify-ca or verify-full'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    v_peer.id := 0;
    v_peer.name := host;
    v_peer.kind := false;
    v_peer.max_associations := 1;
    v_peer.host := host;
    v_peer.port := port;
    v_peer.ae_title := called_ae;
    v_peer.calling_ae_title := calling_ae;
    v_peer.max_pdu := 131072;
    v_peer.connect_timeout := 10;
    v_peer.association_timeout := 30;
    v_peer.response_timeout := 30;
    v_peer.tls := array_position('{require,verify-ca,verify-full}', tls);
    RETURN NEXT v_peer;
END
$$;
COMMENT ON FUNCTION dicomgw._echo_peer(text, dicomgw.tcp_port, dicomgw.ae_title, dicomgw.ae_title, text) IS
    'Called by dicomgw.echo: what a sender is told of an application entity that is no destination, or an error';

CREATE FUNCTION dicomgw._destination_id(destination text) RETURNS integer
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_id integer;
BEGIN
    SELECT d.id INTO v_id FROM dicomgw.destination d WHERE d.name = destination;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'destination "%" does not exist', destination
            USING ERRCODE = 'undefined_object', HINT = 'SELECT name FROM dicomgw.destination lists them.';
    END IF;
    RETURN v_id;
END
$$;
COMMENT ON FUNCTION dicomgw._destination_id(text) IS 'Number of the destination of this name, or an error';

CREATE FUNCTION dicomgw.retry(job_id bigint DEFAULT NULL, destination text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_destination integer := CASE WHEN destination IS NOT NULL THEN dicomgw._destination_id(destination) END;
    v_revived     bigint;
    v_hastened    bigint;
BEGIN
    IF job_id IS NULL AND destination IS NULL THEN
        RAISE EXCEPTION 'nothing to retry is named' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Give job_id => ... or destination => ...';
    END IF;
    UPDATE dicomgw.destination_state s SET next_probe_at = now()
    WHERE s.state <> 'up' AND s.destination_id = v_destination;

    UPDATE dicomgw.forward_job j SET not_before = '-infinity'
    WHERE (job_id IS NULL OR j.id = job_id) AND (v_destination IS NULL OR j.destination_id = v_destination)
      AND j.not_before > now();
    GET DIAGNOSTICS v_hastened = ROW_COUNT;

    WITH revived AS (
        DELETE FROM dicomgw.dead_letter l
        WHERE (job_id IS NULL OR l.id = job_id) AND (v_destination IS NULL OR l.destination_id = v_destination)
        RETURNING l.*
    )
    INSERT INTO dicomgw.forward_job (id, instance_id, destination_id, route_id, priority, created_at, last_status, last_error)
    OVERRIDING SYSTEM VALUE
    SELECT r.id, r.instance_id, r.destination_id, r.route_id, r.priority, r.created_at, r.status, r.error
    FROM revived r ORDER BY r.id;
    GET DIAGNOSTICS v_revived = ROW_COUNT;

    PERFORM dicomgw.notify_work();
    RETURN v_revived + v_hastened;
END
$$;
COMMENT ON FUNCTION dicomgw.retry(bigint, text) IS
    'Puts dead letters back into the queue with fresh attempts, and makes jobs due at once that wait after a refusal: one job, or all of a destination. Returns how many';

CREATE FUNCTION dicomgw.cancel(job_id bigint DEFAULT NULL, destination text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_destination integer := CASE WHEN destination IS NOT NULL THEN dicomgw._destination_id(destination) END;
    v_cancelled   bigint;
BEGIN
    IF job_id IS NULL AND destination IS NULL THEN
        RAISE EXCEPTION 'nothing to cancel is named' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Give job_id => ... or destination => ...';
    END IF;
    WITH waiting AS (
        DELETE FROM dicomgw.forward_job j
        WHERE (job_id IS NULL OR j.id = job_id) AND (v_destination IS NULL OR j.destination_id = v_destination)
        RETURNING j.id, j.instance_id, j.destination_id, j.route_id, j.created_at, j.attempts, j.last_status AS status
    ), failed AS (
        DELETE FROM dicomgw.dead_letter l
        WHERE (job_id IS NULL OR l.id = job_id) AND (v_destination IS NULL OR l.destination_id = v_destination)
        RETURNING l.id, l.instance_id, l.destination_id, l.route_id, l.created_at, l.attempts, l.status
    )
    INSERT INTO dicomgw.forward_history
        (job_id, instance_id, destination, route_id, outcome, created_at, attempts, status, comment)
    SELECT c.id, c.instance_id, d.name, c.route_id, 'cancelled', c.created_at, c.attempts, c.status,
           format('cancelled by %s', session_user)
    FROM (SELECT * FROM waiting UNION ALL SELECT * FROM failed) c
    JOIN dicomgw.destination d ON d.id = c.destination_id;
    GET DIAGNOSTICS v_cancelled = ROW_COUNT;
    RETURN v_cancelled;
END
$$;
COMMENT ON FUNCTION dicomgw.cancel(bigint, text) IS
    'Ends waiting jobs and dead letters unsent: one job, or all of a destination. An object that is just being sent may arrive all the same. Returns how many';

CREATE FUNCTION dicomgw.replay_study(study_instance_uid text, destination text) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_destination integer := dicomgw._destination_id(destination);
    v_study       bigint;
    v_jobs        bigint;
    v_skipped     bigint;
BEGIN
    SELECT s.id INTO v_study FROM dicomgw.study s WHERE s.study_instance_uid = replay_study.study_instance_uid;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'study % was not received', study_instance_uid
            USING ERRCODE = 'no_data_found',
                  HINT = 'SELECT study_instance_uid FROM dicomgw.study lists the studies that were.';
    END IF;
    -- The lock keeps retention away from them until their jobs can be seen; what it is removing just now is
    -- waited for, and left out.
    WITH kept AS MATERIALIZED (
        SELECT i.id
        FROM dicomgw.instance i JOIN dicomgw.series s ON s.id = i.series_id
        WHERE s.study_id = v_study AND i.removed_at IS NULL
        ORDER BY i.id
        FOR KEY SHARE OF i
    )
    INSERT INTO dicomgw.forward_job (instance_id, destination_id)
    SELECT k.id, v_destination FROM kept k ORDER BY k.id;
    GET DIAGNOSTICS v_jobs = ROW_COUNT;
    SELECT count(*) INTO v_skipped
    FROM dicomgw.instance i JOIN dicomgw.series s ON s.id = i.series_id
    WHERE s.study_id = v_study AND i.removed_at IS NOT NULL;
    IF v_skipped > 0 THEN
        RAISE NOTICE '% of % objects were skipped: retention has removed their files', v_skipped, v_skipped + v_jobs;
    END IF;
    PERFORM dicomgw.notify_work();
    RETURN v_jobs;
END
$$;
COMMENT ON FUNCTION dicomgw.replay_study(text, text) IS
    'Sends every object received of a study to a destination, whatever was sent before; returns how many jobs that makes. Objects whose file retention has removed are skipped, with a notice';
