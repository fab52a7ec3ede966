/*
 * Routes that send a series or a study together: what they took waits here
 * until it is complete.
 *
 *	route takes objects --> gathering --> quiet for a while, or all there --> completion, jobs
 *	                          |   ^
 *	                          |   +-- what comes later: another gathering, another round
 *	                          +-- the route is disabled or deleted: completion without jobs
 *
 * All of it is rows, so nothing is forgotten by a restart.  The quiet time
 * counts from when the router last filed an object there, not from its
 * receipt: a backlog is not mistaken for silence.
 */
CREATE TABLE dicomgw.gathering (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    route_id  integer NOT NULL,
    study_id  bigint NOT NULL REFERENCES dicomgw.study,
    series_id bigint REFERENCES dicomgw.series,
    instances integer NOT NULL,
    expected  integer,
    first_at  timestamptz NOT NULL,
    last_at   timestamptz NOT NULL,
    CONSTRAINT gathering_is_unique_for_route_and_study_or_series UNIQUE NULLS NOT DISTINCT (study_id, route_id, series_id)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
COMMENT ON TABLE dicomgw.gathering IS
    'Studies and series of which a route has taken objects, and which are not complete yet; see dicomgw.gathering_status';
COMMENT ON COLUMN dicomgw.gathering.id IS 'number of the gathering';
COMMENT ON COLUMN dicomgw.gathering.route_id IS 'the route';
COMMENT ON COLUMN dicomgw.gathering.study_id IS 'the study';
COMMENT ON COLUMN dicomgw.gathering.series_id IS 'the series; NULL: all of the study';
COMMENT ON COLUMN dicomgw.gathering.instances IS 'objects that the route has taken';
COMMENT ON COLUMN dicomgw.gathering.expected IS 'it is complete when so many instances were received; NULL: not known';
COMMENT ON COLUMN dicomgw.gathering.first_at IS 'when the first object was taken';
COMMENT ON COLUMN dicomgw.gathering.last_at IS 'when the last object was taken';

CREATE TABLE dicomgw.gathering_instance (
    gathering_id bigint REFERENCES dicomgw.gathering,
    instance_id  bigint REFERENCES dicomgw.instance,
    PRIMARY KEY (gathering_id, instance_id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX gathering_instance_instance_id_idx ON dicomgw.gathering_instance (instance_id);
COMMENT ON TABLE dicomgw.gathering_instance IS 'The objects that wait until their series or study is complete; retention leaves them alone';
COMMENT ON COLUMN dicomgw.gathering_instance.gathering_id IS 'what it waits for';
COMMENT ON COLUMN dicomgw.gathering_instance.instance_id IS 'the object';

CREATE TABLE dicomgw.completion (
    study_id     bigint NOT NULL,
    series_id    bigint,
    route_id     integer NOT NULL,
    round        integer NOT NULL,
    reason       text NOT NULL,
    instances    integer NOT NULL,
    expected     integer,
    first_at     timestamptz NOT NULL,
    last_at      timestamptz NOT NULL,
    completed_at timestamptz NOT NULL DEFAULT now()
) PARTITION BY RANGE (completed_at);
CREATE INDEX completion_study_id_route_id_idx ON dicomgw.completion (study_id, route_id);
COMMENT ON TABLE dicomgw.completion IS 'Studies and series that were complete for a route; one partition a day';
COMMENT ON COLUMN dicomgw.completion.study_id IS 'the study';
COMMENT ON COLUMN dicomgw.completion.series_id IS 'the series; NULL: all of the study';
COMMENT ON COLUMN dicomgw.completion.route_id IS 'the route';
COMMENT ON COLUMN dicomgw.completion.round IS '1: the first time; then: of what came later';
COMMENT ON COLUMN dicomgw.completion.reason IS
    'quiet: nothing came any more; expected: all of them were there; by …: a person said so; route disabled, route deleted: it was sent nowhere';
COMMENT ON COLUMN dicomgw.completion.instances IS 'objects of this round';
COMMENT ON COLUMN dicomgw.completion.expected IS 'instances that it was to have in all; NULL: not known';
COMMENT ON COLUMN dicomgw.completion.first_at IS 'when the first object was taken';
COMMENT ON COLUMN dicomgw.completion.last_at IS 'when the last object was taken';
COMMENT ON COLUMN dicomgw.completion.completed_at IS 'when it was complete';

CREATE VIEW dicomgw.gathering_status AS
    SELECT g.id AS gathering_id, coalesce(r.name, 'route ' || g.route_id) AS route,
           s.study_instance_uid, e.series_instance_uid, g.first_at AS since, g.last_at,
           CASE WHEN c.code IN ('complete', 'wait') THEN g.last_at + r.quiet_period END AS due_at,
           g.instances, coalesce(e.instances, s.instances) AS received, g.expected,
           c.code AS reason_code,
           CASE c.code
               WHEN 'deleted' THEN 'the route was deleted'
               WHEN 'disabled' THEN 'the route is disabled'
               WHEN 'group' THEN format('destination group "%s" has no members', r.destination_group)
               WHEN 'routing' THEN 'routing is switched off (dicomgw.routing)'
               WHEN 'complete' THEN 'is complete, and waits for the router'
               ELSE concat('waits until nothing more comes for ', r.quiet_period,
                           CASE WHEN g.expected IS NOT NULL
                                THEN format('; %s of %s instances were received', coalesce(e.instances, s.instances), g.expected) END)
           END AS reason
    FROM dicomgw.gathering g
    JOIN dicomgw.study s ON s.id = g.study_id
    LEFT JOIN dicomgw.series e ON e.id = g.series_id
    LEFT JOIN dicomgw.route r ON r.id = g.route_id
    CROSS JOIN LATERAL (
        SELECT CASE WHEN NOT coalesce(current_setting('dicomgw.routing', true), 'on')::boolean THEN 'routing'
                    WHEN r.id IS NULL THEN 'deleted'
                    WHEN NOT r.enabled THEN 'disabled'
                    WHEN r.destination IS NULL
                     AND NOT EXISTS (SELECT FROM dicomgw.destination_group_member m WHERE m.destination_group = r.destination_group)
                    THEN 'group'
                    WHEN g.last_at + r.quiet_period <= now() THEN 'complete'
                    ELSE 'wait' END AS code
    ) c;
COMMENT ON VIEW dicomgw.gathering_status IS 'What waits until its series or study is complete: since when, until when, and for what';
COMMENT ON COLUMN dicomgw.gathering_status.gathering_id IS 'number of the gathering';
COMMENT ON COLUMN dicomgw.gathering_status.route IS 'the route that took the objects';
COMMENT ON COLUMN dicomgw.gathering_status.study_instance_uid IS 'Study Instance UID';
COMMENT ON COLUMN dicomgw.gathering_status.series_instance_uid IS 'Series Instance UID; NULL: all of the study';
COMMENT ON COLUMN dicomgw.gathering_status.since IS 'when the first object was taken';
COMMENT ON COLUMN dicomgw.gathering_status.last_at IS 'when the last object was taken';
COMMENT ON COLUMN dicomgw.gathering_status.due_at IS 'when it is complete, if nothing more comes';
COMMENT ON COLUMN dicomgw.gathering_status.instances IS 'objects that the route has taken';
COMMENT ON COLUMN dicomgw.gathering_status.received IS 'objects received of the series or study, whichever route took them, repeated ones counted each time';
COMMENT ON COLUMN dicomgw.gathering_status.expected IS 'instances that it is to have; NULL: not known';
COMMENT ON COLUMN dicomgw.gathering_status.reason_code IS 'wait, complete, routing (switched off), group (without members), disabled or deleted (the route)';
COMMENT ON COLUMN dicomgw.gathering_status.reason IS 'the same in words';

-- ---------- the router ----------

CREATE FUNCTION dicomgw._gather(p_instance_id bigint[], p_route_id integer[], p_expected integer[]) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_ids bigint[];
BEGIN
    IF cardinality(p_instance_id) = 0 THEN
        RETURN 0;
    END IF;

    WITH object AS MATERIALIZED (
        SELECT m.instance_id, m.route_id, CASE WHEN m.expected > 0 THEN m.expected END AS expected,
               s.study_id, CASE r.trigger WHEN 'series' THEN s.id END AS series_id
        FROM unnest(p_instance_id, p_route_id, p_expected) AS m(instance_id, route_id, expected)
        JOIN dicomgw.route r ON r.id = m.route_id
        JOIN dicomgw.instance i ON i.id = m.instance_id
        JOIN dicomgw.series s ON s.id = i.series_id
    ), touched AS (
        INSERT INTO dicomgw.gathering AS g (route_id, study_id, series_id, instances, expected, first_at, last_at)
        SELECT o.route_id, o.study_id, o.series_id, count(*), max(o.expected), now(), now()
        FROM object o GROUP BY o.route_id, o.study_id, o.series_id
        ORDER BY o.study_id, o.route_id, o.series_id
        ON CONFLICT (study_id, route_id, series_id) DO UPDATE
            SET instances = g.instances + excluded.instances,
                expected = greatest(g.expected, excluded.expected),
                last_at = greatest(g.last_at, excluded.last_at)
        RETURNING g.id, g.route_id, g.study_id, g.series_id
    ), kept AS (
        INSERT INTO dicomgw.gathering_instance (gathering_id, instance_id)
        SELECT t.id, o.instance_id
        FROM object o
        JOIN touched t ON t.route_id = o.route_id AND t.study_id = o.study_id AND t.series_id IS NOT DISTINCT FROM o.series_id
    )
    SELECT array_agg(t.id) INTO v_ids FROM touched t;

    -- What was received counts, whichever route took it; an object that was sent twice counts once.  That all
    -- were there can be said once: what comes after it has to be waited for.
    RETURN dicomgw._complete(ARRAY(
        SELECT g.id
        FROM dicomgw.gathering g
        JOIN dicomgw.study s ON s.id = g.study_id
        LEFT JOIN dicomgw.series e ON e.id = g.series_id
        WHERE g.id = ANY (v_ids) AND g.expected <= coalesce(e.instances, s.instances)
          AND NOT EXISTS (SELECT FROM dicomgw.completion c
                          WHERE c.study_id = g.study_id AND c.route_id = g.route_id
                            AND c.series_id IS NOT DISTINCT FROM g.series_id AND c.reason = 'expected')
          AND g.expected <= (SELECT count(DISTINCT i.sop_instance_uid)
                             FROM dicomgw.series x JOIN dicomgw.instance i ON i.series_id = x.id
                             WHERE x.study_id = g.study_id AND (g.series_id IS NULL OR x.id = g.series_id))
        ORDER BY g.id), 'expected');
END
$$;
COMMENT ON FUNCTION dicomgw._gather(bigint[], integer[], integer[]) IS
    'Router: keeps objects for routes until their series or study is complete; makes the jobs of those of which all is there, returns how many';

CREATE FUNCTION dicomgw._let_go(p_ids bigint[]) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    INSERT INTO dicomgw.routing_decision (instance_id, decided_at, matched, gathered, errors)
    SELECT l.instance_id, clock_timestamp(),
           ARRAY(SELECT u.id FROM unnest(d.matched) AS u(id) WHERE u.id <> ALL (l.routes)),
           nullif(ARRAY(SELECT u.id FROM unnest(d.gathered) AS u(id) WHERE u.id <> ALL (l.routes)), '{}'),
           coalesce(d.errors, '{}') || l.errors
    FROM (SELECT o.instance_id, array_agg(g.route_id) AS routes,
                 jsonb_object_agg(coalesce(r.name, 'route ' || g.route_id),
                                  format('the route was %s before the %s was complete',
                                         CASE WHEN r.id IS NULL THEN 'deleted' ELSE 'disabled' END,
                                         CASE WHEN g.series_id IS NULL THEN 'study' ELSE 'series' END)) AS errors
          FROM dicomgw.gathering g
          LEFT JOIN dicomgw.route r ON r.id = g.route_id
          JOIN dicomgw.gathering_instance o ON o.gathering_id = g.id
          WHERE g.id = ANY (p_ids) AND r.enabled IS NOT TRUE
          GROUP BY o.instance_id) l
    LEFT JOIN LATERAL (SELECT x.matched, x.gathered, x.errors FROM dicomgw.routing_decision x
                       WHERE x.instance_id = l.instance_id
                       ORDER BY x.decided_at DESC LIMIT 1) d ON true;
END;
COMMENT ON FUNCTION dicomgw._let_go(bigint[]) IS
    'Router: records that objects of these gatherings go nowhere, as far as their routes are disabled or deleted';

CREATE FUNCTION dicomgw._complete(p_ids bigint[], p_reason text) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_instances bigint[];
    v_routes    integer[];
BEGIN
    IF cardinality(p_ids) = 0 THEN
        RETURN 0;
    END IF;
    -- Somebody may be adding to one of them, or completing it: from here on nobody is.
    PERFORM FROM dicomgw.gathering g WHERE g.id = ANY (p_ids) ORDER BY g.id FOR UPDATE;

    INSERT INTO dicomgw.completion (study_id, series_id, route_id, round, reason, instances, expected, first_at, last_at)
    SELECT g.study_id, g.series_id, g.route_id,
           1 + (SELECT count(*) FROM dicomgw.completion c
                WHERE c.study_id = g.study_id AND c.route_id = g.route_id AND c.series_id IS NOT DISTINCT FROM g.series_id),
           CASE WHEN r.id IS NULL THEN 'route deleted' WHEN NOT r.enabled THEN 'route disabled' ELSE p_reason END,
           g.instances, g.expected, g.first_at, g.last_at
    FROM dicomgw.gathering g LEFT JOIN dicomgw.route r ON r.id = g.route_id
    WHERE g.id = ANY (p_ids);

    SELECT coalesce(array_agg(o.instance_id), '{}'), coalesce(array_agg(g.route_id), '{}') INTO v_instances, v_routes
    FROM dicomgw.gathering g
    JOIN dicomgw.route r ON r.id = g.route_id AND r.enabled
    JOIN dicomgw.gathering_instance o ON o.gathering_id = g.id
    WHERE g.id = ANY (p_ids);
    PERFORM dicomgw._let_go(p_ids);

    DELETE FROM dicomgw.gathering_instance o WHERE o.gathering_id = ANY (p_ids);
    DELETE FROM dicomgw.gathering g WHERE g.id = ANY (p_ids);
    RETURN dicomgw._make_jobs(v_instances, v_routes);
END
$$;
COMMENT ON FUNCTION dicomgw._complete(bigint[], text) IS
    'Router: makes the jobs of all that was gathered there, returns how many; what belongs to a route that is disabled or deleted is let go of';

CREATE FUNCTION dicomgw._complete_due(p_limit integer DEFAULT 20, OUT jobs integer, OUT next_at timestamptz)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_ids bigint[];
BEGIN
    -- What somebody else is completing is not waited for.
    v_ids := ARRAY(SELECT g.id FROM dicomgw.gathering g
                   WHERE g.id IN (SELECT s.gathering_id FROM dicomgw.gathering_status s
                                  WHERE s.reason_code IN ('complete', 'disabled', 'deleted'))
                   ORDER BY g.id LIMIT p_limit FOR UPDATE SKIP LOCKED);
    jobs := dicomgw._complete(v_ids, 'quiet');
    next_at := CASE WHEN cardinality(v_ids) = p_limit THEN now()
                    ELSE (SELECT min(s.due_at) FROM dicomgw.gathering_status s WHERE s.reason_code = 'wait') END;
END
$$;
COMMENT ON FUNCTION dicomgw._complete_due(integer) IS
    'Router: completes what has been quiet for long enough, at most so many; returns how many jobs, and when to look again';

-- ---------- a person ----------

CREATE FUNCTION dicomgw.complete_study(study_instance_uid text, OUT completed bigint, OUT jobs bigint)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_study bigint := dicomgw._study_id(study_instance_uid);
    v_ids   bigint[];
    v_empty text;
BEGIN
    v_ids := ARRAY(SELECT g.id FROM dicomgw.gathering g WHERE g.study_id = v_study ORDER BY g.id FOR UPDATE);
    SELECT s.reason INTO v_empty FROM dicomgw.gathering_status s WHERE s.gathering_id = ANY (v_ids) AND s.reason_code = 'group' LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '%', v_empty USING ERRCODE = 'PT409';
    END IF;
    completed := cardinality(v_ids);
    jobs := dicomgw._complete(v_ids, format('by %s', dicomgw.actor()));
    PERFORM dicomgw._audit('complete_study', format('study %s', study_instance_uid),
                           jsonb_build_object('completed', completed, 'jobs', jobs));
    PERFORM dicomgw.notify_work();
END
$$;
COMMENT ON FUNCTION dicomgw.complete_study(text) IS
    'Sends what waits for this study, or a series of it, to be complete; returns for how many routes and series it did so, and how many jobs that made. What comes later is sent when that is complete';
