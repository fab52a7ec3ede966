/*
 * Counters that last: what was received, routed, sent and failed, and how long
 * it took, whatever retention drops and however often the server restarts.
 *
 * Nothing is counted from history.  A worker adds one row a batch and label to
 * measurement, in the transaction of the batch: what was committed is counted,
 * what was taken back is not.  Maintenance adds them up every few seconds.  No row
 * of any of these tables is ever changed, so nobody waits for a lock, and an
 * old snapshot, under which dead rows stay, costs space and no time: readers
 * begin at the newest end of an index.
 *
 * - measurement: each writer (receiver, router, forwarder) is one process, so its
 *   rows come into sight in the order of their numbers, and a number for each
 *   says how far they have been added up.  What is added up is deleted.
 * - measurement_fold: that number, one row; counter: the sums up to it.  Both are
 *   written anew by each fold, the ones before are deleted.
 */
CREATE SEQUENCE dicomgw.measurement_id_seq AS bigint;
COMMENT ON SEQUENCE dicomgw.measurement_id_seq IS 'Numbers of measurements';

CREATE TABLE dicomgw.measurement (
    writer        smallint NOT NULL,
    id            bigint NOT NULL DEFAULT nextval('dicomgw.measurement_id_seq'),
    at            timestamptz NOT NULL DEFAULT now(),
    kind          text NOT NULL,
    subject       text NOT NULL DEFAULT '',
    label         text NOT NULL DEFAULT '',
    objects       bigint NOT NULL,
    bytes         bigint NOT NULL DEFAULT 0,
    seconds       double precision[],
    since_receipt double precision[],
    PRIMARY KEY (writer, id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_insert_threshold = -1);
COMMENT ON TABLE dicomgw.measurement IS 'What the workers have done since it was last added up: one row a batch and label';
COMMENT ON COLUMN dicomgw.measurement.writer IS '1 receiver, 2 router, 3 forwarder';
COMMENT ON COLUMN dicomgw.measurement.id IS 'grows with each row of a writer';
COMMENT ON COLUMN dicomgw.measurement.at IS 'when: start of the transaction of the batch';
COMMENT ON COLUMN dicomgw.measurement.kind IS 'received, routed, sent, failed, retried, association';
COMMENT ON COLUMN dicomgw.measurement.subject IS 'name of the listener or of the destination at that time';
COMMENT ON COLUMN dicomgw.measurement.label IS 'DIMSE status, or the class of the failure; how an association ended';
COMMENT ON COLUMN dicomgw.measurement.objects IS 'how many objects, attempts or associations';
COMMENT ON COLUMN dicomgw.measurement.bytes IS 'bytes of their datasets';
COMMENT ON COLUMN dicomgw.measurement.seconds IS 'how long each took: from receipt to routing, from C-STORE-RQ to C-STORE-RSP';
COMMENT ON COLUMN dicomgw.measurement.since_receipt IS 'of what was sent because of a route: how long ago each was received';

CREATE TABLE dicomgw.measurement_fold (
    fold      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    folded_at timestamptz NOT NULL DEFAULT now(),
    reached   bigint[] NOT NULL
);
COMMENT ON TABLE dicomgw.measurement_fold IS 'How far measurements are added up: the newest row';
COMMENT ON COLUMN dicomgw.measurement_fold.fold IS 'number of the fold';
COMMENT ON COLUMN dicomgw.measurement_fold.folded_at IS 'when it was made';
COMMENT ON COLUMN dicomgw.measurement_fold.reached IS 'the last measurement of each writer that is in it';
INSERT INTO dicomgw.measurement_fold (reached) VALUES ('{0,0,0}');

CREATE TABLE dicomgw.counter (
    fold    bigint NOT NULL,
    kind    text NOT NULL,
    subject text NOT NULL,
    label   text NOT NULL,
    objects bigint NOT NULL,
    bytes   bigint NOT NULL,
    seconds double precision,
    PRIMARY KEY (fold, kind, subject, label)
);
COMMENT ON TABLE dicomgw.counter IS 'Sums of all measurements up to a fold, since the installation; the newest fold counts';
COMMENT ON COLUMN dicomgw.counter.fold IS 'the fold';
COMMENT ON COLUMN dicomgw.counter.kind IS 'as in measurement; route, send, delivery: durations';
COMMENT ON COLUMN dicomgw.counter.subject IS 'name of the listener or destination';
COMMENT ON COLUMN dicomgw.counter.label IS 'as in measurement; durations: upper bound of their bucket in seconds, or +Inf';
COMMENT ON COLUMN dicomgw.counter.objects IS 'how many';
COMMENT ON COLUMN dicomgw.counter.bytes IS 'bytes of their datasets';
COMMENT ON COLUMN dicomgw.counter.seconds IS 'durations: their sum';

CREATE FUNCTION dicomgw.duration_bounds() RETURNS double precision[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
RETURN '{0.005,0.01,0.025,0.05,0.1,0.25,0.5,1,2.5,5,10,30,60,300,1800,3600,14400,86400}'::double precision[];
COMMENT ON FUNCTION dicomgw.duration_bounds() IS 'Upper bounds of the buckets of durations, in seconds';

-- A bound belongs to the bucket below it, as Prometheus has it; width_bucket would put it above, so it looks from the other side.
CREATE FUNCTION dicomgw._duration_bucket(p_seconds double precision) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
RETURN coalesce((dicomgw.duration_bounds())[19 - width_bucket(-p_seconds,
    '{-86400,-14400,-3600,-1800,-300,-60,-30,-10,-5,-2.5,-1,-0.5,-0.25,-0.1,-0.05,-0.025,-0.01,-0.005}'::double precision[])]::text, '+Inf');
COMMENT ON FUNCTION dicomgw._duration_bucket(double precision) IS
    'Maintenance: upper bound of the bucket of dicomgw.duration_bounds() that a duration is in; +Inf: it is longer than all';

CREATE FUNCTION dicomgw._measured(p_after bigint[], p_up_to bigint[]) RETURNS SETOF dicomgw.measurement
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_bitmapscan = off
BEGIN ATOMIC
    SELECT m.* FROM generate_series(1, 3) AS w(writer)
    CROSS JOIN LATERAL (SELECT x.* FROM dicomgw.measurement x
                        WHERE x.writer = w.writer AND x.id > p_after[w.writer] AND x.id <= p_up_to[w.writer]) m;
END;
COMMENT ON FUNCTION dicomgw._measured(bigint[], bigint[]) IS 'Maintenance: measurements between two folds';

CREATE FUNCTION dicomgw._count_measured(p_after bigint[], p_up_to bigint[],
    OUT kind text, OUT subject text, OUT label text, OUT objects bigint, OUT bytes bigint, OUT seconds double precision)
RETURNS SETOF record
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH fresh AS MATERIALIZED (
        SELECT * FROM dicomgw._measured(p_after, p_up_to)
    )
    SELECT f.kind, f.subject, f.label, sum(f.objects)::bigint, sum(f.bytes)::bigint, NULL::double precision
    FROM fresh f GROUP BY 1, 2, 3
    UNION ALL
    SELECT d.kind, d.subject, dicomgw._duration_bucket(s.seconds), count(*), 0, sum(s.seconds)
    FROM (SELECT CASE f.kind WHEN 'routed' THEN 'route' ELSE 'send' END AS kind, f.subject, f.seconds AS durations FROM fresh f
          UNION ALL
          SELECT 'delivery', f.subject, f.since_receipt FROM fresh f) d
    CROSS JOIN unnest(d.durations) AS s(seconds)
    GROUP BY 1, 2, 3;
END;
COMMENT ON FUNCTION dicomgw._count_measured(bigint[], bigint[]) IS
    'Maintenance: the sums of the measurements between two folds';

-- A slice at a time: who was away for long catches up in turns.
CREATE FUNCTION dicomgw._fold_measurements(p_limit integer DEFAULT 20000) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_bitmapscan = off
AS $$
DECLARE
    v_last  dicomgw.measurement_fold;
    v_up_to bigint[];
    v_fold  bigint;
BEGIN
    LOCK TABLE dicomgw.measurement_fold IN SHARE ROW EXCLUSIVE MODE; -- one at a time
    SELECT f.* INTO STRICT v_last FROM dicomgw.measurement_fold f ORDER BY f.fold DESC LIMIT 1;
    v_up_to := ARRAY(SELECT coalesce((SELECT max(n.id)
                                      FROM (SELECT m.id FROM dicomgw.measurement m WHERE m.writer = w.writer AND m.id > v_last.reached[w.writer]
                                            ORDER BY m.id LIMIT p_limit) n), v_last.reached[w.writer])
                     FROM generate_series(1, 3) AS w(writer) ORDER BY w.writer);
    IF v_up_to = v_last.reached THEN
        RETURN '';
    END IF;

    INSERT INTO dicomgw.measurement_fold (reached) VALUES (v_up_to) RETURNING fold INTO v_fold;
    INSERT INTO dicomgw.counter (fold, kind, subject, label, objects, bytes, seconds)
    SELECT v_fold, u.kind, u.subject, u.label, sum(u.objects), sum(u.bytes), sum(u.seconds)
    FROM (SELECT c.kind, c.subject, c.label, c.objects, c.bytes, c.seconds FROM dicomgw.counter c WHERE c.fold = v_last.fold
          UNION ALL
          SELECT m.* FROM dicomgw._count_measured(v_last.reached, v_up_to) m) u
    GROUP BY u.kind, u.subject, u.label;
    PERFORM dicomgw._fold_traffic(v_last.reached, v_up_to);

    DELETE FROM dicomgw.measurement m USING generate_series(1, 3) AS w(writer)
    WHERE m.writer = w.writer AND m.id > v_last.reached[w.writer] AND m.id <= v_up_to[w.writer];
    DELETE FROM dicomgw.counter c WHERE c.fold = v_last.fold;
    DELETE FROM dicomgw.measurement_fold f WHERE f.fold = v_last.fold;
    RETURN '';
END
$$;
COMMENT ON FUNCTION dicomgw._fold_measurements(integer) IS
    'Maintenance: adds up what was measured since the last time, at most so many rows of each worker, in the counters and in the traffic of each minute and hour';

CREATE VIEW dicomgw.counted AS
    SELECT c.kind, c.subject, c.label, c.objects, c.bytes, c.seconds
    FROM dicomgw.counter c
    WHERE c.fold = (SELECT f.fold FROM dicomgw.measurement_fold f ORDER BY f.fold DESC LIMIT 1);
COMMENT ON VIEW dicomgw.counted IS 'The counters as they are now: a few seconds behind';
COMMENT ON COLUMN dicomgw.counted.kind IS 'received, routed, sent, failed, retried, association; route, send, delivery: durations';
COMMENT ON COLUMN dicomgw.counted.subject IS 'name of the listener or destination at that time';
COMMENT ON COLUMN dicomgw.counted.label IS 'DIMSE status, or the class of the failure; how an association ended; of durations: upper bound of their bucket in seconds, or +Inf';
COMMENT ON COLUMN dicomgw.counted.objects IS 'how many objects, attempts or associations, since the installation';
COMMENT ON COLUMN dicomgw.counted.bytes IS 'bytes of their datasets';
COMMENT ON COLUMN dicomgw.counted.seconds IS 'durations: their sum';
