-- What a person does to the queue: each verb by each way to name jobs, what it returns,
-- what it writes to the audit log; and plain SQL on a queue that is being worked on.

\set ON_ERROR_STOP 1
SET client_min_messages = error;
CREATE EXTENSION pgtap;
CREATE EXTENSION dicomgw;
BEGIN;
SELECT plan(103);

INSERT INTO dicomgw.destination (id, name, host, ae_title, retry_jitter)
VALUES (1, 'pacs', 'pacs.example', 'PACS', 0), (2, 'archive', 'archive.example', 'ARCHIVE', 0), (3, 'spare', 'spare.example', 'SPARE', 0);
INSERT INTO dicomgw.route (id, name, destination) VALUES (1, 'all', 'pacs'), (2, 'old', 'archive');
INSERT INTO dicomgw.study (id, study_instance_uid, instances, size, first_received_at, last_received_at)
OVERRIDING SYSTEM VALUE VALUES (1, '1.1', 2, 2, now(), now()), (2, '1.2', 2, 2, now(), now());
INSERT INTO dicomgw.series (id, study_id, series_instance_uid, instances) OVERRIDING SYSTEM VALUE VALUES (1, 1, '1.1.1', 2), (2, 2, '1.2.1', 2);
INSERT INTO dicomgw.instance (id, series_id, received_at, calling_ae, called_ae, sop_class_uid, sop_instance_uid, transfer_syntax_uid,
                              file_path, size, sha256)
SELECT i, 1 + (i - 1) / 2, now(), 'CT1', 'DICOMGW', '1.2.840.10008.5.1.4.1.1.2', '1.2.3.' || i, '1.2.840.10008.1.2', 'file' || i, 1, ''
FROM generate_series(1, 4) i;

-- The queue as each part of the test finds it: of each instance a job for the PACS and one for the archive that waits after a
-- refusal (11 to 14, 21 to 24), and for the PACS a dead letter (31 to 34).
CREATE PROCEDURE pg_temp.begin_anew() LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM dicomgw.forward_job;
    DELETE FROM dicomgw.dead_letter;
    DELETE FROM dicomgw.forward_history;
    DELETE FROM dicomgw.destination_state;
    INSERT INTO dicomgw.forward_job (id, instance_id, destination_id, route_id) OVERRIDING SYSTEM VALUE SELECT 10 + i, i, 1, 1 FROM generate_series(1, 4) i;
    INSERT INTO dicomgw.forward_job (id, instance_id, destination_id, route_id, attempts, refused_at, not_before, last_status, last_error)
    OVERRIDING SYSTEM VALUE SELECT 20 + i, i, 2, 2, 3, now(), now() + interval '1 hour', x'A700'::integer, 'A700H' FROM generate_series(1, 4) i;
    INSERT INTO dicomgw.dead_letter (id, instance_id, destination_id, route_id, priority, created_at, attempts, status, error, offending)
    SELECT 30 + i, i, 1, 1, 7, now() - interval '1 day', 1, x'A900'::integer, 'A900H', '(0010,0020)' FROM generate_series(1, 4) i;
END $$;
-- The last entry of the audit log.
CREATE FUNCTION pg_temp.audited() RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' | ', action, target, details::text) FROM dicomgw.audit_log ORDER BY id DESC LIMIT 1
$$;
CREATE FUNCTION pg_temp.waiting(destination integer) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(id::text, ' ' ORDER BY id) FROM dicomgw.forward_job WHERE destination_id = destination
$$;

-- ---------- wrong input ----------

CALL pg_temp.begin_anew();
CREATE FUNCTION pg_temp.refuses(verb text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    v_call text := 'SELECT dicomgw.' || verb || '(' || CASE verb WHEN 'set_priority' THEN '9, ' WHEN 'move' THEN $a$'spare', $a$ ELSE '' END;
BEGIN
    RETURN NEXT throws_ok(rtrim(v_call, ', ') || ')', '22023', 'no jobs are named', verb || ': nothing named');
    RETURN NEXT throws_ok(v_call || $a$destination => 'nowhere')$a$, '42704', 'destination "nowhere" does not exist', verb || ': no such destination');
    RETURN NEXT throws_ok(v_call || $a$route => 'nowhere')$a$, '42704', 'route "nowhere" does not exist', verb || ': no such route');
    RETURN NEXT throws_ok(v_call || $a$study_instance_uid => '9.9')$a$, 'PT404', 'study 9.9 was not received', verb || ': no such study');
END $$;
SELECT pg_temp.refuses(verb) FROM unnest('{retry,cancel,set_priority,move}'::text[]) AS v(verb);
SELECT throws_ok($$ SELECT dicomgw.set_priority(10, job_id => 11) $$, '23514', NULL, 'a priority that there is not');
SELECT throws_ok($$ SELECT dicomgw.set_priority(NULL, job_id => 11) $$, NULL, NULL, 'none');
SELECT throws_ok($$ SELECT dicomgw.move('nowhere', job_id => 11) $$, '42704', 'destination "nowhere" does not exist', 'a destination to move to that there is not');
SELECT is((SELECT count(*) FROM dicomgw.audit_log WHERE action <> 'insert'), 0::bigint, 'what was refused is not in the audit log');

-- ---------- retry ----------

SELECT results_eq('SELECT * FROM dicomgw.retry(job_id => 31)', 'VALUES (1::bigint, 0::bigint)', 'retry a dead letter');
SELECT results_eq('SELECT instance_id, destination_id, route_id, priority::integer, attempts, refused_at, not_before, last_status, last_offending, created_at = now() - interval ''1 day'' FROM dicomgw.forward_job WHERE id = 31',
    $$ VALUES (1::bigint, 1, 1, 7, 0, NULL::timestamptz, '-infinity'::timestamptz, 43264, '(0010,0020)', true) $$,
    'under its number, with fresh attempts; what it was refused for is not forgotten');
SELECT is(pg_temp.audited(), 'retry | job 31 | {"revived": 1, "hastened": 0}', 'retry: in the audit log');
SELECT results_eq('SELECT * FROM dicomgw.retry(job_id => 31)', 'VALUES (0::bigint, 0::bigint)', 'again: nothing to do');
SELECT results_eq('SELECT * FROM dicomgw.retry(job_id => 999)', 'VALUES (0::bigint, 0::bigint)', 'a job that there is not: nothing to do');
SELECT results_eq($$ SELECT * FROM dicomgw.retry(destination => 'archive') $$, 'VALUES (0::bigint, 4::bigint)', 'a destination: what is put off is due');
SELECT is((SELECT max(not_before) FROM dicomgw.forward_job), '-infinity', 'at once');
SELECT is((SELECT min(attempts) FROM dicomgw.forward_job WHERE destination_id = 2), 3, 'its attempts are not forgotten');
CALL pg_temp.begin_anew();
SELECT results_eq($$ SELECT * FROM dicomgw.retry(study_instance_uid => '1.1') $$, 'VALUES (2::bigint, 2::bigint)', 'a study');
CALL pg_temp.begin_anew();
SELECT results_eq($$ SELECT * FROM dicomgw.retry(route => 'all', study_instance_uid => '1.2') $$, 'VALUES (2::bigint, 0::bigint)', 'a route and a study: both');
SELECT is(pg_temp.audited(), 'retry | study 1.2, route all | {"revived": 2, "hastened": 0}', 'in the audit log, too');
CALL pg_temp.begin_anew();
SELECT results_eq($$ SELECT * FROM dicomgw.retry(job_ids => ARRAY(SELECT job_id FROM dicomgw.job_status WHERE state = 'failed' AND instance_id < 4)) $$,
    'VALUES (3::bigint, 0::bigint)', 'any query''s result');
SELECT is(pg_temp.audited(), 'retry | 3 job(s) | {"revived": 3, "hastened": 0}', 'and how many it was');
SELECT results_eq($$ SELECT * FROM dicomgw.retry(job_ids => '{}') $$, 'VALUES (0::bigint, 0::bigint)', 'an empty one is nothing');
INSERT INTO dicomgw.destination_state (destination_id, state, reason, next_probe_at)
VALUES (1, 'down', 'gone', 'tomorrow'), (2, 'down', 'gone', 'tomorrow');
SELECT lives_ok($$ SELECT dicomgw.retry(job_id => 34) $$, 'retry for a destination that is down');
SELECT results_eq('SELECT destination_id FROM dicomgw.destination_state WHERE next_probe_at <= now()', 'VALUES (1)', 'has it probed at once, and no other');

-- ---------- cancel ----------

CALL pg_temp.begin_anew();
SELECT is((SELECT cancelled FROM dicomgw.cancel(job_id => 21)), 1::bigint, 'cancel a job');
SELECT results_eq('SELECT job_id, instance_id, destination, route_id, outcome, attempts, status, comment FROM dicomgw.forward_history',
    format($$ VALUES (21::bigint, 1::bigint, 'archive', 2, 'cancelled', 3, 42752, 'cancelled by %s') $$, session_user), 'it is in the history');
SELECT is((SELECT cancelled FROM dicomgw.cancel(job_id => 31)), 1::bigint, 'a dead letter');
SELECT is((SELECT cancelled FROM dicomgw.cancel(study_instance_uid => '1.1')), 4::bigint, 'a study: both');
SELECT is((SELECT cancelled FROM dicomgw.cancel(route => 'old')), 2::bigint, 'a route');
SELECT is(pg_temp.audited(), 'cancel | route old | {"cancelled": 2}', 'cancel: in the audit log');
SELECT is((SELECT cancelled FROM dicomgw.cancel(destination => 'pacs', job_ids => '{13,33,34,999}')), 3::bigint, 'some jobs of a destination');
SELECT is((SELECT cancelled FROM dicomgw.cancel(destination => 'pacs')), 1::bigint, 'and the rest');
SELECT is((SELECT count(*) FROM dicomgw.job_status), 0::bigint, 'nothing is left');
SELECT is((SELECT count(*) FROM dicomgw.forward_history WHERE outcome = 'cancelled'), 12::bigint, 'all of it is in the history');

-- ---------- set_priority ----------

CALL pg_temp.begin_anew();
SELECT is((SELECT changed FROM dicomgw.set_priority(9, job_id => 11)), 1::bigint, 'the priority of a job');
SELECT is((SELECT changed FROM dicomgw.set_priority(9, study_instance_uid => '1.1')), 3::bigint, 'of a study: but of those that have it');
SELECT is((SELECT changed FROM dicomgw.set_priority(0, route => 'old', job_ids => '{21,22,11}')), 2::bigint, 'of some jobs of a route');
SELECT is((SELECT changed FROM dicomgw.set_priority(priority => 7, destination => 'pacs')), 4::bigint, 'of a destination');
SELECT is((SELECT string_agg(priority::text, '' ORDER BY id) FROM dicomgw.forward_job), '77770055', 'as they were told');
SELECT is(pg_temp.audited(), 'set_priority | destination pacs | {"changed": 4, "priority": 7}', 'set_priority: in the audit log');

-- ---------- move ----------

CALL pg_temp.begin_anew();
UPDATE dicomgw.forward_job SET lease_token = 5, lease_until = now() + interval '1 minute' WHERE id = 12;
SELECT results_eq($$ SELECT * FROM dicomgw.move('spare', job_id => 21) $$, 'VALUES (1::bigint, 0::bigint)', 'move a job');
SELECT results_eq('SELECT destination_id, attempts, refused_at, not_before, route_id FROM dicomgw.forward_job WHERE id = 21',
    $$ VALUES (3, 0, NULL::timestamptz, '-infinity'::timestamptz, 2) $$, 'it begins anew there');
SELECT results_eq($$ SELECT * FROM dicomgw.move('spare', study_instance_uid => '1.1') $$, 'VALUES (4::bigint, 1::bigint)',
    'a study: what is being sent stays, dead letters go, too, and what is there already is not counted');
SELECT is(pg_temp.waiting(3), '11 21 22 31 32', 'they are there');
SELECT is((SELECT lease_token FROM dicomgw.forward_job WHERE id = 12), 5::bigint, 'what is being sent is left alone');
SELECT is(pg_temp.audited(), 'move | study 1.1 | {"to": "spare", "moved": 4, "being_sent": 1}', 'move: in the audit log');
SELECT results_eq($$ SELECT * FROM dicomgw.move('spare', destination => 'pacs', job_ids => '{13,33}') $$, 'VALUES (2::bigint, 0::bigint)', 'some jobs of a destination');
SELECT results_eq($$ SELECT * FROM dicomgw.move(to_destination => 'spare', route => 'old') $$, 'VALUES (2::bigint, 0::bigint)', 'those of a route');
SELECT results_eq($$ SELECT * FROM dicomgw.move('spare', destination => 'spare') $$, 'VALUES (0::bigint, 0::bigint)', 'to where they are: nothing to do');

-- ---------- replay ----------

CALL pg_temp.begin_anew();
UPDATE dicomgw.instance SET removed_at = now() WHERE id = 4;
SELECT results_eq($$ SELECT * FROM dicomgw.replay('{3,1,1,4,999}', 'spare', priority => 2) $$, 'VALUES (2::bigint, 2::bigint)', 'replay objects; not what there is not');
SELECT results_eq('SELECT instance_id, priority::integer, route_id FROM dicomgw.forward_job WHERE destination_id = 3 ORDER BY id',
    'VALUES (1::bigint, 2, NULL::integer), (3, 2, NULL)', 'each once, in order');
SELECT is(pg_temp.audited(), 'replay | destination spare | {"jobs": 2, "skipped": 2, "priority": 2}', 'replay: in the audit log');
SELECT results_eq($$ SELECT * FROM dicomgw.replay_study('1.1', 'spare') $$, 'VALUES (2::bigint, 0::bigint)', 'replay a study');
SELECT results_eq($$ SELECT * FROM dicomgw.replay_study('1.2', 'spare') $$, 'VALUES (1::bigint, 1::bigint)', 'one of which a file is gone');
SELECT results_eq($$ SELECT * FROM dicomgw.replay('{}', 'spare') $$, 'VALUES (0::bigint, 0::bigint)', 'replay nothing');
SELECT throws_ok($$ SELECT dicomgw.replay('{1}', 'nowhere') $$, '42704', 'destination "nowhere" does not exist', 'replay to nowhere');
SELECT throws_ok($$ SELECT dicomgw.replay('{1}', 'spare', priority => 10) $$, '23514', NULL, 'or at no priority');
SELECT throws_ok($$ SELECT dicomgw.replay_study('9.9', 'spare') $$, 'PT404', 'study 9.9 was not received', 'or no study');

-- ---------- pause, resume, delete_destination ----------

CALL pg_temp.begin_anew();
SELECT is(dicomgw.pause('pacs', 'moving'), true, 'pause');
SELECT is(pg_temp.audited(), 'pause | destination pacs | {"reason": "moving"}', 'pause: in the audit log');
SELECT results_eq('SELECT paused, pause_reason, paused_by, paused_at FROM dicomgw.destination WHERE id = 1',
    format($$ VALUES (true, 'moving', %L, now()) $$, session_user), 'who, when, why');
SELECT is(dicomgw.pause('pacs'), false, 'again');
SELECT is(dicomgw.resume('pacs'), true, 'resume');
SELECT is(pg_temp.audited(), 'resume | destination pacs | {}', 'resume: in the audit log');
SELECT results_eq('SELECT paused, pause_reason, paused_by, paused_at FROM dicomgw.destination WHERE id = 1',
    'VALUES (false, NULL::text, NULL::text, NULL::timestamptz)', 'nothing is left of it');
SELECT is(dicomgw.resume('pacs'), false, 'again');
SELECT throws_ok($$ SELECT dicomgw.pause('nowhere') $$, '42704', 'destination "nowhere" does not exist', 'pause nowhere');
SELECT throws_ok($$ SELECT dicomgw.resume('nowhere') $$, '42704', 'destination "nowhere" does not exist', 'resume nowhere');

SELECT throws_ok($$ SELECT dicomgw.delete_destination('archive', cancel => true) $$, '2BP01', 'destination "archive" is still in use', 'delete a destination that a route names');
DELETE FROM dicomgw.route WHERE name = 'old';
SELECT throws_ok($$ SELECT dicomgw.delete_destination('archive') $$, '2BP01', 'destination "archive" still has 4 waiting job(s) and 0 dead letter(s)', 'one with jobs');
SELECT throws_ok($$ DELETE FROM dicomgw.destination WHERE name = 'archive' $$, '2BP01', NULL, 'nor by hand');
SELECT is(dicomgw.delete_destination('archive', cancel => true), 4::bigint, 'with cancel: it says how many that were');
SELECT is(pg_temp.audited(), 'delete_destination | destination archive | {"cancelled": 4}', 'delete_destination: in the audit log');
SELECT is((SELECT count(*) FROM dicomgw.forward_history WHERE destination = 'archive' AND outcome = 'cancelled'), 4::bigint, 'they are in the history');
SELECT throws_ok($$ SELECT dicomgw.delete_destination('archive') $$, '42704', 'destination "archive" does not exist', 'it is gone');
SELECT is(dicomgw.delete_destination('spare'), 0::bigint, 'one without jobs needs no cancel');

-- ---------- the audit log ----------

SET CONSTRAINTS ALL IMMEDIATE; -- the chain is built at COMMIT
SELECT throws_ok($$ UPDATE dicomgw.audit_log SET actor = 'somebody' $$, '42501', 'the audit log can be added to, and nothing else', 'the audit log is not changed');
SELECT throws_ok($$ DELETE FROM dicomgw.audit_log $$, '42501', 'the audit log can be added to, and nothing else', 'nor shortened');
SELECT throws_ok($$ TRUNCATE dicomgw.audit_log CASCADE $$, '42501', 'the audit log can be added to, and nothing else', 'nor emptied');
SET LOCAL session_replication_role = replica;
SELECT throws_ok($$ DELETE FROM dicomgw.audit_log $$, '42501', NULL, 'nor by who disables triggers for a session');
RESET session_replication_role;
SELECT is((SELECT count(*) FROM dicomgw.audit_log WHERE actor <> session_user OR at IS NULL), 0::bigint, 'it says who and when');

-- ---------- an admin's own SQL while jobs are being sent ----------

INSERT INTO dicomgw.destination (id, name, host, ae_title) VALUES (2, 'archive', 'archive.example', 'ARCHIVE'), (4, 'other', 'other.example', 'OTHER');
CALL pg_temp.begin_anew();
DELETE FROM dicomgw.forward_job WHERE destination_id <> 1;
CREATE TEMPORARY TABLE claimed AS SELECT c.id, c.token FROM dicomgw._claim(1, array_fill(0::bigint, ARRAY[10]), 4, '1 minute') c;
CREATE FUNCTION pg_temp.all_taken() RETURNS TABLE (id bigint, verdict text) LANGUAGE sql AS $$
    SELECT r.id, r.verdict
    FROM (SELECT array_agg(id ORDER BY id) AS ids, array_agg(token ORDER BY id) AS tokens, count(*)::integer AS n FROM claimed) c,
         dicomgw._record_results(c.ids, c.tokens, array_fill(1, ARRAY[n]), array_fill(0, ARRAY[n]), array_fill(''::text, ARRAY[n]),
                                 array_fill(''::text, ARRAY[n]), array_fill(''::text, ARRAY[n]), array_fill(1::bigint, ARRAY[n])) r
$$;
SELECT is((SELECT count(*) FROM claimed), 4::bigint, 'all are being sent');
UPDATE dicomgw.forward_job SET destination_id = 4 WHERE id = 11;
SELECT results_eq('SELECT lease_token, lease_until FROM dicomgw.forward_job WHERE id = 11', $$ VALUES (NULL::bigint, '-infinity'::timestamptz) $$,
                  'a job that goes elsewhere is not being sent there');
UPDATE dicomgw.forward_job SET priority = 9, not_before = now() + interval '1 hour' WHERE id = 12;
SELECT isnt((SELECT lease_token FROM dicomgw.forward_job WHERE id = 12), NULL, 'with another priority it is still being sent');
DELETE FROM dicomgw.forward_job WHERE id = 13;
SELECT results_eq('SELECT id, verdict FROM pg_temp.all_taken() ORDER BY 1', $$ VALUES (12::bigint, 'sent'), (14, 'sent') $$,
                  'what was moved or deleted is not recorded as sent');
SELECT is(pg_temp.waiting(4), '11', 'and waits where it was put');
SELECT is((SELECT string_agg(job_id::text, ' ' ORDER BY job_id) FROM dicomgw.forward_history WHERE outcome = 'sent'), '12 14', 'the others are');
SELECT is((SELECT count(*) FROM pg_temp.all_taken()), 0::bigint, 'the same result once more changes nothing');

-- ---------- how many are before it ----------

-- As if the forwarder ran, which it does not in this database.
CREATE OR REPLACE FUNCTION dicomgw.worker_status(
    OUT worker text, OUT running boolean, OUT pid integer, OUT since timestamptz, OUT last_action text, OUT last_action_at timestamptz,
    OUT last_error text, OUT last_error_at timestamptz, OUT restarts integer)
RETURNS SETOF record LANGUAGE sql STRICT VOLATILE AS $$ SELECT 'forwarder', true, 1, now(), '', now(), NULL, NULL::timestamptz, 0 $$;
DELETE FROM dicomgw.forward_job;
INSERT INTO dicomgw.forward_job (id, instance_id, destination_id, priority, not_before) OVERRIDING SYSTEM VALUE
VALUES (41, 1, 1, 5, '-infinity'), (42, 1, 1, 5, '-infinity'), (43, 1, 1, 5, 'tomorrow'), (44, 1, 1, 5, '-infinity'), (45, 1, 1, 9, '-infinity'),
       (46, 1, 4, 5, '-infinity');
UPDATE dicomgw.forward_job SET lease_token = 1, lease_until = now() + interval '1 minute' WHERE id = 41;
CREATE VIEW pg_temp.reasons AS SELECT job_id, reason_code, regexp_replace(reason, ' until .*', '') FROM dicomgw.job_status WHERE state <> 'failed';
SELECT results_eq('SELECT * FROM pg_temp.reasons ORDER BY 1',
    $$ VALUES (41::bigint, 'sending', 'is being sent'), (42, 'queue', 'is behind 2 other(s)'), (43, 'backoff', 'is put off'),
              (44, 'queue', 'is behind 3 other(s)'), (45, 'queue', 'is next'), (46, 'queue', 'is next') $$,
    'by priority, then age; what is put off is before nobody, and what goes elsewhere neither');
UPDATE dicomgw.destination SET max_objects_per_second = 2, max_bytes_per_second = 5000 WHERE id = 1;
SELECT is((SELECT reason FROM dicomgw.job_status WHERE job_id = 42), 'is behind 2 other(s); at most 2 objects/s and 5000 bytes/s', 'with limits');
INSERT INTO dicomgw.destination_state (destination_id, state, reason, next_probe_at) VALUES (1, 'down', 'gone', 'tomorrow');
SELECT results_eq('SELECT reason_code, waits_until FROM dicomgw.job_status WHERE job_id IN (41, 43, 44) ORDER BY job_id',
    $$ VALUES ('sending', NULL::timestamptz), ('down', 'tomorrow'), ('down', 'tomorrow') $$, 'a destination that is down holds up all but what is on its way');
SELECT * FROM finish();
