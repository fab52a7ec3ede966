-- Daily partitions: made ahead, in UTC whatever the session's time zone, with the rows
-- that came before them; and dropped whole when they are kept long enough.

\set ON_ERROR_STOP 1
SET client_min_messages = error;
CREATE EXTENSION pgtap;
CREATE EXTENSION dicomgw;
BEGIN;
SELECT plan(47);

CREATE VIEW pg_temp.partition AS
    SELECT h.inhparent::regclass::text AS parent, c.oid, c.relname::text AS name, pg_get_expr(c.relpartbound, c.oid) AS bound,
           EXISTS (SELECT FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
                   WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e' AND e.extname = 'dicomgw') AS is_member
    FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid
    WHERE h.inhparent IN (SELECT format('dicomgw.%I', table_name)::regclass FROM dicomgw.partitioned);

-- ---------- after the installation ----------

SELECT set_eq('SELECT table_name FROM dicomgw.partitioned', ARRAY['instance_header', 'routing_decision', 'forward_history', 'forward_attempt', 'association_history', 'completion'],
              'these are partitioned');
SELECT set_eq($$ SELECT c.relname::text FROM pg_class c WHERE c.relnamespace = 'dicomgw'::regnamespace AND c.relkind = 'p' $$,
              'SELECT table_name FROM dicomgw.partitioned', 'and no other table is');
SELECT set_eq(
    $$ SELECT name FROM pg_temp.partition $$,
    $$ SELECT table_name || '_' || to_char((now() AT TIME ZONE 'UTC')::date + ahead, 'YYYYMMDD') FROM dicomgw.partitioned, generate_series(0, 7) ahead
       UNION ALL SELECT table_name || '_default' FROM dicomgw.partitioned $$,
    'each has its default partition, today, and seven days ahead');
SELECT is_empty('SELECT name FROM pg_temp.partition WHERE NOT is_member', 'all of them belong to the extension');

-- ---------- one partition ----------

-- The day before, in most of the world already the day, or both at once.
SET LOCAL timezone = 'Pacific/Auckland';
SELECT is(dicomgw._create_partition('forward_history', '2001-02-03'), true, 'a partition is made');
SELECT is(dicomgw._create_partition('forward_history', '2001-02-03'), false, 'but once');
SELECT is(current_setting('timezone'), 'Pacific/Auckland', 'the time zone of the session stays');
SET LOCAL timezone = 'UTC';
SELECT is((SELECT bound FROM pg_temp.partition WHERE name = 'forward_history_20010203'),
          'FOR VALUES FROM (''2001-02-03 00:00:00+00'') TO (''2001-02-04 00:00:00+00'')', 'its day is a day in UTC');
SELECT is((SELECT is_member FROM pg_temp.partition WHERE name = 'forward_history_20010203'), true, 'it belongs to the extension');
SELECT is((SELECT count(*) FROM pg_index i WHERE i.indrelid = 'dicomgw.forward_history_20010203'::regclass),
          (SELECT count(*) FROM pg_index i WHERE i.indrelid = 'dicomgw.forward_history'::regclass), 'it has the indexes of its table');
SELECT is((SELECT count(*) FROM pg_constraint c WHERE c.conrelid = 'dicomgw.forward_history_20010203'::regclass AND c.contype = 'c'), 1::bigint,
          'and its constraint');
-- a day of 23 hours in the session's time zone
SET LOCAL timezone = 'Europe/Berlin';
SELECT is(dicomgw._create_partition('forward_history', '2001-03-25'), true, 'a day on which the clocks are changed');
SET LOCAL timezone = 'UTC';
SELECT is((SELECT bound FROM pg_temp.partition WHERE name = 'forward_history_20010325'),
          'FOR VALUES FROM (''2001-03-25 00:00:00+00'') TO (''2001-03-26 00:00:00+00'')', 'is a day like any other');
SELECT is(dicomgw._create_partition('forward_history', '2000-02-29'), true, 'a leap day');
SELECT is(dicomgw._create_partition('forward_history', '1999-12-31'), true, 'the last day of a year');
SELECT is((SELECT bound FROM pg_temp.partition WHERE name = 'forward_history_19991231'),
          'FOR VALUES FROM (''1999-12-31 00:00:00+00'') TO (''2000-01-01 00:00:00+00'')', 'ends with it');
SELECT throws_ok($$ SELECT dicomgw._create_partition('nothing', '2001-02-03') $$, '42P01', NULL, 'of a table that there is not: an error');

-- Row by row: what came when there was none, and what comes when there is one.
SET LOCAL timezone = 'America/New_York';
INSERT INTO dicomgw.instance_header (instance_id, received_at, header) VALUES
    (1, '2001-02-02 23:59:59.999999+00', '{"day": "before"}'), (2, '2001-02-03 00:00:00+00', '{"day": "it"}'),
    (3, '2001-02-03 23:59:59.999999+00', '{"day": "it"}'), (4, '2001-02-04 00:00:00+00', '{"day": "after"}');
SELECT is((SELECT count(*) FROM dicomgw.instance_header_default), 4::bigint, 'rows of a day without partition are in the default one');
SELECT is(dicomgw._create_partition('instance_header', '2001-02-03'), true, 'the day gets its partition');
SELECT bag_eq('SELECT instance_id FROM dicomgw.instance_header_20010203', ARRAY[2, 3]::bigint[], 'and the rows of that day');
SELECT bag_eq('SELECT instance_id FROM dicomgw.instance_header_default', ARRAY[1, 4]::bigint[], 'the others stay');
SELECT bag_eq($$ SELECT instance_id, header ->> 'day' FROM dicomgw.instance_header WHERE received_at < '2002-01-01' $$,
              $$ VALUES (1::bigint, 'before'), (2, 'it'), (3, 'it'), (4, 'after') $$, 'nothing is lost, nothing is altered');
INSERT INTO dicomgw.instance_header (instance_id, received_at, header) VALUES (5, '2001-02-03 12:00:00+00', '{}');
SELECT is((SELECT tableoid::regclass::text FROM dicomgw.instance_header WHERE instance_id = 5), 'dicomgw.instance_header_20010203',
          'a row that comes now finds its partition');
SELECT is(dicomgw._create_partition('routing_decision', '2001-02-03'), true, 'a decision''s day');
INSERT INTO dicomgw.routing_decision (instance_id, decided_at, matched) VALUES (1, '2001-02-03 12:00:00+00', '{}');
SELECT throws_ok($$ INSERT INTO dicomgw.routing_decision (instance_id, decided_at, matched) VALUES (1, '2001-02-03 12:00:00+00', '{}') $$,
                 '23505', NULL, 'has the primary key of its table');
INSERT INTO dicomgw.routing_decision (instance_id, matched) VALUES (1, '{}');
SELECT is((SELECT tableoid::regclass::text FROM dicomgw.routing_decision WHERE decided_at = now()),
          'dicomgw.routing_decision_' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD'), 'today''s rows are in today''s partition');
-- what the receiver does not give is filled in as ever
SELECT is((SELECT count(*) FROM pg_attribute p JOIN pg_attribute t ON t.attrelid = 'dicomgw.forward_history'::regclass AND t.attname = p.attname
           WHERE p.attrelid = 'dicomgw.forward_history_20010203'::regclass AND p.attnum > 0
             AND (p.attnotnull, p.atthasdef, p.atttypid, p.attcompression) IS DISTINCT FROM (t.attnotnull, t.atthasdef, t.atttypid, t.attcompression)),
          0::bigint, 'its columns are those of its table');

-- ---------- dropping ----------

SELECT is(dicomgw._create_partition('instance_header', '2001-02-04'), true, 'the day after');
SELECT is(dicomgw._create_partition('instance_header', '2001-02-05'), true, 'and the next');
SELECT is(dicomgw._drop_partitions('instance_header', '2001-02-03'), 0, 'nothing is older than the oldest');
SELECT is(dicomgw._drop_partitions('instance_header', '2001-02-05'), 2, 'the days before that one are dropped');
SELECT bag_eq($$ SELECT instance_id FROM dicomgw.instance_header WHERE received_at < '2002-01-01' $$, ARRAY[1]::bigint[],
              'with their rows; the default partition stays as it is');
SELECT bag_eq($$ SELECT name FROM pg_temp.partition WHERE parent = 'dicomgw.instance_header' AND name < 'instance_header_2002' $$,
              ARRAY['instance_header_20010205'], 'that day stays');
SELECT isnt(to_regclass('dicomgw.forward_history_20010203'), NULL, 'other tables have theirs');
SELECT is(dicomgw._drop_partitions('instance_header', '2001-02-05'), 0, 'once more: nothing');
-- what only looks like a partition
CREATE TABLE dicomgw.forward_history_20000101 (id integer);
SELECT is(dicomgw._drop_partitions('forward_history', '2001-02-03'), 2, 'only partitions are dropped');
SELECT isnt(to_regclass('dicomgw.forward_history_20000101'), NULL, 'not a table that is called like one');

-- ---------- what maintenance does ----------

SELECT is(dicomgw._maintain_partitions(), 'partitions: 0 created, 0 dropped', 'after the installation there is nothing to do');
SELECT is(dicomgw._maintain_partitions('2095-01-01'), 'partitions: 48 created, 0 dropped', 'in the year 2095 there is');
SELECT is(dicomgw._maintain_partitions('2095-01-02'), 'partitions: 6 created, 0 dropped', 'and on the next day less');
SELECT is(dicomgw._maintain_partitions('2095-01-02'), 'partitions: 0 created, 0 dropped', 'but once');

-- The real settings are the server's; one of the session's own stands in for them.
SELECT set_eq('SELECT setting FROM dicomgw.partitioned', ARRAY['dicomgw.header_retention', 'dicomgw.history_retention'], 'two settings say how long');
SELECT is((SELECT count(*) FROM dicomgw.partitioned p JOIN pg_settings s ON s.name = p.setting AND s.vartype = 'integer' AND s.boot_val = '0'), 6::bigint,
          'which there are, and whose default is for ever');
UPDATE dicomgw.partitioned SET setting = 'dicomgw_test.retention' WHERE table_name <> 'instance_header';
SET LOCAL dicomgw_test.retention = '30';
SELECT matches(dicomgw._maintain_partitions('2095-02-02'), '^partitions: 48 created, \d+ dropped$', '30 days are kept');
SELECT is((SELECT min(name) FROM pg_temp.partition WHERE parent = 'dicomgw.forward_history' AND name !~ 'default'), 'forward_history_20950103',
          'the oldest is that of 30 days ago');
SELECT is((SELECT count(*) FROM pg_temp.partition WHERE parent = 'dicomgw.routing_decision' AND name < 'routing_decision_20950103'), 0::bigint,
          'of every table with this setting');
SELECT isnt(to_regclass('dicomgw.instance_header_20950101'), NULL, 'and of no other');

SELECT * FROM finish();
ROLLBACK;
