-- Long work: what it chooses, how it goes on portion by portion, how it ends, and who may.

\set ON_ERROR_STOP 1
SET client_min_messages = error;
CREATE EXTENSION pgtap;
CREATE EXTENSION dicomgw;
BEGIN;
SELECT plan(63);

INSERT INTO dicomgw.destination (id, name, host, ae_title, retry_jitter)
VALUES (1, 'pacs', 'pacs.example', 'PACS', 0), (2, 'spare', 'spare.example', 'SPARE', 0);
INSERT INTO dicomgw.study (id, study_instance_uid, instances, size, first_received_at, last_received_at)
OVERRIDING SYSTEM VALUE VALUES (1, '1.1', 600, 2, now(), now()), (2, '1.2', 600, 2, now(), now());
INSERT INTO dicomgw.series (id, study_id, series_instance_uid, instances) OVERRIDING SYSTEM VALUE VALUES (1, 1, '1.1.1', 600), (2, 2, '1.2.1', 600);
INSERT INTO dicomgw.instance (id, series_id, received_at, calling_ae, called_ae, sop_class_uid, sop_instance_uid, transfer_syntax_uid,
                              file_path, size, sha256, removed_at)
SELECT i, 1 + (i - 1) / 600, '2026-01-01 00:00Z'::timestamptz + make_interval(mins => i), CASE WHEN i % 2 = 0 THEN 'CT1' ELSE 'MR1' END, 'DICOMGW',
       '1.2.840.10008.5.1.4.1.1.2', '1.2.3.' || i, '1.2.840.10008.1.2', 'file' || i, 1, '', CASE WHEN i = 7 THEN now() END
FROM generate_series(1, 1200) i;

CREATE FUNCTION pg_temp.task(p_id bigint) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', kind, state, done || '/' || total, result::text, message) FROM dicomgw.task WHERE id = p_id
$$;

-- ---------- wrong input ----------

SELECT throws_ok($$ SELECT dicomgw.start_replay('nowhere', instance_ids => '{1}') $$, '42704', 'destination "nowhere" does not exist', 'replay: no such destination');
SELECT throws_ok($$ SELECT dicomgw.start_replay('pacs') $$, '22023', 'no objects are named', 'replay: nothing named');
SELECT throws_ok($$ SELECT dicomgw.start_replay('pacs', study_instance_uids => '{1.1,9.9}') $$, 'PT404', 'study 9.9 was not received', 'replay: no such study');
SELECT throws_ok($$ SELECT dicomgw.start_replay('pacs', instance_ids => '{1}', priority => 10) $$, '22023', 'priority 10 is not between 0 and 9', 'replay: no such priority');
SELECT throws_ok($$ SELECT dicomgw.start_replay('pacs', instance_ids => '{1}', priority => NULL) $$, '22023', 'priority NULL is not between 0 and 9', 'replay: no priority');
SELECT throws_ok($$ SELECT dicomgw.start_replay('pacs', instance_ids => '{1}', edits_of_route => 'nowhere') $$, '42704', 'route "nowhere" does not exist', 'replay: no such route');
SELECT throws_ok($$ SELECT dicomgw.start_verb('erase', destination => 'pacs') $$, '22023', 'there is no verb "erase"', 'no such verb');
SELECT throws_ok($$ SELECT dicomgw.start_verb(NULL, destination => 'pacs') $$, '22023', NULL, 'no verb');
SELECT throws_ok($$ SELECT dicomgw.start_verb('cancel') $$, '22023', 'no jobs are named', 'a verb: nothing named');
SELECT throws_ok($$ SELECT dicomgw.start_verb('cancel', destination => 'pacs', priority => 3) $$, '22023', NULL, 'cancel takes no priority');
SELECT throws_ok($$ SELECT dicomgw.start_verb('set_priority', destination => 'pacs') $$, '22023', NULL, 'set_priority wants one');
SELECT throws_ok($$ SELECT dicomgw.start_verb('set_priority', destination => 'pacs', priority => 10) $$, '22023', NULL, 'one that there is');
SELECT throws_ok($$ SELECT dicomgw.start_verb('move', destination => 'pacs') $$, '22023', NULL, 'move wants another destination');
SELECT throws_ok($$ SELECT dicomgw.start_verb('move', destination => 'pacs', to_destination => 'nowhere') $$, '42704', NULL, 'one that there is');
SELECT throws_ok($$ SELECT dicomgw.cancel_task(1) $$, '42704', 'task 1 does not exist', 'cancel: no such task');
SELECT is((SELECT count(*) FROM dicomgw.task), 0::bigint, 'what was refused has left no task');
SELECT is((SELECT more FROM dicomgw._task_step()), false, 'nothing to do');

-- ---------- which objects ----------

SELECT is(dicomgw.count_replay(instance_ids => '{1,2,7,9999}'), 2::bigint, 'numbers; not those whose file is removed, or that there are not');
SELECT is(dicomgw.count_replay(study_instance_uids => '{1.1}'), 599::bigint, 'a study');
SELECT is(dicomgw.count_replay(study_instance_uids => '{1.1,1.2}'), 1199::bigint, 'two');
SELECT is(dicomgw.count_replay(calling_ae => 'CT1'), 600::bigint, 'from an AE title');
SELECT is(dicomgw.count_replay(received_since => '2026-01-01 00:10Z', received_until => '2026-01-01 00:20Z'), 10::bigint, 'of a time, its end excluded');
SELECT is(dicomgw.count_replay(study_instance_uids => '{1.2}', calling_ae => 'CT1', received_since => '2026-01-01 19:59Z'), 1::bigint, 'what is named narrows the choice');
SELECT throws_ok($$ SELECT dicomgw.count_replay() $$, '22023', 'no objects are named', 'nothing named');

-- ---------- replay ----------

SELECT dicomgw.start_replay('pacs', study_instance_uids => '{1.1,1.2}', priority => 2) AS replay \gset
SELECT is(pg_temp.task(:replay), 'replay waiting 0/1199 {}', 'it waits');
SELECT is((SELECT action || ' ' || target || ' ' || (details ->> 'total') FROM dicomgw.audit_log ORDER BY id DESC LIMIT 1), 'start replay destination pacs 1199', 'who started it is in the audit log');
UPDATE dicomgw.instance SET removed_at = now() WHERE id = 20;
SELECT is((SELECT more FROM dicomgw._task_step()), true, 'a step');
SELECT is(pg_temp.task(:replay), 'replay running 500/1199 {"jobs": 499, "skipped": 1}', 'a portion; retention was quicker with one object');
SELECT is((SELECT count(*) || ' ' || min(priority) || ' ' || max(priority) FROM dicomgw.forward_job), '499 2 2', 'its jobs');
SELECT is((SELECT actor = current_user AND application = format('task %s of %s', :replay, current_user) FROM dicomgw.audit_log ORDER BY id DESC LIMIT 1), true, 'the audit log says whose task that was');
DO $$ BEGIN WHILE (SELECT more FROM dicomgw._task_step()) LOOP END LOOP; END $$;
SELECT is(pg_temp.task(:replay), 'replay done 1199/1199 {"jobs": 1198, "skipped": 1}', 'it is done');
SELECT is((SELECT count(*) || ' ' || count(DISTINCT instance_id) FROM dicomgw.forward_job), '1198 1198', 'each object once');
SELECT is(dicomgw.cancel_task(:replay), false, 'what has ended cannot be cancelled');

-- ---------- verbs, one after the other ----------

SELECT dicomgw.start_verb('set_priority', destination => 'pacs', priority => 9) AS first,
       dicomgw.start_verb('move', destination => 'pacs', to_destination => 'spare') AS second,
       dicomgw.start_verb('cancel', study_instance_uid => '1.1') AS third,
       dicomgw.start_verb('retry', destination => 'spare') AS fourth \gset
SELECT * FROM dicomgw._task_step() \g /dev/null
SELECT is((SELECT string_agg(state, ' ' ORDER BY id) FROM dicomgw.task WHERE id >= :first), 'running waiting waiting waiting', 'one at a time');
SELECT is(dicomgw.cancel_task(:fourth), true, 'one that waits is cancelled');
DO $$ BEGIN WHILE (SELECT more FROM dicomgw._task_step()) LOOP END LOOP; END $$;
SELECT is(pg_temp.task(:first), 'set_priority done 1198/1198 {"changed": 1198}', 'set_priority');
SELECT is(pg_temp.task(:second), 'move done 1198/1198 {"moved": 1198, "being_sent": 0}', 'move');
SELECT is(pg_temp.task(:third), 'cancel done 598/598 {"cancelled": 598}', 'cancel');
SELECT is((SELECT count(*) || ' ' || min(destination_id) || ' ' || min(priority) FROM dicomgw.forward_job), '600 2 9', 'what is left');
SELECT is(pg_temp.task(:fourth), format('retry cancelled 0/0 {} cancelled by %s', current_user), 'the one that was cancelled');

-- ---------- which jobs, as lists are filtered ----------

UPDATE dicomgw.study SET patient_id = 'A_1', patient_name = 'Doe^Jane' WHERE id = 2;
UPDATE dicomgw.series SET modality = 'CT' WHERE id = 2;
INSERT INTO dicomgw.dead_letter (id, instance_id, destination_id, priority, created_at, attempts, error) VALUES (9001, 1, 1, 5, now(), 1, 'A900H');
SELECT is(dicomgw.count_jobs(state => 'waiting'), 600::bigint, 'jobs in a state');
SELECT is(dicomgw.count_jobs(state => 'failed'), 1::bigint, 'dead letters, too');
SELECT is(dicomgw.count_jobs(reason_code => 'forwarder'), 600::bigint, 'with a reason');
SELECT is(dicomgw.count_jobs(calling_ae => 'CT1'), 300::bigint, 'whose objects came from an AE title');
SELECT is(dicomgw.count_jobs(modality => 'CT', destination => 'spare') || ' ' || dicomgw.count_jobs(modality => 'CT', destination => 'pacs'), '600 0',
          'of a modality, narrowed by a destination');
SELECT is(dicomgw.count_jobs(patient => 'doe') || ' ' || dicomgw.count_jobs(patient => 'a_1'), '600 600', 'of a patient, by a part of the name or ID');
SELECT is(dicomgw.count_jobs(patient => 'A%1') || ' ' || dicomgw.count_jobs(patient => '_') || ' ' || dicomgw.count_jobs(patient => '\'), '0 600 0',
          'which is meant as it is written');
SELECT throws_ok($$ SELECT dicomgw.count_jobs() $$, '22023', 'no jobs are named', 'none of all these');
SELECT dicomgw.start_verb('retry', state => 'failed') AS failed \gset
SELECT is((SELECT concat_ws(' ', total, arguments) FROM dicomgw.task WHERE id = :failed), '1 {"state": "failed"}', 'a task does as much as was counted');
SELECT is((SELECT target FROM dicomgw.audit_log ORDER BY id DESC LIMIT 1), 'state failed', 'the audit log says with what');
SELECT dicomgw.cancel_task(:failed) \g /dev/null
DELETE FROM dicomgw.dead_letter;

-- ---------- errors end a task, not those behind it ----------

SELECT dicomgw.start_verb('move', destination => 'spare', to_destination => 'pacs') AS broken,
       dicomgw.start_verb('retry', destination => 'spare') AS next \gset
UPDATE dicomgw.destination SET name = 'renamed' WHERE name = 'pacs';
DO $$ BEGIN WHILE (SELECT more FROM dicomgw._task_step()) LOOP END LOOP; END $$;
SELECT is(pg_temp.task(:broken), 'move failed 0/600 {} destination "pacs" does not exist', 'it failed, and why');
SELECT is((SELECT state FROM dicomgw.task WHERE id = :next), 'done', 'the next one had its turn');
SELECT is((SELECT count(*) FROM dicomgw.task_portion), 0::bigint, 'nothing is left of them');

-- ---------- one that fails is not the end, and a full disk passes ----------

CREATE FUNCTION pg_temp.fail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('test.disk_is_full') = 'on' THEN
        RAISE disk_full;
    ELSIF NEW.instance_id IN (3, 900) THEN
        RAISE EXCEPTION 'no such thing';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER fail BEFORE INSERT ON dicomgw.forward_job FOR EACH ROW EXECUTE FUNCTION pg_temp.fail();
SET test.disk_is_full = on;
SELECT dicomgw.start_replay('spare', study_instance_uids => '{1.1,1.2}') AS odd \gset
SELECT is((SELECT more FROM dicomgw._task_step()), false, 'a full disk: not at once again');
SELECT is(pg_temp.task(:odd), 'replay running 0/1198 {} waits: disk_full', 'it waits');
SELECT is((SELECT sum(cardinality(targets)) FROM dicomgw.task_portion WHERE task_id = :odd), 1198::bigint, 'and has lost nothing');
SET test.disk_is_full = off;
DO $$ BEGIN WHILE (SELECT more FROM dicomgw._task_step()) LOOP END LOOP; END $$;
SELECT is((SELECT concat_ws(' ', state, done, result -> 'jobs', result -> 'failed', message) FROM dicomgw.task WHERE id = :odd), 'done 1198 1196 2',
          'objects that fail are counted, and the others done');
SELECT is((SELECT string_agg(f ->> 'target' || ' ' || (f ->> 'error'), ', ') FROM dicomgw.task, jsonb_array_elements(result -> 'failures') f WHERE id = :odd),
          '3 no such thing, 900 no such thing', 'which, and why');
DROP TRIGGER fail ON dicomgw.forward_job;

-- ---------- the storage ----------

SELECT throws_ok($$ SELECT dicomgw.start_check_storage(remove_orphans => NULL) $$, '22023', NULL, 'NULL does not say whether to remove files');
SELECT throws_ok($$ SELECT dicomgw.start_check_storage(also_older => NULL) $$, '22023', NULL, 'nor which');

SELECT lives_ok($$ SELECT dicomgw.start_check_storage() $$, 'a check is started');
SELECT throws_ok($$ SELECT dicomgw.start_check_storage() $$, '23505', 'the storage is being checked already', 'one at a time');

-- ---------- what has ended long ago ----------

UPDATE dicomgw.task SET finished_at = now() - interval '31 days' WHERE id = :replay;
SELECT dicomgw._expire_tasks() \g /dev/null
SELECT is((SELECT count(*) FROM dicomgw.task WHERE id = :replay), 0::bigint, 'is not kept');

SELECT * FROM finish();
ROLLBACK;
