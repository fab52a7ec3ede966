-- Files and rows: verification, the check of the storage with its mirror, and what
-- retention may take.  The workers don't run here; their functions are called.

\set ON_ERROR_STOP 1
SET client_min_messages = error;
CREATE EXTENSION pgtap;
CREATE EXTENSION dicomgw;
SELECT plan(89);

-- The settings are the server's: it is told, and every statement looks whether it knows by now.
SELECT current_setting('data_directory') || '/storage.test' AS storage, current_setting('data_directory') || '/mirror.test' AS mirror \gset
ALTER SYSTEM SET dicomgw.storage_path = :'storage';
ALTER SYSTEM SET dicomgw.storage_mirror_path = :'mirror';
ALTER SYSTEM SET dicomgw.orphan_grace = '1 h';
CREATE FUNCTION public.reload() RETURNS SETOF text LANGUAGE sql AS $$
    SELECT 'SELECT pg_reload_conf()'
    UNION ALL
    SELECT 'SELECT pg_sleep(0.02) WHERE EXISTS (SELECT FROM pg_file_settings f JOIN pg_settings s USING (name) WHERE f.name LIKE ''dicomgw.%'' '
           'AND f.sourcefile LIKE ''%auto.conf'' AND NOT (s.setting = f.setting OR s.unit IS NOT NULL))'
    FROM generate_series(1, 300)
$$;
\o /dev/null
SELECT reload() \gexec
\o
SELECT is(current_setting('dicomgw.storage_path'), :'storage', 'the storage is a folder of its own');

CREATE FUNCTION public.shell(command text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('COPY (SELECT) TO PROGRAM %L', format('cat >/dev/null; cd %s && %s', current_setting('data_directory'), command));
END $$;
-- A file with a head of 300 bytes; place.test is its folder.
CREATE FUNCTION public.file(place text, path text, content text, modified text DEFAULT 'now') RETURNS void LANGUAGE sql AS $$
    SELECT shell(format('mkdir -p %1$s.test/$(dirname %2$s) && (head -c 300 /dev/zero; printf %%s %3$s) >%1$s.test/%2$s && touch -d "%4$s" %1$s.test/%2$s',
                        place, path, content, modified))
$$;
CREATE FUNCTION public.path(object bigint) RETURNS text LANGUAGE sql AS $$ SELECT format('2020/01/02/0304/%s.dcm', lpad(object::text, 32, 'a')) $$;
CREATE FUNCTION public.content(object bigint) RETURNS text LANGUAGE sql AS $$ SELECT 'dataset' || object $$;
CREATE FUNCTION public.received(object bigint) RETURNS void LANGUAGE sql AS $$
    INSERT INTO dicomgw.instance (id, received_at, calling_ae, called_ae, sop_class_uid, sop_instance_uid, transfer_syntax_uid, file_path, size, sha256)
    VALUES (object, now() - interval '100 days' + object * interval '1 minute', 'CT1', 'DICOMGW', '1.2', '1.2.' || object, '1.2.840.10008.1.2', path(object),
            length(content(object)), sha256(content(object)::bytea))
$$;
CREATE FUNCTION public.object(object bigint) RETURNS void LANGUAGE sql AS $$
    SELECT received(object); SELECT file('storage', path(object), content(object)); SELECT file('mirror', path(object), content(object))
$$;
CREATE VIEW public.found AS SELECT problem, place, file_path, instance_id, action FROM dicomgw.check_storage();

-- ---------- nothing there ----------

SELECT throws_ok('SELECT dicomgw.verify(1)', 'PT404', 'object 1 was not received', 'an object that there is not');
SELECT throws_ok($$ SELECT dicomgw.verify('1.2') $$, 'PT404', 'study 1.2 was not received', 'a study that there is not');
SELECT is_empty('SELECT * FROM dicomgw.verify(NULL::bigint)', 'nothing of nothing');
SELECT bag_eq('SELECT place, used_percent, problem FROM dicomgw.storage',
              $$ VALUES ('storage', NULL::integer, 'No such file or directory'), ('mirror', NULL, 'No such file or directory') $$, 'the folders are not there yet');
SELECT bag_eq('SELECT problem, place, action FROM found', $$ VALUES ('the mirror cannot be read: No such file or directory', 'mirror', 'reported') $$,
              'without storage and rows, nothing is wrong but the mirror');
SELECT received(1);
SELECT throws_like('SELECT * FROM found', 'the storage folder "%" cannot be read: No such file or directory', 'a row, and no storage: an error, not a million problems');
SELECT shell('mkdir storage.test mirror.test');
SELECT bag_eq('SELECT place, path, total > available AS room, used_percent BETWEEN 0 AND 100 AS percent, high_water, low_water, problem FROM dicomgw.storage',
              format($$ VALUES ('storage', %L, true, true, 95, 90, NULL::text), ('mirror', %L, true, true, 95, 90, NULL) $$, :'storage', :'mirror'), 'they are there');
SELECT bag_eq('SELECT problem, place, instance_id, action FROM found',
              $$ VALUES ('row without file', 'storage', 1::bigint, 'flagged'), ('missing in the mirror', 'mirror', 1, 'flagged') $$, 'a row without any file');
SELECT bag_eq('SELECT place, instance_id, problem FROM dicomgw.storage_problem',
              $$ VALUES ('storage', 1::bigint, 'row without file'), ('mirror', 1, 'missing in the mirror') $$, 'is kept in mind');
SELECT is_empty('SELECT FROM dicomgw.storage_repair', 'and nothing can be made of nothing');

-- ---------- verify ----------

SELECT object(i) FROM generate_series(2, 9) i;
SELECT file('storage', path(1), content(1));
SELECT file('mirror', path(1), content(1));
SELECT bag_eq('SELECT instance_id, place, file_path, ok, problem FROM dicomgw.verify(1)',
              $$ VALUES (1::bigint, 'storage', path(1), true, NULL::text), (1, 'mirror', path(1), true, NULL) $$, 'both copies are well');
SELECT is_empty('SELECT FROM dicomgw.storage_problem', 'and what was wrong is forgotten');
SELECT is_empty('SELECT * FROM found', 'the check agrees');
SELECT results_eq('SELECT files, problems, removed FROM dicomgw.storage_check ORDER BY started_at DESC LIMIT 1', 'VALUES (18::bigint, 0::bigint, 0::bigint)', 'it has looked at all of them');

SELECT file('storage', path(2), 'dataseT2');
SELECT is_empty('SELECT * FROM found', 'one bit is wrong: the check, which reads no file, does not see it');
SELECT bag_eq('SELECT place, ok, problem FROM dicomgw.verify(2)',
              $$ VALUES ('storage', false, 'damaged: its SHA-256 is not that of the object received'), ('mirror', true, NULL) $$, 'verification does');
SELECT bag_eq('SELECT place, instance_id, problem FROM dicomgw.storage_problem', $$ VALUES ('storage', 2::bigint, 'damaged: its SHA-256 is not that of the object received') $$,
              'it is noted');
SELECT bag_eq('SELECT instance_id, file_path, size, sha256, attempts FROM dicomgw.storage_repair', 'SELECT id, file_path, size, sha256, 0 FROM dicomgw.instance WHERE id = 2',
              'and to be made from the mirror');
SELECT is_empty('SELECT * FROM found', 'the check sees nothing still');
SELECT is((SELECT count(*) FROM dicomgw.storage_problem), 1::bigint, 'but does not take it for healed');
SELECT is((SELECT count(*) FROM dicomgw.verify(2) WHERE NOT ok), 1::bigint, 'nor does another verification');
SELECT is((SELECT last_seen_at > found_at FROM dicomgw.storage_problem), true, 'which knows it');
SELECT lives_ok('SELECT dicomgw._repaired(2, NULL)', 'repaired, they say');
SELECT is_empty('SELECT file_path FROM dicomgw.storage_repair UNION ALL SELECT file_path FROM dicomgw.storage_problem', 'and all is forgotten');
SELECT file('storage', path(2), content(2));

SELECT shell('truncate -s -4 storage.test/' || path(3) || '; truncate -s 200 mirror.test/' || path(3) || '; ln -sf /etc/passwd storage.test/' || path(4));
SELECT results_eq('SELECT place, ok FROM dicomgw.verify(3) ORDER BY place DESC', $$ VALUES ('storage', false), ('mirror', false) $$, 'a file that is cut off');
SELECT results_eq('SELECT place, problem FROM dicomgw.verify(4) ORDER BY place DESC', $$ VALUES ('storage', 'file is no regular file'), ('mirror', NULL) $$, 'a link is not followed');
SELECT shell('rm storage.test/' || path(4));
SELECT file('storage', path(4), content(4));
SELECT file('storage', path(3), content(3));
SELECT file('mirror', path(3), content(3));
SELECT bag_eq('SELECT instance_id FROM dicomgw.verify(3) WHERE ok UNION ALL SELECT instance_id FROM dicomgw.verify(4) WHERE ok', 'VALUES (3::bigint), (3), (4), (4)',
              'put right by hand, they are well');
SELECT received(10);
UPDATE dicomgw.instance SET file_path = '../storage.test/' || path(1) WHERE id = 10;
SELECT bag_eq('SELECT place, problem FROM dicomgw.verify(10)', $$ VALUES ('storage', 'file has no path of ours'), ('mirror', 'file has no path of ours') $$, 'a path that leads elsewhere');
DELETE FROM dicomgw.instance WHERE id = 10;
SELECT is((SELECT count(*) FROM found), 0::bigint, 'the check finds nothing, and forgets that row');
UPDATE dicomgw.instance SET removed_at = '2026-01-02 03:04:05+00' WHERE id = 5;
SET timezone = 'UTC';
SELECT bag_eq('SELECT place, ok, problem FROM dicomgw.verify(5)',
              $$ VALUES ('storage', NULL::boolean, 'removed by retention on 2026-01-02 03:04:05+00'), ('mirror', NULL, 'removed by retention on 2026-01-02 03:04:05+00') $$,
              'what was removed is neither well nor not');
UPDATE dicomgw.instance SET removed_at = NULL WHERE id = 5;

-- of a study, also what is not routed yet
INSERT INTO dicomgw.study (study_instance_uid, first_received_at, last_received_at) VALUES ('1.2', now(), now());
INSERT INTO dicomgw.series (study_id, series_instance_uid) SELECT id, '1.2.1' FROM dicomgw.study;
UPDATE dicomgw.instance SET series_id = (SELECT id FROM dicomgw.series) WHERE id IN (6, 7);
INSERT INTO dicomgw.ingest (id, received_at, calling_ae, called_ae, sop_class_uid, sop_instance_uid, transfer_syntax_uid, file_path, size, sha256)
SELECT id, received_at, calling_ae, called_ae, sop_class_uid, sop_instance_uid, transfer_syntax_uid, file_path, size, sha256 FROM dicomgw.instance WHERE id = 8;
DELETE FROM dicomgw.instance WHERE id = 8;
INSERT INTO dicomgw.instance_header (instance_id, received_at, header) SELECT id, received_at, '{"0020000D": {"vr": "UI", "Value": ["1.2"]}}' FROM dicomgw.ingest;
SELECT results_eq($$ SELECT instance_id, place, ok FROM dicomgw.verify('1.2') $$,
                  $$ VALUES (6::bigint, 'storage', true), (6, 'mirror', true), (7, 'storage', true), (7, 'mirror', true), (8, 'storage', true), (8, 'mirror', true) $$, 'a study');
SELECT is_empty('SELECT * FROM found', 'an object that is not routed has its file');

-- ---------- check_storage: rows ----------

SELECT is_empty('SELECT FROM dicomgw.storage_problem', 'nothing is left over');
DELETE FROM dicomgw.storage_repair;
SELECT shell('rm storage.test/' || path(1) || ' mirror.test/' || path(2) || ' storage.test/' || path(8) || ' mirror.test/' || path(8) || '; truncate -s 20 storage.test/' || path(9));
SELECT bag_eq('SELECT problem, place, file_path, instance_id, action FROM found',
    $$ VALUES ('row without file', 'storage', path(1), 1::bigint, 'queued for repair'), ('missing in the mirror', 'mirror', path(2), 2, 'queued for repair'),
              ('row without file', 'storage', path(8), 8, 'flagged'), ('missing in the mirror', 'mirror', path(8), 8, 'flagged'),
              ('file has another size', 'storage', path(9), 9, 'queued for repair') $$, 'every row whose file is not there, or not whole');
SELECT bag_eq('SELECT instance_id FROM dicomgw.storage_repair', 'VALUES (1::bigint), (2), (9)', 'what can be, is to be repaired');
SELECT is((SELECT count(*) FROM dicomgw.stored_object), 9::bigint, 'no row is dropped');
SELECT is((SELECT count(*) FROM dicomgw.storage_problem), 5::bigint, 'all of it is noted');
SELECT is((SELECT count(*) FROM found), 5::bigint, 'and found again');
SELECT is((SELECT count(*) FROM dicomgw.storage_problem WHERE last_seen_at > found_at), 5::bigint, 'since when is not forgotten');
SELECT file('storage', path(i), content(i)) FROM unnest('{1,8,9}'::bigint[]) i;
SELECT bag_eq('SELECT place, instance_id FROM found', $$ VALUES ('mirror', 2::bigint), ('mirror', 8) $$, 'what is there again is well');
SELECT bag_eq('SELECT place, instance_id FROM dicomgw.storage_problem', $$ VALUES ('mirror', 2::bigint), ('mirror', 8) $$, 'and struck off');
SELECT file('mirror', path(i), content(i)) FROM unnest('{2,8}'::bigint[]) i;
-- the folder of its hour, and of all others, is gone
SELECT shell('mv storage.test/2020 storage.test.2020');
SELECT is((SELECT count(*) FROM found WHERE problem = 'row without file'), 9::bigint, 'rows of a folder that is gone are found');
SELECT shell('mv storage.test.2020 storage.test/2020');
SELECT is_empty('SELECT * FROM found', 'and it is back');
DELETE FROM dicomgw.storage_repair;

-- ---------- check_storage: files ----------

UPDATE dicomgw.storage_epoch SET since = '2021-01-01';
CREATE FUNCTION public.orphan(n integer, suffix text DEFAULT '.dcm') RETURNS text LANGUAGE sql AS $$ SELECT format('2022/02/03/0405/%s%s', lpad(n::text, 32, 'b'), suffix) $$;
SELECT file('storage', orphan(1), 'x', '2022-02-03');
SELECT file('mirror', orphan(1), 'x', '2022-02-03');
SELECT file('storage', orphan(2), 'x');
SELECT file('storage', '2022/02/03/0405/.tmp-' || repeat('c', 32), 'x', '2022-02-03');
SELECT file('storage', '2022/02/03/0405/.tmp-' || repeat('d', 32), 'x');
SELECT file('storage', '2022/02/03/0405/notes.txt', 'x', '2022-02-03');
SELECT file('storage', '2022/02/03/readme', 'x', '2022-02-03');
SELECT file('storage', 'lost+found/inode', 'x', '2022-02-03');
SELECT file('storage', 'backup/2022.tar', 'x', '2022-02-03');
SELECT file('storage', '2022/02/03/0405/' || repeat('E', 32) || '.dcm', 'x', '2022-02-03');
SELECT shell('mkdir -p storage.test/2022/02/03/0406 storage.test/2022/02/04/0000 storage.test/2022/03/01/0000');
CREATE TABLE public.expected AS VALUES
    ('file without row', 'storage', orphan(1), 'removed'), ('file without row', 'mirror', orphan(1), 'removed'),
    ('temporary file', 'storage', '2022/02/03/0405/.tmp-' || repeat('c', 32), 'removed'),
    ('not ours', 'storage', '2022/02/03/0405/notes.txt', 'reported'), ('not ours', 'storage', '2022/02/03/readme', 'reported'),
    ('not ours', 'storage', 'backup', 'reported'), ('not ours', 'storage', '2022/02/03/0405/' || repeat('E', 32) || '.dcm', 'reported');
SELECT bag_eq('SELECT problem, place, file_path, action FROM dicomgw.check_storage(remove_orphans => false)',
              $$ SELECT column1, column2, column3, replace(column4, 'removed', 'kept: removal was not asked for') FROM expected $$, 'files that no row names, only looked at');
SELECT is((SELECT removed FROM dicomgw.storage_check ORDER BY started_at DESC LIMIT 1), 0::bigint, 'none is removed');
SELECT bag_eq('SELECT problem, place, file_path, action FROM found', 'SELECT * FROM expected', 'and cleared away');
SELECT bag_eq('SELECT problem, place, file_path, action FROM found', $$ SELECT * FROM expected WHERE column4 = 'reported' $$, 'they are gone; what is not ours stays');
SELECT bag_eq('SELECT place, problem, instance_id FROM dicomgw.storage_problem', $$ SELECT column2, column1, NULL::bigint FROM expected WHERE column4 = 'reported' $$, 'and is noted');
SELECT is(dicomgw._file_problem('storage', orphan(2), 1, NULL), NULL, 'a young file stays: its row may come yet');
CREATE FUNCTION public.is_folder(path text) RETURNS boolean LANGUAGE sql AS $$ SELECT coalesce((pg_stat_file('storage.test/' || path, true)).isdir, false) $$;
SELECT bag_eq($$ SELECT p FROM unnest('{2022/02/03/0405,2022/02/03/0406,2022/02/04,2022/03,2022}'::text[]) p WHERE is_folder(p) $$,
              $$ VALUES ('2022/02/03/0405'), ('2022') $$, 'empty folders are tidied up, up to the year');
-- older than the installation, or than the last recovery: it may have been acknowledged
SELECT shell('rm -r storage.test/2022 storage.test/backup');
SELECT file('storage', orphan(3), 'x', '2020-12-31');
SELECT bag_eq('SELECT problem, action FROM found', $$ VALUES ('file without row', 'kept: older than the installation or the last recovery') $$, 'a file that is older than the tables');
SELECT is((SELECT problem FROM dicomgw.storage_problem), 'file without row', 'is kept, and noted');
SELECT bag_eq('SELECT problem, action FROM dicomgw.check_storage(also_older => true)', $$ VALUES ('file without row', 'removed') $$, 'until somebody says so');
SELECT is_empty('SELECT FROM dicomgw.storage_problem', 'nothing is wrong any more');
DELETE FROM dicomgw.storage_epoch;
SELECT ok(dicomgw._storage_epoch() > now() - interval '1 day', 'a new timeline is a new beginning');
UPDATE dicomgw.storage_epoch SET since = '2021-01-01';
-- more than one batch
SELECT shell('mkdir -p storage.test/2022/02/03/0405; cd storage.test/2022/02/03/0405; for i in $(seq 1001); do touch -d 2022-02-03 $(printf %032d $i).dcm; done');
SELECT bag_eq('SELECT action, count(*) FROM found GROUP BY action', $$ VALUES ('removed', 1001::bigint) $$, 'many of them');
-- files whose objects were removed: a crash came between the row and the file
UPDATE dicomgw.instance SET removed_at = now() WHERE id = 9;
SELECT shell('touch -d 2022-02-03 storage.test/' || path(9) || ' mirror.test/' || path(9));
SELECT bag_eq('SELECT problem, place, file_path, action FROM found',
              $$ VALUES ('file without row', 'storage', path(9), 'removed'), ('file without row', 'mirror', path(9), 'removed') $$, 'the file of an object that was removed');
DELETE FROM dicomgw.instance WHERE id = 9;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT throws_ok('SELECT * FROM found', '25000', 'the storage cannot be checked in a REPEATABLE READ transaction', 'not with an old snapshot');
ROLLBACK;
-- what the worker does, step by step
SELECT is((SELECT due FROM dicomgw._check_due()), false, 'no check is due: there was one');
DELETE FROM dicomgw.storage_check;
SELECT is((SELECT due FROM dicomgw._check_due()), true, 'without, there is');
SELECT is((SELECT next_hour FROM dicomgw._check_step('', '2020/01/02/03', 'remove', false)), '2020/01/02/03', 'it begins with the first hour');
SELECT is((SELECT ROW(files, problems, removed, busy, next_hour)::text FROM dicomgw._check_step('2020/01/02/03', '2020/01/02/03', 'remove', false)), '(16,0,0,f,)', 'and ends with the last');

-- nothing outside can be named
SELECT is(dicomgw._remove_file('storage', p), 'Invalid argument', format('not to be removed: %s', p))
FROM unnest(ARRAY['../mirror.test/' || path(1), '/etc/passwd', '', '2020/01/02/0304', '2020/01/02/0304/../0304/' || lpad('1', 32, 'a') || '.dcm', path(1) || '/']) p;
SELECT throws_ok($$ SELECT dicomgw._remove_file('elsewhere', path(1)) $$, '22023', 'there is no storage place "elsewhere"', 'nor in another place');
SELECT is_empty('SELECT * FROM found', 'all is there');

-- ---------- retention ----------

INSERT INTO dicomgw.destination (id, name, host, ae_title) VALUES (1, 'pacs', 'pacs.example', 'PACS');
CREATE FUNCTION public.sent(object bigint, outcome text DEFAULT 'sent', ended_at timestamptz DEFAULT now()) RETURNS void LANGUAGE sql AS $$
    INSERT INTO dicomgw.forward_history (job_id, instance_id, destination, outcome, created_at, ended_at, attempts)
    VALUES (-object, object, 'pacs', outcome, now(), ended_at, 1)
$$;
SELECT is_empty('SELECT FROM dicomgw.removable', 'what was never sent is not removable');
-- 1 sent; 2 sent and a job left; 3 sent, and failed elsewhere; 4 cancelled; 5 nothing; 6 sent; 7 sent
SELECT sent(i) FROM unnest('{1,2,3,6,7}'::bigint[]) i;
SELECT sent(4, 'cancelled');
INSERT INTO dicomgw.forward_job (instance_id, destination_id) VALUES (2, 1);
INSERT INTO dicomgw.dead_letter (id, instance_id, destination_id, priority, created_at, attempts, error) VALUES (100, 3, 1, 0, now(), 1, 'x');
SELECT bag_eq('SELECT instance_id FROM dicomgw.removable', 'VALUES (1::bigint), (6), (7)', 'delivered, and no job is left');
SELECT dicomgw._create_partition('forward_history', '2001-02-03');
SELECT sent(5, 'sent', '2001-02-03 12:00+00'), sent(4, 'cancelled', '2001-02-03 12:00+00'), sent(99, 'sent', '2001-02-03 12:00+00');
SELECT is(dicomgw._drop_partitions('forward_history', '2001-02-04'), 1, 'the history is dropped');
SELECT bag_eq('SELECT instance_id FROM dicomgw.delivered', 'VALUES (5::bigint)', 'which of the objects still kept were sent is not forgotten');
SELECT bag_eq('SELECT instance_id FROM dicomgw.removable', 'VALUES (1::bigint), (5), (6), (7)', 'they can be removed as before');

CREATE FUNCTION public.retire(reason text, before interval, n integer, bytes bigint DEFAULT 1000000) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT r.examined || ':' || coalesce(p, '') FROM dicomgw._retire(CASE reason WHEN 'space' THEN 'storage' END, '-infinity', 0, now() - before, 100, n, bytes) r LEFT JOIN LATERAL unnest(r.file_paths) p ON true
$$;
INSERT INTO dicomgw.storage_problem (place, file_path, instance_id, problem) VALUES ('storage', path(1), 1, 'x');
INSERT INTO dicomgw.storage_repair (instance_id, file_path, size, sha256) VALUES (1, path(1), 1, '');
SELECT results_eq($$ SELECT retire('age', '101 days', 100) $$, $$ VALUES ('0:') $$, 'nothing is old enough');
SELECT results_eq($$ SELECT retire('age', interval '100 days' - interval '1 minute 1 second', 100) $$, $$ VALUES ('1:' || path(1)) $$, 'the first one is');
SELECT is_empty('SELECT file_path FROM dicomgw.storage_problem UNION ALL SELECT file_path FROM dicomgw.storage_repair', 'there is nothing to repair about it');
SELECT results_eq($$ SELECT retire('age', '1 day', 1) $$, $$ VALUES ('4:' || path(5)) $$, 'oldest first, as many as wanted');
SELECT is_empty('SELECT FROM dicomgw.delivered', 'what was remembered of it has had its use');
SELECT shell('rm storage.test/' || path(6));
SELECT results_eq($$ SELECT retire('space', '0', 100, 1) $$, $$ VALUES ('5:' || path(7)) $$, 'a file that is not there makes no room');
SELECT bag_eq('SELECT id FROM dicomgw.instance WHERE removed_at IS NOT NULL', 'VALUES (1::bigint), (5), (7)', 'the rows stay');
SELECT results_eq('SELECT day, reason, objects, bytes FROM dicomgw.removal_log ORDER BY reason',
                  $$ VALUES ((now() AT TIME ZONE 'UTC')::date, 'age', 2::bigint, 16::bigint), ((now() AT TIME ZONE 'UTC')::date, 'space', 1, 8) $$, 'and are counted');

-- ---------- repair ----------

INSERT INTO dicomgw.storage_repair (instance_id, file_path, size, sha256, next_try_at) VALUES
    (1, path(1), 8, '', now()), (2, path(2), 8, '', now()), (3, path(3), 8, '', now() + interval '1 hour'), (8, path(8), 8, '', now()), (99, path(99), 8, '', now());
SELECT bag_eq('SELECT instance_id FROM dicomgw._repairs_due(10)', 'VALUES (2::bigint), (8)', 'due are objects that are kept, and whose time has come');
SELECT bag_eq('SELECT instance_id FROM dicomgw.storage_repair', 'VALUES (2::bigint), (3), (8)', 'the others are struck off, or wait');
SELECT dicomgw._repaired(2, 'the mirror is full');
SELECT is((SELECT ROW(attempts, error, next_try_at > now())::text FROM dicomgw.storage_repair WHERE instance_id = 2), '(1,"the mirror is full",t)', 'one that failed is tried again later');
SELECT is((SELECT ROW(waiting, complaint)::text FROM dicomgw._repairs_waiting('1 hour')), '(3,)', 'three wait, and nobody minds');
SELECT matches((SELECT complaint FROM dicomgw._repairs_waiting('-1 hour')), '^3 objects lack a good copy in storage or mirror, the first since .*: the mirror is full$', 'until it is too long');

SELECT shell('rm -r storage.test mirror.test');
ALTER SYSTEM RESET dicomgw.storage_path;
ALTER SYSTEM RESET dicomgw.storage_mirror_path;
ALTER SYSTEM RESET dicomgw.orphan_grace;
\o /dev/null
SELECT pg_reload_conf();
\o
SELECT * FROM finish();
