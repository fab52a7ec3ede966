/*
 * What the forwarder does with the queue: claim, record, give back.
 *
 * Every statement that changes a claimed job names the claim's token: a
 * result that comes after the lease went to somebody else changes nothing.
 */
CREATE FUNCTION dicomgw._arrivals(p_after bigint, p_limit integer,
    OUT destination_id integer, OUT priority integer, OUT first_id bigint, OUT last_id bigint, OUT jobs bigint)
RETURNS SETOF record
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
BEGIN
    RETURN QUERY
    SELECT a.destination_id, a.priority::integer, min(a.id), max(a.id), count(*)
    FROM (SELECT j.id, j.destination_id, j.priority FROM dicomgw.forward_job j
          WHERE j.id > p_after ORDER BY j.id LIMIT p_limit) a
    GROUP BY 1, 2;
END
$$;
COMMENT ON FUNCTION dicomgw._arrivals(bigint, integer) IS
    'Forwarder: which destinations have got jobs with numbers above this one, of the first so many';

CREATE FUNCTION dicomgw._sweep(p_destination_id integer[], p_below bigint[],
    OUT destination_id integer, OUT priority integer, OUT id bigint)
RETURNS SETOF record
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
BEGIN
    RETURN QUERY
    SELECT d.id, l.priority, f.id
    FROM unnest(p_destination_id) WITH ORDINALITY AS d(id, n)
    CROSS JOIN generate_series(0, 9) AS l(priority)
    CROSS JOIN LATERAL (
        SELECT j.id FROM dicomgw.forward_job j
        WHERE j.destination_id = d.id AND j.priority = l.priority AND j.id < p_below[(d.n - 1) * 10 + l.priority + 1]
          AND j.not_before <= now() AND j.lease_until <= now()
        ORDER BY j.id LIMIT 1
    ) f;
END
$$;
COMMENT ON FUNCTION dicomgw._sweep(integer[], bigint[]) IS
    'Forwarder: the first job that is due of each destination and priority (ten numbers a destination), if it is below that number';

CREATE FUNCTION dicomgw._claim(p_destination_id integer, p_from bigint[], p_limit integer, p_lease interval,
    OUT id bigint, OUT token bigint, OUT file_path text, OUT sop_class_uid text, OUT sop_instance_uid text,
    OUT transfer_syntax_uid text, OUT size bigint, OUT sha256 bytea, OUT priority integer, OUT series_id bigint,
    OUT edits text, OUT edit_error text)
RETURNS SETOF record
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
    v_token bigint := nextval('dicomgw.lease_token_seq');
BEGIN
    RETURN QUERY
    WITH due AS MATERIALIZED (
        SELECT f.id
        FROM generate_series(9, 0, -1) AS l(priority)
        CROSS JOIN LATERAL (
            SELECT j.id FROM dicomgw.forward_job j
            WHERE j.destination_id = p_destination_id AND j.priority = l.priority AND j.id >= p_from[l.priority + 1]
              AND j.not_before <= now() AND j.lease_until <= now()
            ORDER BY j.id LIMIT p_limit
            FOR UPDATE SKIP LOCKED
        ) f
        LIMIT p_limit
    ), claimed AS (
        UPDATE dicomgw.forward_job j SET lease_token = v_token, lease_until = now() + p_lease
        FROM due WHERE j.id = due.id
        RETURNING j.id, j.priority, j.instance_id, j.edit_version
    )
    SELECT c.id, v_token, i.file_path, i.sop_class_uid, i.sop_instance_uid, i.transfer_syntax_uid, i.size, i.sha256,
           c.priority::integer, i.series_id, e.plan, e.error
    FROM claimed c JOIN dicomgw.instance i ON i.id = c.instance_id
    -- OFFSET 0 keeps it a subquery, in which the condition comes first: else the function is called for every job, and costs
    -- more than the rest.
    LEFT JOIN LATERAL (SELECT p.plan, p.error FROM dicomgw._plan_of_job(c.instance_id, p_destination_id, c.edit_version) p
                       WHERE c.edit_version IS NOT NULL OFFSET 0) e ON true
    ORDER BY c.priority DESC, c.id;
END
$$;
COMMENT ON FUNCTION dicomgw._claim(integer, bigint[], integer, interval) IS
    'Forwarder: leases the first jobs of a destination under a new fencing token; of each of the ten priorities those from this number on. edits: the plan of those that are edited, or edit_error';

-- Outcomes: DgwOutcome of src/protocol/message.h.  Statuses: PS3.7 Annex C, PS3.4 B.2.3.
-- PL/pgSQL, as the next one: it keeps its plan, while SQL plans anew in every statement that calls it.
CREATE FUNCTION dicomgw._answer_class(p_outcome integer, p_status integer) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN CASE
        WHEN p_outcome IN (3, 4, 9) THEN 'unsendable'                              -- our file is not as received, or can't be edited
        WHEN p_outcome IN (2, 5, 6) THEN 'permanent'                               -- no context, no conversion, HTTP 4xx
        WHEN p_outcome <> 1 THEN 'transient'                                       -- HTTP 5xx, the association broke
        WHEN p_status IN (0, 1, 263, 278) THEN 'taken'                             -- 0000H; 0001H, 0107H, 0116H are warnings
        WHEN p_status BETWEEN 45056 AND 49151 THEN 'taken'                         -- Bxxx
        WHEN p_status BETWEEN 43264 AND 43519 THEN 'permanent'                     -- A9xx
        WHEN p_status BETWEEN 49152 AND 53247 THEN 'permanent'                     -- Cxxx
        WHEN p_status IN (261, 262, 273, 274, 276, 277, 279, 280, 281, 288, 289, 290, 291, 529, 530) THEN 'permanent'
        ELSE 'transient'                                                           -- A7xx, 0110H, 0124H, 0210H, 0213H, and what nobody knows
    END;
END
$$;
COMMENT ON FUNCTION dicomgw._answer_class(integer, integer) IS
    'Forwarder: what an outcome and a DIMSE status say: taken, transient, permanent, or unsendable (our own file is missing or damaged, or cannot be edited)';

CREATE FUNCTION dicomgw._verdict(p_class text, p_attempts integer, p_first_refused_at timestamptz, p_destination dicomgw.destination)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN CASE
        WHEN p_class = 'taken' THEN 'sent'
        WHEN p_class = 'unsendable' THEN 'failed'
        WHEN p_class = 'permanent' AND p_attempts >= (p_destination).permanent_attempts THEN 'failed'
        WHEN p_attempts >= (p_destination).max_attempts THEN 'failed'
        WHEN p_first_refused_at <= now() - (p_destination).give_up_after THEN 'failed'
        ELSE 'retry'
    END;
END
$$;
COMMENT ON FUNCTION dicomgw._verdict(text, integer, timestamptz, dicomgw.destination) IS
    'Forwarder: what becomes of a job after an attempt of this class, by the destination''s policy: sent, retry or failed. Attempts with this one; when it was first refused, NULL: now';

CREATE FUNCTION dicomgw._record_results(
    p_id bigint[], p_token bigint[], p_outcome integer[], p_status integer[], p_comment text[], p_offending text[],
    p_sent_syntax text[], p_duration_us bigint[],
    OUT id bigint, OUT verdict text, OUT taken boolean)
RETURNS SETOF record
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off -- a queue that looks empty may be full of rows that an old snapshot still needs
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
BEGIN
    RETURN QUERY
    WITH result AS MATERIALIZED (
        SELECT r.*, dicomgw._answer_class(r.outcome, r.status) AS class
        FROM unnest(p_id, p_token, p_outcome, p_status, p_comment, p_offending, p_sent_syntax, p_duration_us)
            AS r(id, token, outcome, status, comment, offending, sent_syntax, duration_us)
    ), ended AS MATERIALIZED (
        SELECT j.id, j.instance_id, j.destination_id, d.name AS destination, j.route_id, j.group_id, j.edit_version, j.priority, j.created_at,
               j.attempts + 1 AS attempts, r.class,
               CASE WHEN r.outcome = 1 THEN r.status END AS status,
               nullif(r.comment, '') AS comment, nullif(r.offending, '') AS offending, nullif(r.sent_syntax, '') AS sent_syntax,
               CASE WHEN r.class <> 'taken'
                    THEN concat_ws(': ', CASE WHEN r.outcome = 1 THEN dicomgw.status_text(r.status) END, nullif(r.comment, '')) END AS error,
               make_interval(secs => r.duration_us / 1e6) AS duration,
               dicomgw._verdict(r.class, j.attempts + 1, j.refused_at, d) AS verdict,
               r.duration_us / 1e6::double precision AS seconds, i.received_at, i.series_id, i.size
        FROM result r
        JOIN dicomgw.forward_job j ON j.id = r.id AND j.lease_token = r.token
        JOIN dicomgw.destination d ON d.id = j.destination_id
        JOIN dicomgw.instance i ON i.id = j.instance_id
        ORDER BY j.id -- in one order, as everybody who locks several jobs
        FOR UPDATE OF j
    ), removed AS (
        DELETE FROM dicomgw.forward_job j USING ended e WHERE j.id = e.id AND e.verdict <> 'retry'
    ), put_off AS (
        UPDATE dicomgw.forward_job j
        SET attempts = e.attempts, refused_at = coalesce(j.refused_at, now()),
            not_before = now() + dicomgw.retry_delay(d.retry_first_delay, d.retry_factor, d.retry_max_delay, e.attempts, d.retry_jitter),
            last_status = e.status, last_error = e.error, last_offending = e.offending,
            lease_token = NULL, lease_until = '-infinity'
        FROM ended e JOIN dicomgw.destination d ON d.id = e.destination_id
        WHERE j.id = e.id AND e.verdict = 'retry'
    ), history AS (
        INSERT INTO dicomgw.forward_history
            (job_id, instance_id, destination, route_id, outcome, created_at, attempts, duration, status, comment, offending,
             sent_transfer_syntax_uid, edit_version)
        SELECT e.id, e.instance_id, e.destination, e.route_id, 'sent', e.created_at, e.attempts, e.duration, e.status, e.comment,
               e.offending, e.sent_syntax, e.edit_version
        FROM ended e WHERE e.verdict = 'sent'
    ), delivered AS (
        INSERT INTO dicomgw.study_delivery AS d (study_id, destination, sent, last_sent_at)
        SELECT s.study_id, e.destination, count(*), now()
        FROM ended e JOIN dicomgw.series s ON s.id = e.series_id
        WHERE e.verdict = 'sent'
        GROUP BY s.study_id, e.destination ORDER BY s.study_id, e.destination
        ON CONFLICT (study_id, destination) DO UPDATE SET sent = d.sent + excluded.sent, last_sent_at = excluded.last_sent_at
    ), attempt AS (
        INSERT INTO dicomgw.forward_attempt (job_id, instance_id, destination, attempt, duration, status, error, offending)
        SELECT e.id, e.instance_id, e.destination, e.attempts, e.duration, e.status, e.error, e.offending
        FROM ended e WHERE e.verdict <> 'sent'
    ), dead AS (
        INSERT INTO dicomgw.dead_letter
            (id, instance_id, destination_id, route_id, group_id, edit_version, priority, created_at, attempts, status, error, offending)
        SELECT e.id, e.instance_id, e.destination_id, e.route_id, e.group_id, e.edit_version, e.priority, e.created_at, e.attempts,
               e.status, e.error, e.offending
        FROM ended e WHERE e.verdict = 'failed'
    ), measured AS (
        INSERT INTO dicomgw.measurement (writer, kind, subject, label, objects, bytes, seconds, since_receipt)
        SELECT 3, CASE e.verdict WHEN 'retry' THEN 'retried' ELSE e.verdict END, e.destination,
               coalesce(lpad(upper(to_hex(e.status)), 4, '0') || 'H', e.class), count(*), sum(e.size),
               array_agg(e.seconds) FILTER (WHERE e.verdict = 'sent'),
               array_agg(extract(epoch FROM clock_timestamp() - e.received_at)::double precision)
                   FILTER (WHERE e.verdict = 'sent' AND e.route_id IS NOT NULL)
        FROM ended e GROUP BY 2, 3, 4
    )
    SELECT e.id, e.verdict, e.class IN ('taken', 'permanent') FROM ended e;
END
$$;
COMMENT ON FUNCTION dicomgw._record_results(bigint[], bigint[], integer[], integer[], text[], text[], text[], bigint[]) IS
    'Forwarder: records how attempts ended. Jobs go to forward_history or dead_letter, or wait for their next attempt; a result whose token is not the job''s current one is ignored. Returns what became of each, and whether the peer took it or refused it for good';

CREATE FUNCTION dicomgw._release(p_id bigint[], p_token bigint[]) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off -- a queue that looks empty may be full of rows that an old snapshot still needs
AS $$
DECLARE
    v_released integer;
BEGIN
    WITH held AS MATERIALIZED (
        SELECT j.id FROM unnest(p_id, p_token) AS r(id, token)
        JOIN dicomgw.forward_job j ON j.id = r.id AND j.lease_token = r.token
        ORDER BY j.id FOR UPDATE OF j
    )
    UPDATE dicomgw.forward_job j SET lease_token = NULL, lease_until = '-infinity'
    FROM held h WHERE j.id = h.id;
    GET DIAGNOSTICS v_released = ROW_COUNT;
    RETURN v_released;
END
$$;
COMMENT ON FUNCTION dicomgw._release(bigint[], bigint[]) IS 'Forwarder: gives claimed jobs back unsent; costs them no attempt';

CREATE FUNCTION dicomgw._renew(p_id bigint[], p_token bigint[], p_lease interval) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off -- a queue that looks empty may be full of rows that an old snapshot still needs
AS $$
DECLARE
    v_renewed integer;
BEGIN
    WITH held AS MATERIALIZED (
        SELECT j.id FROM unnest(p_id, p_token) AS r(id, token)
        JOIN dicomgw.forward_job j ON j.id = r.id AND j.lease_token = r.token
        ORDER BY j.id FOR UPDATE OF j
    )
    UPDATE dicomgw.forward_job j SET lease_until = now() + p_lease
    FROM held h WHERE j.id = h.id;
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
