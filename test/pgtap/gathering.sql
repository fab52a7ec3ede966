-- Series and studies that are sent together: what completes them, what comes late,
-- and what becomes of them when their route does not want them any more.

\set ON_ERROR_STOP 1
SET client_min_messages = error;
CREATE EXTENSION pgtap;
CREATE EXTENSION dicomgw;
BEGIN;
SELECT plan(53);

INSERT INTO dicomgw.destination (id, name, host, ae_title) VALUES
    (1, 'pacs', 'pacs.example', 'PACS'), (2, 'archive', 'archive.example', 'ARCHIVE'), (3, 'spare', 'spare.example', 'SPARE');

-- Objects of a study, filed; what the header says of its number.
CREATE FUNCTION pg_temp.receive(study text, series text, uids text[], expected integer DEFAULT NULL) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
    v_ids bigint[];
BEGIN
    PERFORM dicomgw._ingest(
        array_agg(1), array_agg('CT1'::text), array_agg('DICOMGW'::text), array_agg('192.0.2.1'::inet), array_agg('1.2.840.10008.5.1.4.1.1.2'::text),
        array_agg(u), array_agg('1.2.840.10008.1.2.1'::text), array_agg('file-' || u), array_agg(100::bigint), array_agg('\x01'::bytea),
        array_agg(jsonb_strip_nulls(jsonb_build_object(
            '0020000D', jsonb_build_object('Value', jsonb_build_array(study)), '0020000E', jsonb_build_object('Value', jsonb_build_array(series)),
            '00201208', CASE WHEN expected IS NOT NULL THEN jsonb_build_object('Value', jsonb_build_array(expected)) END))::text),
        array_agg(NULL::text))
    FROM unnest(uids) u;
    v_ids := dicomgw._claim_ingest(1000);
    PERFORM dicomgw._file_instances(v_ids);
    RETURN v_ids;
END $$;
-- What the router does with them.
CREATE FUNCTION pg_temp.route(ids bigint[], OUT jobs integer, OUT gathered integer) LANGUAGE sql AS $$
    SELECT q.* FROM dicomgw._evaluate_routes(ids) e,
        dicomgw._enqueue(ids, e.match_instance, e.match_route, e.error_instance, e.error_route, e.error_message, e.match_expected,
                         p_decided_at => clock_timestamp()) q
$$;
CREATE FUNCTION pg_temp.receive_and_route(study text, series text, uids text[], expected integer DEFAULT NULL, OUT jobs integer, OUT gathered integer)
LANGUAGE plpgsql AS $$
DECLARE
    v_ids bigint[] := pg_temp.receive(study, series, uids, expected);
BEGIN
    SELECT r.* INTO jobs, gathered FROM pg_temp.route(v_ids) r;
END $$;
-- Time goes by.
CREATE FUNCTION pg_temp.later(by interval) RETURNS void LANGUAGE sql AS $$
    UPDATE dicomgw.gathering SET first_at = first_at - by, last_at = last_at - by
$$;

-- ---------- by study, until it is quiet ----------

INSERT INTO dicomgw.route (id, name, destination, trigger, quiet_period) VALUES (1, 'studies', 'pacs', 'study', '1 minute');
SELECT is((SELECT r FROM pg_temp.receive_and_route('1', '1.1', '{1.1.1,1.1.2}') r)::text, '(0,2)', 'what a route gathers makes no jobs');
SELECT is((SELECT r FROM pg_temp.receive_and_route('1', '1.2', '{1.2.1}') r)::text, '(0,1)', 'another series of the study, later');
SELECT bag_eq('SELECT route, study_instance_uid, series_instance_uid, instances, received, expected, reason_code, reason, due_at FROM dicomgw.gathering_status',
    $$ VALUES ('studies', '1', NULL::text, 3, 3, NULL::integer, 'wait', 'waits until nothing more comes for 00:01:00', now() + interval '1 minute') $$,
    'are one gathering, which says what it waits for');
SELECT bag_eq('SELECT DISTINCT matched, gathered FROM dicomgw.routing_decision', $$ VALUES ('{1}'::integer[], '{1}'::integer[]) $$, 'the decision says that the route has them, and gathers');
SELECT is_empty('SELECT * FROM dicomgw.unrouted', 'so they are not unrouted');
SELECT is((SELECT array_agg(format('%s: %s', event, detail)) FROM dicomgw.timeline('1.2.1') WHERE event NOT IN ('received', 'routed')),
          ARRAY['waiting: gathered by route studies: waits until nothing more comes for 00:01:00'], 'and their timeline says what they wait for');
SELECT is(dicomgw._complete_due()::text, format('(0,"%s")', now() + interval '1 minute'), 'nothing is due; the router knows when to look again');
SELECT pg_temp.later('59 s');
SELECT is((SELECT jobs FROM dicomgw._complete_due()), 0, 'not after 59 seconds');
SELECT pg_temp.receive_and_route('1', '1.2', '{1.2.2}');
SELECT pg_temp.later('59 s');
SELECT is((SELECT jobs FROM dicomgw._complete_due()), 0, 'one that comes meanwhile begins a new minute');
SELECT pg_temp.later('1 s');
SELECT is((SELECT reason FROM dicomgw.gathering_status), 'is complete, and waits for the router', 'it is over');
SELECT is(dicomgw._complete_due()::text, '(4,)', 'and all of it is sent');
SELECT bag_eq('SELECT i.sop_instance_uid, j.destination_id, j.route_id FROM dicomgw.forward_job j JOIN dicomgw.instance i ON i.id = j.instance_id',
    $$ VALUES ('1.1.1', 1, 1), ('1.1.2', 1, 1), ('1.2.1', 1, 1), ('1.2.2', 1, 1) $$, 'each object once');
SELECT bag_eq('SELECT route_id, series_id, round, reason, instances FROM dicomgw.completion', $$ VALUES (1, NULL::bigint, 1, 'quiet', 4) $$, 'which is a row');
SELECT is_empty('SELECT gathering_id::text FROM dicomgw.gathering_instance UNION ALL SELECT id::text FROM dicomgw.gathering', 'and nothing waits');
SELECT is(dicomgw._complete_due()::text, '(0,)', 'or is due');

-- what comes late
SELECT is((SELECT r FROM pg_temp.receive_and_route('1', '1.1', '{1.1.3}') r)::text, '(0,1)', 'one that comes late is gathered');
SELECT pg_temp.later('1 minute');
SELECT is((SELECT jobs FROM dicomgw._complete_due()), 1, 'and sent when it is quiet again, alone');
SELECT bag_eq('SELECT round, reason, instances FROM dicomgw.completion', $$ VALUES (1, 'quiet', 4), (2, 'quiet', 1) $$, 'in a second round');
DELETE FROM dicomgw.forward_job;

-- ---------- by series ----------

UPDATE dicomgw.route SET trigger = 'series';
SELECT pg_temp.receive_and_route('2', '2.1', '{2.1.1,2.1.2}'), pg_temp.receive_and_route('2', '2.2', '{2.2.1}');
SELECT bag_eq('SELECT study_instance_uid, series_instance_uid, instances FROM dicomgw.gathering_status', $$ VALUES ('2', '2.1', 2), ('2', '2.2', 1) $$, 'each series by itself');
UPDATE dicomgw.gathering SET last_at = last_at - interval '1 minute' WHERE instances = 2;
SELECT is((SELECT jobs FROM dicomgw._complete_due()), 2, 'is complete by itself');
SELECT is((SELECT (completed, jobs) FROM dicomgw.complete_study('2')), (1::bigint, 1::bigint), 'by hand the study''s series are, too');
SELECT is((SELECT reason FROM dicomgw.completion WHERE instances = 1 AND series_id IS NOT NULL), 'by ' || session_user, 'and it is seen who did it');
SELECT is((SELECT (completed, jobs) FROM dicomgw.complete_study('2')), (0::bigint, 0::bigint), 'but once');
SELECT throws_ok($$ SELECT dicomgw.complete_study('9') $$, 'PT404', NULL, 'a study that there is not: an error');
SELECT bag_eq($$ SELECT target, details FROM dicomgw.audit_log WHERE action = 'complete_study' $$,
    $$ VALUES ('study 2', '{"completed": 1, "jobs": 1}'::jsonb), ('study 2', '{"completed": 0, "jobs": 0}') $$, 'it is in the audit log');
SELECT is((SELECT r FROM pg_temp.receive_and_route(NULL, NULL, '{3.1}') r)::text, '(1,0)', 'an object of no study has nothing to wait for');
DELETE FROM dicomgw.forward_job;

-- ---------- the expected number ----------

UPDATE dicomgw.route SET trigger = 'study';
SELECT is((SELECT r FROM pg_temp.receive_and_route('4', '4.1', '{4.1.1,4.1.2}', 3) r)::text, '(0,2)', 'two of three');
SELECT is((SELECT reason FROM dicomgw.gathering_status), 'waits until nothing more comes for 00:01:00; 2 of 3 instances were received', 'as can be seen');
SELECT is((SELECT r FROM pg_temp.receive_and_route('4', '4.1', '{4.1.2}', 3) r)::text, '(0,1)', 'one of them once more makes not three');
SELECT is((SELECT r FROM pg_temp.receive_and_route('4', '4.2', '{4.2.1}', 3) r)::text, '(4,1)', 'the third does: all are sent at once');
SELECT is((SELECT (reason, instances, expected) FROM dicomgw.completion WHERE reason = 'expected'), ('expected'::text, 4, 3), 'because they were expected');
SELECT is((SELECT r FROM pg_temp.receive_and_route('4', '4.2', '{4.2.2}', 3) r)::text, '(0,1)', 'what comes after it is waited for');
SELECT pg_temp.later('1 minute');
SELECT is((SELECT jobs FROM dicomgw._complete_due()), 1, 'until it is quiet');
UPDATE dicomgw.route SET expected_instances = 'size / 50', predicate = 'sop_instance_uid <> ''5.1.1''';
SELECT is((SELECT r FROM pg_temp.receive_and_route('5', '5.1', '{5.1.1}') r)::text, '(0,0)', 'an object that this route does not take');
SELECT is((SELECT r FROM pg_temp.receive_and_route('5', '5.1', '{5.1.2}') r)::text, '(1,1)', 'was received all the same, and counts');
UPDATE dicomgw.route SET expected_instances = '-1', predicate = 'true';
SELECT is((SELECT r FROM pg_temp.receive_and_route('6', '6.1', '{6.1.1}') r)::text, '(0,1)', 'a number that can''t be is none');
DELETE FROM dicomgw.forward_job;

-- ---------- groups ----------

INSERT INTO dicomgw.destination_group (name, kind) VALUES ('both', 'balance');
INSERT INTO dicomgw.destination_group_member (destination_group, destination) VALUES ('both', 'archive'), ('both', 'spare');
UPDATE dicomgw.route SET destination = NULL, destination_group = 'both';
SELECT pg_temp.receive_and_route('6', '6.1', '{6.1.2}'), pg_temp.later('1 minute');
SELECT is((SELECT jobs FROM dicomgw._complete_due()), 2, 'a study goes to a group');
SELECT pg_temp.receive_and_route('6', '6.1', '{6.1.3}'), pg_temp.later('1 minute');
SELECT is((SELECT jobs FROM dicomgw._complete_due()), 1, 'and a late object');
SELECT is((SELECT count(DISTINCT destination_id) FROM dicomgw.forward_job), 1::bigint, 'to the same member');
SELECT pg_temp.receive_and_route('6', '6.1', '{6.1.4}'), pg_temp.later('1 minute');
DELETE FROM dicomgw.destination_group_member;
SELECT is(dicomgw._complete_due()::text, '(0,)', 'without members nothing is completed');
SELECT is((SELECT reason FROM dicomgw.gathering_status), 'destination group "both" has no members', 'which can be seen');
SELECT throws_ok($$ SELECT dicomgw.complete_study('6') $$, 'PT409', 'destination group "both" has no members', 'or by hand');
INSERT INTO dicomgw.destination_group_member (destination_group, destination) VALUES ('both', 'archive');
SELECT is((SELECT jobs FROM dicomgw._complete_due()), 1, 'with one it goes on');

-- ---------- routes that go ----------

INSERT INTO dicomgw.route (id, name, destination) VALUES (2, 'at once', 'pacs');
SELECT is((SELECT r FROM pg_temp.receive_and_route('7', '7.1', '{7.1.1}') r)::text, '(1,1)', 'one route takes it at once, one gathers');
UPDATE dicomgw.route SET enabled = false WHERE id = 2;
SELECT pg_temp.receive_and_route('7', '7.1', '{7.1.2}');
DELETE FROM dicomgw.forward_job;
UPDATE dicomgw.route SET enabled = false WHERE id = 1;
SELECT is((SELECT reason FROM dicomgw.gathering_status), 'the route is disabled', 'a route is disabled before the study is complete');
SELECT is((SELECT jobs FROM dicomgw._complete_due()), 0, 'it is sent nowhere');
SELECT is((SELECT (reason, instances) FROM dicomgw.completion WHERE reason LIKE 'route %'), ('route disabled'::text, 2), 'as the completion says');
SELECT bag_eq('SELECT sop_instance_uid, reason FROM dicomgw.unrouted WHERE sop_instance_uid LIKE ''7.%''',
    $$ VALUES ('7.1.2', 'no route took it; failed: studies (the route was disabled before the study was complete)') $$,
    'and, of those that no other route took, unrouted');
UPDATE dicomgw.route SET enabled = true WHERE id = 1;
SELECT is((SELECT (objects, gathered) FROM dicomgw.route_again(ARRAY(SELECT instance_id FROM dicomgw.unrouted WHERE sop_instance_uid LIKE '7.%'))),
          (1::bigint, 1::bigint), 'enabled again, it can be given them again');
DELETE FROM dicomgw.route WHERE id = 1;
SELECT is((SELECT jobs FROM dicomgw._complete_due()), 0, 'deleted, it lets go of them, too');
SELECT is((SELECT reason FROM dicomgw.unrouted WHERE sop_instance_uid = '7.1.2'),
    'no route took it; failed: route 1 (the route was deleted before the study was complete)', 'visibly');

-- ---------- retention ----------

INSERT INTO dicomgw.route (id, name, destination, trigger) VALUES (8, 'again', 'pacs', 'study');
SELECT pg_temp.receive_and_route('8', '8.1', '{8.1.1}');
INSERT INTO dicomgw.forward_history (job_id, instance_id, destination, outcome, created_at, attempts)
SELECT 0, id, 'archive', 'sent', now(), 1 FROM dicomgw.instance WHERE sop_instance_uid = '8.1.1';
SELECT is_empty('SELECT * FROM dicomgw.removable', 'what is gathered is not removed, though it was sent elsewhere');
DELETE FROM dicomgw.gathering_instance;
SELECT is((SELECT count(*) FROM dicomgw.removable), 1::bigint, 'else it would be');

SELECT * FROM finish();
ROLLBACK;
