-- Counters, metrics, traffic: what the workers measure is added up once, whenever that is done;
-- it only grows; minutes and hours are those of UTC; the text is what Prometheus reads.

\set ON_ERROR_STOP 1
SET client_min_messages = error;
CREATE EXTENSION pgtap;
CREATE EXTENSION dicomgw;
BEGIN;
SELECT plan(57);
SELECT dicomgw.create_roles();

CREATE FUNCTION pg_temp.counted(p_kind text, p_subject text, p_label text) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', c.objects, c.bytes) FROM dicomgw.counted c WHERE (c.kind, c.subject, c.label) = (p_kind, p_subject, p_label) $$;
CREATE FUNCTION pg_temp.sample(p_sample text) RETURNS text LANGUAGE sql AS $$
    SELECT substr(l, length(p_sample) + 2) FROM regexp_split_to_table(dicomgw.metrics(), '\n') l WHERE starts_with(l, p_sample || ' ') $$;

-- ---------- what the workers measure ----------

UPDATE dicomgw.listener SET name = E'a "b" \\ c\nd';
INSERT INTO dicomgw.destination (name, host, ae_title, retry_first_delay) VALUES ('pacs', 'pacs.example', 'PACS', '1 s');
SELECT dicomgw._ingest(ARRAY[1, 1, 1, 1, 77], ARRAY['CT', 'CT', 'CT', 'CT', 'CT'], ARRAY['X', 'X', 'X', 'X', 'X'],
    array_fill('192.0.2.1'::inet, '{5}'), array_fill('1.2'::text, '{5}'), ARRAY['1.1', '1.2', '1.3', '1.4', '1.5'],
    array_fill('1.2.840.10008.1.2'::text, '{5}'), ARRAY['a', 'b', 'c', 'd', 'e'], ARRAY[1, 10, 100, 1000, 7]::bigint[],
    array_fill('\x00'::bytea, '{5}'), array_fill('{}'::text, '{5}'), array_fill(NULL::text, '{5}'));
SELECT is((SELECT count(*) FROM dicomgw.measurement), 2::bigint, 'a batch is a row for each of its listeners');
SELECT is(pg_temp.counted('received', '77', ''), NULL, 'which is not counted at once');
SELECT is(dicomgw._fold_measurements(), '', 'it is added up');
SELECT is(pg_temp.counted('received', E'a "b" \\ c\nd', ''), '4 1111', 'objects and bytes received');
SELECT is(pg_temp.counted('received', '77', ''), '1 7', 'also by a listener that is gone');
SELECT is((SELECT count(*) FROM dicomgw.measurement), 0::bigint, 'the measurements are gone');
SELECT is(dicomgw._fold_measurements(), '', 'once more');
SELECT is(pg_temp.counted('received', E'a "b" \\ c\nd', ''), '4 1111', 'adds nothing');
SELECT is((SELECT count(*) FROM dicomgw.measurement_fold), 1::bigint, 'one fold is kept');

SELECT dicomgw._file_instances('{1,2,3,4,5}');
INSERT INTO dicomgw.forward_job (instance_id, destination_id, route_id) SELECT n, 1, CASE WHEN n < 4 THEN 1 END FROM generate_series(1, 4) n;
CREATE TEMP TABLE claimed AS SELECT id, token FROM dicomgw._claim(1, array_fill(0::bigint, '{10}'), 10, '1 min');
SELECT is((SELECT string_agg(verdict, ' ' ORDER BY id) FROM dicomgw._record_results(
    ARRAY(SELECT id FROM claimed ORDER BY id), ARRAY(SELECT token FROM claimed ORDER BY id), '{1,1,1,1}', '{0,42752,49152,45056}',
    '{"","","",""}', '{"","","",""}', '{"","","",""}', '{250000,250001,3,100000000000}')), 'sent retry failed sent', 'results of each kind');
SELECT dicomgw._record_results(ARRAY(SELECT id FROM claimed ORDER BY id), ARRAY(SELECT token FROM claimed ORDER BY id), '{1,1,1,1}', '{0,0,0,0}',
    '{"","","",""}', '{"","","",""}', '{"","","",""}', '{1,1,1,1}'); -- late, of a claim that is over
INSERT INTO dicomgw.forward_job (instance_id, destination_id) VALUES (5, 1);
SELECT dicomgw._record_results(ARRAY[c.id], ARRAY[c.token], '{3}', '{0}', '{gone}', '{""}', '{""}', '{0}')
FROM dicomgw._claim(1, array_fill(0::bigint, '{10}'), 10, '1 min') c;
SELECT dicomgw._record_associations('{1,2,3}', '{1,1,1}', array_fill('192.0.2.1'::inet, '{3}'), '{1,2,3}', '{CT,CT,NULL}', '{X,Y,NULL}',
    '{NULL,NULL,NULL}', '{NULL,NULL,NULL}', '{NULL,NULL,NULL}', '{NULL,NULL,NULL}', '{NULL,NULL,NULL}', '{NULL,NULL,NULL}',
    array_fill(now(), '{3}'), array_fill(now(), '{3}'), '{4,0,0}', '{1111,0,0}', '{released,rejected,"turned away"}',
    ARRAY[NULL, 'called AE title not recognised: "Y"', '30 connection(s): too many'], '{t,f,f}', '{1,1,30}');
SELECT dicomgw._fold_measurements();
SELECT is(pg_temp.counted('routed', '', ''), '5 1118', 'objects routed');
SELECT is(pg_temp.counted('sent', 'pacs', '0000H'), '1 1', 'sent');
SELECT is(pg_temp.counted('sent', 'pacs', 'B000H'), '1 1000', 'with a warning');
SELECT is(pg_temp.counted('retried', 'pacs', 'A700H'), '1 10', 'put off');
SELECT is(pg_temp.counted('failed', 'pacs', 'C000H'), '1 100', 'failed');
SELECT is(pg_temp.counted('failed', 'pacs', 'unsendable'), '1 7', 'the peer was not asked');
SELECT is(pg_temp.counted('association', E'a "b" \\ c\nd', 'rejected: called AE title not recognised'), '1 0',
          'a rejection counts under the standard''s words for it, not the caller''s');
SELECT is(pg_temp.counted('association', E'a "b" \\ c\nd', 'turned away'), '30 0', 'connections that were turned away count each');
SELECT is((SELECT sum(objects) FROM dicomgw.counted WHERE kind = 'sent'), (SELECT count(*)::numeric FROM dicomgw.forward_history),
          'sent is what the history has');
SELECT is((SELECT sum(objects) FROM dicomgw.counted WHERE kind = 'failed'), (SELECT count(*)::numeric FROM dicomgw.dead_letter),
          'failed is what became a dead letter');

-- ---------- durations ----------

SELECT is((SELECT string_agg(label || ':' || objects, ' ' ORDER BY label COLLATE "C") FROM dicomgw.counted WHERE kind = 'send'), '+Inf:1 0.25:1',
          'only what was sent; a bound belongs to its bucket; what is longer than all is there, too');
SELECT is((SELECT sum(objects) FROM dicomgw.counted WHERE kind = 'delivery'), 1::numeric, 'delivery is timed of what a route has sent, not of what a person has');
SELECT is((SELECT array_agg(dicomgw._duration_bucket(b)::double precision ORDER BY b) FROM unnest(dicomgw.duration_bounds()) b), dicomgw.duration_bounds(),
          'each bound is in its own bucket');
SELECT is(dicomgw._duration_bucket(-1) || ' ' || dicomgw._duration_bucket(0.00501) || ' ' || dicomgw._duration_bucket(86401), '0.005 0.01 +Inf', 'and what is between and beyond');

-- ---------- the text ----------

CREATE TEMP TABLE line AS SELECT l, n FROM regexp_split_to_table(dicomgw.metrics(), '\n') WITH ORDINALITY AS x(l, n);
SELECT is((SELECT l FROM line ORDER BY n DESC LIMIT 1), '', 'the last line ends, too');
SELECT is_empty($$ SELECT l FROM line WHERE l <> '' AND l !~ '^# (HELP dicomgw_[a-z_]+ .+|TYPE dicomgw_[a-z_]+ (counter|gauge|histogram))$'
                     AND l !~ '^dicomgw_[a-z_]+(\{[a-z]+="([^"\\]|\\["\\n])*"(,[a-z]+="([^"\\]|\\["\\n])*")*\})? -?[0-9.]+$' $$, 'each line is what the format knows');
SELECT is_empty($$ SELECT l FROM line WHERE l ~ '^dicomgw' GROUP BY l, substring(l FROM '^.* ') HAVING count(*) > 1 $$, 'no sample is there twice');
SELECT is_empty($$ SELECT f.name FROM (SELECT n, regexp_replace(substring(l FROM '^[a-z_]+'), '(duration_seconds)_(bucket|sum|count)$', '\1') AS name FROM line WHERE l ~ '^d') f
                   WHERE f.name IS DISTINCT FROM (SELECT substring(t.l FROM '^# TYPE (\S+)') FROM line t WHERE t.n < f.n AND t.l LIKE '# TYPE%' ORDER BY t.n DESC LIMIT 1) $$,
                'each sample stands below the type of its metric');
SELECT set_eq($$ SELECT substring(l FROM '^# HELP (\S+)') FROM line WHERE l LIKE '# HELP%' $$, 'SELECT name FROM dicomgw.metric', 'all metrics are there');
SELECT is_empty($$ SELECT name FROM dicomgw.metric WHERE (type = 'counter') <> (name LIKE '%\_total') $$, 'counters, and no others, end with _total');
SELECT is(pg_temp.sample($$dicomgw_received_objects_total{listener="a \"b\" \\ c\nd"}$$), '4', 'names are escaped, whatever is in them');
SELECT is(pg_temp.sample($$dicomgw_send_duration_seconds_bucket{destination="pacs",le="0.1"}$$), '0', 'buckets are cumulative: none');
SELECT is(pg_temp.sample($$dicomgw_send_duration_seconds_bucket{destination="pacs",le="86400"}$$), '1', 'one');
SELECT is(pg_temp.sample($$dicomgw_send_duration_seconds_bucket{destination="pacs",le="+Inf"}$$), '2', 'all');
SELECT is(pg_temp.sample($$dicomgw_send_duration_seconds_count{destination="pacs"}$$), '2', 'which is their count');
SELECT is(pg_temp.sample($$dicomgw_send_duration_seconds_sum{destination="pacs"}$$), '100000.25', 'and their sum');
SELECT is(pg_temp.sample($$dicomgw_queue_jobs{destination="pacs",state="backoff"}$$), '1', 'what waits');
SELECT is(pg_temp.sample($$dicomgw_queue_jobs{destination="pacs",state="failed"}$$), '2', 'and what failed');
SELECT is(pg_temp.sample('dicomgw_audit_entries_total'), (SELECT coalesce(max(position), 0)::text FROM dicomgw.audit_chain), 'the length of the audit log');

-- ---------- it only grows ----------

TRUNCATE dicomgw.forward_history, dicomgw.forward_attempt, dicomgw.dead_letter;
DELETE FROM dicomgw.forward_job;
DELETE FROM dicomgw.destination;
SELECT is(pg_temp.sample($$dicomgw_sent_objects_total{destination="pacs",status="0000H"}$$), '1', 'history and destination are gone: what was sent was sent');
CREATE TEMP TABLE before AS SELECT kind, subject, label, objects FROM dicomgw.counted;
INSERT INTO dicomgw.measurement (writer, kind, subject, label, objects, bytes)
SELECT 1 + n % 3, 'sent', 'pacs', '0000H', 1, 1 FROM generate_series(1, 1000) n;
SELECT dicomgw._fold_measurements(10);
SELECT is(pg_temp.counted('sent', 'pacs', '0000H'), '31 31', 'a slice of each worker');
SELECT dicomgw._fold_measurements(200);
SELECT dicomgw._fold_measurements(200);
SELECT is(pg_temp.counted('sent', 'pacs', '0000H'), '1001 1001', 'slice by slice: each once');
SELECT is_empty('SELECT * FROM before b LEFT JOIN dicomgw.counted c USING (kind, subject, label) WHERE c.objects IS NULL OR c.objects < b.objects', 'nothing got less');

-- ---------- minutes and hours ----------

TRUNCATE dicomgw.traffic_minute, dicomgw.traffic_hour;
SET LOCAL timezone = 'Asia/Kathmandu'; -- a quarter of an hour off
-- the minute of a boundary; late ones; and the two hours of a night on which clocks are put back in Berlin
CREATE TEMP TABLE day AS SELECT date_trunc('day', now() - interval '2 days', 'UTC') AS day;
INSERT INTO dicomgw.measurement (writer, at, kind, subject, objects, bytes)
SELECT 3, d.day + x.at, x.kind, x.subject, 1, 10
FROM day d, (VALUES ('10:00:59.999999'::interval, 'sent', 'pacs'), ('10:01:00', 'sent', 'pacs'), ('10:59:59.999999', 'failed', 'pacs'), ('11:00:00', 'sent', 'other'),
                    ('10:00:00', 'received', 'in')) AS x(at, kind, subject);
SELECT dicomgw._fold_measurements();
INSERT INTO dicomgw.measurement (writer, at, kind, subject, objects, bytes) SELECT 1, d.day + interval '10:00:30', 'received', 'in', 5, 50 FROM day d;
SELECT dicomgw._fold_measurements();
SELECT results_eq($$ SELECT (t.at - d.day)::text, t.received, t.sent, t.sent_bytes, t.failed FROM day d, dicomgw.time_series(d.day + interval '10:00:10', d.day + interval '10:02') t $$,
                  $$ VALUES ('10:00:00', 6::bigint, 1::bigint, 10::bigint, 0::bigint), ('10:01:00', 0, 1, 10, 0) $$, 'minutes, the late ones where they belong');
SELECT results_eq($$ SELECT (t.at - d.day)::text, t.received, t.sent, t.failed FROM day d, dicomgw.time_series(d.day + interval '9 hours', d.day + interval '12 hours', '1 hour') t $$,
                  $$ VALUES ('09:00:00', 0::bigint, 0::bigint, 0::bigint), ('10:00:00', 6, 2, 1), ('11:00:00', 0, 1, 0) $$, 'hours are UTC''s in any time zone');
SELECT results_eq($$ SELECT t.received, t.sent, t.failed FROM day d, dicomgw.time_series(d.day + interval '10 hours', d.day + interval '12 hours', '1 hour', 'pacs') t $$,
                  $$ VALUES (NULL::bigint, 2::bigint, 1::bigint), (NULL, 0, 0) $$, 'of one destination, which is gone: nothing of what was received');
SELECT is((SELECT array_agg(DISTINCT x.gap) FROM (SELECT t.at - lag(t.at) OVER (ORDER BY t.at) AS gap
           FROM dicomgw.time_series('2026-10-24 00:00+00', '2026-10-27 00:00+00', '1 day') t) x WHERE x.gap IS NOT NULL), ARRAY[interval '24 hours'],
          'a day is 24 hours, also when clocks are changed');
SELECT is((SELECT count(*) FROM day d, dicomgw.time_series(d.day, d.day + interval '1 day') t), 1440::bigint, 'a day has 1440 minutes');
SELECT throws_ok($$ SELECT dicomgw.time_series(now() - interval '6 days', step => '1 minute') $$, '22023', NULL, 'too many rows');
SELECT throws_ok(format('SELECT dicomgw.time_series(%L, step => %L)', now() - interval '1 hour', s), '22023', NULL, 'no step: ' || s)
FROM unnest('{30 seconds,90 seconds,1 month,-1 hour}'::text[]) s;
SELECT throws_ok($$ SELECT dicomgw.time_series(now() - interval '31 days', now() - interval '30 days', '1 minute') $$, '22023', NULL, 'minutes that are gone');
SELECT throws_ok($$ SELECT dicomgw.time_series(now() - interval '1 hour', destination => 'never heard of') $$, '42704', NULL, 'a destination that there never was');

SELECT dicomgw._expire_traffic(d.day + interval '30 days 10:01') FROM day d;
SELECT is((SELECT min(t.at) - d.day FROM dicomgw.traffic_minute t, day d GROUP BY d.day), interval '10:01', 'minutes are kept for 30 days');
SELECT dicomgw._expire_traffic(d.day + interval '11 hours' + interval '2 years') FROM day d;
SELECT is((SELECT min(t.at) - d.day FROM dicomgw.traffic_hour t, day d GROUP BY d.day), interval '11 hours', 'hours for two years');

SELECT * FROM finish();
ROLLBACK;
