-- The first page of every list that grows with the history costs a few looks by index, not a
-- walk through all of it; here with 200,000 ended jobs in eleven days.

\set ON_ERROR_STOP 1
SET client_min_messages = error;
SET jit = off; -- as it is for requests by HTTP
CREATE EXTENSION pgtap;
CREATE EXTENSION dicomgw;
BEGIN;
SELECT dicomgw.create_roles();

SELECT count(dicomgw._create_partition(t, (now() AT TIME ZONE 'UTC')::date - d)) > 0 AS made
FROM unnest('{forward_history,forward_attempt,routing_decision,association_history}'::text[]) t, generate_series(0, 10) d;
INSERT INTO dicomgw.destination (name, host, port, ae_title)
SELECT n, '127.0.0.1', 1, upper(n) FROM unnest('{d0,d1,d2,d3,rare}'::text[]) n;
INSERT INTO dicomgw.study (study_instance_uid, patient_id, instances, first_received_at, last_received_at)
SELECT '1.2.' || i, 'P' || i / 2, 20, now(), now() FROM generate_series(1, 2500) i;
INSERT INTO dicomgw.series (study_id, series_instance_uid, modality, instances)
SELECT s.id, s.study_instance_uid || '.1', 'CT', 20 FROM dicomgw.study s ORDER BY s.id;
INSERT INTO dicomgw.series_scope SELECT r.study_id, r.id, 'CT' || r.id % 10, '' FROM dicomgw.series r;
INSERT INTO dicomgw.instance (id, series_id, received_at, calling_ae, called_ae, sop_class_uid, sop_instance_uid, transfer_syntax_uid, file_path, size, sha256)
SELECT i, (SELECT min(id) FROM dicomgw.series) + (i - 1) / 20, now() - interval '10 days' * (1 - i / 50000.0), 'CT' || (i / 20) % 10, 'DICOMGW', '1.2',
       '1.2.' || i || '.9', '1.2.840.10008.1.2.1', i::text, 1000, '\x00'
FROM generate_series(1, 50000) i;
INSERT INTO dicomgw.routing_decision (instance_id, decided_at, matched)
SELECT i.id, i.received_at, CASE WHEN i.id % 5000 = 0 THEN '{}' ELSE '{1}'::integer[] END FROM dicomgw.instance i;
INSERT INTO dicomgw.forward_history (job_id, instance_id, destination, outcome, created_at, ended_at, attempts)
SELECT i.id * 4 + n, i.id, CASE WHEN i.id % 5000 = 0 THEN 'rare' ELSE 'd' || n END, CASE WHEN i.id % 2500 = 1 THEN 'cancelled' ELSE 'sent' END,
       i.received_at, i.received_at + n * interval '1 s', 1
FROM dicomgw.instance i, generate_series(0, 3) n;
INSERT INTO dicomgw.forward_attempt (job_id, instance_id, destination, attempted_at, attempt, status, error)
SELECT i.id * 4, i.id, CASE WHEN i.id % 5000 = 0 THEN 'rare' ELSE 'd0' END, i.received_at, 1, 42752, 'A700H' FROM dicomgw.instance i;
INSERT INTO dicomgw.association_history
    (id, listener_id, peer_address, peer_port, calling_ae, started_at, ended_at, objects, bytes, outcome)
SELECT i, 1, '192.0.2.1', 1, CASE WHEN i % 5000 = 0 THEN 'RARE' ELSE 'CT' || i % 10 END, t, t, 1, 1, 'released'
FROM generate_series(1, 20000) i, LATERAL (SELECT now() - interval '10 days' * (1 - i / 20000.0) AS t) x;
INSERT INTO dicomgw.forward_job (instance_id, destination_id)
SELECT i.id, d.id FROM dicomgw.instance i, dicomgw.destination d WHERE i.id % 5 = 0 AND d.name IN ('d0', 'd1');
INSERT INTO dicomgw.dead_letter (id, instance_id, destination_id, priority, created_at, attempts, error)
SELECT 1000000 + i.id, i.id, (SELECT d.id FROM dicomgw.destination d WHERE d.name = 'd2'), 5, now(), 1, 'A900H' FROM dicomgw.instance i WHERE i.id % 10 = 0;
ANALYZE;
SELECT plan(24);

-- The blocks that a query touches; the tables that it reads from end to end, though they are large.
CREATE FUNCTION pg_temp.cost(p_query text, OUT blocks bigint, OUT scanned text)
LANGUAGE plpgsql AS $$
DECLARE
    v_plan jsonb;
BEGIN
    EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) ' || p_query INTO v_plan;
    blocks := (v_plan -> 0 -> 'Plan' ->> 'Shared Hit Blocks')::bigint + (v_plan -> 0 -> 'Plan' ->> 'Shared Read Blocks')::bigint;
    SELECT string_agg(n ->> 'Relation Name', ', ') INTO scanned
    FROM jsonb_path_query(v_plan, 'strict $.**') n
    WHERE jsonb_typeof(n) = 'object' AND n ->> 'Node Type' = 'Seq Scan' AND (n ->> 'Actual Loops')::bigint > 0
      AND (n ->> 'Actual Rows')::bigint + coalesce((n ->> 'Rows Removed by Filter')::bigint, 0) > 500;
END
$$;
GRANT EXECUTE ON FUNCTION pg_temp.cost(text) TO dicomgw_viewer;
CREATE FUNCTION pg_temp.is_cheap(p_query text, p_blocks bigint, p_what text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v record;
BEGIN
    PERFORM pg_temp.cost(p_query); -- fills the caches
    SET LOCAL ROLE dicomgw_viewer;
    SELECT * INTO v FROM pg_temp.cost(p_query);
    RESET ROLE;
    RETURN ok(v.blocks < p_blocks AND v.scanned IS NULL, p_what)
           || CASE WHEN v.blocks < p_blocks AND v.scanned IS NULL THEN '' ELSE E'\n' || diag(format('%s blocks, scanned: %s', v.blocks, v.scanned)) END;
END
$$;
SET LOCAL search_path = dicomgw_api, public;

SELECT pg_temp.is_cheap('SELECT * FROM study ORDER BY id DESC LIMIT 50', 8000, 'studies');
SELECT pg_temp.is_cheap($$ SELECT * FROM study WHERE patient_id = 'P500' ORDER BY id DESC LIMIT 50 $$, 1000, 'studies of a patient');
SELECT pg_temp.is_cheap($$ SELECT * FROM study WHERE study_instance_uid = '1.2.500' $$, 800, 'a study');
SELECT pg_temp.is_cheap('SELECT * FROM series ORDER BY id DESC LIMIT 50', 800, 'series');
SELECT pg_temp.is_cheap('SELECT * FROM instance ORDER BY id DESC LIMIT 50', 800, 'instances');
SELECT pg_temp.is_cheap('SELECT * FROM job ORDER BY job_id DESC LIMIT 50', 2500, 'jobs');
SELECT pg_temp.is_cheap('SELECT * FROM job ORDER BY job_id LIMIT 50', 10000, 'the oldest jobs');
SELECT pg_temp.is_cheap($$ SELECT * FROM job WHERE study_instance_uid = '1.2.500' ORDER BY job_id DESC LIMIT 50 $$, 5000, 'jobs of a study');
SELECT pg_temp.is_cheap('SELECT * FROM forward_history ORDER BY ended_at DESC, job_id DESC LIMIT 50', 2500, 'ended jobs');
SELECT pg_temp.is_cheap($$ SELECT * FROM forward_history WHERE destination = 'd1' ORDER BY ended_at DESC, job_id DESC LIMIT 50 $$, 2500,
                        'ended jobs of a destination');
SELECT pg_temp.is_cheap($$ SELECT * FROM forward_history WHERE destination = 'rare' ORDER BY ended_at DESC, job_id DESC LIMIT 50 $$, 2500,
                        'of a destination that has few');
SELECT pg_temp.is_cheap($$ SELECT * FROM forward_history WHERE outcome = 'cancelled' ORDER BY ended_at DESC, job_id DESC LIMIT 50 $$, 2500,
                        'of those that were cancelled');
SELECT pg_temp.is_cheap($$ SELECT * FROM forward_history WHERE ended_at < now() - interval '5 days' ORDER BY ended_at DESC, job_id DESC LIMIT 50 $$,
                        2500, 'the next page of them');
SELECT pg_temp.is_cheap($$ SELECT * FROM forward_history WHERE study_instance_uid = '1.2.500' ORDER BY ended_at DESC, job_id DESC LIMIT 50 $$,
                        3000, 'of a study');
SELECT pg_temp.is_cheap($$ SELECT * FROM forward_history WHERE patient_id = 'P500' ORDER BY ended_at DESC, job_id DESC LIMIT 50 $$, 4000,
                        'of a patient');
SELECT pg_temp.is_cheap('SELECT * FROM forward_attempt ORDER BY attempted_at DESC, job_id DESC LIMIT 50', 2500, 'attempts');
SELECT pg_temp.is_cheap($$ SELECT * FROM forward_attempt WHERE destination = 'rare' ORDER BY attempted_at DESC, job_id DESC LIMIT 50 $$, 2500,
                        'attempts at a destination');
SELECT pg_temp.is_cheap('SELECT * FROM routing_decision ORDER BY instance_id DESC, decided_at DESC LIMIT 50', 2500, 'decisions');
SELECT pg_temp.is_cheap($$ SELECT * FROM routing_decision WHERE study_instance_uid = '1.2.500' ORDER BY instance_id DESC, decided_at DESC LIMIT 50 $$,
                        3000, 'decisions of a study');
-- It looks at all that no route took, which are few, and not for each of them at everything else.
SELECT cmp_ok((pg_temp.cost('SELECT * FROM unrouted ORDER BY instance_id DESC LIMIT 50')).blocks, '<', 2500::bigint, 'what no route took');
SELECT pg_temp.is_cheap('SELECT * FROM association ORDER BY ended_at DESC LIMIT 50', 1000, 'associations');
SELECT pg_temp.is_cheap($$ SELECT * FROM association WHERE calling_ae = 'RARE' ORDER BY ended_at DESC LIMIT 50 $$, 1000, 'associations of a caller');

-- ---------- this test can fail ----------

DROP INDEX dicomgw.forward_history_destination_idx, dicomgw.forward_history_ended_at_idx;
SELECT isnt((pg_temp.cost($$ SELECT * FROM forward_history WHERE destination = 'rare' ORDER BY ended_at DESC, job_id DESC LIMIT 50 $$)).scanned, NULL,
            'without an index all of it is read');
SELECT cmp_ok((pg_temp.cost($$ SELECT * FROM forward_history ORDER BY ended_at DESC, job_id DESC LIMIT 50 $$)).blocks, '>', 2500::bigint,
              'which is seen by the blocks, too');

SELECT * FROM finish();
ROLLBACK;
