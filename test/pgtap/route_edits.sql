-- Edits of routes: what is refused when written, versions, plans, pseudonyms, the profile, the preview.

\set ON_ERROR_STOP 1
SET client_min_messages = error;
CREATE EXTENSION pgtap;
CREATE EXTENSION dicomgw;
BEGIN;
SELECT plan(62);

INSERT INTO dicomgw.destination (name, host, port, ae_title) VALUES ('pacs', 'pacs.example', 104, 'PACS'), ('other', 'other.example', 104, 'OTHER');
INSERT INTO dicomgw.destination (name, kind, url) VALUES ('web', 'dicomweb', 'http://web.example/dicom-web');
INSERT INTO dicomgw.route (name, destination) VALUES ('plain', 'pacs'), ('edited', 'other'), ('to web', 'web'), ('same', 'other');
CREATE FUNCTION pg_temp.edit(action text, attribute text DEFAULT NULL, value text DEFAULT NULL, expression text DEFAULT NULL,
                             options text[] DEFAULT '{}', route text DEFAULT 'edited') RETURNS integer LANGUAGE sql AS $$
    INSERT INTO dicomgw.route_edit (route, position, action, attribute, value, expression, options)
    VALUES (route, (SELECT count(*) FROM dicomgw.route_edit) + 1, action, attribute, value, expression, options) RETURNING id $$;

CREATE TABLE pg_temp.header AS SELECT '{
  "00080005": {"vr": "CS", "Value": ["ISO_IR 192"]},
  "00080016": {"vr": "UI", "Value": ["1.2.840.10008.5.1.4.1.1.2"]},
  "00080018": {"vr": "UI", "Value": ["1.2.3.1"]},
  "00080020": {"vr": "DA", "Value": ["20240229"]},
  "00080050": {"vr": "SH", "Value": ["A1"]},
  "00081030": {"vr": "LO", "Value": ["CHEST PA"]},
  "0008103E": {"vr": "LO", "Value": ["DOE, JOHN"]},
  "00081140": {"vr": "SQ", "Value": [{"00081155": {"vr": "UI", "Value": ["1.2.3.9"]}}]},
  "00090010": {"vr": "LO", "Value": ["ACME"]},
  "00091001": {"vr": "LO", "Value": ["secret"]},
  "00100010": {"vr": "PN", "Value": [{"Alphabetic": "DOE^JOHN"}]},
  "00100020": {"vr": "LO", "Value": ["PAT1"]},
  "0020000D": {"vr": "UI", "Value": ["1.2.3"]},
  "0020000E": {"vr": "UI", "Value": ["1.2.3.4"]},
  "00400275": {"vr": "SQ", "Value": [{"00400009": {"vr": "SH", "Value": ["S1"]}}, {"00400009": {"vr": "SH", "Value": ["S2"]}}]},
  "7FE00010": {"vr": "OW"}}'::jsonb AS header;
CREATE FUNCTION pg_temp.object(header jsonb, header_error text DEFAULT NULL) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE v bigint;
BEGIN
    PERFORM dicomgw._ingest(ARRAY[NULL]::integer[], ARRAY['CT1'], ARRAY['DICOMGW'], ARRAY['192.0.2.1'::inet], ARRAY['1.2.840.10008.5.1.4.1.1.2'],
        ARRAY[coalesce(header #>> '{00080018,Value,0}', '1')], ARRAY['1.2.840.10008.1.2.1'], ARRAY['file-' || random()], ARRAY[100], ARRAY['\x01'::bytea],
        ARRAY[header::text], ARRAY[header_error]);
    v := currval('dicomgw.instance_id_seq');
    PERFORM dicomgw._file_instances(ARRAY[v]);
    RETURN v;
END $$;
SELECT pg_temp.object(header) AS object FROM pg_temp.header \gset

-- ---------- what is refused when it is written ----------

SELECT throws_like($$ SELECT pg_temp.edit('shred', 'PatientID') $$, '%route_edit_action_is_known%', 'an unknown action');
SELECT throws_like($$ SELECT pg_temp.edit('set', 'PatientID') $$, '%has_a_value_or_an_expression%', 'nothing to set');
SELECT throws_like($$ SELECT pg_temp.edit('set', NULL, 'x') $$, '%names_its_attribute%', 'no attribute');
SELECT throws_like($$ SELECT pg_temp.edit('remove', 'PatientID', 'x') $$, '%has_a_value_or_an_expression%', 'a value to remove');
SELECT throws_like($$ SELECT pg_temp.edit('remove', 'PatientId') $$, '"PatientId" is neither the keyword nor the tag%', 'an unknown keyword');
SELECT throws_like($$ SELECT pg_temp.edit('remove', '0019,1010') $$, 'a private attribute needs its creator%', 'a private tag alone');
SELECT throws_like($$ SELECT pg_temp.edit('remove', '0018,xx10:ACME') $$, 'a private attribute is written%', 'a creator of a standard attribute');
SELECT throws_like($$ SELECT pg_temp.edit('set', 'SpecificCharacterSet', 'ISO_IR 100') $$, '%the rest of the object depends on it', 'the character set');
SELECT throws_like($$ SELECT pg_temp.edit('remove', 'SOPInstanceUID') $$, '%the rest of the object depends on it', 'no SOP Instance UID');
SELECT throws_like($$ SELECT pg_temp.edit('set', 'RequestAttributesSequence', 'x') $$, 'an attribute of VR SQ cannot be set', 'a sequence');
SELECT throws_like($$ SELECT pg_temp.edit('set', '*/PatientID', 'x') $$, '%can be replaced where it is, but not set', 'set everywhere');
SELECT throws_like($$ SELECT pg_temp.edit('set', 'StudyDate', '2024-02-29') $$, 'invalid value for "StudyDate"', 'no date');
SELECT throws_like($$ SELECT pg_temp.edit('set', 'AccessionNumber', repeat('x', 17)) $$, 'invalid value for "AccessionNumber"', 'too long');
SELECT throws_like($$ SELECT pg_temp.edit('set', 'PatientID', NULL, 'patient') $$, '%does not exist', 'an expression over no column');
SELECT throws_like($$ SELECT pg_temp.edit('set', 'PatientID', NULL, 'random()::text') $$, '%volatile%', 'a volatile expression');
SELECT throws_like($$ SELECT pg_temp.edit('map_uid', 'PatientID') $$, '"PatientID" is no attribute of VR UI', 'map_uid of something else');
SELECT throws_like($$ SELECT pg_temp.edit('deidentify', options => '{retain_everything}') $$, 'there is no option "retain_everything"%', 'an unknown option');
SELECT throws_like($$ SELECT pg_temp.edit('remove', 'PatientID', route => 'to web') $$, '%there are no edits', 'for a DICOMweb destination');
SELECT throws_like($$ SELECT pg_temp.edit('remove', 'PatientID', route => 'nowhere') $$, '%violates foreign key%', 'for a route that there is not');

-- ---------- versions ----------

CREATE FUNCTION pg_temp.enqueue(object bigint, VARIADIC routes text[]) RETURNS integer LANGUAGE sql AS $$
    DELETE FROM dicomgw.routing_decision;
    SELECT q.jobs
    FROM (SELECT array_agg(object) AS objects, array_agg(r.id) AS ids FROM dicomgw.route r WHERE r.name = ANY (routes)) m,
         dicomgw._enqueue(ARRAY[object], m.objects, m.ids, '{}', '{}', '{}') q $$;
SELECT pg_temp.enqueue(:object, 'plain', 'edited');
SELECT is((SELECT count(*) FROM dicomgw.forward_job WHERE edit_version IS NULL), 2::bigint, 'without edits there is no version');
DELETE FROM dicomgw.forward_job;
SELECT pg_temp.edit('set', 'PatientID', 'NEW') AS edit \gset
SELECT pg_temp.enqueue(:object, 'plain', 'edited');
SELECT pg_temp.enqueue(:object, 'edited');
SELECT is((SELECT count(DISTINCT edit_version) FROM dicomgw.forward_job), 1::bigint, 'the same edits are one version');
SELECT is((SELECT count(*) FROM dicomgw.forward_job WHERE edit_version IS NULL), 1::bigint, 'another route''s job has none');
UPDATE dicomgw.route_edit SET value = 'NEWER' WHERE id = :edit;
SELECT pg_temp.enqueue(:object, 'edited');
SELECT is((SELECT array_agg(v.edits -> 0 ->> 'value' ORDER BY j.id) FROM dicomgw.forward_job j JOIN dicomgw.edit_version v ON v.id = j.edit_version),
          '{NEW,NEW,NEWER}', 'a job keeps the edits as they were');
SELECT is((SELECT count(*) FROM dicomgw.forward_job j WHERE j.destination_id = (SELECT id FROM dicomgw.destination WHERE name = 'other')),
          3::bigint, 'three jobs so far');
SELECT pg_temp.enqueue(:object, 'edited', 'same');
SELECT is((SELECT count(*) FROM dicomgw.forward_job j WHERE j.destination_id = (SELECT id FROM dicomgw.destination WHERE name = 'other')),
          5::bigint, 'two routes to one destination with different edits are two jobs');
SELECT dicomgw.cancel(destination => 'other');
SELECT is((SELECT count(edit_version) FROM dicomgw.forward_history), 4::bigint, 'history knows the version');
SELECT dicomgw.replay(ARRAY[:object], 'pacs');
SELECT is((SELECT count(edit_version) FROM dicomgw.forward_job), 0::bigint, 'a replay is unedited');
SELECT dicomgw.replay(ARRAY[:object], 'pacs', edits_of_route => 'edited');
SELECT is((SELECT count(edit_version) FROM dicomgw.forward_job), 1::bigint, 'unless the edits of a route are asked for');
SELECT throws_like($$ SELECT dicomgw.replay('{1}', 'pacs', edits_of_route => 'plain') $$, 'route "plain" has no edits', 'which it must have');
SELECT throws_like($$ SELECT dicomgw.replay('{1}', 'pacs', edits_of_route => 'nowhere') $$, 'route "nowhere" does not exist', 'and be there');
DELETE FROM dicomgw.forward_job;

-- ---------- claims ----------

CREATE FUNCTION pg_temp.claim(destination text) RETURNS TABLE (id bigint, token bigint, edits jsonb, edit_error text) LANGUAGE sql AS $$
    SELECT c.id, c.token, c.edits::jsonb, c.edit_error
    FROM dicomgw._claim((SELECT d.id FROM dicomgw.destination d WHERE d.name = destination), array_fill(0::bigint, ARRAY[10]), 10, interval '1 minute') c $$;
SELECT pg_temp.enqueue(:object, 'plain', 'edited');
SELECT is((SELECT edits FROM pg_temp.claim('pacs')), NULL, 'a job without edits has no plan');
SELECT is((SELECT edits #>> '{steps,0,value}' FROM pg_temp.claim('other')), 'NEWER', 'one with edits has one');
UPDATE dicomgw.route_edit SET value = NULL, expression = $$ 'X' || tag('AccessionNumber') || (1 / (length(patient_id) - 4))::text $$ WHERE id = :edit;
SELECT pg_temp.object(header || '{"00100020": {"vr": "LO", "Value": ["LONG1"]}}') AS long FROM pg_temp.header \gset
SELECT pg_temp.object(NULL) AS bare \gset
SELECT pg_temp.object(header, 'text could not be converted') AS odd FROM pg_temp.header \gset
DELETE FROM dicomgw.forward_job;
SELECT pg_temp.enqueue(:object, 'edited');
SELECT pg_temp.enqueue(:long, 'edited');
SELECT pg_temp.enqueue(:bare, 'edited');
SELECT pg_temp.enqueue(:odd, 'edited');
CREATE TABLE pg_temp.claimed AS SELECT * FROM pg_temp.claim('other');
SELECT is((SELECT array_agg(coalesce(edits #>> '{steps,0,value}', edit_error) ORDER BY id) FROM pg_temp.claimed),
    ARRAY['division by zero', 'XA11', 'the edits of its route need its header, which is not kept',
          'the edits of its route need its header, which could not be read as a whole: text could not be converted'],
    'an edit that fails on an object fails there alone');
SELECT dicomgw._record_results(array_agg(id), array_agg(token), array_agg(9), array_agg(0), array_agg(edit_error), array_agg(''::text), array_agg(''::text), array_agg(0::bigint))
FROM pg_temp.claimed WHERE edit_error IS NOT NULL;
SELECT is((SELECT count(edit_version) FROM dicomgw.dead_letter), 3::bigint, 'and such a job has failed for good');
SELECT dicomgw.retry(destination => 'other');
SELECT is((SELECT count(edit_version) FROM dicomgw.forward_job), 4::bigint, 'to be retried with the same edits');
UPDATE dicomgw.route_edit SET value = 'X', expression = NULL WHERE id = :edit;
SELECT dicomgw._edits_of_route('edited') AS version \gset
SELECT is((SELECT dicomgw._edit_plan(:bare, v.edits) #>> '{steps,0,value}' FROM dicomgw.edit_version v WHERE v.id = :version), 'X',
          'constants need no header');
SELECT throws_like(format('SELECT dicomgw._edit_plan(%s, NULL)', :bare), '%is missing', 'no edits are not none');
DELETE FROM dicomgw.route_edit;

-- ---------- pseudonyms ----------

SELECT is(dicomgw._uid_of_uuid('f81d4fae-7dec-11d0-a765-00a0c91e6bf6'), '2.25.329800735698586629295641978511506172918', 'a UID of a UUID: the example of PS3.5 B.2');
SELECT is(dicomgw._uid_of_uuid('00000000-0000-0000-0000-000000000001'), '2.25.1', 'without leading zeros');
SELECT is(dicomgw._pseudonyms('uid', '{1.2.3,1.2.4,1.2.3}'), dicomgw._pseudonyms('uid', '{1.2.4,1.2.3}'), 'a pseudonym stays what it is');
SELECT matches(dicomgw._pseudonyms('uid', '{1.2.3}') ->> '1.2.3', '^2\.25\.[1-9][0-9]{20,38}$', 'and is a UID');
SELECT isnt(dicomgw._pseudonyms('uid', '{1.2.3}') ->> '1.2.3', dicomgw._pseudonyms('uid', '{1.2.4}') ->> '1.2.4', 'of its own');
SELECT ok((dicomgw._pseudonyms('date_shift', '{a}') ->> 'a')::integer BETWEEN -3650 AND -1, 'dates are moved back');
SELECT is(dicomgw._patient_key(header), 'PAT1\', 'a patient is known by his ID') FROM pg_temp.header;
SELECT is(dicomgw._patient_key(header - '00100020'), 'study 1.2.3', 'or, without one, by the study') FROM pg_temp.header;
CREATE ROLE somebody;
SELECT ok(NOT has_table_privilege('somebody', 'dicomgw.pseudonym', 'SELECT'), 'nobody may read them');
SELECT ok(NOT has_function_privilege('somebody', 'dicomgw.preview_edits(bigint, text)', 'EXECUTE'), 'nor preview with them');

-- ---------- preview ----------

CREATE FUNCTION pg_temp.preview(object bigint) RETURNS TABLE (tag text, before text, after text, action text) LANGUAGE sql AS $$
    SELECT tag, before, after, action FROM dicomgw.preview_edits(object, 'edited') $$;
SELECT pg_temp.edit('set', 'RequestAttributesSequence/ScheduledProcedureStepID', 'NEW');
SELECT pg_temp.edit('replace', 'AccessionNumber', '');
SELECT pg_temp.edit('replace', 'PatientSex', 'O');
SELECT pg_temp.edit('set', 'PatientComments', NULL, 'calling_ae');
SELECT pg_temp.edit('remove', '0009,xx01:ACME');
SELECT pg_temp.edit('remove', '*/ReferencedSOPInstanceUID');
SELECT results_eq(format('SELECT * FROM pg_temp.preview(%s) WHERE action IS NOT NULL', :object), $$ VALUES
    ('00080050', 'A1', '', 'replaced'), ('00081140[1]/00081155', '1.2.3.9', NULL, 'removed'), ('00091001', 'secret', NULL, 'removed'),
    ('00104000', NULL, 'CT1', 'added'), ('00400275[1]/00400009', 'S1', 'NEW', 'replaced'), ('00400275[2]/00400009', 'S2', 'NEW', 'replaced') $$,
    'set, replace, remove');
DELETE FROM dicomgw.route_edit;
SELECT pg_temp.edit('keep_only', 'PatientName\0040,0275');
SELECT results_eq(format('SELECT array_agg(tag) FROM pg_temp.preview(%s) WHERE action IS NULL', :object),
    $$ VALUES ('{00080005,00080016,00080018,00100010,0020000D,0020000E,00400275,00400275[1]/00400009,00400275[2]/00400009,7FE00010}'::text[]) $$, 'keep_only');
DELETE FROM dicomgw.route_edit;
SELECT pg_temp.edit('keep_private', 'SOMEBODY\ACME') AS private \gset
SELECT is((SELECT count(*) FROM pg_temp.preview(:object) WHERE action IS NOT NULL), 0::bigint, 'keep_private: of these creators');
UPDATE dicomgw.route_edit SET attribute = 'SOMEBODY';
SELECT is((SELECT array_agg(tag) FROM pg_temp.preview(:object) WHERE action = 'removed'), '{00090010,00091001}', 'and of no others');
DELETE FROM dicomgw.route_edit;
SELECT pg_temp.edit('map_uid');
SELECT results_eq(format('SELECT tag, after = dicomgw._pseudonyms(''uid'', ARRAY[before]) ->> before FROM pg_temp.preview(%s) WHERE action IS NOT NULL', :object),
    $$ VALUES ('00080018', true), ('00081140[1]/00081155', true), ('0020000D', true), ('0020000E', true) $$, 'map_uid: not that of the SOP class');
DELETE FROM dicomgw.route_edit;

-- ---------- de-identification ----------

SELECT cmp_ok((SELECT count(*) FROM dicomgw.deidentification_rule), '>', 400::bigint, 'the table of PS3.15 is there');
SELECT is_empty($$ SELECT tag, basic FROM dicomgw.deidentification_rule WHERE dicomgw._deidentification_action(basic) IS NULL $$, 'with no unknown action');
SELECT pg_temp.edit('deidentify') AS edit \gset
SELECT pg_temp.preview(:object);
CREATE FUNCTION pg_temp.after(object bigint, wanted text) RETURNS text LANGUAGE sql AS $$ SELECT coalesce(after, action) FROM pg_temp.preview(object) WHERE tag = wanted $$;
SELECT is(ARRAY(SELECT pg_temp.after(:object, t) FROM unnest('{00080020,00080050,00081030,0008103E,00091001,00120062,00280303,00400275,7FE00010}'::text[]) t),
          '{"","",removed,removed,removed,YES,REMOVED,removed,"(bulk data)"}', 'the basic profile');
SELECT matches(pg_temp.after(:object, '00100010'), '^ANON[0-9A-F]{12}$', 'with a pseudonym for the patient');
SELECT is(pg_temp.after(:object, '00100010'), pg_temp.after(:object, '00100020'), 'as name and as ID');
SELECT matches(pg_temp.after(:object, '00081140[1]/00081155'), '^2\.25\.', 'and references that still hold');
UPDATE dicomgw.route_edit SET options = '{retain_uids,clean_descriptors,retain_longitudinal_temporal_information_modified_dates}' WHERE id = :edit;
INSERT INTO dicomgw.harmless_text VALUES ('CHEST PA');
SELECT is(ARRAY(SELECT pg_temp.after(:object, t) FROM unnest('{00080018,00081030,0008103E,00280303,00120064}'::text[]) t),
          '{1.2.3.1,"CHEST PA",removed,MODIFIED,"4 item(s)"}', 'options');
SELECT is(to_date(pg_temp.after(:object, '00080020'), 'YYYYMMDD') - '2024-02-29'::date,
          (dicomgw._pseudonyms('date_shift', ARRAY['PAT1\']) ->> 'PAT1\')::integer, 'dates moved by the days of the patient');
SELECT pg_temp.object(header || '{"00280301": {"vr": "CS", "Value": ["YES"]}}') AS burned FROM pg_temp.header \gset
SELECT throws_like(format('SELECT pg_temp.preview(%s)', :burned), '%burned in%', 'text in the pixels');
UPDATE dicomgw.route_edit SET options = '{allow_burned_in}' WHERE id = :edit;
SELECT is(pg_temp.after(:burned, '00280301'), 'YES', 'unless that is allowed');

SELECT * FROM finish();
ROLLBACK;
