-- What it costs to claim a job and to record its end, in pages looked at: the same beside a
-- long queue for somebody else, and while a session holds an old snapshot, so that nothing
-- of what was sent before can be cleared away.

\set ON_ERROR_STOP 1
SET client_min_messages = error;
CREATE EXTENSION pgtap;
CREATE EXTENSION dblink;
CREATE EXTENSION dicomgw;
SELECT plan(6);

INSERT INTO dicomgw.destination (id, name, host, ae_title) VALUES (1, 'pacs', 'pacs.example', 'PACS'), (2, 'dead', 'dead.example', 'DEAD');
INSERT INTO dicomgw.instance (id, received_at, calling_ae, called_ae, sop_class_uid, sop_instance_uid,
                              transfer_syntax_uid, file_path, size, sha256)
SELECT i, now(), 'CT1', 'DICOMGW', '1.2.840.10008.5.1.4.1.1.2', '1.2.' || i, '1.2.840.10008.1.2', 'file' || i, 1, ''
FROM generate_series(1, 100) i;

CREATE FUNCTION pg_temp.pages(query text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    v_plan json;
BEGIN
    EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ' || query INTO v_plan;
    RETURN (v_plan->0->'Plan'->>'Shared Hit Blocks')::integer + (v_plan->0->'Plan'->>'Shared Read Blocks')::integer;
END $$;

CREATE FUNCTION pg_temp.enqueue(destination integer, n integer) RETURNS void LANGUAGE sql AS $$
    INSERT INTO dicomgw.forward_job (instance_id, destination_id) SELECT 1 + i % 100, destination FROM generate_series(1, n) i
$$;

-- Pages a claim of 32 jobs and the record of their end look at, from this number on.
CREATE FUNCTION pg_temp.claim_pages(first bigint) RETURNS integer LANGUAGE sql AS $$
    SELECT pg_temp.pages(format('SELECT * FROM dicomgw._claim(1, %L, 32, ''1 minute'')',
                                array_fill(9223372036854775807, ARRAY[5]) || first || array_fill(9223372036854775807, ARRAY[4])))
$$;
CREATE FUNCTION pg_temp.record_pages(ids bigint[], token bigint) RETURNS integer LANGUAGE sql AS $$
    SELECT pg_temp.pages(format('SELECT * FROM dicomgw._record_results(%L, array_fill(%s::bigint, %L), array_fill(1, %3$L), array_fill(0, %3$L),
                                 array_fill(''''::text, %3$L), array_fill(''''::text, %3$L), array_fill(''''::text, %3$L), array_fill(1::bigint, %3$L))',
                                ids, token, ARRAY[cardinality(ids)]))
$$;

-- So many jobs, from putting them into the queue to their end, as the forwarder does it; the mean of its rounds.
CREATE PROCEDURE pg_temp.send(n integer, INOUT claim integer, INOUT record integer) LANGUAGE plpgsql AS $$
DECLARE
    v_cursor bigint := (SELECT coalesce(max(id), 0) + 1 FROM dicomgw.forward_job);
    v_ids    bigint[];
    v_token  bigint;
BEGIN
    claim := 0;
    record := 0;
    PERFORM pg_temp.enqueue(1, n);
    COMMIT;
    FOR i IN 1 .. n / 32 LOOP
        claim := claim + pg_temp.claim_pages(v_cursor);
        v_token := (SELECT last_value FROM dicomgw.lease_token_seq);
        v_ids := ARRAY(SELECT id FROM dicomgw.forward_job WHERE id >= v_cursor AND lease_token = v_token ORDER BY id);
        v_cursor := v_ids[32] + 1;
        COMMIT;
        record := record + pg_temp.record_pages(v_ids, v_token);
        COMMIT;
    END LOOP;
    claim := claim / (n / 32);
    record := record / (n / 32);
END $$;

-- The first ones fill the caches of the session.
CALL pg_temp.send(320, NULL, NULL) \gset warm_
CALL pg_temp.send(3200, NULL, NULL) \gset plain_

SELECT pg_temp.enqueue(2, 50000);
CALL pg_temp.send(3200, NULL, NULL) \gset backlog_
SELECT cmp_ok(:backlog_claim, '<=', :plain_claim * 6 / 5, 'a claim beside 50,000 jobs that wait for somebody else costs the same');
SELECT cmp_ok(:backlog_record, '<=', :plain_record * 6 / 5, 'and so does recording results');

SELECT dblink_connect('holder', format('host=%s dbname=%s user=%s', :'HOST', :'DBNAME', :'USER'));
SELECT dblink_exec('holder', 'BEGIN ISOLATION LEVEL REPEATABLE READ');
SELECT n FROM dblink('holder', 'SELECT count(*) FROM dicomgw.forward_job') AS h(n bigint);
CALL pg_temp.send(16000, NULL, NULL) \gset long_
CALL pg_temp.send(3200, NULL, NULL) \gset held_
SELECT cmp_ok(:held_claim, '<=', :plain_claim * 6 / 5, 'a claim while a snapshot is held, after 16,000 jobs, too');
SELECT cmp_ok(:held_record, '<=', :plain_record * 6 / 5, 'and recording results');

-- A test that can't fail proves nothing: who begins at the beginning finds all that was sent.
SELECT pg_temp.enqueue(1, 32);
SELECT cmp_ok(pg_temp.claim_pages(0), '>', 2 * :held_claim, 'without a cursor it is another matter');
SELECT is((SELECT count(*) FROM dicomgw.forward_history WHERE outcome = 'sent'), (320 + 3 * 3200 + 16000)::bigint, 'every job was sent');

SELECT * FROM finish();
