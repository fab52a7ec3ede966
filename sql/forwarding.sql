/*
 * What the forwarder does with the queue: claim, record, give back.
 *
 * Every statement that changes a claimed job names the claim's token: a
 * result that comes after the lease went to somebody else changes nothing.
 */
CREATE FUNCTION dicomgw._destinations_due()
RETURNS SETOF dicomgw.destination
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT d.* FROM dicomgw.destination d
    LEFT JOIN dicomgw.destination_state s ON s.destination_id = d.id
    WHERE NOT d.paused
      AND (s.next_probe_at IS NULL OR s.next_probe_at <= now())
      AND EXISTS (SELECT FROM dicomgw.forward_job j
                  WHERE j.destination_id = d.id AND j.not_before <= now() AND j.lease_until <= now());
END
$$;
COMMENT ON FUNCTION dicomgw._destinations_due() IS 'Forwarder: destinations that have jobs to be sent now and may be tried now';

CREATE FUNCTION dicomgw._claim(p_destination_id integer, p_limit integer, p_lease interval,
    OUT id bigint, OUT token bigint, OUT file_path text, OUT sop_class_uid text, OUT sop_instance_uid text,
    OUT transfer_syntax_uid text, OUT size bigint, OUT sha256 bytea)
RETURNS SETOF record
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
    v_token bigint := nextval('dicomgw.lease_token_seq');
BEGIN
    RETURN QUERY
    WITH due AS MATERIALIZED (
        SELECT j.id FROM dicomgw.forward_job j
        WHERE j.destination_id = p_destination_id AND j.not_before <= now() AND j.lease_until <= now()
        ORDER BY j.priority DESC, j.id LIMIT p_limit
        FOR UPDATE SKIP LOCKED
    ), claimed AS (
        UPDATE dicomgw.forward_job j SET lease_token = v_token, lease_until = now() + p_lease
        FROM due WHERE j.id = due.id
        RETURNING j.id, j.priority, j.instance_id
    )
    SELECT c.id, v_token, i.file_path, i.sop_class_uid, i.sop_instance_uid, i.transfer_syntax_uid, i.size, i.sha256
    FROM claimed c JOIN dicomgw.instance i ON i.id = c.instance_id
    ORDER BY c.priority DESC, c.id;
END
$$;
COMMENT ON FUNCTION dicomgw._claim(integer, integer, interval) IS
    'Forwarder: leases the first jobs of a destination under a new fencing token';

CREATE FUNCTION dicomgw._verdict(p_outcome integer, p_status integer, p_attempts integer, p_max_attempts integer)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
RETURN CASE
    WHEN p_outcome IN (2, 3, 4) THEN 'failed'                                  -- no context, or our file is not as received
    WHEN p_outcome = 1                                                         -- else there was no answer: no status counts
     AND (p_status = 0 OR p_status BETWEEN 45056 AND 49151) THEN 'sent'        -- 0000H, Bxxx
    WHEN p_outcome = 1
     AND (p_status BETWEEN 43264 AND 43519 OR p_status BETWEEN 49152 AND 53247 -- A9xx, Cxxx
          OR p_status IN (273, 274, 279, 290)) THEN 'failed'                   -- 0111H, 0112H, 0117H, 0122H
    WHEN p_attempts >= p_max_attempts THEN 'failed'
    ELSE 'retry'
END;
COMMENT ON FUNCTION dicomgw._verdict(integer, integer, integer, integer) IS
    'What becomes of a job after an attempt: sent, retry or failed. Arguments: outcome (1: the peer answered, 2: it accepts no presentation context, 3: our file is missing, 4: damaged, 5: the association broke while it was on its way), DIMSE status, attempts with this one, most attempts';

CREATE FUNCTION dicomgw._record_results(
    p_id bigint[], p_token bigint[], p_outcome integer[], p_status integer[], p_comment text[], p_duration_us bigint[],
    OUT sent integer, OUT retried integer, OUT failed integer)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
BEGIN
    WITH result AS MATERIALIZED (
        SELECT * FROM unnest(p_id, p_token, p_outcome, p_status, p_comment, p_duration_us)
            AS r(id, token, outcome, status, comment, duration_us)
    ), ended AS MATERIALIZED (
        SELECT j.id, j.instance_id, j.destination_id, d.name AS destination, j.route_id, j.priority, j.created_at,
               j.attempts + 1 AS attempts,
               CASE WHEN r.outcome = 1 THEN r.status END AS status,
               nullif(r.comment, '') AS comment,
               concat_ws(': ', CASE WHEN r.outcome = 1 THEN dicomgw.status_text(r.status) END, nullif(r.comment, '')) AS error,
               make_interval(secs => r.duration_us / 1e6) AS duration,
               dicomgw._verdict(r.outcome, r.status, j.attempts + 1, d.max_attempts) AS verdict,
               dicomgw.retry_delay(d.retry_first_delay, d.retry_factor, d.retry_max_delay, j.attempts + 1) AS delay
        FROM result r
        JOIN dicomgw.forward_job j ON j.id = r.id AND j.lease_token = r.token
        JOIN dicomgw.destination d ON d.id = j.destination_id
        FOR UPDATE OF j
    ), removed AS (
        DELETE FROM dicomgw.forward_job j USING ended e WHERE j.id = e.id AND e.verdict <> 'retry'
    ), put_off AS (
        UPDATE dicomgw.forward_job j
        SET attempts = e.attempts, not_before = now() + e.delay, last_status = e.status, last_error = e.error,
            lease_token = NULL, lease_until = '-infinity'
        FROM ended e WHERE j.id = e.id AND e.verdict = 'retry'
    ), history AS (
        INSERT INTO dicomgw.forward_history
            (job_id, instance_id, destination, route_id, outcome, created_at, attempts, duration, status, comment)
        SELECT e.id, e.instance_id, e.destination, e.route_id, 'sent', e.created_at, e.attempts, e.duration, e.status, e.comment
        FROM ended e WHERE e.verdict = 'sent'
    ), dead AS (
        INSERT INTO dicomgw.dead_letter
            (id, instance_id, destination_id, route_id, priority, created_at, attempts, status, error)
        SELECT e.id, e.instance_id, e.destination_id, e.route_id, e.priority, e.created_at, e.attempts, e.status, e.error
        FROM ended e WHERE e.verdict = 'failed'
    )
    SELECT count(*) FILTER (WHERE e.verdict = 'sent'),
           count(*) FILTER (WHERE e.verdict = 'retry'),
           count(*) FILTER (WHERE e.verdict = 'failed')
    INTO sent, retried, failed
    FROM ended e;
END
$$;
COMMENT ON FUNCTION dicomgw._record_results(bigint[], bigint[], integer[], integer[], text[], bigint[]) IS
    'Forwarder: records how attempts ended. Jobs go to forward_history or dead_letter, or wait for their next attempt; a result whose token is not the job''s current one is ignored';

CREATE FUNCTION dicomgw._release(p_id bigint[], p_token bigint[]) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_released integer;
BEGIN
    UPDATE dicomgw.forward_job j SET lease_token = NULL, lease_until = '-infinity'
    FROM unnest(p_id, p_token) AS r(id, token)
    WHERE j.id = r.id AND j.lease_token = r.token;
    GET DIAGNOSTICS v_released = ROW_COUNT;
    RETURN v_released;
END
$$;
COMMENT ON FUNCTION dicomgw._release(bigint[], bigint[]) IS 'Forwarder: gives claimed jobs back unsent; costs them no attempt';

CREATE FUNCTION dicomgw._renew(p_id bigint[], p_token bigint[], p_lease interval) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_renewed integer;
BEGIN
    UPDATE dicomgw.forward_job j SET lease_until = now() + p_lease
    FROM unnest(p_id, p_token) AS r(id, token)
    WHERE j.id = r.id AND j.lease_token = r.token;
    GET DIAGNOSTICS v_renewed = ROW_COUNT;
    RETURN v_renewed;
END
$$;
COMMENT ON FUNCTION dicomgw._renew(bigint[], bigint[], interval) IS 'Forwarder: prolongs the leases of jobs that are still on their way';

CREATE FUNCTION dicomgw._release_all() RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_released integer;
BEGIN
    UPDATE dicomgw.forward_job SET lease_token = NULL, lease_until = '-infinity' WHERE lease_token IS NOT NULL;
    GET DIAGNOSTICS v_released = ROW_COUNT;
    RETURN v_released;
END
$$;
COMMENT ON FUNCTION dicomgw._release_all() IS
    'Forwarder, at its start: the leases of the one before it are void, since its senders died with it';
