-- What the receiver asks about an object before it records it, and what it leaves to
-- be repaired: dicomgw._kept_versions() and storage_repair.

\set ON_ERROR_STOP 1
SET client_min_messages = error;
CREATE EXTENSION pgtap;
CREATE EXTENSION dicomgw;
BEGIN;
SELECT plan(13);

-- Objects a, b: one SOP instance, other bytes; c: another one, which the mirror lacks; d: as c in another transfer syntax.
SELECT lives_ok($$ SELECT dicomgw._ingest(
    ARRAY[1, 1, 1, 1], ARRAY['CT', 'CT', 'CT', 'CT'], ARRAY['D', 'D', 'D', 'D'], ARRAY[NULL, NULL, NULL, NULL]::inet[], ARRAY['1.1', '1.1', '1.1', '1.1'],
    ARRAY['1.2', '1.2', '1.3', '1.3'], ARRAY['1.9', '1.9', '1.9', '1.8'], ARRAY['a', 'b', 'c', 'd'], ARRAY[10, 20, 30, 30],
    ARRAY['\x0a', '\x0b', '\x0c', '\x0c']::bytea[], ARRAY[NULL, NULL, NULL, NULL]::text[], ARRAY[NULL, NULL, NULL, NULL]::text[],
    ARRAY[false, NULL, true, false]) $$, 'a batch');
SELECT results_eq('SELECT file_path, size, sha256, attempts, since = now(), next_try_at = now(), error FROM dicomgw.storage_repair',
    $$ VALUES ('c', 30::bigint, '\x0c'::bytea, 0, true, true, NULL::text) $$, 'what the mirror lacks is to be repaired, at once');
SELECT is((SELECT instance_id FROM dicomgw.storage_repair), (SELECT id FROM dicomgw.ingest WHERE file_path = 'c'), 'under its number');

PREPARE any_version AS SELECT ordinal, file_path, size
    FROM dicomgw._kept_versions(ARRAY['1.3', '1.7', '1.2'], ARRAY['1.9', '1.9', '1.9'], ARRAY[NULL, NULL, NULL]::bytea[]);
PREPARE these_bytes AS SELECT ordinal, file_path, size
    FROM dicomgw._kept_versions(ARRAY['1.2', '1.2', '1.3', '1.3', '1.3'], ARRAY['1.9', '1.9', '1.8', '1.9', '1.7'],
                                ARRAY['\x0b', '\x0d', '\x0c', '\x0c', '\x0c']::bytea[]);

SELECT bag_eq('any_version', $$ VALUES (3::bigint, 'a', 10::bigint), (3, 'b', 20), (1, 'c', 30), (1, 'd', 30) $$, 'any version, not routed yet');
SELECT bag_eq('these_bytes', $$ VALUES (1::bigint, 'b', 20::bigint), (3, 'd', 30), (4, 'c', 30) $$, 'the same bytes in the same transfer syntax');

DO $$ BEGIN PERFORM dicomgw._file_instances(dicomgw._claim_ingest(1000)); END $$;
SELECT is((SELECT count(*) FROM dicomgw.ingest), 0::bigint, 'all are routed');
SELECT bag_eq('any_version', $$ VALUES (3::bigint, 'a', 10::bigint), (3, 'b', 20), (1, 'c', 30), (1, 'd', 30) $$, 'any version, routed');
SELECT bag_eq('these_bytes', $$ VALUES (1::bigint, 'b', 20::bigint), (3, 'd', 30), (4, 'c', 30) $$, 'the same bytes, routed');

UPDATE dicomgw.instance SET removed_at = now() WHERE file_path IN ('b', 'c', 'd');
SELECT bag_eq('any_version', $$ VALUES (3::bigint, 'a', 10::bigint) $$, 'what retention has removed does not count');
SELECT is_empty('these_bytes', 'nor are its bytes kept any more');
SELECT is_empty($$ SELECT * FROM dicomgw._kept_versions('{}', '{}', '{}') $$, 'nothing asked, nothing answered');

INSERT INTO dicomgw.instance (id, received_at, calling_ae, called_ae, sop_class_uid, sop_instance_uid, transfer_syntax_uid, file_path, size, sha256)
SELECT 1000 + i, now(), 'CT', 'D', '1.1', '1.5', '1.9', 'v' || i, 1, '\x00' FROM generate_series(1, 100) i;
SELECT is((SELECT count(*) FROM dicomgw._kept_versions(ARRAY['1.5'], ARRAY['1.9'], ARRAY[NULL]::bytea[])), 10::bigint,
          'of a hundred versions a few will do');
SELECT hasnt_column('dicomgw', 'ingest', 'removed_at', 'what is not routed is never removed');

SELECT finish();
ROLLBACK;
