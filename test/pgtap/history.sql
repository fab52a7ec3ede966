-- The history of the configuration: what makes a version and what does not, who and when,
-- looking back, putting back, and that nobody writes over it.
--
-- Not in one transaction: all that one changes has one time, and that is to be seen here.

\set ON_ERROR_STOP 1
SET client_min_messages = error;
CREATE EXTENSION pgtap;
CREATE EXTENSION dicomgw;
DROP ROLE IF EXISTS regress_history_clerk;
CREATE ROLE regress_history_clerk;
SELECT plan(65);

CREATE VIEW pg_temp.versions AS
    SELECT table_name, name, version, operation FROM dicomgw.configuration_history;

-- ---------- every table of the configuration ----------

-- Configuration is what wakes the workers; secrets of destinations have no history, and changes of audit repositories
-- have the audit log.
SELECT set_eq($$ SELECT tgrelid FROM pg_trigger WHERE tgname = 'keep_version' AND tgenabled = 'A' $$,
              $$ SELECT tgrelid FROM pg_trigger WHERE tgfoid = 'dicomgw.notify_config_change()'::regprocedure
                 AND tgrelid NOT IN ('dicomgw.destination_secret'::regclass, 'dicomgw.audit_repository'::regclass) $$, 'each has the trigger, which is always fired');
SELECT set_eq($$ SELECT tgrelid FROM pg_trigger WHERE tgname = 'keep_end' AND tgenabled = 'A' $$,
              $$ SELECT tgrelid FROM pg_trigger WHERE tgname = 'keep_version' $$, 'and the one for TRUNCATE');
SELECT bag_eq('SELECT * FROM pg_temp.versions', $$ VALUES ('listener', 'default', 1, 'insert') $$,
              'what CREATE EXTENSION makes has its first version');

-- ---------- what makes a version ----------

INSERT INTO dicomgw.destination (name, host, ae_title) VALUES ('pacs', 'pacs.example', 'PACS'), ('archive', 'archive.example', 'ARCHIVE');
INSERT INTO dicomgw.route (name, predicate, destination) VALUES ('ct', $$modality = 'CT'$$, 'pacs');
SELECT bag_eq($$ SELECT * FROM pg_temp.versions WHERE table_name <> 'listener' $$,
    $$ VALUES ('destination', 'pacs', 1, 'insert'), ('destination', 'archive', 1, 'insert'), ('route', 'ct', 1, 'insert') $$, 'INSERT');
UPDATE dicomgw.route SET predicate = $$modality = 'MR'$$;
SELECT is((SELECT max(version) FROM pg_temp.versions WHERE name = 'ct'), 2, 'UPDATE');
UPDATE dicomgw.route SET predicate = $$modality = 'MR'$$, priority = 5;
SELECT is((SELECT max(version) FROM pg_temp.versions WHERE name = 'ct'), 2, 'but not one that changes nothing');
SELECT is(dicomgw.pause('pacs', 'maintenance'), true, 'a destination is paused');
SELECT is((SELECT change FROM dicomgw.configuration_change WHERE name = 'pacs' AND version = 2) ~ '^pause_reason: NULL → maintenance; paused: false → true; paused_at: NULL → .*; paused_by: NULL → postgres$',
          true, 'which is a version');
SELECT is(dicomgw.resume('pacs'), true, 'and resumed');
SELECT is(dicomgw.resume('pacs'), false, 'twice');
SELECT is((SELECT max(version) FROM pg_temp.versions WHERE name = 'pacs'), 3, 'which is one');
-- what the forwarder finds is no configuration
SELECT is((SELECT count(*) FROM (SELECT dicomgw._destinations_down(ARRAY[1], ARRAY['no answer'])) x), 1::bigint, 'a destination goes down');
SELECT is((SELECT max(version) FROM pg_temp.versions WHERE name = 'pacs'), 3, 'which is none');
BEGIN;
UPDATE dicomgw.route SET priority = 9;
ROLLBACK;
SELECT is((SELECT max(version) FROM pg_temp.versions WHERE name = 'ct'), 2, 'nor what was rolled back');
UPDATE dicomgw.destination SET name = 'pacs 2' WHERE name = 'pacs';
SELECT results_eq($$ SELECT name, version, change FROM dicomgw.configuration_change WHERE table_name IN ('route', 'destination') ORDER BY at DESC, table_name LIMIT 2 $$,
    $$ VALUES ('pacs 2', 4, 'name: pacs → pacs 2'), ('ct', 3, 'destination: pacs → pacs 2') $$, 'a new name is one, also of the route that names it');
SET "IntervalStyle" = 'sql_standard'; SET "TimeZone" = 'Asia/Tokyo'; SET "DateStyle" = 'German'; SET extra_float_digits = 0;
UPDATE dicomgw.destination SET port = 11112 WHERE name = 'pacs 2';
RESET "IntervalStyle"; RESET "TimeZone"; RESET "DateStyle"; RESET extra_float_digits;
SELECT is((SELECT change FROM dicomgw.configuration_change WHERE name = 'pacs 2' AND version = 5), 'port: 104 → 11112',
          'settings of a session change no value');

INSERT INTO dicomgw.destination_group (name) VALUES ('both');
INSERT INTO dicomgw.destination_group_member VALUES ('both', 'pacs 2', 1), ('both', 'archive', 2);
INSERT INTO dicomgw.destination_window (destination, opens_at, closes_at, time_zone) VALUES ('archive', '22:00', '06:00', 'Europe/Berlin');
UPDATE dicomgw.destination_group SET name = 'all';
SELECT bag_eq($$ SELECT table_name, name, operation FROM pg_temp.versions WHERE table_name ~ '^destination_' $$,
    $$ VALUES ('destination_group', 'both', 'insert'), ('destination_group_member', 'both/pacs 2', 'insert'),
              ('destination_group_member', 'both/archive', 'insert'), ('destination_window', 'archive 1', 'insert'),
              ('destination_group', 'all', 'update'), ('destination_group_member', 'both/pacs 2', 'delete'),
              ('destination_group_member', 'both/archive', 'delete'), ('destination_group_member', 'all/pacs 2', 'insert'),
              ('destination_group_member', 'all/archive', 'insert') $$, 'groups, members and windows; a member with another key is another one');
TRUNCATE dicomgw.destination_window;
SELECT is((SELECT operation FROM pg_temp.versions WHERE table_name = 'destination_window' AND version = 2), 'delete', 'TRUNCATE');

-- ---------- who ----------

GRANT USAGE ON SCHEMA dicomgw TO regress_history_clerk;
GRANT SELECT, UPDATE ON dicomgw.listener TO regress_history_clerk;
SET ROLE regress_history_clerk;
SET application_name = 'clerk''s desk';
UPDATE dicomgw.listener SET idle_timeout = '1 minute';
SELECT throws_ok('INSERT INTO dicomgw.configuration_history (table_name) VALUES (NULL)', '42501', NULL,
                 'who may change the configuration cannot write its history');
SELECT throws_ok($$ SELECT dicomgw._note_version('listener', 'update', '{"id": 1}', '{}', '{}') $$, '42501', NULL, 'by no way');
SELECT throws_ok('SELECT * FROM dicomgw.configuration_change', '42501', NULL, 'nor read it');
RESET ROLE;
RESET application_name;
SELECT is((SELECT concat_ws(', ', changed_by, changed_as, application, replicated, change) FROM dicomgw.configuration_change WHERE table_name = 'listener' AND version = 2),
    session_user || ', regress_history_clerk, clerk''s desk, f, idle_timeout: 00:05:00 → 00:01:00',
    'both roles are named, and the program');

-- ---------- together ----------

BEGIN;
UPDATE dicomgw.route SET priority = 7;
UPDATE dicomgw.destination SET max_associations = 2;
UPDATE dicomgw.route SET priority = 8;
COMMIT;
SELECT is((SELECT count(DISTINCT at) FROM dicomgw.configuration_change c
           WHERE c.transaction_id = (SELECT max(transaction_id::text::bigint)::text::xid8 FROM dicomgw.configuration_history)), 1::bigint,
          'what one transaction changes has one time');
SELECT is((SELECT count(*) FROM dicomgw.configuration_change c
           WHERE c.transaction_id = (SELECT max(transaction_id::text::bigint)::text::xid8 FROM dicomgw.configuration_history)), 4::bigint,
          'and is four versions');
SELECT valid_from AS together FROM dicomgw.configuration_history ORDER BY valid_from DESC LIMIT 1 \gset
SELECT results_eq(format('SELECT r.priority::integer, d.max_associations FROM dicomgw.route_as_of(%L) r JOIN dicomgw.destination_as_of(%1$L) d ON d.name = r.destination',
                         :'together'), 'VALUES (8, 2)', 'all of it is in force from then');
SELECT results_eq(format('SELECT r.priority::integer, d.max_associations FROM dicomgw.route_as_of(%L::timestamptz - interval ''1 microsecond'') r JOIN dicomgw.destination_as_of(%1$L::timestamptz - interval ''1 microsecond'') d ON d.name = r.destination',
                         :'together'), 'VALUES (5, 4)', 'and nothing of it before');

-- ---------- looking back ----------

SELECT valid_from AS t1 FROM dicomgw.configuration_history WHERE name = 'ct' AND version = 1 \gset
SELECT valid_from AS t2 FROM dicomgw.configuration_history WHERE name = 'ct' AND version = 2 \gset
SELECT results_eq(format('SELECT predicate, destination, priority::integer, enabled FROM dicomgw.route_as_of(%L)', :'t1'),
                  $$ VALUES ('modality = ''CT''', 'pacs', 5, true) $$, 'a route as it was');
SELECT results_eq(format('SELECT predicate FROM dicomgw.route_as_of(%L)', :'t2'), $$ VALUES ('modality = ''MR''') $$, 'and then');
SELECT is_empty(format('SELECT FROM dicomgw.route_as_of(%L::timestamptz - interval ''1 microsecond'')', :'t1'), 'before it was made there is none');
SELECT results_eq('SELECT * FROM dicomgw.route_as_of(clock_timestamp())', 'SELECT * FROM dicomgw.route', 'now it is what there is');
SELECT results_eq('SELECT * FROM dicomgw.destination_as_of(clock_timestamp()) ORDER BY id', 'SELECT * FROM dicomgw.destination ORDER BY id', 'destinations, too');
SELECT results_eq('SELECT * FROM dicomgw.listener_as_of(clock_timestamp())', 'SELECT * FROM dicomgw.listener', 'and listeners');
DELETE FROM dicomgw.route;
SELECT is_empty('SELECT FROM dicomgw.route_as_of(clock_timestamp())', 'one that was deleted is none');
SELECT is((SELECT name FROM dicomgw.route_as_of(:'t2')), 'ct', 'but was one');
SELECT results_eq($$ SELECT before ->> 'predicate', after, version FROM dicomgw.configuration_change WHERE table_name = 'route' ORDER BY at DESC LIMIT 1 $$,
                  $$ VALUES ('modality = ''MR''', NULL::jsonb, 6) $$, 'its last version says what it was');

-- ---------- putting back ----------

SELECT throws_ok($$ SELECT dicomgw.revert('study', 'x', 1) $$, '42P01', 'there is no history of a table "study"', 'a table without history');
SELECT throws_ok($$ SELECT dicomgw.revert('route', 'nosuch', 1) $$, '42704', 'no row of "route" was ever called "nosuch"', 'a name that never was');
SELECT throws_ok($$ SELECT dicomgw.revert('route', 'ct', 7) $$, '42704', 'route "ct" has no version 7', 'a version that is not');
SELECT throws_ok($$ SELECT dicomgw.revert('route', 'ct', 6) $$, '22023', 'route "ct" was deleted in version 6', 'a version that is none');
SELECT throws_ok($$ SELECT dicomgw.revert('route', 'ct', 2) $$, '23503', NULL, 'it is checked as any change: the destination has another name now');
SELECT is_empty('SELECT FROM dicomgw.route', 'and nothing was done');
SELECT is(dicomgw.revert('route', 'ct', 3), 7, 'a deleted route comes back as a new version');
SELECT results_eq('SELECT id, name, predicate, destination, priority::integer FROM dicomgw.route', $$ VALUES (1, 'ct', 'modality = ''MR''', 'pacs 2', 5) $$,
                  'with its number');
UPDATE dicomgw.route SET name = 'mr', priority = 1;
SELECT is(dicomgw.revert('route', 'mr', 5), 9, 'by its name of now');
SELECT results_eq('SELECT name, priority::integer FROM dicomgw.route', $$ VALUES ('ct', 8) $$, 'also to a version that was called otherwise');
SELECT is(dicomgw.revert('route', 'mr', 5), 9, 'by an old name, and to what it is: no new version');
SELECT results_eq($$ SELECT target, details FROM dicomgw.audit_log WHERE action = 'revert' ORDER BY id LIMIT 1 $$,
                  $$ VALUES ('route ct', '{"to_version": 3, "version": 7}'::jsonb) $$, 'the audit log has it');
SELECT is(dicomgw.revert('listener', 'default', 1), 3, 'a listener');
SELECT is((SELECT idle_timeout::interval FROM dicomgw.listener), interval '5 minutes', 'is what it was');
-- the predicate of a version is checked again: what it called may be gone
CREATE FUNCTION public.wanted(text) RETURNS boolean LANGUAGE sql IMMUTABLE RETURN true;
UPDATE dicomgw.route SET predicate = 'public.wanted(modality)';
UPDATE dicomgw.route SET predicate = 'true';
DROP FUNCTION public.wanted(text);
SELECT throws_ok($$ SELECT dicomgw.revert('route', 'ct', 10) $$, '42883', NULL, 'a predicate that is none any more is refused');
-- a column that came later keeps its value
ALTER TABLE dicomgw.route ADD COLUMN note text DEFAULT 'new';
UPDATE dicomgw.route SET priority = 3;
SELECT is((SELECT contents ->> 'note' FROM dicomgw.configuration_history WHERE name = 'ct' ORDER BY version DESC LIMIT 1), 'new', 'a new column has its history at once');
SELECT is(dicomgw.revert('route', 'ct', 9), 13, 'back to a version without it');
SELECT results_eq('SELECT note, priority::integer FROM dicomgw.route', $$ VALUES ('new', 8) $$, 'leaves it alone');
ALTER TABLE dicomgw.route DROP COLUMN note;
SELECT is(dicomgw.revert('route', 'ct', 12), 14, 'and one that is gone is passed over');

-- ---------- secrets ----------

INSERT INTO dicomgw.remote_ae (ae_title, network, username, passcode) VALUES ('CT1', '10.0.0.0/8', 'ct1', 'open sesame');
UPDATE dicomgw.remote_ae SET passcode = 'open barley';
UPDATE dicomgw.remote_ae SET description = 'scanner';
SELECT results_eq($$ SELECT name, change FROM dicomgw.configuration_change WHERE table_name = 'remote_ae' AND version > 1 ORDER BY version $$,
    $$ VALUES ('CT1 10.0.0.0/8', 'passcode: secret of version 1 → secret of version 2'), ('CT1 10.0.0.0/8', 'description: NULL → scanner') $$,
    'that a secret was changed is seen');
INSERT INTO dicomgw.destination (name, kind, url) VALUES ('cloud', 'dicomweb', 'http://cloud.example');
SELECT is(dicomgw.set_credentials('cloud', username => 'gateway', password => 'open sesame')::text, '', 'credentials of a destination');
SELECT is_empty($$ SELECT FROM dicomgw.configuration_history h WHERE h::text ~ 'argon2|sesame|barley' $$, 'the secret is not');
SELECT is(dicomgw.revert('remote_ae', 'CT1 10.0.0.0/8', 1), 4, 'back to a version with another secret');
SELECT results_eq($$ SELECT description, passcode LIKE '$argon2id$%' FROM dicomgw.remote_ae $$, $$ VALUES (NULL::text, true) $$, 'keeps that of now');
UPDATE dicomgw.remote_ae SET passcode = NULL;
SELECT throws_ok($$ SELECT dicomgw.revert('remote_ae', 'CT1 10.0.0.0/8', 1) $$, 'PT409',
                 'cannot revert remote_ae "CT1 10.0.0.0/8" to a version with a secret that is gone', 'without any it cannot be: nobody is let in without one');

-- ---------- what came in unnoticed ----------

ALTER TABLE dicomgw.route DISABLE TRIGGER ALL;
INSERT INTO dicomgw.route (name, destination) VALUES ('smuggled', 'archive');
ALTER TABLE dicomgw.route ENABLE TRIGGER ALL, ENABLE ALWAYS TRIGGER keep_version, ENABLE ALWAYS TRIGGER keep_end, ENABLE ALWAYS TRIGGER notify_config_change;
UPDATE dicomgw.route SET priority = 1 WHERE name = 'smuggled';
SELECT results_eq($$ SELECT version, operation, valid_from = '-infinity', changed_by IS NULL, contents ->> 'priority' FROM dicomgw.configuration_history WHERE name = 'smuggled' ORDER BY version $$,
    $$ VALUES (1, 'found', true, true, '5'), (2, 'update', false, false, '1') $$, 'is found when it is changed');

-- ---------- nobody writes over it ----------

SELECT throws_ok('UPDATE dicomgw.configuration_history SET changed_by = NULL', '42501', 'the history of the configuration can be added to, and nothing else', 'UPDATE');
SELECT throws_ok('DELETE FROM dicomgw.configuration_history', '42501', NULL, 'DELETE');
SELECT throws_ok('TRUNCATE dicomgw.configuration_history', '42501', NULL, 'TRUNCATE');
SET session_replication_role = replica;
SELECT throws_ok('DELETE FROM dicomgw.configuration_history', '42501', NULL, 'also not as a replica');
RESET session_replication_role;

SELECT * FROM finish();
REVOKE ALL ON SCHEMA dicomgw FROM regress_history_clerk;
REVOKE ALL ON dicomgw.listener FROM regress_history_clerk;
DROP ROLE regress_history_clerk;
