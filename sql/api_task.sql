/*
 * HTTP: long work: started with an answer at once, and then looked after.
 */
CREATE VIEW dicomgw_api.task WITH (security_invoker = true) AS
    SELECT t.id, t.kind, t.arguments, t.started_by, t.created_at, t.started_at, t.finished_at, t.state, t.done, t.total, t.message, t.result
    FROM dicomgw.task t;

CREATE FUNCTION dicomgw_api.count_replay(
    instance_ids bigint[] DEFAULT NULL, study_instance_uids text[] DEFAULT NULL, calling_ae text DEFAULT NULL,
    received_since timestamptz DEFAULT NULL, received_until timestamptz DEFAULT NULL) RETURNS bigint
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
RETURN dicomgw.count_replay(instance_ids, study_instance_uids, calling_ae, received_since, received_until);
COMMENT ON FUNCTION dicomgw_api.count_replay(bigint[], text[], text, timestamptz, timestamptz) IS
    'How many objects start_replay would send, given the same';

CREATE FUNCTION dicomgw_api.start_replay(
    destination text, instance_ids bigint[] DEFAULT NULL, study_instance_uids text[] DEFAULT NULL, calling_ae text DEFAULT NULL,
    received_since timestamptz DEFAULT NULL, received_until timestamptz DEFAULT NULL, priority integer DEFAULT 5,
    edits_of_route text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM dicomgw._refuse_get();
    RETURN dicomgw.start_replay(destination, instance_ids, study_instance_uids, calling_ae, received_since, received_until, priority,
                                edits_of_route);
END
$$;
COMMENT ON FUNCTION dicomgw_api.start_replay(text, bigint[], text[], text, timestamptz, timestamptz, integer, text) IS
    'Sends objects to a destination, whatever was sent before, in the background: these numbers, these studies, from this calling AE title, received in this time; what is named narrows the choice, and something has to be named. Answers the number of the task';

CREATE FUNCTION dicomgw_api.start_verb(
    verb text, job_id bigint DEFAULT NULL, destination text DEFAULT NULL, study_instance_uid text DEFAULT NULL, route text DEFAULT NULL,
    job_ids bigint[] DEFAULT NULL, priority integer DEFAULT NULL, to_destination text DEFAULT NULL,
    state text DEFAULT NULL, reason_code text DEFAULT NULL, calling_ae text DEFAULT NULL,
    modality text DEFAULT NULL, patient text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM dicomgw._refuse_get();
    RETURN dicomgw.start_verb(verb, job_id, destination, study_instance_uid, route, job_ids, priority, to_destination,
                              state, reason_code, calling_ae, modality, patient);
END
$$;
COMMENT ON FUNCTION dicomgw_api.start_verb(text, bigint, text, text, text, bigint[], integer, text, text, text, text, text, text) IS
    'Does retry, cancel, set_priority (with priority) or move (with to_destination) in the background, with the jobs that are chosen now, as count_jobs chooses them. Answers the number of the task';

CREATE FUNCTION dicomgw_api.start_check_storage(remove_orphans boolean DEFAULT true, also_older boolean DEFAULT false) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM dicomgw._refuse_get();
    RETURN dicomgw.start_check_storage(remove_orphans, also_older);
END
$$;
COMMENT ON FUNCTION dicomgw_api.start_check_storage(boolean, boolean) IS
    'Compares files and rows in the background; what does not match is in storage_problem then. Answers the number of the task; 409 if a check is under way';

CREATE FUNCTION dicomgw_api.cancel_task(task_id bigint) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM dicomgw._refuse_get();
    RETURN dicomgw.cancel_task(task_id);
END
$$;
COMMENT ON FUNCTION dicomgw_api.cancel_task(bigint) IS 'Ends a task; what it has done stays done. False: it had ended';
