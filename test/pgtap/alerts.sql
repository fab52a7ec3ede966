-- Alerts come with their trouble and go with it; each says what to do.  Who is limited is told
-- nothing of other people's objects, by no count either.

\set ON_ERROR_STOP 1
SET client_min_messages = error;
CREATE EXTENSION pgtap;
CREATE EXTENSION dicomgw;
BEGIN;
SELECT plan(27);
SELECT dicomgw.create_roles();

CREATE FUNCTION pg_temp.alerts(p_kind text) RETURNS text LANGUAGE sql AS $$
    SELECT coalesce(string_agg(format('%s %s', a.severity, a.subject), ', ' ORDER BY a.subject), 'none') FROM dicomgw.alert a WHERE a.kind = p_kind $$;

-- No worker runs in this database.
SELECT is(pg_temp.alerts('worker_down'), 'critical audit, critical forwarder, critical maintenance, critical receiver, critical router', 'workers that do not run');
SELECT is(pg_temp.alerts('listener_down'), 'critical default', 'a listener that does not listen');
UPDATE dicomgw.listener SET enabled = false;
SELECT is(pg_temp.alerts('listener_down'), 'none', 'which is no trouble if it is not to');
SELECT is(dicomgw.ready(), false, 'it is not ready');

-- ---------- the queue ----------

INSERT INTO dicomgw.destination (name, host, ae_title) VALUES ('pacs', 'pacs.example', 'PACS'), ('other', 'other.example', 'OTHER');
INSERT INTO dicomgw.instance (id, received_at, calling_ae, called_ae, sop_class_uid, sop_instance_uid, transfer_syntax_uid, file_path, size, sha256)
SELECT n, now(), 'CT', 'X', '1.2', '1.' || n, '1.2.840.10008.1.2', n::text, 1, '\x00' FROM generate_series(1, 3) n;
SELECT is(pg_temp.alerts('queue_old') || '; ' || pg_temp.alerts('destination_down') || '; ' || pg_temp.alerts('dead_letter') || '; ' || pg_temp.alerts('unrouted')
          || '; ' || pg_temp.alerts('storage_problem'), 'none; none; none; none; none', 'nothing is wrong yet');
INSERT INTO dicomgw.forward_job (instance_id, destination_id, created_at, priority)
VALUES (1, 1, now() - interval '59 minutes', 5), (2, 1, now() - interval '61 minutes', 2), (3, 2, now(), 5);
SELECT is(pg_temp.alerts('queue_old'), 'warning pacs', 'a job that waits, whatever its priority');
SELECT is((SELECT since FROM dicomgw.alert WHERE kind = 'queue_old'), now() - interval '61 minutes', 'since when');
SELECT matches((SELECT message FROM dicomgw.alert WHERE kind = 'queue_old'), 'job_status WHERE destination = ''pacs''', 'and what to do');
UPDATE dicomgw.destination SET paused = true, pause_reason = 'service' WHERE name = 'pacs';
SELECT matches((SELECT message FROM dicomgw.alert WHERE kind = 'queue_old'), 'it is paused by', 'of one that is paused: by whom');
UPDATE dicomgw.destination SET paused = false, pause_reason = NULL WHERE name = 'pacs';
INSERT INTO dicomgw.destination_window (destination, days, opens_at, closes_at, time_zone)
SELECT 'pacs', ARRAY[1 + (extract(isodow FROM now() AT TIME ZONE 'UTC')::integer + 2) % 7], '03:00', '04:00', 'UTC';
SELECT is(pg_temp.alerts('queue_old'), 'none', 'one that waits for its window is no alert');
DELETE FROM dicomgw.destination_window;
INSERT INTO dicomgw.destination_state (destination_id, state, since, reason) VALUES (1, 'down', now() - interval '4 minutes', 'connection refused');
SELECT is(pg_temp.alerts('destination_down') || '; ' || pg_temp.alerts('queue_old'), 'none; none', 'one that has just gone down is none yet, nor do its jobs make one');
UPDATE dicomgw.destination_state SET since = now() - interval '6 minutes';
SELECT is(pg_temp.alerts('destination_down'), 'warning pacs', 'one that stays down is');
SELECT matches((SELECT message FROM dicomgw.alert WHERE kind = 'destination_down'), 'connection refused', 'it says why');
UPDATE dicomgw.destination_state SET since = now() - interval '61 minutes', state = 'probing';
SELECT is(pg_temp.alerts('destination_down'), 'critical pacs', 'for long: it gets worse');
UPDATE dicomgw.destination_state SET state = 'up', reason = NULL;
SELECT is(pg_temp.alerts('destination_down'), 'none', 'it is back');
DELETE FROM dicomgw.forward_job WHERE instance_id = 2;
SELECT is(pg_temp.alerts('queue_old'), 'none', 'the old job is gone');

INSERT INTO dicomgw.dead_letter (id, instance_id, destination_id, priority, created_at, failed_at, attempts, error)
VALUES (101, 1, 1, 5, now(), now() - interval '1 hour', 3, 'refused'), (102, 2, 1, 5, now(), now(), 3, 'refused');
SELECT is(pg_temp.alerts('dead_letter'), 'warning pacs', 'dead letters, a row for a destination');
SELECT matches((SELECT message FROM dicomgw.alert WHERE kind = 'dead_letter'), '^2 job', 'it says how many');
SELECT dicomgw.cancel(destination => 'pacs');
SELECT is(pg_temp.alerts('dead_letter'), 'none', 'somebody has decided');

-- ---------- received objects ----------

INSERT INTO dicomgw.ingest (id, received_at, calling_ae, called_ae, sop_class_uid, sop_instance_uid, transfer_syntax_uid, file_path, size, sha256)
VALUES (10, now() - interval '11 minutes', 'CT', 'X', '1.2', '1.10', '1.2.840.10008.1.2', 'x', 1, '\x00');
SELECT is(pg_temp.alerts('unrouted'), 'critical router', 'an object that nobody routes');
UPDATE dicomgw.ingest SET route_error = 'no such thing';
SELECT matches((SELECT severity || message FROM dicomgw.alert WHERE kind = 'unrouted'), '^warning.*no such thing', 'or that cannot be routed');
DELETE FROM dicomgw.ingest;
SELECT is(pg_temp.alerts('unrouted'), 'none', 'it is routed');
INSERT INTO dicomgw.storage_problem (place, file_path, instance_id, problem) VALUES ('storage', '1', 1, 'missing');
SELECT is(pg_temp.alerts('storage_problem'), 'critical storage', 'a file that is missing');
DELETE FROM dicomgw.storage_problem;
SELECT is(pg_temp.alerts('storage_problem'), 'none', 'and is found');

-- ---------- who is limited ----------

GRANT USAGE ON SCHEMA public TO PUBLIC;
CREATE ROLE regress_dgw_mr LOGIN IN ROLE dicomgw_viewer;
SELECT dicomgw.create_user('mr', 'viewer', scope_calling_aes => '{MR}', db_role => 'regress_dgw_mr');
INSERT INTO dicomgw.dead_letter (id, instance_id, destination_id, priority, created_at, attempts, error) VALUES (103, 1, 1, 5, now(), 3, 'refused');
INSERT INTO dicomgw.measurement (writer, kind, subject, objects) VALUES (3, 'sent', 'pacs', 1);
SELECT dicomgw._fold_measurements();
SET LOCAL SESSION AUTHORIZATION regress_dgw_mr;
SELECT is((SELECT count(*) FROM dicomgw_api.alert WHERE kind = 'dead_letter') + (SELECT count(*) FROM dicomgw.traffic_minute)
          + (SELECT count(*) FROM dicomgw.counted), 0::bigint, 'somebody else''s dead letters, and counts, are not his');
SELECT throws_ok($$ SELECT * FROM dicomgw_api.time_series(now() - interval '1 hour') $$, '42501', NULL, 'the time series is refused to him');
SELECT throws_ok('SELECT dicomgw_api.metrics()', '42501', NULL, 'metrics, too');
RESET SESSION AUTHORIZATION;

SELECT * FROM finish();
ROLLBACK;
