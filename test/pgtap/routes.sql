-- What the routes make of objects: their order, stop, default, validity, and what
-- becomes of predicates that fail or take too long.

\set ON_ERROR_STOP 1
SET client_min_messages = error;
CREATE EXTENSION pgtap;
CREATE EXTENSION dicomgw;
BEGIN;
SELECT plan(36);

INSERT INTO dicomgw.destination (id, name, host, ae_title) VALUES (1, 'pacs', 'pacs.example', 'PACS');
INSERT INTO dicomgw.instance (id, received_at, calling_ae, called_ae, sop_class_uid, sop_instance_uid,
                              transfer_syntax_uid, file_path, size, sha256)
SELECT i, timestamptz '2026-03-01 00:00:00+00' + i * interval '1 day', 'CT' || i, 'DICOMGW', '1.2.840.10008.5.1.4.1.1.2',
       '1.2.' || i, '1.2.840.10008.1.2', 'file' || i, i, ''
FROM generate_series(1, 3) i;
INSERT INTO dicomgw.instance_header (instance_id, received_at, header)
SELECT id, received_at, format('{"00080060": {"vr": "CS", "Value": ["%s"]}, "00201208": {"Value": ["%s"]}, "00201209": {"Value": ["%s"]}, "00080064": {"Value": ["%s"]}}',
                               CASE id WHEN 1 THEN 'CT' WHEN 2 THEN 'MR' END, 100 + id, CASE id WHEN 1 THEN '7' ELSE 'many' END, repeat('x', 20000))::jsonb
FROM dicomgw.instance WHERE id < 3;

-- The routes that take an object, by name, as the routes stand.
CREATE VIEW pg_temp.match AS
    SELECT m.instance_id, r.name AS route, m.expected
    FROM dicomgw._evaluate_routes('{1,2,3}') e, unnest(e.match_instance, e.match_route, e.match_expected) AS m(instance_id, route_id, expected)
    JOIN dicomgw.route r ON r.id = m.route_id;
CREATE VIEW pg_temp.error AS
    SELECT x.* FROM dicomgw._evaluate_routes('{1,2,3}') e, unnest(e.error_instance, e.error_route, e.error_message) AS x(instance_id, route, message);

SELECT is_empty('SELECT * FROM pg_temp.match', 'no routes take nothing');
INSERT INTO dicomgw.route (id, name, predicate, destination) VALUES (1, 'ct', 'modality = ''CT''', 'pacs'), (2, 'large', 'size > 1', 'pacs');
SELECT bag_eq('SELECT instance_id, route FROM pg_temp.match', $$ VALUES (1, 'ct'), (2, 'large'), (3, 'large') $$, 'each takes what it matches; an object without a header has no modality');
SELECT is_empty('SELECT * FROM pg_temp.error', 'nothing failed');
SELECT is((SELECT e.match_instance FROM dicomgw._evaluate_routes('{4,NULL}') e), '{}', 'what there is not is passed over');
SELECT is((SELECT e.match_instance FROM dicomgw._evaluate_routes('{}') e), '{}', 'as is nothing');

-- ---------- order and stop ----------

INSERT INTO dicomgw.route (id, name, predicate, destination) VALUES (3, 'all', 'true', 'pacs');
UPDATE dicomgw.route SET stop = true WHERE name = 'large';
SELECT bag_eq('SELECT instance_id, route FROM pg_temp.match', $$ VALUES (1, 'ct'), (2, 'large'), (3, 'large'), (1, 'all') $$,
              'what a route with stop has taken is not offered to those of higher numbers');
UPDATE dicomgw.route SET position = 99 WHERE name = 'all';
SELECT bag_eq('SELECT instance_id, route FROM pg_temp.match', $$ VALUES (1, 'ct'), (2, 'large'), (3, 'large'), (1, 'all'), (2, 'all'), (3, 'all') $$,
              'a route of a lower position comes before it');
UPDATE dicomgw.route SET stop = true WHERE name = 'all';
SELECT bag_eq('SELECT instance_id, route FROM pg_temp.match', $$ VALUES (1, 'all'), (2, 'all'), (3, 'all') $$, 'and stops all');
UPDATE dicomgw.route SET enabled = false WHERE name = 'all';
SELECT bag_eq('SELECT instance_id, route FROM pg_temp.match', $$ VALUES (1, 'ct'), (2, 'large'), (3, 'large') $$, 'disabled, it is passed over');

-- ---------- default ----------

UPDATE dicomgw.route SET enabled = true, stop = false, is_default = true, position = 0 WHERE name = 'all';
UPDATE dicomgw.route SET enabled = false WHERE name = 'large';
SELECT bag_eq('SELECT instance_id, route FROM pg_temp.match', $$ VALUES (1, 'ct'), (2, 'all'), (3, 'all') $$,
              'a default route takes what no other one does, whatever its position');
INSERT INTO dicomgw.route (id, name, predicate, destination, is_default) VALUES (4, 'second', 'size > 2', 'pacs', true);
SELECT bag_eq('SELECT instance_id, route FROM pg_temp.match', $$ VALUES (1, 'ct'), (2, 'all'), (3, 'all'), (3, 'second') $$,
              'two default routes are not in each other''s way');
UPDATE dicomgw.route SET stop = true WHERE name = 'all';
SELECT bag_eq('SELECT instance_id, route FROM pg_temp.match', $$ VALUES (1, 'ct'), (2, 'all'), (3, 'all') $$, 'unless the first of them says stop');
DELETE FROM dicomgw.route WHERE is_default;

-- ---------- validity ----------

SELECT throws_ok($$ UPDATE dicomgw.route SET valid_from = 'tomorrow', valid_until = 'today' $$, '23514', NULL, 'no route ends before it begins');
UPDATE dicomgw.route SET enabled = true, predicate = 'true', valid_from = '2026-03-02 00:00:00+00', valid_until = '2026-03-04 00:00:00+00' WHERE name = 'ct';
UPDATE dicomgw.route SET enabled = true, predicate = 'true', stop = false, valid_from = '2026-03-03 12:00:00+00' WHERE name = 'large';
SELECT bag_eq('SELECT instance_id, route FROM pg_temp.match', $$ VALUES (1, 'ct'), (2, 'ct'), (3, 'large') $$,
              'a route is for objects that were received from one time on and before another');

-- ---------- errors ----------

UPDATE dicomgw.route SET predicate = '10 / (size - 2) > 0', valid_from = NULL, valid_until = NULL WHERE name = 'ct';
SELECT bag_eq('SELECT instance_id, route FROM pg_temp.match WHERE route = ''ct''', $$ VALUES (3, 'ct') $$, 'a predicate that fails on one object is evaluated on the others');
SELECT bag_eq('SELECT * FROM pg_temp.error', $$ VALUES (2::bigint, 'ct', 'division by zero') $$, 'and the error is that object''s');
SELECT bag_eq('SELECT instance_id FROM pg_temp.match WHERE route = ''large''', 'VALUES (3)', 'other routes are not concerned');
UPDATE dicomgw.route SET is_default = true, valid_from = NULL WHERE name = 'large';
SELECT bag_eq('SELECT instance_id FROM pg_temp.match WHERE route = ''large''', 'VALUES (1), (2)', 'a default route takes what others failed on');
CREATE FUNCTION public.gone() RETURNS boolean LANGUAGE sql STABLE RETURN true;
UPDATE dicomgw.route SET predicate = 'public.gone()' WHERE name = 'ct';
SELECT is((SELECT count(*) FROM pg_temp.match WHERE route = 'ct'), 3::bigint, 'a function of one''s own may be called');
DROP FUNCTION public.gone();
SELECT bag_eq('SELECT instance_id, message FROM pg_temp.error', $$ VALUES (1::bigint, 'function public.gone() does not exist'), (2, 'function public.gone() does not exist'), (3, 'function public.gone() does not exist') $$,
              'when it is gone, every object says so');

-- ---------- time ----------

SELECT is(current_setting('dicomgw.predicate_timeout'), '250ms', 'a predicate has a quarter of a second for an object');
SET LOCAL dicomgw.predicate_timeout = '100ms';
UPDATE dicomgw.route SET predicate = 'factorial(CASE WHEN size = 2 THEN 30000 ELSE 1 END) > 0' WHERE name = 'ct';
SELECT bag_eq('SELECT * FROM pg_temp.error', $$ VALUES (2::bigint, 'ct', 'takes longer than 100 ms for one object') $$, 'one that takes longer fails on that object');
SELECT bag_eq('SELECT instance_id, route FROM pg_temp.match', $$ VALUES (1, 'ct'), (3, 'ct'), (2, 'large') $$, 'and costs nothing else');
UPDATE dicomgw.route SET predicate = 'repeat(''x'', CASE WHEN size = 2 THEN 301 ELSE 8 END) ~ ''^(x+)(x+)(x+)(x+)\1\2\3\4$''' WHERE name = 'ct';
SELECT bag_eq('SELECT * FROM pg_temp.error', $$ VALUES (2::bigint, 'ct', 'takes longer than 100 ms for one object') $$, 'a regular expression without end, too');
SELECT throws_ok($$ UPDATE dicomgw.route SET predicate = 'factorial(30000) > 0' $$, '57PT1', 'takes longer than 100 ms for one object', 'what takes too long without any object is refused');
SELECT throws_ok($$ SELECT dicomgw.check_predicate('factorial(30000 + coalesce(size, 0)) > 0') $$, '57PT1', NULL, 'or on an empty row');
-- five objects without end: three are tried
UPDATE dicomgw.route SET predicate = 'factorial(30000 + 0 * size) > 0' WHERE name = 'ct';
INSERT INTO dicomgw.instance (id, received_at, calling_ae, called_ae, sop_class_uid, sop_instance_uid, transfer_syntax_uid, file_path, size, sha256)
SELECT i, now(), 'CT', 'DICOMGW', '1.2.840.10008.5.1.4.1.1.2', '1.2.' || i, '1.2.840.10008.1.2', 'file' || i, i, '' FROM generate_series(4, 5) i;
SELECT is((SELECT e.error_message FROM dicomgw._evaluate_routes('{1,2,3,4,5}') e),
          array_fill('takes longer than 100 ms for one object'::text, ARRAY[3]) || array_fill('was not evaluated: it took too long for other objects of the batch'::text, ARRAY[2]),
          'a route that runs out of time again and again is left alone for the rest of the batch');
SELECT is((SELECT count(*) FROM dicomgw._evaluate_routes('{1,2,3,4,5}') e, unnest(e.match_instance)), 5::bigint, 'the others have all of it');
-- a time limit of the session's own is no failure of the predicate
CREATE FUNCTION pg_temp.is_cancelled() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM dicomgw._evaluate_routes('{1}');
    RETURN false;
EXCEPTION WHEN query_canceled THEN
    RETURN true;
END $$;
SET LOCAL statement_timeout = '50ms';
SELECT ok(pg_temp.is_cancelled(), 'a statement that is cancelled is cancelled');
SET LOCAL statement_timeout = 0;
UPDATE dicomgw.route SET predicate = 'true', is_default = false;
SELECT is((SELECT count(*) FROM pg_temp.match), 6::bigint, 'and the next one is not');

-- ---------- how many are expected ----------

SELECT throws_ok($$ UPDATE dicomgw.route SET expected_instances = '3' $$, '23514', NULL, 'instances are expected of a series or study');
SELECT throws_ok($$ UPDATE dicomgw.route SET trigger = 'study', expected_instances = 'modality' $$, '42804', NULL, 'as a number');
SELECT throws_ok($$ UPDATE dicomgw.route SET trigger = 'study', expected_instances = 'sise' $$, '42703', NULL, 'of something that there is');
UPDATE dicomgw.route SET trigger = 'study' WHERE name = 'ct';
UPDATE dicomgw.route SET trigger = 'series' WHERE name = 'large';
SELECT bag_eq('SELECT * FROM pg_temp.match', $$ VALUES (1::bigint, 'ct', 101), (2, 'ct', 102), (3, 'ct', NULL), (1, 'large', 7), (2, 'large', NULL), (3, 'large', NULL) $$,
              'the header says it, or not, or nothing of use');
UPDATE dicomgw.route SET expected_instances = '6 / (size - 2)' WHERE name = 'ct';
SELECT bag_eq('SELECT instance_id, expected FROM pg_temp.match WHERE route = ''ct''', 'VALUES (1::bigint, -6), (2, NULL), (3, 6)', 'or the route, which takes an object also if that fails');
SELECT bag_eq('SELECT * FROM pg_temp.error', $$ VALUES (2::bigint, 'ct', 'division by zero') $$, 'which is an error');

SELECT * FROM finish();
ROLLBACK;
