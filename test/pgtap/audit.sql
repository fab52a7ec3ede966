-- The audit log: what gets into it, what does not, that nothing gets out, and that its
-- chain of hashes shows who tried all the same.

\set ON_ERROR_STOP 1
SET client_min_messages = error;
CREATE EXTENSION pgtap;
CREATE EXTENSION dicomgw;
BEGIN;
SELECT plan(33);
SET CONSTRAINTS ALL IMMEDIATE; -- what happens at COMMIT happens at once
SELECT is((SELECT count(*) FROM dicomgw.audit_log), 0::bigint, 'it begins empty');
SELECT is((SELECT (entries, first_broken, problem, head)::text FROM dicomgw.verify_audit()), '(0,,,)', 'and whole');

CREATE FUNCTION pg_temp.last() RETURNS text LANGUAGE sql AS $$
    SELECT format('%s: %s %s %s', a.actor, a.action, a.target, a.details) FROM dicomgw.audit_log a ORDER BY a.id DESC LIMIT 1 $$;

-- ---------- the configuration ----------

INSERT INTO dicomgw.destination (name, host, ae_title) VALUES ('pacs', 'pacs.example', 'PACS');
SELECT matches(pg_temp.last(), '^postgres: insert destination pacs \{"id": 1, "table": "destination", "columns": \{.*"host": "pacs.example"',
               'a new row of the configuration');
UPDATE dicomgw.destination SET port = 105, max_bytes_per_second = 1000;
SELECT is(pg_temp.last(), 'postgres: update destination pacs {"id": 1, "table": "destination", "columns": {"port": [104, 105], "max_bytes_per_second": [null, 1000]}}',
          'a changed one: old and new values of what changed');
UPDATE dicomgw.destination SET port = 105;
SELECT is((SELECT count(*) FROM dicomgw.audit_log), 2::bigint, 'a change that changes nothing is none');
INSERT INTO dicomgw.route (name, destination) VALUES ('all', 'pacs');
DELETE FROM dicomgw.route;
SELECT matches(pg_temp.last(), '^postgres: delete route all .*"predicate": "true"', 'a deleted one: what it was');
INSERT INTO dicomgw.remote_ae (ae_title, username, passcode) VALUES ('CT1', 'ct', 'hush-hush');
UPDATE dicomgw.remote_ae SET passcode = 'other secret';
SELECT is(pg_temp.last(), 'postgres: update remote ae CT1 {"id": 1, "table": "remote_ae", "columns": {"passcode": "(secret)"}}',
          'of a secret only that it changed');
UPDATE dicomgw.destination SET kind = 'dicomweb', url = 'https://pacs.example/', host = NULL, port = DEFAULT, ae_title = NULL, tls = 'verify-full';
SELECT dicomgw.set_credentials('pacs', username => 'u', password => 'pass-pass');
SELECT dicomgw.set_credentials('pacs', bearer_token => 'tok-tok-tok');
SELECT is((SELECT count(*) FROM dicomgw.audit_log WHERE action = 'set_credentials'), 2::bigint, 'credentials, too');
SELECT dicomgw.create_first_admin() AS once \gset
SELECT matches(pg_temp.last(), '^postgres: insert app user admin .*"password_hash": "\(secret\)"', 'and users');
TRUNCATE dicomgw.destination_window;
SELECT is(pg_temp.last(), 'postgres: truncate destination window {}', 'whoever empties a table');
SELECT is_empty($$ SELECT details FROM dicomgw.audit_log
                   WHERE details::text ~ 'hush|other secret|pass-pass|tok-tok|argon2' $$, 'no secret is in it');
SELECT is_empty($$ SELECT t.tgrelid::regclass FROM pg_trigger t WHERE t.tgfoid = 'dicomgw.notify_config_change()'::regprocedure
                   EXCEPT SELECT t.tgrelid::regclass FROM pg_trigger t WHERE t.tgfoid = 'dicomgw._audit_configuration()'::regprocedure
                          AND t.tgtype & 1 = 1 $$, 'every configuration table is watched');

-- ---------- verbs, and looks ----------

SELECT dicomgw.pause('pacs', 'maintenance');
SELECT is(pg_temp.last(), 'postgres: pause destination pacs {"reason": "maintenance"}', 'verbs');
SELECT dicomgw.abort_association(4711);
SELECT is(pg_temp.last(), 'postgres: abort_association association 4711 {"aborted": false}', 'also those of the receiver');
SELECT ok(dicomgw.note_view('study 1.2.3'), 'a look at a patient''s data');
SELECT is(pg_temp.last(), 'postgres: view study 1.2.3 {}', 'is noted');
SELECT ok(dicomgw.note_view('study 1.2.3') AND dicomgw.note_view('study 1.2.3', 'export'), 'looking again');
SELECT is((SELECT string_agg(action, ' ' ORDER BY id) FROM dicomgw.audit_log WHERE target = 'study 1.2.3'), 'view export', 'is one look; taking away is another');
SELECT throws_ok($$ SELECT dicomgw.note_view('study 1', 'retry') $$, '22023', NULL, 'nothing else can be noted so');

-- ---------- it can be added to, and nothing else ----------

SELECT throws_ok(format('%s dicomgw.%I%s', v.verb, t, v.rest), '42501', 'the audit log can be added to, and nothing else', format('%s %s', v.verb, t))
FROM unnest('{audit_log,audit_chain}'::text[]) t,
     (VALUES ('DELETE FROM', ''), ('TRUNCATE', ' CASCADE')) v(verb, rest);
SELECT throws_ok($$ UPDATE dicomgw.audit_log SET actor = 'somebody' $$, '42501', 'the audit log can be added to, and nothing else', 'UPDATE audit_log');
SELECT throws_ok('UPDATE dicomgw.audit_chain SET position = 1', '42501', 'the audit log can be added to, and nothing else', 'UPDATE audit_chain');

-- ---------- who changes it all the same is found out ----------

SELECT is((SELECT (entries > 15, first_broken, problem)::text FROM dicomgw.verify_audit()), '(t,,)', 'the chain is whole');
SET timezone = 'Asia/Tokyo';
SET datestyle = 'German';
SELECT is((SELECT problem FROM dicomgw.verify_audit()), NULL, 'whatever the settings of who looks');
SELECT head AS before FROM dicomgw.verify_audit() \gset

CREATE FUNCTION pg_temp.tampered(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE v text;
BEGIN
    SET LOCAL session_replication_role = replica;
    ALTER TABLE dicomgw.audit_log DISABLE TRIGGER protect;
    ALTER TABLE dicomgw.audit_chain DISABLE TRIGGER protect;
    EXECUTE statement;
    SELECT concat_ws(' ', first_broken, problem) INTO v FROM dicomgw.verify_audit();
    RAISE EXCEPTION '%', v USING ERRCODE = 'P0098'; -- and it is taken back
EXCEPTION WHEN SQLSTATE 'P0098' THEN RETURN v;
END $$;
SELECT is(pg_temp.tampered($$ UPDATE dicomgw.audit_log SET actor = 'somebody' WHERE id = 3 $$), '3 the entry, or a link before it, was changed', 'an entry changed');
SELECT is(pg_temp.tampered($$ UPDATE dicomgw.audit_log SET at = at + interval '1 microsecond' WHERE id = 4 $$), '4 the entry, or a link before it, was changed', 'be it by a microsecond');
SELECT is(pg_temp.tampered($$ DELETE FROM dicomgw.audit_log WHERE id = 5 $$), '5 the entry is missing', 'an entry removed');
SELECT is(pg_temp.tampered($$ DELETE FROM dicomgw.audit_chain WHERE position = 6; DELETE FROM dicomgw.audit_log WHERE id = 6 $$), '7 links before it are missing', 'with its link');
SELECT is(pg_temp.tampered($$ DELETE FROM dicomgw.audit_chain WHERE position = 1; DELETE FROM dicomgw.audit_log WHERE id = 1 $$), '2 links before it are missing', 'the first of them');
SELECT dicomgw.resume('pacs');
SELECT isnt((SELECT head FROM dicomgw.verify_audit()), :'before', 'the newest link changes with each entry');

SELECT * FROM finish();
ROLLBACK;
