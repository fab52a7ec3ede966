/*
 * Long work that a person starts and comes back to: replay of many objects, a
 * verb on many jobs, a check of the storage.
 *
 * What a task is about is chosen when it is started and cut into portions, and
 * maintenance does one portion (or one hour of the storage) a transaction
 * (src/task.c).  A portion goes away in the transaction that does it, so whatever
 * crashes and starts again goes on where it was: nothing is done twice, nothing is left out.
 */
CREATE TABLE dicomgw.task (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind        text NOT NULL,
    arguments   jsonb NOT NULL DEFAULT '{}',
    started_by  text NOT NULL DEFAULT dicomgw.actor(),
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at  timestamptz,
    finished_at timestamptz,
    state       text NOT NULL DEFAULT 'waiting',
    done        bigint NOT NULL DEFAULT 0,
    total       bigint,
    message     text,
    result      jsonb NOT NULL DEFAULT '{}',
    bookmark    jsonb,
    CONSTRAINT task_kind_is_known CHECK (kind IN ('replay', 'retry', 'cancel', 'set_priority', 'move', 'check_storage')),
    CONSTRAINT task_state_is_known CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled')),
    CONSTRAINT task_ended_has_time CHECK ((finished_at IS NOT NULL) = (state IN ('done', 'failed', 'cancelled')))
);
CREATE INDEX task_open_idx ON dicomgw.task (id) WHERE state IN ('waiting', 'running');
COMMENT ON TABLE dicomgw.task IS 'Long work that people have started, one at a time in the order of their numbers; what has ended is kept for 30 days';
COMMENT ON COLUMN dicomgw.task.id IS 'number of the task';
COMMENT ON COLUMN dicomgw.task.kind IS 'replay, retry, cancel, set_priority, move or check_storage';
COMMENT ON COLUMN dicomgw.task.arguments IS 'with which arguments it was started';
COMMENT ON COLUMN dicomgw.task.started_by IS 'who started it';
COMMENT ON COLUMN dicomgw.task.created_at IS 'when';
COMMENT ON COLUMN dicomgw.task.started_at IS 'when its turn came';
COMMENT ON COLUMN dicomgw.task.finished_at IS 'when it ended';
COMMENT ON COLUMN dicomgw.task.state IS 'waiting for its turn, running, done, failed (message says why), cancelled by a person';
COMMENT ON COLUMN dicomgw.task.done IS 'how many objects, jobs or files are done';
COMMENT ON COLUMN dicomgw.task.total IS 'of how many; of files it is what the rows say';
COMMENT ON COLUMN dicomgw.task.message IS 'what it waits for, or why it failed';
COMMENT ON COLUMN dicomgw.task.result IS 'what was done so far: counts as the verb of this name answers them';
COMMENT ON COLUMN dicomgw.task.bookmark IS 'where a check of the storage is';

CREATE TABLE dicomgw.task_portion (
    task_id bigint NOT NULL REFERENCES dicomgw.task ON DELETE CASCADE,
    number  integer NOT NULL,
    targets bigint[] NOT NULL,
    PRIMARY KEY (task_id, number)
);
COMMENT ON TABLE dicomgw.task_portion IS 'What tasks still have to do';
COMMENT ON COLUMN dicomgw.task_portion.task_id IS 'the task';
COMMENT ON COLUMN dicomgw.task_portion.number IS 'the place of this portion in it';
COMMENT ON COLUMN dicomgw.task_portion.targets IS 'numbers of objects, or of jobs; done in one transaction';

-- ---------- starting ----------

CREATE FUNCTION dicomgw._start_task(p_kind text, p_target text, p_arguments jsonb, p_targets bigint[], p_total bigint) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    c_portion CONSTANT integer := 500;
    v_task    bigint;
BEGIN
    INSERT INTO dicomgw.task (kind, arguments, total) VALUES (p_kind, jsonb_strip_nulls(p_arguments), p_total) RETURNING id INTO v_task;
    INSERT INTO dicomgw.task_portion (task_id, number, targets)
    SELECT v_task, (u.position - 1) / c_portion, array_agg(u.target ORDER BY u.position)
    FROM unnest(p_targets) WITH ORDINALITY AS u(target, position)
    GROUP BY (u.position - 1) / c_portion;
    PERFORM dicomgw._audit('start ' || p_kind, p_target, jsonb_strip_nulls(p_arguments) || jsonb_build_object('task', v_task, 'total', p_total));
    RETURN v_task;
END
$$;
COMMENT ON FUNCTION dicomgw._start_task(text, text, jsonb, bigint[], bigint) IS 'Verbs: adds a task, and writes to the audit log who started it; returns its number';

CREATE FUNCTION dicomgw._chosen_objects(p_instance_ids bigint[], p_study_instance_uids text[], p_calling_ae text, p_since timestamptz, p_until timestamptz)
RETURNS SETOF bigint
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    v_studies bigint[] := ARRAY(SELECT dicomgw._study_id(u) FROM unnest(p_study_instance_uids) u);
BEGIN
    IF num_nonnulls(p_instance_ids, p_study_instance_uids, p_calling_ae, p_since, p_until) = 0 THEN
        RAISE EXCEPTION 'no objects are named' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Give instance_ids, study_instance_uids, calling_ae, received_since or received_until.';
    END IF;
    RETURN QUERY
    SELECT i.id FROM dicomgw.instance i
    WHERE i.removed_at IS NULL
      AND (p_instance_ids IS NULL OR i.id = ANY (p_instance_ids))
      AND (p_study_instance_uids IS NULL OR i.series_id IN (SELECT s.id FROM dicomgw.series s WHERE s.study_id = ANY (v_studies)))
      AND (p_calling_ae IS NULL OR i.calling_ae = p_calling_ae)
      AND (p_since IS NULL OR i.received_at >= p_since)
      AND (p_until IS NULL OR i.received_at < p_until)
    ORDER BY i.id;
END
$$;
COMMENT ON FUNCTION dicomgw._chosen_objects(bigint[], text[], text, timestamptz, timestamptz) IS
    'Verbs: the objects that a person has named and whose files are kept, in the order of receipt; an error if nothing is named, or a study that there is not';

CREATE FUNCTION dicomgw.count_replay(
    instance_ids bigint[] DEFAULT NULL, study_instance_uids text[] DEFAULT NULL, calling_ae text DEFAULT NULL,
    received_since timestamptz DEFAULT NULL, received_until timestamptz DEFAULT NULL) RETURNS bigint
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
RETURN (SELECT count(*) FROM dicomgw._chosen_objects(instance_ids, study_instance_uids, calling_ae, received_since, received_until));
COMMENT ON FUNCTION dicomgw.count_replay(bigint[], text[], text, timestamptz, timestamptz) IS
    'How many objects start_replay would send, given the same';

CREATE FUNCTION dicomgw.start_replay(
    destination text, instance_ids bigint[] DEFAULT NULL, study_instance_uids text[] DEFAULT NULL, calling_ae text DEFAULT NULL,
    received_since timestamptz DEFAULT NULL, received_until timestamptz DEFAULT NULL, priority integer DEFAULT 5,
    edits_of_route text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_chosen bigint[];
BEGIN
    PERFORM dicomgw._destination_id(destination), dicomgw._edits_of_route(edits_of_route); -- or an error now, not later
    IF priority IS NULL OR priority NOT BETWEEN 0 AND 9 THEN
        RAISE EXCEPTION 'priority % is not between 0 and 9', coalesce(priority::text, 'NULL') USING ERRCODE = 'invalid_parameter_value';
    END IF;
    v_chosen := ARRAY(SELECT dicomgw._chosen_objects(instance_ids, study_instance_uids, calling_ae, received_since, received_until));
    RETURN dicomgw._start_task('replay', format('destination %s', destination),
        jsonb_build_object('destination', destination, 'study_instance_uids', study_instance_uids, 'calling_ae', calling_ae,
                           'received_since', received_since, 'received_until', received_until, 'priority', priority,
                           'edits_of_route', edits_of_route),
        v_chosen, cardinality(v_chosen));
END
$$;
COMMENT ON FUNCTION dicomgw.start_replay(text, bigint[], text[], text, timestamptz, timestamptz, integer, text) IS
    'Sends objects to a destination, whatever was sent before, in the background: these numbers, these studies, from this calling AE title, received in this time; what is named narrows the choice, and something has to be named. Returns the number of the task, see dicomgw.task';

CREATE FUNCTION dicomgw.start_verb(
    verb text, job_id bigint DEFAULT NULL, destination text DEFAULT NULL, study_instance_uid text DEFAULT NULL, route text DEFAULT NULL,
    job_ids bigint[] DEFAULT NULL, priority integer DEFAULT NULL, to_destination text DEFAULT NULL,
    state text DEFAULT NULL, reason_code text DEFAULT NULL, calling_ae text DEFAULT NULL,
    modality text DEFAULT NULL, patient text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_chosen bigint[];
BEGIN
    IF verb IS NULL OR verb NOT IN ('retry', 'cancel', 'set_priority', 'move') THEN
        RAISE EXCEPTION 'there is no verb "%"', verb USING ERRCODE = 'invalid_parameter_value',
            HINT = 'The verbs are retry, cancel, set_priority and move.';
    ELSIF (priority IS NOT NULL) <> (verb = 'set_priority') OR priority NOT BETWEEN 0 AND 9 THEN
        RAISE EXCEPTION 'set_priority, and no other verb, has to be given a priority between 0 and 9' USING ERRCODE = 'invalid_parameter_value';
    ELSIF (to_destination IS NOT NULL) <> (verb = 'move') THEN
        RAISE EXCEPTION 'move, and no other verb, has to be given to_destination' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF verb = 'move' THEN
        PERFORM dicomgw._destination_id(to_destination);
    END IF;
    v_chosen := ARRAY(SELECT c.id FROM dicomgw._chosen_jobs(job_id, destination, study_instance_uid, route, job_ids, state, reason_code, calling_ae, modality, patient) c
                      ORDER BY c.id);
    RETURN dicomgw._start_task(verb,
        concat_ws(', ', 'job ' || job_id, cardinality(job_ids) || ' job(s)', 'destination ' || destination, 'study ' || study_instance_uid,
                  'route ' || route, 'state ' || state, 'reason ' || reason_code, 'calling AE ' || calling_ae, 'modality ' || modality,
                  'patient ' || patient),
        jsonb_build_object('destination', destination, 'study_instance_uid', study_instance_uid, 'route', route, 'priority', priority,
                           'to_destination', to_destination, 'state', state, 'reason_code', reason_code, 'calling_ae', calling_ae,
                           'modality', modality, 'patient', patient),
        v_chosen, cardinality(v_chosen));
END
$$;
COMMENT ON FUNCTION dicomgw.start_verb(text, bigint, text, text, text, bigint[], integer, text, text, text, text, text, text) IS
    'Does retry, cancel, set_priority or move in the background, with the jobs that are chosen now; see the verbs, and count_jobs. Returns the number of the task, see dicomgw.task';

CREATE FUNCTION dicomgw.start_check_storage(remove_orphans boolean DEFAULT true, also_older boolean DEFAULT false) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- NULL is not "keep" when files may be removed.
    IF num_nulls(remove_orphans, also_older) > 0 THEN
        RAISE EXCEPTION 'remove_orphans and also_older have to be true or false' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock('dicomgw.task'::regclass::oid::integer, 0); -- two at a time see one another
    IF EXISTS (SELECT FROM dicomgw.task t WHERE t.kind = 'check_storage' AND t.state IN ('waiting', 'running')) THEN
        RAISE EXCEPTION 'the storage is being checked already' USING ERRCODE = 'unique_violation',
            DETAIL = format('It is task %s.', (SELECT min(t.id) FROM dicomgw.task t WHERE t.kind = 'check_storage' AND t.state IN ('waiting', 'running')));
    END IF;
    RETURN dicomgw._start_task('check_storage', 'storage',
        jsonb_build_object('remove_orphans', remove_orphans, 'also_older', also_older), '{}',
        (SELECT count(*) FROM dicomgw.stored_object) * (SELECT count(*) FROM dicomgw.storage s WHERE s.problem IS NULL));
END
$$;
COMMENT ON FUNCTION dicomgw.start_check_storage(boolean, boolean) IS
    'check_storage() in the background; what it finds is in dicomgw.storage_problem. Returns the number of the task, see dicomgw.task; an error if one is under way';

CREATE FUNCTION dicomgw.cancel_task(task_id bigint) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM dicomgw.task t WHERE t.id = task_id) THEN
        RAISE EXCEPTION 'task % does not exist', task_id USING ERRCODE = 'undefined_object',
            HINT = 'SELECT id, kind, state FROM dicomgw.task lists them.';
    END IF;
    UPDATE dicomgw.task t SET state = 'cancelled', finished_at = clock_timestamp(), message = format('cancelled by %s', dicomgw.actor())
    WHERE t.id = task_id AND t.state IN ('waiting', 'running');
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    DELETE FROM dicomgw.task_portion p WHERE p.task_id = cancel_task.task_id;
    PERFORM dicomgw._audit('cancel task', format('task %s', task_id), '{}');
    RETURN true;
END
$$;
COMMENT ON FUNCTION dicomgw.cancel_task(bigint) IS
    'Ends a task; what it has done stays done. False: it had ended';

-- ---------- doing, by maintenance ----------

CREATE FUNCTION dicomgw._add_counts(p_counts jsonb, p_more jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
RETURN (SELECT p_counts || jsonb_object_agg(m.key, coalesce((p_counts ->> m.key)::bigint, 0) + m.value::bigint) FROM jsonb_each_text(p_more) m);
COMMENT ON FUNCTION dicomgw._add_counts(jsonb, jsonb) IS 'Maintenance: adds up the counts of two objects, name by name';

CREATE FUNCTION dicomgw._do_targets(p_task dicomgw.task, p_targets bigint[]) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_arguments CONSTANT jsonb := p_task.arguments;
BEGIN
    RETURN CASE p_task.kind
        WHEN 'replay' THEN (SELECT to_jsonb(r) FROM dicomgw.replay(p_targets, v_arguments ->> 'destination',
            (v_arguments ->> 'priority')::integer, v_arguments ->> 'edits_of_route') r)
        WHEN 'retry' THEN (SELECT to_jsonb(r) FROM dicomgw.retry(job_ids => p_targets) r)
        WHEN 'cancel' THEN jsonb_build_object('cancelled', dicomgw.cancel(job_ids => p_targets))
        WHEN 'set_priority' THEN jsonb_build_object('changed',
            dicomgw.set_priority((v_arguments ->> 'priority')::integer, job_ids => p_targets))
        WHEN 'move' THEN (SELECT to_jsonb(m) FROM dicomgw.move(v_arguments ->> 'to_destination', job_ids => p_targets) m)
    END;
END
$$;
COMMENT ON FUNCTION dicomgw._do_targets(dicomgw.task, bigint[]) IS 'Maintenance: does with these objects or jobs what the task is about; returns what the verb answers';

-- Each by itself, so that one that fails costs nobody else anything.
CREATE FUNCTION dicomgw._do_one_by_one(INOUT p_task dicomgw.task, p_targets bigint[])
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    c_told   CONSTANT integer := 100;
    v_target bigint;
    v_told   jsonb;
BEGIN
    FOREACH v_target IN ARRAY p_targets LOOP
        BEGIN
            p_task.result := dicomgw._add_counts(p_task.result, dicomgw._do_targets(p_task, ARRAY[v_target]));
        EXCEPTION
            WHEN lock_not_available OR transaction_rollback OR insufficient_resources THEN
                RAISE; -- not this one's fault
            WHEN OTHERS THEN
                v_told := coalesce(p_task.result -> 'failures', '[]');
                p_task.result := dicomgw._add_counts(p_task.result, '{"failed": 1}');
                IF jsonb_array_length(v_told) < c_told THEN
                    p_task.result := p_task.result
                        || jsonb_build_object('failures', v_told || jsonb_build_object('target', v_target, 'error', SQLERRM));
                END IF;
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION dicomgw._do_one_by_one(dicomgw.task, bigint[]) IS
    'Maintenance: does a portion in which something failed; how many is in the result, and of the first hundred which and why';

CREATE FUNCTION dicomgw._do_portion(INOUT p_task dicomgw.task)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '2s'
AS $$
DECLARE
    v_targets bigint[];
BEGIN
    -- Without these all of them would fail: then the task does.
    PERFORM dicomgw._destination_id(d.name) FROM (SELECT coalesce(p_task.arguments ->> 'to_destination', p_task.arguments ->> 'destination') AS name) d
    WHERE p_task.kind IN ('replay', 'move');
    PERFORM dicomgw._edits_of_route(p_task.arguments ->> 'edits_of_route');

    DELETE FROM dicomgw.task_portion p
    WHERE p.task_id = p_task.id AND p.number = (SELECT min(f.number) FROM dicomgw.task_portion f WHERE f.task_id = p_task.id)
    RETURNING p.targets INTO v_targets;
    IF FOUND THEN
        BEGIN
            p_task.result := dicomgw._add_counts(p_task.result, dicomgw._do_targets(p_task, v_targets));
        EXCEPTION
            WHEN lock_not_available OR transaction_rollback OR insufficient_resources THEN
                RAISE;
            WHEN OTHERS THEN
                p_task := dicomgw._do_one_by_one(p_task, v_targets);
        END;
        p_task.done := p_task.done + cardinality(v_targets);
    END IF;
    IF NOT EXISTS (SELECT FROM dicomgw.task_portion p WHERE p.task_id = p_task.id) THEN
        p_task.state := 'done';
    END IF;
END
$$;
COMMENT ON FUNCTION dicomgw._do_portion(dicomgw.task) IS 'Maintenance: the next portion of a task';

CREATE FUNCTION dicomgw._do_check(INOUT p_task dicomgw.task)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_mark jsonb := coalesce(p_task.bookmark, jsonb_build_object('hour', '', 'ingest_from', dicomgw._ingest_from(), 'busy', false));
    v_step record;
BEGIN
    SELECT s.* INTO v_step
    FROM dicomgw._check_step(v_mark ->> 'hour', v_mark ->> 'ingest_from',
        CASE WHEN NOT (p_task.arguments ->> 'remove_orphans')::boolean THEN 'keep' WHEN (v_mark ->> 'busy')::boolean THEN 'busy' ELSE 'remove' END,
        (p_task.arguments ->> 'also_older')::boolean) s;
    p_task.done := p_task.done + v_step.files;
    p_task.result := dicomgw._add_counts(p_task.result,
        jsonb_build_object('files', v_step.files, 'problems', v_step.problems, 'removed', v_step.removed));
    p_task.bookmark := v_mark || jsonb_build_object('hour', v_step.next_hour, 'busy', (v_mark ->> 'busy')::boolean OR v_step.busy);
    IF v_step.next_hour IS NULL THEN
        PERFORM dicomgw._check_ended(p_task.started_at, (p_task.result ->> 'files')::bigint, (p_task.result ->> 'problems')::bigint,
                                     (p_task.result ->> 'removed')::bigint);
        p_task.state := 'done';
    END IF;
END
$$;
COMMENT ON FUNCTION dicomgw._do_check(dicomgw.task) IS 'Maintenance: the next hour of a check of the storage';

CREATE FUNCTION dicomgw._task_step(OUT did text, OUT more boolean)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_task dicomgw.task;
BEGIN
    -- Whoever cancels it holds it until he commits: maintenance has other things to do than to wait for that.
    SELECT t.* INTO v_task FROM dicomgw.task t
    WHERE t.state IN ('waiting', 'running') AND t.id = (SELECT min(f.id) FROM dicomgw.task f WHERE f.state IN ('waiting', 'running'))
    FOR UPDATE OF t SKIP LOCKED;
    more := FOUND;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    v_task.state := 'running';
    v_task.started_at := coalesce(v_task.started_at, clock_timestamp());
    v_task.message := NULL;
    PERFORM set_config('application_name', format('task %s of %s', v_task.id, v_task.started_by), true); -- for the audit log
    BEGIN
        IF v_task.kind = 'check_storage' THEN
            v_task := dicomgw._do_check(v_task);
        ELSE
            v_task := dicomgw._do_portion(v_task);
        END IF;
    EXCEPTION
        WHEN lock_not_available OR transaction_rollback OR insufficient_resources THEN -- for now
            v_task.message := 'waits: ' || SQLERRM;
            more := false;
        WHEN OTHERS THEN
            v_task.state := 'failed';
            v_task.message := SQLERRM;
    END;
    UPDATE dicomgw.task t
    SET state = v_task.state, started_at = v_task.started_at, done = v_task.done, message = v_task.message, result = v_task.result,
        bookmark = v_task.bookmark,
        finished_at = CASE WHEN v_task.state <> 'running' THEN clock_timestamp() END
    WHERE t.id = v_task.id;
    IF v_task.state = 'failed' THEN
        DELETE FROM dicomgw.task_portion p WHERE p.task_id = v_task.id;
    END IF;
    did := format('task %s (%s): %s', v_task.id, v_task.kind, v_task.state);
END
$$;
COMMENT ON FUNCTION dicomgw._task_step() IS
    'Maintenance: does a little of the first task that is not done. more: there is something to do at once. One object or job that fails is in the result; an error that concerns all ends the task, and the next has its turn';

CREATE FUNCTION dicomgw._expire_tasks() RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM dicomgw.task t WHERE t.finished_at < now() - interval '30 days';
    RETURN '';
END
$$;
COMMENT ON FUNCTION dicomgw._expire_tasks() IS 'Maintenance: forgets tasks that ended 30 days ago';
