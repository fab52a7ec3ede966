-- What a study browser shows: counts and times of studies and series, objects that
-- contradict each other about whose study it is, and where they have gone.

\set ON_ERROR_STOP 1
SET client_min_messages = error;
CREATE EXTENSION pgtap;
CREATE EXTENSION dicomgw;
BEGIN;
SELECT plan(16);

INSERT INTO dicomgw.destination (id, name, host, ae_title) VALUES (1, 'pacs', 'pacs.example', 'PACS'), (2, 'archive', 'archive.example', 'ARCHIVE');

-- One received object of study 1, filed at once.
CREATE FUNCTION pg_temp.receive(series text, patient_id text DEFAULT NULL, patient_name text DEFAULT NULL, size bigint DEFAULT 100,
                                number text DEFAULT NULL)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_ids bigint[];
BEGIN
    PERFORM dicomgw._ingest(
        ARRAY[1], ARRAY['CT1'], ARRAY['DICOMGW'], ARRAY['192.0.2.1'::inet], ARRAY['1.2.840.10008.5.1.4.1.1.2'],
        ARRAY['1.' || nextval('dicomgw.lease_token_seq')], ARRAY['1.2.840.10008.1.2.1'], ARRAY['file'], ARRAY[size], ARRAY['\x01'::bytea],
        ARRAY[(SELECT jsonb_object_agg(a.tag, jsonb_build_object('Value', jsonb_build_array(a.value)))::text
               FROM (VALUES ('0020000D', '1'), ('0020000E', series), ('00100020', patient_id), ('00100010', patient_name), ('00200013', number)) AS a(tag, value)
               WHERE a.value IS NOT NULL)],
        ARRAY[NULL]);
    v_ids := dicomgw._claim_ingest(1000);
    PERFORM dicomgw._file_instances(v_ids);
    RETURN v_ids[1];
END $$;

-- ---------- who says what ----------

SELECT pg_temp.receive('1.1') AS anonymous \gset
SELECT pg_temp.receive('1.1', '4711', 'Roe^Jane') AS first \gset
SELECT is((SELECT (patient_id, patient_name) FROM dicomgw.study), ('4711'::text, 'Roe^Jane'::text), 'who says it first has it, also if others came before');
SELECT is((SELECT count(*) FROM dicomgw.study_conflict), 0::bigint, 'to say nothing is no contradiction');
SELECT pg_temp.receive('1.1', '4711', 'Roe^Jane') AS same \gset
SELECT is((SELECT count(*) FROM dicomgw.study_conflict), 0::bigint, 'nor to say the same');
SELECT pg_temp.receive('1.2', '4712', 'Doe^Jane', 50) AS other \gset
SELECT pg_temp.receive('1.2', '4712', 'Roe^Jane') AS again \gset
SELECT is((SELECT (patient_id, patient_name) FROM dicomgw.study), ('4711'::text, 'Roe^Jane'::text), 'what was said stands');
SELECT bag_eq('SELECT attribute, value, instance_id, instances FROM dicomgw.study_conflict',
              format($$ VALUES ('patient_id', '4712', %s::bigint, 2::bigint), ('patient_name', 'Doe^Jane', %s, 1) $$, :other, :other),
              'what contradicts it is kept, with who said so first, and how many do');

-- ---------- counts ----------

SELECT is((SELECT (instances, size) FROM dicomgw.study), (5, 450::bigint), 'a study counts its objects and their bytes');
SELECT bag_eq('SELECT series_instance_uid, instances, size FROM dicomgw.series', $$ VALUES ('1.1', 3, 300::bigint), ('1.2', 2, 150) $$, 'and so do its series');
SELECT is((SELECT count(*) FROM dicomgw.series WHERE first_received_at = now() AND last_received_at = now()), 2::bigint, 'with the first and the last one');

SELECT pg_temp.receive('1.2', number => '12') AS numbered, pg_temp.receive('1.2', number => 'twelve') AS odd \gset
SELECT bag_eq(format('SELECT id, instance_number FROM dicomgw.instance WHERE id >= %s', :numbered),
              format('VALUES (%s::bigint, 12), (%s, NULL)', :numbered, :odd), 'an object has its place in the series, if its header says one');
DELETE FROM dicomgw.instance WHERE id >= :numbered;

-- ---------- where they have gone ----------

SELECT is_empty('SELECT * FROM dicomgw.study_delivery_status', 'nowhere yet');
INSERT INTO dicomgw.forward_job (instance_id, destination_id) SELECT i.id, d.id FROM dicomgw.instance i, dicomgw.destination d ORDER BY 2, 1;
SELECT bag_eq('SELECT study_instance_uid, destination, sent, waiting, sending, failed FROM dicomgw.study_delivery_status',
              $$ VALUES ('1', 'pacs', 0::bigint, 5::bigint, 0::bigint, 0::bigint), ('1', 'archive', 0, 5, 0, 0) $$, 'all of them wait');
CREATE TEMPORARY TABLE claimed AS SELECT * FROM dicomgw._claim(1, array_fill(0::bigint, ARRAY[10]), 4, '1 minute');
SELECT bag_eq($$ SELECT sent, waiting, sending, failed FROM dicomgw.study_delivery_status WHERE destination = 'pacs' $$,
              $$ VALUES (0::bigint, 1::bigint, 4::bigint, 0::bigint) $$, 'four are being sent');
-- three are sent, one is refused for good
SELECT count(*) AS reported
FROM (SELECT array_agg(id ORDER BY id) AS ids, array_agg(token) AS tokens FROM claimed) c,
     dicomgw._record_results(c.ids, c.tokens, '{1,1,1,1}', ARRAY[0, 0, x'B000'::int, x'C000'::int], '{"","","",""}', '{"","","",""}',
                             '{"","","",""}', '{0,0,0,0}') \gset
SELECT is(:reported, 4, 'of which all is known then');
SELECT bag_eq($$ SELECT sent, waiting, sending, failed, last_sent_at = now() FROM dicomgw.study_delivery_status WHERE destination = 'pacs' $$,
              $$ VALUES (3::bigint, 1::bigint, 0::bigint, 1::bigint, true) $$, 'a warning is sent, a refusal is not');
SELECT is((SELECT (sent, waiting) FROM dicomgw.study_delivery_status WHERE destination = 'archive'), (0::bigint, 5::bigint), 'another destination is another matter');
DELETE FROM dicomgw.forward_history;
SELECT is((SELECT sent FROM dicomgw.study_delivery_status WHERE destination = 'pacs'), 3::bigint, 'what was sent is known without its history');

SELECT * FROM finish();
ROLLBACK;
