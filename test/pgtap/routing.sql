-- What the receiver and the router write: objects received, filed under study and
-- series, and the jobs and decisions that become of them.

\set ON_ERROR_STOP 1
SET client_min_messages = error;
CREATE EXTENSION pgtap;
CREATE EXTENSION dicomgw;
BEGIN;
SELECT plan(69);

-- One received object; what is not given is missing in its header.
CREATE FUNCTION pg_temp.received(sop_instance_uid text, study text DEFAULT NULL, series text DEFAULT NULL, patient text DEFAULT NULL,
                                 modality text DEFAULT NULL, header text DEFAULT NULL, header_error text DEFAULT NULL, size bigint DEFAULT 100)
RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    PERFORM dicomgw._ingest(
        ARRAY[1], ARRAY['CT1'], ARRAY['DICOMGW'], ARRAY['192.0.2.1'::inet], ARRAY['1.2.840.10008.5.1.4.1.1.2'],
        ARRAY[sop_instance_uid], ARRAY['1.2.840.10008.1.2.1'], ARRAY['file-' || sop_instance_uid], ARRAY[size], ARRAY['\x01'::bytea],
        ARRAY[coalesce(header, (SELECT jsonb_object_agg(a.tag, jsonb_build_object('Value', jsonb_build_array(a.value)))::text
                                FROM (VALUES ('0020000D', study), ('0020000E', series), ('00100020', patient), ('00080060', modality)) AS a(tag, value)
                                WHERE a.value IS NOT NULL))],
        ARRAY[header_error]);
    RETURN currval('dicomgw.instance_id_seq');
END $$;
-- What the router does with all there is.
CREATE FUNCTION pg_temp.file_all() RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
    v_ids bigint[] := dicomgw._claim_ingest(1000);
BEGIN
    PERFORM dicomgw._file_instances(v_ids);
    RETURN v_ids;
END $$;

-- ---------- _ingest ----------

SELECT lives_ok($$ SELECT dicomgw._ingest('{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}') $$, 'an empty batch');
SELECT is((SELECT count(*) FROM dicomgw.ingest), 0::bigint, 'is nothing');
SELECT lives_ok($$ SELECT dicomgw._ingest(
    ARRAY[1, NULL], ARRAY['CT1', 'MR1'], ARRAY['DICOMGW', 'OTHER'], ARRAY['192.0.2.1'::inet, NULL], ARRAY['1.1', '1.2'],
    ARRAY['1.2.3', '1.2.4'], ARRAY['1.2.840.10008.1.2', '1.2.840.10008.1.2.1'], ARRAY['a', 'b'], ARRAY[10, 20], ARRAY['\x01', '\x02']::bytea[],
    ARRAY['{"00100020": {"vr": "LO", "Value": ["4711"]}}', NULL], ARRAY[NULL, 'not a dataset']) $$, 'a batch of two');
SELECT bag_eq('SELECT listener_id, calling_ae, called_ae, peer_address, sop_class_uid, sop_instance_uid, transfer_syntax_uid, file_path, size, sha256, header_error FROM dicomgw.ingest',
    $$ VALUES (1, 'CT1', 'DICOMGW', '192.0.2.1'::inet, '1.1', '1.2.3', '1.2.840.10008.1.2', 'a', 10::bigint, '\x01'::bytea, NULL),
              (NULL, 'MR1', 'OTHER', NULL, '1.2', '1.2.4', '1.2.840.10008.1.2.1', 'b', 20, '\x02', 'not a dataset') $$, 'is two rows, with all that was said of them');
SELECT bag_eq('SELECT i.sop_instance_uid, h.header FROM dicomgw.ingest i JOIN dicomgw.instance_header h ON h.instance_id = i.id AND h.received_at = i.received_at',
    $$ VALUES ('1.2.3', '{"00100020": {"vr": "LO", "Value": ["4711"]}}'::jsonb) $$, 'and a header where there is one');
SELECT is((SELECT count(*) FROM dicomgw.instance_header WHERE received_at <> now()), 0::bigint, 'received now');
SELECT throws_ok($$ SELECT pg_temp.received('1.2.5', header => '{"00100020": nan}') $$, '22P02', NULL, 'what is no JSON is refused');
SELECT throws_ok($$ SELECT pg_temp.received('1.2.5', header => '{"00100020": {"Value": ["\u0000"]}}') $$, '22P05', NULL, 'and what jsonb can''t hold');
SELECT is((SELECT count(*) FROM dicomgw.ingest), 2::bigint, 'with all of its batch');
SELECT bag_eq('SELECT sop_instance_uid, reason FROM dicomgw.unrouted',
              $$ VALUES ('1.2.3', 'waits for the router'), ('1.2.4', 'waits for the router') $$, 'what is not routed yet waits for the router');
SELECT is((SELECT (received, unrouted, routed) FROM dicomgw.totals), (2::bigint, 2::bigint, 0::bigint), 'and counts as received');

-- ---------- _claim_ingest, _defer_ingest ----------

SELECT id AS first FROM dicomgw.ingest WHERE sop_instance_uid = '1.2.3' \gset
SELECT id AS second FROM dicomgw.ingest WHERE sop_instance_uid = '1.2.4' \gset
SELECT is(dicomgw._claim_ingest(1), ARRAY[:first]::bigint[], 'the oldest first');
SELECT is(dicomgw._claim_ingest(10), ARRAY[:first, :second]::bigint[], 'in the order of receipt');
SELECT is(dicomgw._claim_ingest(0), '{}'::bigint[], 'none');
SELECT lives_ok('SELECT dicomgw._defer_ingest(' || :first || ', ''disk on fire'')', 'one is set aside');
SELECT is(dicomgw._claim_ingest(10), ARRAY[:second]::bigint[], 'it lets the others pass');
SELECT is((SELECT route_attempts FROM dicomgw.ingest WHERE id = :first), 1, 'an attempt is counted');
SELECT ok((SELECT route_after - now() BETWEEN interval '7.5 s' AND interval '12.5 s' FROM dicomgw.ingest WHERE id = :first), 'the next is in ten seconds or so');
SELECT lives_ok('SELECT dicomgw._defer_ingest(' || :first || ', ''still on fire'')', 'set aside again');
SELECT ok((SELECT route_after - now() BETWEEN interval '15 s' AND interval '25 s' FROM dicomgw.ingest WHERE id = :first), 'for twice as long');
UPDATE dicomgw.ingest SET route_after = '2099-01-01 00:00:00+00' WHERE id = :first;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO';
SELECT is((SELECT reason FROM dicomgw.unrouted WHERE instance_id = :first),
          'routing failed 2 times, last: still on fire; next try at 2099-01-01 00:00:00+00', 'and it can be seen why');
UPDATE dicomgw.ingest SET route_after = '-infinity';

-- ---------- _file_instances ----------

SELECT is(pg_temp.file_all(), ARRAY[:first, :second]::bigint[], 'both are filed');
SELECT is((SELECT count(*) FROM dicomgw.ingest), 0::bigint, 'and not unrouted any more');
SELECT bag_eq('SELECT id, series_id, calling_ae, sop_instance_uid, file_path, size, sha256, header_error FROM dicomgw.instance',
    format($$ VALUES (%s::bigint, NULL::bigint, 'CT1', '1.2.3', 'a', 10::bigint, '\x01'::bytea, NULL), (%s, NULL, 'MR1', '1.2.4', 'b', 20, '\x02', 'not a dataset') $$, :first, :second),
    'under the numbers that they had; without a Study Instance UID they belong to no series');
SELECT is((SELECT count(*) FROM dicomgw.study), 0::bigint, 'and make no study');

SELECT lives_ok($$ SELECT pg_temp.received('1.1.1', '1', '1.1', 'first', 'CT'), pg_temp.received('1.1.2', '1', '1.1', 'second', 'MR'),
                          pg_temp.received('1.2.1', '1', '1.2', 'third', 'SR'), pg_temp.received('2.1.1', '2', '1.1') $$, 'objects of two studies');
SELECT lives_ok('SELECT pg_temp.file_all()', 'in one batch');
SELECT bag_eq('SELECT study_instance_uid, patient_id, instances, size FROM dicomgw.study',
    $$ VALUES ('1', 'first', 3, 300::bigint), ('2', NULL, 1, 100) $$, 'studies go by their first object, and count all of them');
SELECT bag_eq('SELECT s.study_instance_uid, e.series_instance_uid, e.modality, e.instances FROM dicomgw.series e JOIN dicomgw.study s ON s.id = e.study_id',
    $$ VALUES ('1', '1.1', 'CT', 2), ('1', '1.2', 'SR', 1), ('2', '1.1', NULL, 1) $$, 'a Series Instance UID may occur in two studies');
SELECT bag_eq('SELECT i.sop_instance_uid, e.series_instance_uid FROM dicomgw.instance i JOIN dicomgw.series e ON e.id = i.series_id',
    $$ VALUES ('1.1.1', '1.1'), ('1.1.2', '1.1'), ('1.2.1', '1.2'), ('2.1.1', '1.1') $$, 'each object is in its series');

UPDATE dicomgw.study SET first_received_at = '2020-01-01 00:00:00+00', last_received_at = '2020-01-01 00:00:00+00';
SELECT lives_ok($$ SELECT pg_temp.received('1.1.1', '1', '1.1', 'other'), pg_temp.file_all() $$, 'the same object once more');
SELECT is((SELECT (instances, size, patient_id) FROM dicomgw.study WHERE study_instance_uid = '1'), (4, 400::bigint, 'first'::text), 'counts once more, and changes nothing else');
SELECT is((SELECT (first_received_at, last_received_at) FROM dicomgw.study WHERE study_instance_uid = '1'), ('2020-01-01 00:00:00+00'::timestamptz, now()),
          'but when the last one came');
SELECT is((SELECT count(DISTINCT id) FROM dicomgw.instance WHERE sop_instance_uid = '1.1.1'), 2::bigint, 'both are kept, as two objects');
UPDATE dicomgw.study SET last_received_at = '2099-01-01 00:00:00+00';
SELECT lives_ok($$ SELECT pg_temp.received('1.9', '1'), pg_temp.file_all() $$, 'an object of that study without a Series Instance UID');
SELECT is((SELECT (instances, last_received_at) FROM dicomgw.study WHERE study_instance_uid = '1'), (5, '2099-01-01 00:00:00+00'::timestamptz),
          'counts; an older time does not move the last one back');
SELECT is((SELECT e.series_instance_uid FROM dicomgw.instance i JOIN dicomgw.series e ON e.id = i.series_id WHERE i.sop_instance_uid = '1.9'), '',
          'and is in a series without one, lest it be overlooked');
SELECT lives_ok($$ SELECT pg_temp.received('1.8', series => '1.1'), pg_temp.file_all() $$, 'one without a Study Instance UID');
SELECT is((SELECT series_id FROM dicomgw.instance WHERE sop_instance_uid = '1.8'), NULL, 'is in none');
SELECT lives_ok($$ SELECT pg_temp.received('1.7', header => '[]'), pg_temp.file_all() $$, 'one whose header is no header');
SELECT lives_ok($$ SELECT dicomgw._file_instances('{}'), dicomgw._file_instances('{0}') $$, 'none, and one that there is not');
SELECT is((SELECT count(*) FROM dicomgw.instance), 10::bigint, 'no object is lost, none doubled');

-- ---------- route_row ----------

SELECT is((SELECT count(*) FROM dicomgw.route_row), 10::bigint, 'a predicate sees every object');
SELECT bag_eq($$ SELECT listener, calling_ae, peer_address, study_instance_uid, series_instance_uid, patient_id, modality, header ? '00100020'
                 FROM dicomgw.route_row WHERE sop_instance_uid = '1.1.2' $$,
              $$ VALUES ('default', 'CT1', '192.0.2.1'::inet, '1', '1.1', 'second', 'MR', true) $$, 'with what is known of it');
DELETE FROM dicomgw.listener;
SELECT bag_eq($$ SELECT listener, patient_id, header, header_error FROM dicomgw.route_row WHERE sop_instance_uid = '1.2.4' $$,
              $$ VALUES (NULL::text, NULL::text, NULL::jsonb, 'not a dataset') $$, 'also if that is little');

-- ---------- _enqueue ----------

INSERT INTO dicomgw.destination (id, name, host, ae_title) VALUES (1, 'pacs', 'pacs.example', 'PACS'), (2, 'archive', 'archive.example', 'ARCHIVE');
INSERT INTO dicomgw.route (id, name, destination, priority) VALUES
    (1, 'low', 'pacs', 1), (2, 'high', 'pacs', 7), (3, 'high too', 'pacs', 7), (4, 'archive', 'archive', 0);
SELECT id AS one FROM dicomgw.instance WHERE sop_instance_uid = '1.1.2' \gset
SELECT id AS two FROM dicomgw.instance WHERE sop_instance_uid = '1.2.1' \gset
SELECT id AS eight FROM dicomgw.instance WHERE sop_instance_uid = '1.8' \gset
SELECT id AS three FROM dicomgw.instance WHERE sop_instance_uid = '2.1.1' \gset
-- one is taken by all four routes, two by the lowest, three by none; a predicate fails on two of them
SELECT is((SELECT jobs FROM dicomgw._enqueue(ARRAY[:one, :two, :three], ARRAY[:one, :one, :one, :one, :two], ARRAY[4, 3, 1, 2, 1],
                           ARRAY[:two, :three, :three], ARRAY['ct', 'ct', 'mr'], ARRAY['division by zero', 'division by zero', 'permission denied'])),
          3, 'three jobs');
SELECT bag_eq('SELECT instance_id, destination_id, route_id, priority::integer FROM dicomgw.forward_job',
    format('VALUES (%1$s::bigint, 1, 2, 7), (%1$s, 2, 4, 0), (%2$s, 1, 1, 1)', :one, :two),
    'several routes to a destination are one job: of the highest priority, of the first route that has it');
SELECT bag_eq('SELECT instance_id, matched, errors FROM dicomgw.routing_decision',
    format($$ VALUES (%s::bigint, '{1,2,3,4}'::integer[], NULL::jsonb), (%s, '{1}', '{"ct": "division by zero"}'),
                     (%s, '{}', '{"ct": "division by zero", "mr": "permission denied"}') $$, :one, :two, :three),
    'what was decided is recorded, also that nothing was, and what failed');
SELECT is((SELECT count(*) FROM dicomgw.forward_job WHERE created_at <> now() OR attempts <> 0 OR not_before <> '-infinity' OR lease_token IS NOT NULL), 0::bigint,
          'the jobs are due at once');
-- a route that was deleted since the router read it
DELETE FROM dicomgw.route WHERE id = 4;
SELECT is((SELECT jobs FROM dicomgw._enqueue(ARRAY[:first], ARRAY[:first], ARRAY[4], '{}', '{}', '{}')), 0, 'a route that is gone makes no job');
SELECT is((SELECT matched FROM dicomgw.routing_decision WHERE instance_id = :first), '{}', 'and has not taken the object');
SELECT is((SELECT jobs FROM dicomgw._enqueue('{}', '{}', '{}', '{}', '{}', '{}')), 0, 'nothing makes none');

-- a group without members costs the object only this route
INSERT INTO dicomgw.destination_group (name) VALUES ('empty');
INSERT INTO dicomgw.route (id, name, destination, destination_group) VALUES (5, 'void', NULL, 'empty'), (6, 'pacs', 'pacs', NULL);
SELECT is((SELECT jobs FROM dicomgw._enqueue(ARRAY[:second, :eight], ARRAY[:second, :eight, :eight], ARRAY[5, 5, 6], '{}', '{}', '{}')), 1,
          'a route to a group without members makes no job');
SELECT bag_eq(format('SELECT instance_id, matched, errors FROM dicomgw.routing_decision WHERE instance_id IN (%s, %s)', :second, :eight),
    format($$ VALUES (%s::bigint, '{}'::integer[], '{"void": "destination group \"empty\" has no members"}'::jsonb),
                     (%s, '{6}', '{"void": "destination group \"empty\" has no members"}') $$, :second, :eight),
    'others do, and it is an error of the decision');

-- ---------- unrouted, route_again ----------

SELECT bag_eq('SELECT instance_id, reason FROM dicomgw.unrouted',
    format($$ VALUES (%s::bigint, 'no route took it; failed: ct (division by zero), mr (permission denied)'), (%s, 'no route matched'),
                     (%s, 'no route took it; failed: void (destination group "empty" has no members)') $$, :three, :first, :second),
    'what no route took can be seen, and why');
INSERT INTO dicomgw.destination_group_member (destination_group, destination) VALUES ('empty', 'archive');
UPDATE dicomgw.route SET enabled = false WHERE id < 5;
UPDATE dicomgw.route SET predicate = 'calling_ae = ''CT1''' WHERE id = 6;
SELECT is((SELECT r FROM dicomgw.route_again(ARRAY(SELECT instance_id FROM dicomgw.unrouted) || 0::bigint) r)::text, '(3,5,0,0,1)',
          'what is well again is routed again; what there is not is skipped');
SELECT is_empty('SELECT * FROM dicomgw.unrouted', 'and not unrouted any more');
SELECT is((SELECT jobs FROM dicomgw.route_again(ARRAY[:second, :eight])), 1::bigint, 'routes that have taken it do not take it once more; others do');
SELECT is((SELECT matched FROM dicomgw.routing_decision WHERE instance_id = :eight ORDER BY decided_at DESC LIMIT 1), '{5,6}', 'the newest decision says which routes have it');
UPDATE dicomgw.route SET enabled = false;
SELECT is((SELECT (jobs, unmatched) FROM dicomgw.route_again(ARRAY[:eight])), (0::bigint, 0::bigint), 'what went somewhere, and is matched by nothing now,');
SELECT is_empty('SELECT * FROM dicomgw.unrouted', 'did not go nowhere');
SELECT is((SELECT count(*) FROM dicomgw.audit_log WHERE action = 'route_again'), 3::bigint, 'each time is in the audit log');

SELECT throws_ok(format($$ SELECT dicomgw._enqueue(ARRAY[0], ARRAY[0], ARRAY[1], '{}', '{}', '{}') $$), '23503', NULL, 'an object that there is not: an error');

-- ---------- replay ----------

SELECT is((SELECT jobs FROM dicomgw.replay_study('1', destination => 'archive')), (SELECT instances::bigint FROM dicomgw.study WHERE study_instance_uid = '1'),
          'replaying a study sends as many objects as it counts');
SELECT is((SELECT count(DISTINCT instance_id) FROM dicomgw.forward_job WHERE route_id IS NULL), 5::bigint, 'each of them');
SELECT is((SELECT count(*) FROM dicomgw.job_status WHERE route_id IS NULL AND destination = 'archive'), 5::bigint, 'because a person asked for it');
SELECT is((SELECT jobs FROM dicomgw.replay_study('1', destination => 'archive')), 5::bigint, 'asked for twice');
SELECT is((SELECT count(*) FROM dicomgw.forward_job WHERE route_id IS NULL), 10::bigint, 'sent twice');
SELECT is((SELECT waiting FROM dicomgw.totals), 20::bigint, 'all of them wait');

SELECT * FROM finish();
ROLLBACK;
