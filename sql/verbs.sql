/*
 * A person's verbs on the queue: retry, cancel, change the priority, move.
 *
 * All of them say in the same words which jobs are meant; what is named
 * narrows the choice, and something has to be named.  What is counted and what is
 * done in the background (task.sql) can be named as lists of jobs are filtered, too.
 * Rows are locked in the order of their numbers, as the forwarder does it, so nobody deadlocks.
 */
CREATE FUNCTION dicomgw._chosen_jobs(p_job_id bigint, p_destination text, p_study_instance_uid text, p_route text, p_job_ids bigint[],
    p_state text DEFAULT NULL, p_reason_code text DEFAULT NULL, p_calling_ae text DEFAULT NULL, p_modality text DEFAULT NULL,
    p_patient text DEFAULT NULL, OUT id bigint, OUT destination_id integer, OUT failed boolean)
RETURNS SETOF record
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    v_destination integer := CASE WHEN p_destination IS NOT NULL THEN dicomgw._destination_id(p_destination) END;
    v_study       bigint := CASE WHEN p_study_instance_uid IS NOT NULL THEN dicomgw._study_id(p_study_instance_uid) END;
    v_patient     text := '%' || regexp_replace(p_patient, '([\\%_])', '\\\1', 'g') || '%';
    v_route       integer;
    v_such        bigint[];
BEGIN
    IF num_nonnulls(p_job_id, p_destination, p_study_instance_uid, p_route, p_job_ids, p_state, p_reason_code, p_calling_ae, p_modality,
                    p_patient) = 0 THEN
        RAISE EXCEPTION 'no jobs are named' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Give job_id, job_ids, destination, study_instance_uid or route; job_ids => ARRAY(SELECT job_id FROM dicomgw.job_status WHERE ...) takes any query.';
    END IF;
    IF p_route IS NOT NULL THEN
        SELECT r.id INTO v_route FROM dicomgw.route r WHERE r.name = p_route;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'route "%" does not exist', p_route
                USING ERRCODE = 'undefined_object', HINT = 'SELECT name FROM dicomgw.route lists them.';
        END IF;
    END IF;

    -- found once, beforehand: as a condition it would be looked for in both tables
    IF num_nonnulls(p_state, p_reason_code) > 0 THEN
        v_such := ARRAY(SELECT s.job_id FROM dicomgw.job_status s
                        WHERE (p_state IS NULL OR s.state = p_state) AND (p_reason_code IS NULL OR s.reason_code = p_reason_code));
    END IF;

    RETURN QUERY
    SELECT q.id, q.destination_id, q.failed
    FROM (SELECT j.id, j.destination_id, j.route_id, j.instance_id, false AS failed FROM dicomgw.forward_job j
          UNION ALL
          SELECT l.id, l.destination_id, l.route_id, l.instance_id, true FROM dicomgw.dead_letter l) q
    LEFT JOIN dicomgw.object_origin o ON o.instance_id = q.instance_id
    WHERE (p_job_id IS NULL OR q.id = p_job_id)
      AND (p_job_ids IS NULL OR q.id = ANY (p_job_ids))
      AND (v_destination IS NULL OR q.destination_id = v_destination)
      AND (v_route IS NULL OR q.route_id = v_route)
      AND (v_study IS NULL OR q.instance_id IN (SELECT i.id FROM dicomgw.series s JOIN dicomgw.instance i ON i.series_id = s.id
                                                WHERE s.study_id = v_study))
      AND (v_such IS NULL OR q.id = ANY (v_such))
      AND (p_calling_ae IS NULL OR o.calling_ae = p_calling_ae)
      AND (p_modality IS NULL OR o.modality = p_modality)
      AND (v_patient IS NULL OR o.patient_id ILIKE v_patient OR o.patient_name ILIKE v_patient);
END
$$;
COMMENT ON FUNCTION dicomgw._chosen_jobs(bigint, text, text, text, bigint[], text, text, text, text, text) IS
    'Verbs: the jobs and dead letters that a person has named; an error if nothing is named, or something that there is not';

CREATE FUNCTION dicomgw.count_jobs(
    job_id bigint DEFAULT NULL, destination text DEFAULT NULL, study_instance_uid text DEFAULT NULL, route text DEFAULT NULL,
    job_ids bigint[] DEFAULT NULL, state text DEFAULT NULL, reason_code text DEFAULT NULL, calling_ae text DEFAULT NULL,
    modality text DEFAULT NULL, patient text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (SELECT count(*) FROM dicomgw._chosen_jobs(job_id, destination, study_instance_uid, route, job_ids, state, reason_code, calling_ae, modality, patient));
END
$$;
COMMENT ON FUNCTION dicomgw.count_jobs(bigint, text, text, text, bigint[], text, text, text, text, text) IS
    'How many jobs and dead letters start_verb, retry, cancel, set_priority and move would concern, given the same; start_verb alone knows state, reason_code (both as in job_status), calling_ae, modality and patient (found anywhere in Patient ID or name)';

CREATE FUNCTION dicomgw._audit_jobs(
    p_action text, p_job_id bigint, p_destination text, p_study_instance_uid text, p_route text, p_job_ids bigint[], p_details jsonb)
RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT dicomgw._audit(p_action,
        concat_ws(', ', 'job ' || p_job_id, cardinality(p_job_ids) || ' job(s)', 'destination ' || p_destination,
                  'study ' || p_study_instance_uid, 'route ' || p_route),
        p_details);
END;
COMMENT ON FUNCTION dicomgw._audit_jobs(text, bigint, text, text, text, bigint[], jsonb) IS
    'Verbs: writes to the audit log which jobs were named and what was done with them';

CREATE FUNCTION dicomgw.retry(
    job_id bigint DEFAULT NULL, destination text DEFAULT NULL, study_instance_uid text DEFAULT NULL, route text DEFAULT NULL,
    job_ids bigint[] DEFAULT NULL, OUT revived bigint, OUT hastened bigint)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_destinations integer[];
BEGIN
    WITH chosen AS MATERIALIZED (
        SELECT c.* FROM dicomgw._chosen_jobs(job_id, destination, study_instance_uid, route, job_ids) c
    ), put_off AS MATERIALIZED (
        SELECT j.id FROM chosen c JOIN dicomgw.forward_job j ON j.id = c.id
        WHERE NOT c.failed AND j.not_before > now() ORDER BY j.id FOR UPDATE OF j
    ), due AS (
        UPDATE dicomgw.forward_job j SET not_before = '-infinity' FROM put_off p WHERE j.id = p.id RETURNING j.id
    ), dead AS MATERIALIZED (
        SELECT l.id FROM chosen c JOIN dicomgw.dead_letter l ON l.id = c.id WHERE c.failed ORDER BY l.id FOR UPDATE OF l
    ), taken_back AS (
        DELETE FROM dicomgw.dead_letter l USING dead d WHERE l.id = d.id RETURNING l.*
    ), queued AS (
        INSERT INTO dicomgw.forward_job
            (id, instance_id, destination_id, route_id, group_id, edit_version, priority, created_at, last_status, last_error,
             last_offending)
        OVERRIDING SYSTEM VALUE
        SELECT t.id, t.instance_id, t.destination_id, t.route_id, t.group_id, t.edit_version, t.priority, t.created_at, t.status,
               t.error, t.offending
        FROM taken_back t ORDER BY t.id
        RETURNING forward_job.id
    )
    SELECT (SELECT count(*) FROM queued), (SELECT count(*) FROM due),
           (SELECT array_agg(DISTINCT c.destination_id) FROM chosen c)
    INTO revived, hastened, v_destinations;

    -- Nobody who says "now" wants to sit out the time until the next probe.
    UPDATE dicomgw.destination_state s SET next_probe_at = now()
    WHERE s.state = 'down' AND (s.destination_id = ANY (v_destinations)
                                OR s.destination_id = (SELECT d.id FROM dicomgw.destination d WHERE d.name = retry.destination));
    PERFORM dicomgw._audit_jobs('retry', job_id, destination, study_instance_uid, route, job_ids,
                                jsonb_build_object('revived', revived, 'hastened', hastened));
    PERFORM dicomgw.notify_work();
END
$$;
COMMENT ON FUNCTION dicomgw.retry(bigint, text, text, text, bigint[]) IS
    'Puts dead letters back into the queue with fresh attempts (revived), makes jobs due at once that wait after a refusal (hastened), and has their destinations probed at once if they are down';

CREATE FUNCTION dicomgw.cancel(
    job_id bigint DEFAULT NULL, destination text DEFAULT NULL, study_instance_uid text DEFAULT NULL, route text DEFAULT NULL,
    job_ids bigint[] DEFAULT NULL, OUT cancelled bigint)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    WITH chosen AS MATERIALIZED (
        SELECT c.* FROM dicomgw._chosen_jobs(job_id, destination, study_instance_uid, route, job_ids) c
    ), waiting AS MATERIALIZED (
        SELECT j.id FROM chosen c JOIN dicomgw.forward_job j ON j.id = c.id WHERE NOT c.failed ORDER BY j.id FOR UPDATE OF j
    ), dead AS MATERIALIZED (
        SELECT l.id FROM chosen c JOIN dicomgw.dead_letter l ON l.id = c.id WHERE c.failed ORDER BY l.id FOR UPDATE OF l
    ), ended AS (
        DELETE FROM dicomgw.forward_job j USING waiting w WHERE j.id = w.id
        RETURNING j.id, j.instance_id, j.destination_id, j.route_id, j.created_at, j.attempts, j.last_status AS status,
                  j.edit_version
    ), buried AS (
        DELETE FROM dicomgw.dead_letter l USING dead d WHERE l.id = d.id
        RETURNING l.id, l.instance_id, l.destination_id, l.route_id, l.created_at, l.attempts, l.status, l.edit_version
    )
    INSERT INTO dicomgw.forward_history
        (job_id, instance_id, destination, route_id, outcome, created_at, attempts, status, comment, edit_version)
    SELECT c.id, c.instance_id, d.name, c.route_id, 'cancelled', c.created_at, c.attempts, c.status,
           format('cancelled by %s', dicomgw.actor()), c.edit_version
    FROM (SELECT * FROM ended UNION ALL SELECT * FROM buried) c
    JOIN dicomgw.destination d ON d.id = c.destination_id;
    GET DIAGNOSTICS cancelled = ROW_COUNT;
    PERFORM dicomgw._audit_jobs('cancel', job_id, destination, study_instance_uid, route, job_ids,
                                jsonb_build_object('cancelled', cancelled));
END
$$;
COMMENT ON FUNCTION dicomgw.cancel(bigint, text, text, text, bigint[]) IS
    'Ends waiting jobs and dead letters unsent. An object that is just being sent may arrive all the same. Returns how many';

CREATE FUNCTION dicomgw.set_priority(
    priority integer, job_id bigint DEFAULT NULL, destination text DEFAULT NULL, study_instance_uid text DEFAULT NULL,
    route text DEFAULT NULL, job_ids bigint[] DEFAULT NULL, OUT changed bigint)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_priority CONSTANT dicomgw.job_priority NOT NULL := priority;
BEGIN
    WITH chosen AS MATERIALIZED (
        SELECT c.* FROM dicomgw._chosen_jobs(job_id, destination, study_instance_uid, route, job_ids) c
    ), waiting AS MATERIALIZED (
        SELECT j.id FROM chosen c JOIN dicomgw.forward_job j ON j.id = c.id WHERE NOT c.failed ORDER BY j.id FOR UPDATE OF j
    )
    UPDATE dicomgw.forward_job j SET priority = v_priority FROM waiting w WHERE j.id = w.id AND j.priority <> v_priority;
    GET DIAGNOSTICS changed = ROW_COUNT;
    PERFORM dicomgw._audit_jobs('set_priority', job_id, destination, study_instance_uid, route, job_ids,
                                jsonb_build_object('priority', v_priority, 'changed', changed));
    PERFORM dicomgw.notify_work();
END
$$;
COMMENT ON FUNCTION dicomgw.set_priority(integer, bigint, text, text, text, bigint[]) IS
    'Gives jobs that are not done another priority, 0 to 9: higher ones are sent first. Returns how many it changed';

CREATE FUNCTION dicomgw.move(
    to_destination text, job_id bigint DEFAULT NULL, destination text DEFAULT NULL, study_instance_uid text DEFAULT NULL,
    route text DEFAULT NULL, job_ids bigint[] DEFAULT NULL, OUT moved bigint, OUT being_sent bigint)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_to integer := dicomgw._destination_id(to_destination);
BEGIN
    WITH chosen AS MATERIALIZED (
        SELECT c.* FROM dicomgw._chosen_jobs(job_id, destination, study_instance_uid, route, job_ids) c WHERE c.destination_id <> v_to
    ), held AS MATERIALIZED (
        SELECT j.id, j.lease_until > now() AS being_sent
        FROM chosen c JOIN dicomgw.forward_job j ON j.id = c.id WHERE NOT c.failed ORDER BY j.id FOR UPDATE OF j
    ), waiting AS (
        UPDATE dicomgw.forward_job j
        SET destination_id = v_to, group_id = NULL, attempts = 0, refused_at = NULL, not_before = '-infinity'
        FROM held h WHERE j.id = h.id AND NOT h.being_sent
        RETURNING j.id
    ), dead AS MATERIALIZED (
        SELECT l.id FROM chosen c JOIN dicomgw.dead_letter l ON l.id = c.id WHERE c.failed ORDER BY l.id FOR UPDATE OF l
    ), taken_back AS (
        DELETE FROM dicomgw.dead_letter l USING dead d WHERE l.id = d.id RETURNING l.*
    ), queued AS (
        INSERT INTO dicomgw.forward_job (id, instance_id, destination_id, route_id, edit_version, priority, created_at)
        OVERRIDING SYSTEM VALUE
        SELECT t.id, t.instance_id, v_to, t.route_id, t.edit_version, t.priority, t.created_at FROM taken_back t ORDER BY t.id
        RETURNING forward_job.id
    )
    SELECT (SELECT count(*) FROM waiting) + (SELECT count(*) FROM queued), (SELECT count(*) FROM held h WHERE h.being_sent)
    INTO moved, being_sent;
    PERFORM dicomgw._audit_jobs('move', job_id, destination, study_instance_uid, route, job_ids,
                                jsonb_build_object('to', to_destination, 'moved', moved, 'being_sent', being_sent));
    PERFORM dicomgw.notify_work();
END
$$;
COMMENT ON FUNCTION dicomgw.move(text, bigint, text, text, text, bigint[]) IS
    'Sends jobs and dead letters to another destination instead, with fresh attempts. Those that are just being sent stay: returns how many it moved, and how many of these there were';

-- Whoever writes UPDATE ... SET destination_id himself is served, too: what is on its way is nobody's business any more.
CREATE FUNCTION dicomgw._void_lease() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NEW.destination_id <> OLD.destination_id OR NEW.instance_id <> OLD.instance_id THEN
        NEW.lease_token := NULL;
        NEW.lease_until := '-infinity';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION dicomgw._void_lease() IS
    'Trigger of forward_job: a claim is for one object and one destination; the result of sending to another one changes nothing';
CREATE TRIGGER void_lease BEFORE UPDATE OF destination_id, instance_id ON dicomgw.forward_job
    FOR EACH ROW EXECUTE FUNCTION dicomgw._void_lease();
