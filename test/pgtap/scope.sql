-- A viewer who is limited sees what is his, and nothing else: by no table, view, function,
-- count or error.  By psql, that is with a database role of his own.

\set ON_ERROR_STOP 1
SET client_min_messages = error;
CREATE EXTENSION pgtap;
CREATE EXTENSION dicomgw;
BEGIN;
SELECT plan(35);
SELECT dicomgw.create_roles();

-- pgTAP's own functions and tables are to be used by everybody.
GRANT USAGE ON SCHEMA public TO PUBLIC;
CREATE ROLE regress_dgw_all LOGIN IN ROLE dicomgw_viewer;
CREATE ROLE regress_dgw_ct LOGIN IN ROLE dicomgw_viewer;
CREATE ROLE regress_dgw_north LOGIN IN ROLE dicomgw_viewer;
CREATE ROLE regress_dgw_both LOGIN IN ROLE dicomgw_viewer;
CREATE ROLE regress_dgw_gone LOGIN IN ROLE dicomgw_viewer;
SELECT dicomgw.create_user('ct', 'viewer', scope_calling_aes => '{CT1,CT2}', db_role => 'regress_dgw_ct');
SELECT dicomgw.create_user('north', 'viewer', scope_institutions => '{North}', db_role => 'regress_dgw_north');
SELECT dicomgw.create_user('both', 'viewer', '{CT1}', '{North}', 'regress_dgw_both');
SELECT dicomgw.create_user('gone', 'viewer', '{CT1}', db_role => 'regress_dgw_gone');
SELECT dicomgw.update_user('gone', disabled => true);

-- Study 1 of CT1 and MR1, each a series; study 2 of MR1; all but object 2 from North.  Object 4 waits for the router.
CREATE FUNCTION pg_temp.header(study text, series text, institution text) RETURNS text LANGUAGE sql AS $$
    SELECT jsonb_build_object('0020000D', jsonb_build_object('vr', 'UI', 'Value', jsonb_build_array(study)),
                              '0020000E', jsonb_build_object('vr', 'UI', 'Value', jsonb_build_array(series)),
                              '00080080', jsonb_build_object('vr', 'LO', 'Value', jsonb_build_array(institution)))::text $$;
SELECT dicomgw._ingest(ARRAY[1, 1, 1, 1], ARRAY['CT1', 'MR1', 'MR1', 'MR1'], ARRAY['X', 'X', 'X', 'X'],
    ARRAY['192.0.2.1', '192.0.2.2', '192.0.2.2', '192.0.2.2']::inet[], ARRAY['1.2', '1.2', '1.2', '1.2'],
    ARRAY['1.1', '1.2', '1.3', '1.4'], ARRAY['1.2.840.10008.1.2', '1.2.840.10008.1.2', '1.2.840.10008.1.2', '1.2.840.10008.1.2'],
    ARRAY['a', 'b', 'c', 'd'], ARRAY[1, 1, 1, 1]::bigint[], ARRAY['\x00', '\x00', '\x00', '\x00']::bytea[],
    ARRAY[pg_temp.header('9.1', '9.1.1', 'North'), pg_temp.header('9.1', '9.1.2', 'South'), pg_temp.header('9.2', '9.2.1', 'North'),
          pg_temp.header('9.2', '9.2.1', 'North')], ARRAY[NULL, NULL, NULL, NULL]);
SELECT dicomgw._file_instances('{1,2,3}');

INSERT INTO dicomgw.destination (name, host, ae_title) VALUES ('pacs', 'pacs.example', 'PACS');
INSERT INTO dicomgw.forward_job (instance_id, destination_id) SELECT n, 1 FROM generate_series(1, 3) n;
INSERT INTO dicomgw.dead_letter (id, instance_id, destination_id, priority, created_at, attempts, error)
SELECT 100 + n, n, 1, 5, now(), 1, 'refused' FROM generate_series(1, 3) n;
INSERT INTO dicomgw.forward_history (job_id, instance_id, destination, outcome, created_at, attempts)
SELECT 200 + n, n, 'pacs', 'sent', now(), 1 FROM generate_series(1, 3) n;
INSERT INTO dicomgw.forward_attempt (job_id, instance_id, destination, attempt) SELECT 200 + n, n, 'pacs', 1 FROM generate_series(1, 3) n;
INSERT INTO dicomgw.routing_decision (instance_id, matched) SELECT n, '{}' FROM generate_series(1, 3) n;
INSERT INTO dicomgw.storage_problem (place, file_path, instance_id, problem) SELECT 'storage', n::text, n, 'missing' FROM generate_series(1, 3) n;
INSERT INTO dicomgw.storage_problem (place, file_path, problem) VALUES ('storage', 'orphan', 'file without row');
INSERT INTO dicomgw.caller (calling_ae, peer_address, first_seen_at, last_seen_at)
VALUES ('CT1', '192.0.2.1', now(), now()), ('MR1', '192.0.2.2', now(), now());
INSERT INTO dicomgw.association_history (id, listener_id, peer_address, peer_port, calling_ae, started_at, ended_at, objects, bytes, outcome)
SELECT 1, 1, c.peer_address, 1, c.calling_ae, now(), now(), 1, 1, 'released' FROM dicomgw.caller c;

-- What somebody sees of everything: one line.
CREATE TEMP VIEW seen WITH (security_invoker = true) AS
    SELECT concat_ws(' | ',
        (SELECT string_agg(id::text, ',' ORDER BY id) FROM dicomgw.instance),
        (SELECT string_agg(study_instance_uid, ',' ORDER BY id) FROM dicomgw.study),
        (SELECT string_agg(series_instance_uid, ',' ORDER BY id) FROM dicomgw.series),
        (SELECT string_agg(id::text, ',' ORDER BY id) FROM dicomgw.ingest)) AS seen;
CREATE TEMP VIEW seen_of_each AS
    SELECT c.relname::text AS relation FROM pg_class c
    WHERE c.relnamespace = 'dicomgw'::regnamespace AND c.relrowsecurity AND NOT c.relispartition;
GRANT SELECT ON seen, seen_of_each TO PUBLIC;
-- Numbers of objects that can be seen in a relation that names them.
CREATE FUNCTION pg_temp.ids(relation text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE v text;
BEGIN
    EXECUTE format('SELECT string_agg(DISTINCT instance_id::text, '','' ORDER BY instance_id::text) FROM dicomgw.%I', relation) INTO v;
    RETURN v;
END $$;
CREATE FUNCTION pg_temp.ids_everywhere() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(DISTINCT coalesce(pg_temp.ids(r), 'none'), ' ' ORDER BY coalesce(pg_temp.ids(r), 'none'))
    FROM unnest('{forward_job,dead_letter,forward_history,forward_attempt,routing_decision,job_status,storage_problem}'::text[]) r $$;

-- ---------- the tables are all protected ----------

-- What a viewer reads and what names an object, a study or a caller.
SELECT is_empty($$ SELECT c.oid::regclass FROM pg_class c
                   WHERE c.relnamespace = 'dicomgw'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND NOT c.relrowsecurity
                     AND has_any_column_privilege('dicomgw_viewer', c.oid, 'SELECT')
                     AND (c.relname IN ('study', 'series', 'instance')
                          OR EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped
                                     AND a.attname IN ('instance_id', 'series_id', 'study_id', 'study_instance_uid', 'sop_instance_uid',
                                                       'calling_ae', 'patient_id'))) $$,
                'every table of objects that viewers read has row level security');
SELECT is_empty($$ SELECT c.oid::regclass FROM pg_class c
                   WHERE c.relnamespace IN ('dicomgw'::regnamespace, 'dicomgw_api'::regnamespace) AND c.relkind = 'v'
                     AND NOT coalesce('security_invoker=true' = ANY (c.reloptions), false) AND has_table_privilege('dicomgw_viewer', c.oid, 'SELECT') $$,
                'every view that viewers read shows them what they may see');

-- ---------- the owner, and who is not limited ----------

SELECT is((SELECT seen FROM seen), '1,2,3 | 9.1,9.2 | 9.1.1,9.1.2,9.2.1 | 4', 'the owner sees everything');
SET SESSION AUTHORIZATION regress_dgw_all;
SELECT is((SELECT seen FROM seen), '1,2,3 | 9.1,9.2 | 9.1.1,9.1.2,9.2.1 | 4', 'so does a viewer who is not limited');
SELECT is(pg_temp.ids_everywhere(), '1,2,3', 'everywhere');

-- ---------- limited to calling AE titles ----------

SET SESSION AUTHORIZATION regress_dgw_ct;
SELECT is((SELECT seen FROM seen), '1 | 9.1 | 9.1.1', 'limited to CT1: its object, study, series, and nothing that waits');
SELECT is(pg_temp.ids_everywhere(), '1', 'its jobs, history, decisions, problems');
SELECT is((SELECT count(*) FROM dicomgw.instance_header), 1::bigint, 'its header');
SELECT is((SELECT array_agg(calling_ae) FROM dicomgw.caller), '{CT1}', 'itself as a caller');
SELECT is((SELECT array_agg(calling_ae) FROM dicomgw.association), '{CT1}', 'its associations');
SELECT is((SELECT (received, unrouted, routed, waiting, sent, failed)::text FROM dicomgw.totals), '(1,0,1,1,1,1)', 'totals of its own');
SELECT is((SELECT (waiting, failed)::text FROM dicomgw.destination_status), '(1,1)', 'waiting for a destination, too');
SELECT is((SELECT array_agg(instance_id) FROM dicomgw.route_row), '{1}', 'what predicates see');
SELECT is((SELECT array_agg(id) FROM dicomgw_api.instance), '{1}', 'by the views for HTTP');
SELECT is((SELECT string_agg(calling_aes::text, ' ') FROM dicomgw_api.study), '{CT1}', 'which don''t tell whose else a study is');
SELECT isnt_empty($$ SELECT * FROM dicomgw.timeline('1.1') $$, 'the timeline of its object');
SELECT throws_ok($$ SELECT * FROM dicomgw.timeline('1.2') $$, 'PT404', 'object 1.2 was not received', 'another one''s says what it says of none');
SELECT throws_ok($$ SELECT * FROM dicomgw.timeline('7.7') $$, 'PT404', 'object 7.7 was not received', 'just so');
SELECT throws_ok($$ SELECT dicomgw._study_id('9.2') $$, 'PT404', 'study 9.2 was not received', 'and so with studies');
SELECT throws_ok('SELECT * FROM dicomgw._open_associations()', '42501', NULL, 'shared memory is read by one way only');
SELECT is_empty('SELECT * FROM dicomgw.open_associations()', 'which shows nothing here');
-- a function of one's own that tells what it is asked for
CREATE FUNCTION pg_temp.tell(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$
BEGIN RAISE EXCEPTION 'told: %', $1 USING ERRCODE = 'P0099'; END $$;
SELECT lives_ok($$ SELECT FROM dicomgw.instance WHERE calling_ae <> 'CT1' AND pg_temp.tell(calling_ae) $$, 'it is asked for nothing else');
SELECT lives_ok($$ SELECT FROM dicomgw.study WHERE study_instance_uid = '9.2' AND pg_temp.tell(patient_name) $$, 'of no study either');
SELECT throws_ok($$ SELECT FROM dicomgw.instance WHERE pg_temp.tell(calling_ae) $$, 'P0099', 'told: CT1', 'though it does tell');
-- claims in one's own session mean nothing
SELECT set_config('request.jwt.claims', '{"role": "dicomgw_admin", "username": "admin"}', true) AS claims \gset
SELECT is((SELECT seen FROM seen), '1 | 9.1 | 9.1.1', 'whoever claims to be somebody else');
SELECT is(dicomgw.actor(), 'regress_dgw_ct', 'is who he is');
SELECT throws_ok($$ UPDATE dicomgw.app_user SET scope_calling_aes = NULL $$, '42501', NULL, 'and does not change it');

-- ---------- to institutions, to both, and nothing at all ----------

SET SESSION AUTHORIZATION regress_dgw_north;
SELECT is((SELECT seen FROM seen), '1,3 | 9.1,9.2 | 9.1.1,9.2.1', 'limited to an institution');
SELECT is(pg_temp.ids_everywhere(), '1,3', 'everywhere');
SELECT is((SELECT count(*) FROM dicomgw.association) + (SELECT count(*) FROM dicomgw.caller), 0::bigint, 'associations are of none');
SET SESSION AUTHORIZATION regress_dgw_both;
SELECT is((SELECT seen FROM seen), '1 | 9.1 | 9.1.1', 'limited to both');
SET SESSION AUTHORIZATION regress_dgw_gone;
SELECT is((SELECT seen FROM seen), '', 'a user that is disabled sees nothing');
RESET SESSION AUTHORIZATION;

-- ---------- limits that would not hold ----------

SELECT throws_ok($$ SELECT dicomgw.create_user('op', 'operator', '{CT1}') $$, '23514', NULL, 'an operator cannot be limited');
GRANT dicomgw_operator TO regress_dgw_all;
SELECT throws_ok($$ SELECT dicomgw.create_user('op', 'viewer', '{CT1}', db_role => 'regress_dgw_all') $$, '23514', NULL,
                 'nor a viewer whose database role is one');
SELECT throws_ok($$ SELECT dicomgw.create_user('op', 'viewer', '{}') $$, '23514', NULL, 'a limit to nothing is a mistake');

SELECT * FROM finish();
ROLLBACK;
