/*
 * HTTP: what waits, what has become of it, and what a person does about it.
 */
CREATE VIEW dicomgw_api.job WITH (security_invoker = true) AS
    SELECT t.*, o.study_id, o.study_instance_uid, o.patient_id, o.patient_name, o.modality, o.calling_ae
    FROM dicomgw.job_status t LEFT JOIN dicomgw.object_origin o ON o.instance_id = t.instance_id
    WHERE (SELECT dicomgw.note_view('list of jobs'));

CREATE VIEW dicomgw_api.job_summary WITH (security_invoker = true) AS
    SELECT q.destination, q.state, q.reason_code, q.reason, count(*) AS jobs, min(q.created_at) AS oldest
    FROM (SELECT h.name AS destination, CASE WHEN c.code = 'sending' THEN 'sending' ELSE 'waiting' END AS state, c.code AS reason_code,
                 CASE c.code WHEN 'sending' THEN 'is being sent' WHEN 'backoff' THEN coalesce(j.last_error, 'is put off')
                             WHEN 'rate' THEN format('at most %s', h.rate) WHEN 'queue' THEN 'waits for its turn'
                             ELSE h.reason END AS reason,
                 j.created_at
          FROM dicomgw.forward_job j
          JOIN dicomgw.destination_hold h ON h.destination_id = j.destination_id
          CROSS JOIN LATERAL (SELECT CASE WHEN j.lease_until > now() THEN 'sending' WHEN h.code IS NOT NULL THEN h.code
                                          WHEN j.not_before > now() THEN 'backoff' WHEN h.rate <> '' THEN 'rate' ELSE 'queue' END AS code) c
          UNION ALL
          SELECT d.name, 'failed', 'failed', l.error, l.created_at
          FROM dicomgw.dead_letter l JOIN dicomgw.destination d ON d.id = l.destination_id) q
    GROUP BY q.destination, q.state, q.reason_code, q.reason;
COMMENT ON VIEW dicomgw_api.job_summary IS 'How many jobs are not done, by destination and by the reason why';
COMMENT ON COLUMN dicomgw_api.job_summary.reason IS 'why they are not done; of those that were refused, what was said last';
COMMENT ON COLUMN dicomgw_api.job_summary.jobs IS 'how many';
COMMENT ON COLUMN dicomgw_api.job_summary.oldest IS 'when the oldest of them was put into the queue';

CREATE VIEW dicomgw_api.forward_history WITH (security_invoker = true) AS
    SELECT t.*, o.sop_instance_uid, o.study_id, o.study_instance_uid, o.patient_id, o.patient_name, o.modality, o.calling_ae
    FROM dicomgw.forward_history t LEFT JOIN dicomgw.object_origin o ON o.instance_id = t.instance_id
    WHERE (SELECT dicomgw.note_view('list of ended jobs'));

CREATE VIEW dicomgw_api.forward_attempt WITH (security_invoker = true) AS
    SELECT t.*, o.sop_instance_uid, o.study_id, o.study_instance_uid, o.patient_id, o.patient_name, o.modality, o.calling_ae
    FROM dicomgw.forward_attempt t LEFT JOIN dicomgw.object_origin o ON o.instance_id = t.instance_id
    WHERE (SELECT dicomgw.note_view('list of attempts'));

CREATE VIEW dicomgw_api.destination_status WITH (security_invoker = true) AS
    SELECT t.* FROM dicomgw.destination_status t;

-- ---------- which jobs ----------

CREATE FUNCTION dicomgw_api.count_jobs(
    job_id bigint DEFAULT NULL, destination text DEFAULT NULL, study_instance_uid text DEFAULT NULL, route text DEFAULT NULL,
    job_ids bigint[] DEFAULT NULL, state text DEFAULT NULL, reason_code text DEFAULT NULL, calling_ae text DEFAULT NULL,
    modality text DEFAULT NULL, patient text DEFAULT NULL) RETURNS bigint
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
RETURN dicomgw.count_jobs(job_id, destination, study_instance_uid, route, job_ids, state, reason_code, calling_ae, modality, patient);
COMMENT ON FUNCTION dicomgw_api.count_jobs(bigint, text, text, text, bigint[], text, text, text, text, text) IS
    'How many jobs and dead letters start_verb, retry, cancel, set_priority and move would concern; what is named narrows the choice, and something has to be named. start_verb alone knows state, reason_code (both as in view job), calling_ae, modality and patient (found anywhere in Patient ID or name)';

CREATE FUNCTION dicomgw_api.retry(
    job_id bigint DEFAULT NULL, destination text DEFAULT NULL, study_instance_uid text DEFAULT NULL, route text DEFAULT NULL,
    job_ids bigint[] DEFAULT NULL, OUT revived bigint, OUT hastened bigint)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM dicomgw._refuse_get();
    SELECT r.* INTO revived, hastened FROM dicomgw.retry(job_id, destination, study_instance_uid, route, job_ids) r;
END
$$;
COMMENT ON FUNCTION dicomgw_api.retry(bigint, text, text, text, bigint[]) IS
    'Puts dead letters back into the queue with fresh attempts (revived), makes jobs due at once that wait after a refusal (hastened), and has their destinations probed at once if they are down';

CREATE FUNCTION dicomgw_api.cancel(
    job_id bigint DEFAULT NULL, destination text DEFAULT NULL, study_instance_uid text DEFAULT NULL, route text DEFAULT NULL,
    job_ids bigint[] DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM dicomgw._refuse_get();
    RETURN dicomgw.cancel(job_id, destination, study_instance_uid, route, job_ids);
END
$$;
COMMENT ON FUNCTION dicomgw_api.cancel(bigint, text, text, text, bigint[]) IS
    'Ends waiting jobs and dead letters unsent. An object that is just being sent may arrive all the same. Answers how many';

CREATE FUNCTION dicomgw_api.set_priority(
    priority integer, job_id bigint DEFAULT NULL, destination text DEFAULT NULL, study_instance_uid text DEFAULT NULL,
    route text DEFAULT NULL, job_ids bigint[] DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM dicomgw._refuse_get();
    RETURN dicomgw.set_priority(priority, job_id, destination, study_instance_uid, route, job_ids);
END
$$;
COMMENT ON FUNCTION dicomgw_api.set_priority(integer, bigint, text, text, text, bigint[]) IS
    'Gives jobs that are not done another priority, 0 to 9: higher ones are sent first. Answers how many it changed';

CREATE FUNCTION dicomgw_api.move(
    to_destination text, job_id bigint DEFAULT NULL, destination text DEFAULT NULL, study_instance_uid text DEFAULT NULL,
    route text DEFAULT NULL, job_ids bigint[] DEFAULT NULL, OUT moved bigint, OUT being_sent bigint)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM dicomgw._refuse_get();
    SELECT m.* INTO moved, being_sent FROM dicomgw.move(to_destination, job_id, destination, study_instance_uid, route, job_ids) m;
END
$$;
COMMENT ON FUNCTION dicomgw_api.move(text, bigint, text, text, text, bigint[]) IS
    'Sends jobs and dead letters to another destination instead, with fresh attempts. Those that are just being sent stay: answers how many it moved, and how many of these there were';

-- ---------- sending again ----------

CREATE FUNCTION dicomgw_api.replay(instance_ids bigint[], destination text, priority integer DEFAULT 5,
    edits_of_route text DEFAULT NULL, OUT jobs bigint, OUT skipped bigint)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM dicomgw._refuse_get();
    SELECT r.* INTO jobs, skipped FROM dicomgw.replay(instance_ids, destination, priority, edits_of_route) r;
END
$$;
COMMENT ON FUNCTION dicomgw_api.replay(bigint[], text, integer, text) IS
    'Sends these objects to a destination, whatever was sent before: as they were received, or with the edits of a route. Answers how many jobs that makes, and how many were skipped because retention has removed their files';

CREATE FUNCTION dicomgw_api.replay_study(study_instance_uid text, destination text, priority integer DEFAULT 5,
    edits_of_route text DEFAULT NULL, OUT jobs bigint, OUT skipped bigint)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM dicomgw._refuse_get();
    SELECT r.* INTO jobs, skipped FROM dicomgw.replay_study(study_instance_uid, destination, priority, edits_of_route) r;
END
$$;
COMMENT ON FUNCTION dicomgw_api.replay_study(text, text, integer, text) IS
    'Sends every object received of a study to a destination, whatever was sent before; see replay';

-- ---------- destinations ----------

CREATE FUNCTION dicomgw_api.pause(destination text, reason text DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM dicomgw._refuse_get();
    RETURN dicomgw.pause(destination, reason);
END
$$;
COMMENT ON FUNCTION dicomgw_api.pause(text, text) IS
    'Stops sending to a destination: its jobs wait, the reason is shown with each; the object that is on its way is finished. False: it was paused already';

CREATE FUNCTION dicomgw_api.resume(destination text) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM dicomgw._refuse_get();
    RETURN dicomgw.resume(destination);
END
$$;
COMMENT ON FUNCTION dicomgw_api.resume(text) IS 'Sends to a destination again. False: it was not paused';

CREATE FUNCTION dicomgw_api.echo(destination text,
    OUT ok boolean, OUT message text, OUT status text,
    OUT associate_time interval, OUT round_trip_time interval, OUT peer_max_pdu bigint, OUT peer_implementation text,
    OUT tls_version text, OUT tls_cipher text, OUT tls_subject text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM dicomgw._refuse_get();
    SELECT e.* INTO ok, message, status, associate_time, round_trip_time, peer_max_pdu, peer_implementation, tls_version, tls_cipher, tls_subject
    FROM dicomgw.echo(destination) e;
END
$$;
COMMENT ON FUNCTION dicomgw_api.echo(text) IS
    'C-ECHO to a destination, now: whether it answers, what it is, and how long it took; if not, why, and what was learnt so far';

CREATE FUNCTION dicomgw_api.echo_address(host text, port integer, called_ae text, calling_ae text DEFAULT 'DICOMGW', tls text DEFAULT 'off',
    OUT ok boolean, OUT message text, OUT status text,
    OUT associate_time interval, OUT round_trip_time interval, OUT peer_max_pdu bigint, OUT peer_implementation text,
    OUT tls_version text, OUT tls_cipher text, OUT tls_subject text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM dicomgw._refuse_get();
    SELECT e.* INTO ok, message, status, associate_time, round_trip_time, peer_max_pdu, peer_implementation, tls_version, tls_cipher, tls_subject
    FROM dicomgw.echo(host, port::dicomgw.tcp_port, called_ae::dicomgw.ae_title, calling_ae::dicomgw.ae_title, tls) e;
END
$$;
COMMENT ON FUNCTION dicomgw_api.echo_address(text, integer, text, text, text) IS
    'C-ECHO to any application entity, before it is made a destination; tls: off, require, verify-ca or verify-full, with the authorities that the system trusts';
