-- Dry run and explanation: a predicate in its terms, what a route would take of what was
-- received, and why an object went where it went.
--
-- Not in one transaction: what was in force then is found by time.

\set ON_ERROR_STOP 1
SET client_min_messages = error;
CREATE EXTENSION pgtap;
CREATE EXTENSION dicomgw;
SELECT plan(58);

-- n objects, numbered from 1: CT, MR and US in turn, five to a study; every fifth has no number in Rows.
CREATE FUNCTION pg_temp.receive(n integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_n integer[] := ARRAY[n];
BEGIN
    PERFORM dicomgw._ingest(array_fill(1, v_n), array_fill('CT1'::text, v_n), array_fill('DICOMGW'::text, v_n), array_fill('192.0.2.1'::inet, v_n),
        array_fill('1.2.840.10008.5.1.4.1.1.2'::text, v_n), array_agg('1.2.' || i ORDER BY i), array_fill('1.2.840.10008.1.2'::text, v_n),
        array_agg('file' || i ORDER BY i), array_fill(100::bigint, v_n), array_fill('\x01'::bytea, v_n),
        array_agg((SELECT jsonb_object_agg(a.tag, jsonb_build_object('Value', jsonb_build_array(a.value)))::text
                   FROM (VALUES ('0020000D', '1.' || (i - 1) / 5), ('00080060', (ARRAY['US', 'CT', 'MR'])[1 + i % 3]), ('00200013', i::text),
                                ('00280010', CASE i % 5 WHEN 0 THEN 'many' ELSE (i * 100)::text END)) a(tag, value)) ORDER BY i),
        array_fill(NULL::text, v_n))
    FROM generate_series(1, n) i;
END $$;
-- What the router does, with these findings.
CREATE FUNCTION pg_temp.route_all(matched jsonb, errors jsonb DEFAULT '[]') RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_ids bigint[] := dicomgw._claim_ingest(1000);
BEGIN
    PERFORM dicomgw._file_instances(v_ids);
    PERFORM dicomgw._enqueue(v_ids,
        ARRAY(SELECT (m.value ->> 0)::bigint FROM jsonb_array_elements(matched) WITH ORDINALITY m(value, n) ORDER BY n),
        ARRAY(SELECT (m.value ->> 1)::integer FROM jsonb_array_elements(matched) WITH ORDINALITY m(value, n) ORDER BY n),
        ARRAY(SELECT (e.value ->> 0)::bigint FROM jsonb_array_elements(errors) WITH ORDINALITY e(value, n) ORDER BY n),
        ARRAY(SELECT e.value ->> 1 FROM jsonb_array_elements(errors) WITH ORDINALITY e(value, n) ORDER BY n),
        ARRAY(SELECT e.value ->> 2 FROM jsonb_array_elements(errors) WITH ORDINALITY e(value, n) ORDER BY n));
END $$;

INSERT INTO dicomgw.destination (name, host, ae_title) VALUES ('pacs', 'pacs.example', 'PACS'), ('archive', 'archive.example', 'ARCHIVE');
INSERT INTO dicomgw.route (name, predicate, destination) VALUES
    ('ct', E'modality = \'CT\' -- the scanners\n  AND instance_number BETWEEN 1 AND 10', 'pacs'),
    ('rows', $$tag('Rows')::integer > 300$$, 'archive'),
    ('off', 'true', 'archive'),
    ('all ct', $$modality = 'CT'$$, 'pacs');
UPDATE dicomgw.route SET enabled = false WHERE name = 'off';
SELECT pg_temp.receive(15);
SELECT throws_ok('SELECT * FROM dicomgw.explain_routing(1)', 'PT404', 'object 1 is not routed yet', 'an object that waits');
SELECT throws_ok('SELECT * FROM dicomgw.explain_routing(99)', 'PT404', 'object 99 was not received', 'and one that is not');
-- CT: 1, 4, 7, 10, 13
SELECT pg_temp.route_all('[[1, 1], [4, 1], [7, 1], [10, 1], [1, 4], [4, 4], [7, 4], [10, 4], [13, 4], [4, 2], [6, 2]]',
                         '[[5, "rows", "invalid input syntax for type integer: \"many\""]]');

-- ---------- a predicate in its terms ----------

CREATE FUNCTION pg_temp.terms(predicate text, instance_id bigint DEFAULT 1) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(format('[%s] %s%s', t.text, coalesce(t.value::text, t.error, 'null'), CASE WHEN t.decides THEN '!' END), ' ' || t.connective || ' ' ORDER BY t.term)
    FROM (SELECT * FROM dicomgw.explain_predicate(predicate, instance_id) WHERE term > 0) t
$$;
SELECT is(pg_temp.terms(p), e, p) FROM (VALUES
    ('true', '[true] true!'),
    (' modality = ''MR'' ', '[modality = ''MR''] false!'),
    ('modality IS NULL OR NOT modality = ''MR''', '[modality IS NULL] false OR [NOT modality = ''MR''] true!'),
    ('modality = ''CT'' AND patient_id = ''1'' AND size = 100', '[modality = ''CT''] true AND [patient_id = ''1''] null! AND [size = 100] true'),
    ('modality = ''CT'' AND size = 1 OR size = 100 AND true', '[modality = ''CT'' AND size = 1] false OR [size = 100 AND true] true!'),
    ('((modality = ''CT'') AND (size = 1 OR size = 2))', '[(modality = ''CT'')] true AND [(size = 1 OR size = 2)] false!'),
    ('(modality = ''CT'') = (size = 100 AND true)', '[(modality = ''CT'') = (size = 100 AND true)] true!'),
    ('size BETWEEN 1 AND 2 and size NOT BETWEEN SYMMETRIC 2 AND 1 AND size > 5',
     '[size BETWEEN 1 AND 2] false! AND [size NOT BETWEEN SYMMETRIC 2 AND 1] true AND [size > 5] true'),
    ('CASE WHEN true AND false THEN false OR true ELSE true AND true END AND true', '[CASE WHEN true AND false THEN false OR true ELSE true AND true END] true! AND [true] true!'),
    ('''a AND b'' = "modality" || '' OR '' OR $x$ AND $x$ = '''' OR (ARRAY[true AND true])[1]',
     '[''a AND b'' = "modality" || '' OR ''] false OR [$x$ AND $x$ = ''''] false OR [(ARRAY[true AND true])[1]] true!'),
    ('/* OR */ size = 100 /* AND */ AND -- AND not' || E'\n' || ' tag(''Modality'') = ''CT'' -- OR so', '[size = 100] true! AND [tag(''Modality'') = ''CT''] true!'),
    ('modality = E''\''OR'' AND station_name = U&''\00e4'' UESCAPE ''!''', '[modality = E''\''OR''] false! AND [station_name = U&''\00e4'' UESCAPE ''!''] null!'),
    ('modality <> ''Ä OR'' AND ''日本'' <> ''AND''', '[modality <> ''Ä OR''] true! AND [''日本'' <> ''AND''] true!')) AS v(p, e);
SELECT is(pg_temp.terms('modality = ''MR'' AND tag(''Rows'')::integer = 5', 5), '[modality = ''MR''] true AND [tag(''Rows'')::integer = 5] invalid input syntax for type integer: "many"!',
          'a term that fails decides if the whole fails for it');
SELECT is(pg_temp.terms('modality = ''CT'' AND tag(''Rows'')::integer = 5', 5), '[modality = ''CT''] false! AND [tag(''Rows'')::integer = 5] invalid input syntax for type integer: "many"',
          'and not if it never comes to it');
SELECT results_eq($$ SELECT term, connective, text, value, error, decides FROM dicomgw.explain_predicate('modality = ''CT'' OR true', 1) WHERE term = 0 $$,
                  $$ VALUES (0, 'OR', 'modality = ''CT'' OR true', true, NULL::text, true) $$, 'term 0 is the whole');
SELECT throws_ok($$ SELECT * FROM dicomgw.explain_predicate('modalty = ''CT''', 1) $$, '42703', 'column "modalty" does not exist', 'what is no predicate is refused');
SELECT throws_ok($$ SELECT * FROM dicomgw.explain_predicate('true', 99) $$, 'PT404', 'object 99 was not received, or is not routed yet', 'and so is an object that is not');
CREATE TABLE public.private (x integer);
CREATE FUNCTION public.peep() RETURNS boolean LANGUAGE plpgsql STABLE AS 'BEGIN RETURN EXISTS (SELECT FROM public.private); END';
SELECT is(pg_temp.terms('public.peep()'), '[public.peep()] permission denied for table private!', 'a predicate has no rights here either');

-- ---------- an object ----------

SELECT results_eq('SELECT route, version, in_force, outcome, remark FROM dicomgw.explain_routing(1)', $$ VALUES
    ('ct', 1, true, 'matched', NULL), ('rows', 1, true, 'not matched', NULL), ('off', 2, true, 'disabled', NULL),
    ('all ct', 1, true, 'matched', 'the job for destination "pacs" is that of route "ct"') $$, 'each route and what became of it');
SELECT is((SELECT terms FROM dicomgw.explain_routing(1) WHERE route = 'ct'),
    '[{"text": "modality = ''CT''", "value": true, "decides": true, "connective": "AND"}, {"text": "instance_number BETWEEN 1 AND 10", "value": true, "decides": true, "connective": "AND"}]',
    'with its terms');
SELECT is((SELECT terms -> 1 FROM dicomgw.explain_routing(13) WHERE route = 'ct'),
    '{"text": "instance_number BETWEEN 1 AND 10", "value": false, "decides": true, "connective": "AND"}', 'which one was it');
SELECT results_eq($$ SELECT outcome, remark, terms -> 0 ->> 'error' FROM dicomgw.explain_routing(5) WHERE route = 'rows' $$,
    $$ VALUES ('error', 'invalid input syntax for type integer: "many"', 'invalid input syntax for type integer: "many"') $$, 'one that failed');
SELECT results_eq($$ SELECT outcome, remark FROM dicomgw.explain_routing(3) WHERE route = 'all ct' $$, $$ VALUES ('not matched', NULL) $$, 'one that did not match');

-- what was done
SELECT results_eq($$ SELECT jsonb_array_length(jobs), jobs -> 0 ->> 'destination', jobs -> 0 ->> 'state', jobs -> 0 ? 'at' FROM dicomgw.explain_routing(1) WHERE route = 'ct' $$,
    $$ VALUES (1, 'pacs', 'waiting', true) $$, 'a job that waits');
SELECT is((SELECT jobs FROM dicomgw.explain_routing(1) WHERE route = 'rows'), NULL, 'no job where nothing matched');
SELECT dicomgw.cancel(job_ids => ARRAY(SELECT id FROM dicomgw.forward_job WHERE instance_id = 4 AND route_id = 1));
SELECT is((SELECT jobs -> 0 ->> 'state' FROM dicomgw.explain_routing(4) WHERE route = 'ct'), 'cancelled', 'one that was cancelled');
WITH failed AS (DELETE FROM dicomgw.forward_job WHERE instance_id = 7 RETURNING *)
INSERT INTO dicomgw.dead_letter (id, instance_id, destination_id, route_id, priority, created_at, attempts, error)
SELECT id, instance_id, destination_id, route_id, priority, created_at, 3, 'refused' FROM failed;
SELECT is((SELECT jobs -> 0 ->> 'state' FROM dicomgw.explain_routing(7) WHERE route = 'ct'), 'failed', 'one that has failed');

-- ---------- the rules have changed since ----------

UPDATE dicomgw.route SET predicate = $$modality = 'MR'$$ WHERE name = 'ct';
DELETE FROM dicomgw.route WHERE name = 'all ct';
INSERT INTO dicomgw.route (name, predicate, destination) VALUES ('new', $$modality = 'CT'$$, 'archive'), ('newer', $$tag('Rows')::integer > 0$$, 'archive');
SELECT results_eq('SELECT route, version, in_force, outcome, remark FROM dicomgw.explain_routing(1)', $$ VALUES
    ('ct', 1, true, 'matched', 'the route has version 2 now'), ('rows', 1, true, 'not matched', NULL), ('off', 2, true, 'disabled', NULL),
    ('all ct', 1, true, 'matched', 'the job for destination "pacs" is that of route "ct"; the route was deleted since'),
    ('new', 1, false, 'would match', 'the route did not exist then'), ('newer', 1, false, 'would match', 'the route did not exist then') $$,
    'the versions of then are shown, and what is new is said to be so');
SELECT is((SELECT predicate FROM dicomgw.explain_routing(1) WHERE route = 'ct'), E'modality = \'CT\' -- the scanners\n  AND instance_number BETWEEN 1 AND 10', 'as they were');
SELECT results_eq($$ SELECT route, outcome, remark FROM dicomgw.explain_routing(5) WHERE NOT in_force $$, $$ VALUES ('new', 'would not match', 'the route did not exist then'),
    ('newer', 'would fail', 'invalid input syntax for type integer: "many"; the route did not exist then') $$, 'what it would do');

-- A decision that the predicate does not give: it went by another version, or by what has changed.
UPDATE dicomgw.instance_header SET header = header || '{"00280010": {"Value": [100]}}' WHERE instance_id = 6;
SELECT is((SELECT remark FROM dicomgw.explain_routing(6) WHERE route = 'rows'),
    'now the predicate gives false: it depends on the time or on something that has changed, or the route was changed in that moment', 'one that does not is said to be so');
-- A route that took an object, and is in the history a moment later.
SELECT pg_temp.receive(1);
DO $$
DECLARE
    v_ids bigint[] := dicomgw._claim_ingest(1);
BEGIN
    PERFORM dicomgw._file_instances(v_ids);
    INSERT INTO dicomgw.routing_decision (instance_id, decided_at, matched)
    SELECT v_ids[1], valid_from - interval '1 microsecond', ARRAY[row_key::integer] FROM dicomgw.configuration_history WHERE name = 'new';
END $$;
SELECT results_eq($$ SELECT version, in_force, outcome FROM dicomgw.explain_routing(16) WHERE route = 'new' $$, $$ VALUES (1, true, 'matched') $$,
                  'a route that took it was in force');
-- decided again: the last decision counts
INSERT INTO dicomgw.routing_decision (instance_id, decided_at, matched) VALUES (16, clock_timestamp(), '{}');
SELECT is((SELECT outcome FROM dicomgw.explain_routing(16) WHERE route = 'new'), 'not matched', 'of several decisions the last one');

-- What a route may have besides, and this version of the table need not: it is in the contents of its versions.
INSERT INTO dicomgw.configuration_history (table_name, row_key, name, version, operation, valid_from, contents) VALUES
    ('route', '101', 'first', 1, 'insert', '-infinity', '{"name": "first", "predicate": "true", "position": 1, "stop": true, "priority": 5}'),
    ('route', '102', 'late', 1, 'insert', '-infinity', '{"name": "late", "predicate": "true", "position": 2, "valid_until": "2001-01-01"}'),
    ('route', '103', 'second', 1, 'insert', '-infinity', '{"name": "second", "predicate": "true", "position": 3, "priority": 9}'),
    ('route', '104', 'rest', 1, 'insert', '-infinity', '{"name": "rest", "predicate": "true", "position": 0, "is_default": true}'),
    ('route', '105', 'studies', 1, 'insert', '-infinity', '{"name": "studies", "predicate": "true", "position": 0, "trigger": "study"}');
INSERT INTO dicomgw.routing_decision (instance_id, decided_at, matched) VALUES (16, clock_timestamp(), '{101,105}');
SELECT results_eq($$ SELECT route, outcome FROM dicomgw.explain_routing(16) WHERE route IN ('first', 'late', 'second', 'rest', 'studies') $$,
    $$ VALUES ('rest', 'not needed'), ('studies', 'gathered'), ('first', 'matched'), ('late', 'not valid'), ('second', 'stopped before') $$,
    'order, stop, default, validity, series and studies');
SELECT matches((SELECT remark FROM dicomgw.explain_routing(16) WHERE route = 'second'), '^route "first" stopped it', 'and who stopped it');

-- ---------- what is no longer kept ----------

DELETE FROM dicomgw.instance_header WHERE instance_id = 10;
SELECT results_eq($$ SELECT outcome, terms, remark FROM dicomgw.explain_routing(10) WHERE route = 'ct' $$,
    $$ VALUES ('matched', NULL::jsonb, 'the header is no longer kept: the terms cannot be shown; the route has version 2 now') $$, 'the header is gone');
SELECT is((SELECT outcome FROM dicomgw.explain_routing(10) WHERE route = 'new'), 'unknown', 'so nothing is claimed of it');
UPDATE dicomgw.instance SET header_error = 'not a dataset' WHERE id = 10;
SELECT is((SELECT terms -> 0 -> 'value' FROM dicomgw.explain_routing(10) WHERE route = 'ct'), 'null', 'one that never could be read was not there then either');
DELETE FROM dicomgw.routing_decision WHERE instance_id = 13;
SELECT results_eq($$ SELECT route, in_force, outcome, remark FROM dicomgw.explain_routing(13) WHERE route IN ('rows', 'new') $$,
    $$ VALUES ('rows', true, 'would match', 'the decision is no longer kept'), ('new', false, 'would match', 'the route did not exist then') $$, 'the decision is gone');
CREATE FUNCTION public.wanted(text) RETURNS boolean LANGUAGE sql IMMUTABLE RETURN true;
INSERT INTO dicomgw.route (name, predicate, destination) VALUES ('wanted', 'public.wanted(modality)', 'archive');
DROP FUNCTION public.wanted(text);
SELECT results_eq($$ SELECT outcome, remark, terms FROM dicomgw.explain_routing(13) WHERE route = 'wanted' $$,
    $$ VALUES ('would fail', 'function public.wanted(text) does not exist; the route did not exist then', NULL::jsonb) $$, 'what a predicate called is gone');

-- ---------- dry run ----------

DELETE FROM dicomgw.instance_header WHERE instance_id = 16;
UPDATE dicomgw.instance SET received_at = received_at - interval '40 days' WHERE id = 16;
SELECT results_eq($$ SELECT grouped_by, value, evaluated, objects, studies, bytes, newly, no_longer, sample_ids FROM dicomgw.route_dry_run('instance_number > 11', until => 'infinity') $$,
    $$ VALUES ('total', NULL, 15::bigint, 4::bigint, 1::bigint, 400::numeric, 4::bigint, NULL::bigint, '{12,13,14,15}'::bigint[]),
              ('modality', 'US', 5, 2, 1, 200, 2, NULL, '{12,15}'), ('modality', 'CT', 4, 1, 1, 100, 1, NULL, '{13}'), ('modality', 'MR', 5, 1, 1, 100, 1, NULL, '{14}'),
              ('calling_ae', 'CT1', 15, 4, 1, 400, 4, NULL, '{12,13,14,15}'), ('study', '1.2', 5, 4, 1, 400, 4, NULL, '{12,13,14,15}'),
              ('no header', 'its header could not be read, or is no longer kept', 1, 1, 0, 100, NULL, NULL, '{10}') $$,
    'counts by modality, caller and study');
SELECT results_eq($$ SELECT objects, newly, no_longer FROM dicomgw.route_dry_run('modality = ''MR'' OR instance_number = 1', until => 'infinity', route => 'ct') LIMIT 1 $$,
    $$ VALUES (6::bigint, 5::bigint, 3::bigint) $$, 'against what a route took then');
SELECT results_eq($$ SELECT objects, newly FROM dicomgw.route_dry_run('instance_number <= 6', until => 'infinity') LIMIT 1 $$,
    $$ VALUES (6::bigint, 3::bigint) $$, 'and against what any of them took');
SELECT results_eq($$ SELECT value, objects, sample_ids FROM dicomgw.route_dry_run('tag(''Rows'')::integer > 300', until => 'infinity', samples => 1) WHERE grouped_by = 'error' $$,
    $$ VALUES ('invalid input syntax for type integer: "many"', 2::bigint, '{5}'::bigint[]) $$, 'objects on which it fails are counted, and cost the others nothing');
SELECT is((SELECT objects FROM dicomgw.route_dry_run('tag(''Rows'')::integer > 300', until => 'infinity') LIMIT 1), 8::bigint, 'which are taken');
SELECT results_eq($$ SELECT grouped_by, evaluated, objects, sample_ids FROM dicomgw.route_dry_run('true', since => 'infinity', until => 'infinity') $$,
    $$ VALUES ('total', 0::bigint, 0::bigint, '{}'::bigint[]) $$, 'of nothing it takes nothing');
SELECT is((SELECT evaluated FROM dicomgw.route_dry_run('true', since => '-infinity', until => now() - interval '30 days') LIMIT 1), 1::bigint, 'a time long ago');
SELECT throws_ok($$ SELECT * FROM dicomgw.route_dry_run('modalty = ''CT''') $$, '42703', 'column "modalty" does not exist', 'what is no predicate is refused');
SELECT throws_ok($$ SELECT * FROM dicomgw.route_dry_run('true', route => 'nosuch') $$, '42704', 'route "nosuch" does not exist', 'and so is a route that is not');
SELECT is((SELECT objects FROM dicomgw.route_dry_run('public.peep()', until => 'infinity') WHERE grouped_by = 'error' AND value = 'permission denied for table private'),
          15::bigint, 'it has no rights, as in a route');
-- more than a window of them, and some fail in each
SELECT pg_temp.receive(984);
SELECT pg_temp.route_all('[]');
SELECT results_eq($$ SELECT grouped_by, evaluated, objects FROM dicomgw.route_dry_run('tag(''Rows'')::integer > 0', until => 'infinity') WHERE grouped_by IN ('total', 'error') $$,
    $$ VALUES ('total', 999::bigint, 800::bigint), ('error', 198, 198) $$, 'a thousand');
BEGIN READ ONLY;
SELECT is((SELECT evaluated FROM dicomgw.route_dry_run('modality = ''CT''', until => 'infinity') LIMIT 1), 999::bigint, 'nothing is written');
SELECT is((SELECT count(*) FROM dicomgw.explain_routing(13)) > 0, true, 'nor to explain');
COMMIT;
-- It can be cancelled: it is no failure of the predicate.
CREATE FUNCTION public.dawdle() RETURNS boolean LANGUAGE plpgsql STABLE AS 'BEGIN PERFORM pg_sleep(100); RETURN true; END';
CREATE FUNCTION pg_temp.cancelled(query text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE query;
    RETURN false;
EXCEPTION WHEN query_canceled THEN
    RETURN true;
END $$;
SET statement_timeout = '200 ms';
SELECT ok(pg_temp.cancelled($$ SELECT * FROM dicomgw.route_dry_run('size IS NULL OR public.dawdle()', until => 'infinity') $$), 'a dry run can be cancelled');
SELECT ok(pg_temp.cancelled($$ SELECT * FROM dicomgw.explain_predicate('size IS NULL OR public.dawdle()', 1) $$), 'and an explanation');
RESET statement_timeout;

SELECT * FROM finish();
