--
-- The queue as a person sees and steers it: why a job waits, what becomes of it,
-- retry, cancel, replay.
--
-- All of it is one transaction that is taken back: the workers, if there are any in
-- this database, see none of it, and now() stands still.
--
SET client_min_messages = error;
CREATE EXTENSION dicomgw;
RESET client_min_messages;
SET datestyle = 'ISO, YMD';
SET timezone = 'UTC';
\pset null '<NULL>'
\set SHOW_CONTEXT never
\set ON_ERROR_ROLLBACK on

-- ---------- statuses ----------

SELECT dicomgw.status_text(status)
FROM unnest(ARRAY[0, x'0110'::int, x'0111'::int, x'0112'::int, x'0117'::int, x'0122'::int, x'0124'::int, x'0210'::int,
                  x'0211'::int, x'0212'::int, x'A6FF'::int, x'A700'::int, x'A7FF'::int, x'A800'::int, x'A900'::int,
                  x'A9FF'::int, x'AFFF'::int, x'B000'::int, x'B006'::int, x'BFFF'::int, x'C000'::int, x'CFFF'::int,
                  x'D000'::int, x'FE00'::int, 1, NULL]) WITH ORDINALITY AS s(status, n)
ORDER BY n;

-- Of which class an answer is, and what becomes of a job by the destination's policy.
SELECT coalesce(dicomgw.status_text(status), 'no status') AS answer, dicomgw._answer_class(1, status) AS class
FROM unnest(ARRAY[0, 1, x'0107'::int, x'0116'::int, x'B000'::int, x'B006'::int, x'BFFF'::int,
                  x'A900'::int, x'A9FF'::int, x'C000'::int, x'CFFF'::int, x'0111'::int, x'0112'::int, x'0117'::int, x'0122'::int,
                  x'A700'::int, x'A7FF'::int, x'0110'::int, x'0124'::int, x'0210'::int, x'AFFF'::int, x'D000'::int, x'FE00'::int,
                  NULL]) WITH ORDINALITY AS s(status, n)
ORDER BY n;
-- Where the peer has not answered, what stands in the place of its status (0) is no success.
SELECT outcome, array_agg(DISTINCT dicomgw._answer_class(n::integer + 1, status)) AS class
FROM unnest(ARRAY['no presentation context', 'file missing', 'file damaged', 'no conversion', 'refused', 'deferred', 'association broke'])
     WITH ORDINALITY AS o(outcome, n), unnest(ARRAY[0, x'B000'::int, x'C000'::int, NULL]) AS status
GROUP BY n, outcome ORDER BY n;
SELECT class, attempts, since, permanent_attempts AS permanent,
       dicomgw._verdict(class, attempts, now() - since, jsonb_populate_record(NULL::dicomgw.destination,
           jsonb_build_object('max_attempts', 3, 'permanent_attempts', permanent_attempts, 'give_up_after', '7 days'))) AS verdict
FROM (VALUES ('taken', 9, interval '1 year', 1), ('unsendable', 1, NULL, 2), ('permanent', 1, NULL, 1), ('permanent', 1, NULL, 2),
             ('permanent', 2, '1 s', 2), ('transient', 1, NULL, 1), ('transient', 2, '6 days', 1), ('transient', 2, '8 days', 1),
             ('transient', 3, '1 s', 1), ('permanent', 3, '1 s', 5)) AS v(class, attempts, since, permanent_attempts);

-- ---------- how long to wait ----------

-- Within a quarter of first_delay * factor^(failures - 1), or of max_delay; and spread over all of that.
SELECT failures, expected,
       bool_and(delay BETWEEN expected * 0.75 AND expected * 1.25) AS within,
       min(delay) < expected * 0.85 AND max(delay) > expected * 1.15 AS spread
FROM (SELECT failures, expected, dicomgw.retry_delay('10 s', 2, '30 min', failures) AS delay
      FROM (VALUES (-5, interval '10 s'), (0, '10 s'), (1, '10 s'), (2, '20 s'), (3, '40 s'), (8, '1280 s'), (9, '30 min'),
                   (100, '30 min'), (2147483647, '30 min')) AS f(failures, expected)
           CROSS JOIN generate_series(1, 1000)) d
GROUP BY failures, expected ORDER BY failures;
SELECT bool_and(dicomgw.retry_delay('10 s', 1, '1 s', 5) BETWEEN '0.75 s' AND '1.25 s') AS capped_below_first,
       bool_and(dicomgw.retry_delay('1 s', 1, '1 day', 1000) BETWEEN '0.75 s' AND '1.25 s') AS constant,
       bool_and(dicomgw.retry_delay('1 day', 10, '1 day', 1000) BETWEEN '18 h' AND '30 h') AS longest
FROM generate_series(1, 1000);

-- ---------- a queue ----------

BEGIN;
INSERT INTO dicomgw.destination (name, host, ae_title, max_attempts) VALUES ('pacs', 'pacs.example', 'PACS', 3), ('archive', 'archive.example', 'ARCHIVE', 3);
INSERT INTO dicomgw.study (study_instance_uid, instances, size, first_received_at, last_received_at) VALUES ('1.2', 6, 6, now(), now()), ('1.3', 0, 0, now(), now());
INSERT INTO dicomgw.series (study_id, series_instance_uid, instances) SELECT id, '1.2.1', 6 FROM dicomgw.study WHERE study_instance_uid = '1.2';
INSERT INTO dicomgw.instance (id, series_id, received_at, calling_ae, called_ae, sop_class_uid, sop_instance_uid,
                              transfer_syntax_uid, file_path, size, sha256)
SELECT i, s.id, now(), 'CT1', 'DICOMGW', '1.2.840.10008.5.1.4.1.1.2', '1.2.1.' || i, '1.2.840.10008.1.2', 'file' || i, 1, ''
FROM generate_series(1, 6) i, dicomgw.series s;
INSERT INTO dicomgw.forward_job (instance_id, destination_id, priority)
SELECT i, d.id, CASE i WHEN 4 THEN 9 ELSE 0 END FROM generate_series(1, 6) i, dicomgw.destination d WHERE d.name = 'pacs' ORDER BY i;

-- What the forwarder says, in few words.
CREATE FUNCTION pg_temp.claim(destination text, jobs integer) RETURNS TABLE (id bigint, token bigint, file_path text, sop_instance_uid text, size bigint)
LANGUAGE sql BEGIN ATOMIC
    SELECT c.id, c.token, c.file_path, c.sop_instance_uid, c.size
    FROM dicomgw._claim(dicomgw._destination_id(destination), array_fill(0::bigint, ARRAY[10]), jobs, '1 minute') c;
END;
CREATE FUNCTION pg_temp.report(ids bigint[], tokens bigint[], outcomes integer[], statuses integer[], comments text[], durations bigint[])
RETURNS TABLE (id bigint, verdict text, taken boolean) LANGUAGE sql BEGIN ATOMIC
    SELECT r.id, r.verdict, r.taken
    FROM dicomgw._record_results(ids, tokens, outcomes, statuses, comments, array_fill(''::text, ARRAY[cardinality(ids)]),
                                 array_fill(''::text, ARRAY[cardinality(ids)]), durations) r
    ORDER BY r.id;
END;
CREATE FUNCTION pg_temp.answered(destination text, error text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF error IS NULL THEN
        PERFORM dicomgw._destinations_up(ARRAY[dicomgw._destination_id(destination)]);
    ELSE
        PERFORM dicomgw._destinations_down(ARRAY[dicomgw._destination_id(destination)], ARRAY[error]);
    END IF;
END $$;

-- The forwarder as the test wants it.
CREATE FUNCTION pg_temp.pretend_forwarder(running boolean, error text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format($f$
        CREATE OR REPLACE FUNCTION dicomgw.worker_status(
            OUT worker text, OUT running boolean, OUT pid integer, OUT since timestamptz,
            OUT last_action text, OUT last_action_at timestamptz,
            OUT last_error text, OUT last_error_at timestamptz, OUT restarts integer)
        RETURNS SETOF record LANGUAGE sql
        BEGIN ATOMIC
            SELECT 'forwarder', %L::boolean, NULL::integer, NULL::timestamptz, NULL, NULL::timestamptz,
                   %L::text, NULL::timestamptz, 0;
        END $f$, running, error);
END $$;

-- Why is it not sent?
SELECT pg_temp.pretend_forwarder(false, 'could not connect to database "dicomgw"');
SELECT job_id, state, destination, sop_instance_uid, reason FROM dicomgw.job_status WHERE job_id = 1;
SELECT pg_temp.pretend_forwarder(false, NULL);
SELECT job_id, state, reason FROM dicomgw.job_status WHERE job_id = 1;
SELECT pg_temp.pretend_forwarder(true, NULL);
SELECT job_id, state, reason, priority FROM dicomgw.job_status ORDER BY priority DESC, job_id;
UPDATE dicomgw.destination SET paused = true, pause_reason = 'moved' WHERE name = 'pacs';
SELECT job_id, state, regexp_replace(reason, 'since [^:]*:\d\d:\d\d[^:]*', 'since TIME') AS reason FROM dicomgw.job_status WHERE job_id = 1;
SELECT may_send, takes_jobs FROM dicomgw.destination_open o JOIN dicomgw.destination d ON d.id = o.destination_id WHERE d.name = 'pacs';
UPDATE dicomgw.destination SET paused = false WHERE name = 'pacs';
SELECT may_send, takes_jobs FROM dicomgw.destination_open o JOIN dicomgw.destination d ON d.id = o.destination_id WHERE d.name = 'pacs';

-- ---------- is the destination up? ----------

-- It does not answer: it is down, not its jobs.  The time since then stands; the wait grows.
CREATE VIEW pg_temp.state AS
    SELECT d.name, s.state, s.failures, s.reason, s.since = now() AS since_now,
           s.next_probe_at - now() BETWEEN interval '7.5 s' AND '12.5 s' AS tried_in_10s,
           s.next_probe_at - now() BETWEEN interval '15 s' AND '25 s' AS tried_in_20s
    FROM dicomgw.destination_state s JOIN dicomgw.destination d ON d.id = s.destination_id;
SELECT pg_temp.answered('pacs', 'connection refused');
SELECT * FROM pg_temp.state;
UPDATE dicomgw.destination_state SET since = '2020-01-01 00:00:00+00';
-- several associations that break at once are one failure; a probe that fails is another
SELECT pg_temp.answered('pacs', 'connection reset by peer');
SELECT failures, reason FROM dicomgw.destination_state;
SELECT dicomgw._destinations_probing(array_agg(id)) FROM dicomgw.destination WHERE name = 'pacs';
SELECT pg_temp.answered('pacs', 'no route to host');
SELECT * FROM pg_temp.state;
UPDATE dicomgw.destination_state SET next_probe_at = '2099-01-01 00:00:00+00';
SELECT job_id, state, reason FROM dicomgw.job_status WHERE job_id = 1;
SELECT may_send, takes_jobs FROM dicomgw.destination_open o JOIN dicomgw.destination d ON d.id = o.destination_id WHERE d.name = 'pacs';
-- While it is probed it is still down; it answers, and its failures count until it has taken an object.
SELECT dicomgw._destinations_probing(array_agg(id)) FROM dicomgw.destination WHERE name = 'pacs';
SELECT job_id, state, reason FROM dicomgw.job_status WHERE job_id = 1;
SELECT may_send, takes_jobs FROM dicomgw.destination_open o JOIN dicomgw.destination d ON d.id = o.destination_id WHERE d.name = 'pacs';
SELECT pg_temp.answered('pacs', NULL);
SELECT * FROM pg_temp.state;
UPDATE dicomgw.destination_state SET since = '2020-01-01 00:00:00+00';
SELECT pg_temp.answered('pacs', NULL);
SELECT state, since FROM dicomgw.destination_state;
SELECT pg_temp.answered('pacs', 'connection refused');
SELECT * FROM pg_temp.state;
-- Another address is tried at once, another patience is no reason to.
UPDATE dicomgw.destination SET max_attempts = 3 WHERE name = 'pacs';
SELECT count(*) AS states FROM dicomgw.destination_state;
UPDATE dicomgw.destination SET host = 'new.example' WHERE name = 'pacs';
SELECT count(*) AS states FROM dicomgw.destination_state;
-- A destination that is not there any more has no state.
SELECT dicomgw._destinations_up(ARRAY[0]), dicomgw._destinations_down(ARRAY[0], ARRAY['x']);
SELECT count(*) AS states FROM dicomgw.destination_state;

-- ---------- claims ----------

-- The most urgent first, then the oldest; no more than asked for; each claim has a token of its own.
CREATE TEMPORARY TABLE claim AS
    SELECT * FROM pg_temp.claim('pacs', 3);
SELECT id, file_path, sop_instance_uid, size FROM claim;
SELECT count(DISTINCT token) AS tokens FROM claim;
SELECT job_id, state, reason FROM dicomgw.job_status ORDER BY job_id;
SELECT * FROM dicomgw.totals;
SELECT id AS rest FROM pg_temp.claim('pacs', 100);
SELECT count(*) AS nothing_left FROM pg_temp.claim('pacs', 100);
SELECT count(*) AS of_another FROM pg_temp.claim('archive', 100);
-- Given back: it costs no attempt.  Others' jobs stay theirs.
SELECT dicomgw._release(array_agg(id), array_agg(lease_token)) AS released FROM dicomgw.forward_job WHERE id IN (3, 5, 6);
SELECT dicomgw._release(array_agg(id), array_agg(lease_token - 1)) AS of_another_claim FROM dicomgw.forward_job WHERE id IN (1, 2, 4);
SELECT dicomgw._renew(array_agg(id), array_agg(lease_token), '1 hour') AS renewed FROM dicomgw.forward_job WHERE id IN (1, 2, 4);
SELECT id, attempts, lease_token IS NOT NULL AS claimed, lease_until = now() + interval '1 hour' AS for_an_hour FROM dicomgw.forward_job ORDER BY id;

-- ---------- results ----------

-- 4: success; 1: refused for the moment; 2: refused for good
SELECT r.* FROM pg_temp.report(
    ARRAY[4, 1, 2], (SELECT array_fill(token, ARRAY[3]) FROM claim LIMIT 1),
    ARRAY[1, 1, 1], ARRAY[0, x'A700'::int, x'C123'::int], ARRAY['', 'disk full', ''], ARRAY[1500, 0, 0]) r;
-- said twice, or of an old claim: nothing happens
SELECT r.* FROM pg_temp.report(
    ARRAY[4, 1, 2], (SELECT array_fill(token, ARRAY[3]) FROM claim LIMIT 1),
    ARRAY[1, 1, 1], ARRAY[0, 0, 0], ARRAY['', '', ''], ARRAY[1500, 0, 0]) r;
SELECT job_id, destination, outcome, attempts, duration, status, comment FROM dicomgw.forward_history;
SELECT id, attempts, status, error FROM dicomgw.dead_letter;
SELECT id, attempts, lease_token, lease_until, not_before - now() BETWEEN interval '7.5 s' AND '12.5 s' AS next_in_10s, last_status, last_error
FROM dicomgw.forward_job WHERE id = 1;
UPDATE dicomgw.forward_job SET not_before = '2099-01-01 00:00:00+00' WHERE id = 1;
SELECT job_id, state, reason, attempts, last_error FROM dicomgw.job_status ORDER BY job_id;
SELECT * FROM dicomgw.totals;
-- It is put off, not the jobs behind it.
SELECT id FROM pg_temp.claim('pacs', 100);

-- The association breaks under job 3, a file is missing for job 5, job 6 has a warning.
SELECT r.* FROM pg_temp.report(
    ARRAY[3, 5, 6], (SELECT array_agg(lease_token) FROM dicomgw.forward_job WHERE id IN (3, 5, 6)),
    ARRAY[8, 3, 1], ARRAY[0, 0, x'B000'::int], ARRAY['connection reset by peer', 'file5: No such file or directory', 'coerced'], ARRAY[0, 0, 2000000]) r;
SELECT job_id, outcome, attempts, duration, status, comment FROM dicomgw.forward_history ORDER BY job_id;
SELECT id, attempts, status, error FROM dicomgw.dead_letter ORDER BY id;
SELECT id, attempts, last_status, last_error FROM dicomgw.forward_job ORDER BY id;

-- The last attempt that a destination is worth.
UPDATE dicomgw.forward_job SET attempts = 2, not_before = '-infinity' WHERE id = 3;
SELECT id FROM pg_temp.claim('pacs', 100);
SELECT r.* FROM dicomgw.forward_job j, pg_temp.report(ARRAY[j.id], ARRAY[j.lease_token], ARRAY[1], ARRAY[x'0124'::int], ARRAY[''], ARRAY[0]) r
WHERE j.id = 3;
SELECT id, attempts, error FROM dicomgw.dead_letter WHERE id = 3;
SELECT job_id, state, reason, since = now() AS since_queued FROM dicomgw.job_status ORDER BY job_id;

-- ---------- retry ----------

SELECT * FROM dicomgw.retry();
SELECT * FROM dicomgw.retry(destination => 'nowhere');
SELECT * FROM dicomgw.retry(job_id => 999);
SELECT * FROM dicomgw.retry(job_id => 4);
SELECT * FROM dicomgw.retry(job_id => 2, destination => 'archive');
-- a dead letter has all its attempts again, and the reason stays to be seen
SELECT * FROM dicomgw.retry(job_id => 2);
SELECT id, attempts, not_before, lease_token, last_status, last_error, created_at = now() AS since_queued FROM dicomgw.forward_job WHERE id = 2;
-- one that waits after a refusal is due at once; those that wait for nothing but their turn don't count
SELECT * FROM dicomgw.retry(job_id => 1);
SELECT * FROM dicomgw.retry(job_id => 1);
SELECT id, attempts, not_before FROM dicomgw.forward_job WHERE id = 1;
-- all of a destination, and the destination itself is tried at once
SELECT pg_temp.answered('pacs', 'connection refused');
UPDATE dicomgw.forward_job SET not_before = '2099-01-01 00:00:00+00' WHERE id = 1;
SELECT * FROM dicomgw.retry(destination => 'archive');
SELECT * FROM dicomgw.retry(destination => 'pacs');
SELECT next_probe_at = now() AS tried_now FROM dicomgw.destination_state;
SELECT id, priority, attempts, not_before FROM dicomgw.forward_job ORDER BY id;
SELECT count(*) AS dead_letters FROM dicomgw.dead_letter;

-- ---------- cancel ----------

SELECT * FROM dicomgw.cancel();
SELECT * FROM dicomgw.cancel(destination => 'nowhere');
SELECT * FROM dicomgw.cancel(job_id => 999);
SELECT * FROM dicomgw.cancel(job_id => 1);
SELECT job_id, outcome, attempts, status, comment = 'cancelled by ' || session_user AS by_whom FROM dicomgw.forward_history WHERE job_id = 1;
-- also one that is being sent; the result that comes then changes nothing
SELECT id FROM pg_temp.claim('pacs', 1);
CREATE TEMPORARY TABLE sending AS SELECT id, lease_token FROM dicomgw.forward_job WHERE id = 2;
SELECT * FROM dicomgw.cancel(destination => 'pacs');
SELECT r.* FROM sending s, pg_temp.report(ARRAY[s.id], ARRAY[s.lease_token], ARRAY[1], ARRAY[0], ARRAY[''], ARRAY[0]) r;
SELECT job_id, outcome FROM dicomgw.forward_history ORDER BY job_id;
SELECT * FROM dicomgw.totals;
SELECT count(*) AS left_to_do FROM dicomgw.job_status;

-- ---------- replay ----------

SELECT * FROM dicomgw.replay_study('1.2', 'nowhere');
SELECT * FROM dicomgw.replay_study('9.9', 'archive');
SELECT * FROM dicomgw.replay_study('1.3', 'archive');
SELECT * FROM dicomgw.replay_study('1.2', destination => 'archive');
SELECT instance_id, destination, route_id, priority, state FROM dicomgw.job_status ORDER BY job_id;
SELECT * FROM dicomgw.replay_study('1.2', NULL);
SELECT * FROM dicomgw.replay_study(NULL, 'archive');

-- The forwarder starts anew: what its predecessor held is free.
SELECT count(*) AS claimed FROM pg_temp.claim('archive', 4);
SELECT dicomgw._release_all() AS released;
SELECT count(*) AS claimed FROM pg_temp.claim('archive', 100);

-- C-ECHO to a destination that there is not
SELECT dicomgw.echo('nowhere');
ROLLBACK;
