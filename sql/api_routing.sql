/*
 * HTTP: where objects go, and why.
 */
CREATE VIEW dicomgw_api.routing_decision WITH (security_invoker = true) AS
    SELECT t.*, ARRAY(SELECT coalesce(r.name, 'route ' || m.id) FROM unnest(t.matched) WITH ORDINALITY AS m(id, n)
                      LEFT JOIN dicomgw.route r ON r.id = m.id ORDER BY m.n) AS routes,
           o.sop_instance_uid, o.study_id, o.study_instance_uid, o.patient_id, o.patient_name, o.modality, o.calling_ae
    FROM dicomgw.routing_decision t LEFT JOIN dicomgw.object_origin o ON o.instance_id = t.instance_id
    WHERE (SELECT dicomgw.note_view('list of routing decisions'));
COMMENT ON COLUMN dicomgw_api.routing_decision.routes IS 'names of the routes that took it';

CREATE VIEW dicomgw_api.unrouted WITH (security_invoker = true) AS
    SELECT t.* FROM dicomgw.unrouted t
    WHERE (SELECT dicomgw.note_view('list of unrouted objects'));

CREATE VIEW dicomgw_api.gathering_status WITH (security_invoker = true) AS
    SELECT t.* FROM dicomgw.gathering_status t
    WHERE (SELECT dicomgw.note_view('list of gathered studies'));

CREATE FUNCTION dicomgw_api.explain_routing(instance_id bigint,
    OUT route text, OUT version integer, OUT in_force boolean, OUT outcome text, OUT predicate text, OUT terms jsonb, OUT jobs jsonb,
    OUT remark text)
RETURNS SETOF record
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM dicomgw._note_object(explain_routing.instance_id);
    RETURN QUERY SELECT e.* FROM dicomgw.explain_routing(explain_routing.instance_id) e;
END
$$;
COMMENT ON FUNCTION dicomgw_api.explain_routing(bigint) IS
    'Why an object went where it went: each route as it was in force then, what became of it, which part of its predicate that hung on, and its jobs. 404: it was not received, or is not routed yet';

CREATE FUNCTION dicomgw_api.explain_predicate(predicate text, instance_id bigint)
RETURNS TABLE (term integer, connective text, text text, value boolean, error text, decides boolean)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM dicomgw._note_object(explain_predicate.instance_id);
    RETURN QUERY SELECT e.* FROM dicomgw.explain_predicate(explain_predicate.predicate, explain_predicate.instance_id) e;
END
$$;
COMMENT ON FUNCTION dicomgw_api.explain_predicate(text, bigint) IS
    'What a predicate comes to on an object that was received: as a whole (term 0), then each term that its outermost AND or OR joins; decides: it is for this term that the whole is what it is';

CREATE FUNCTION dicomgw_api.timeline(sop_instance_uid text,
    OUT at timestamptz, OUT instance_id bigint, OUT event text, OUT job_id bigint, OUT destination text, OUT status text,
    OUT duration interval, OUT detail text)
RETURNS SETOF record
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT t.* FROM dicomgw.timeline(timeline.sop_instance_uid) t;
    PERFORM dicomgw.note_view('object ' || timeline.sop_instance_uid);
END
$$;
COMMENT ON FUNCTION dicomgw_api.timeline(text) IS
    'What became of an object: received, routed, queued, each attempt, sent or not, and what it waits for now; all versions of it, if it was received more than once. 404: it was not';

-- ---------- verbs ----------

CREATE FUNCTION dicomgw_api.route_dry_run(
    predicate text, since timestamptz DEFAULT now() - interval '30 days', until timestamptz DEFAULT now(),
    route text DEFAULT NULL, samples integer DEFAULT 5,
    OUT grouped_by text, OUT value text, OUT evaluated bigint, OUT objects bigint, OUT studies bigint, OUT bytes numeric,
    OUT newly bigint, OUT no_longer bigint, OUT sample_ids bigint[])
RETURNS SETOF record
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT d.* FROM dicomgw.route_dry_run(predicate, since, until, route, samples) d;
END;
COMMENT ON FUNCTION dicomgw_api.route_dry_run(text, timestamptz, timestamptz, text, integer) IS
    'What a predicate would take of what was received: in total, by modality, calling AE title and study, and where it fails. Of evaluated objects it takes objects; newly: were not taken then, by this route, or, without one, by any; no_longer: were taken by this route, and would not be';

CREATE FUNCTION dicomgw_api.route_again(instance_ids bigint[],
    OUT objects bigint, OUT jobs bigint, OUT gathered bigint, OUT unmatched bigint, OUT skipped bigint)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM dicomgw._refuse_get();
    SELECT r.* INTO objects, jobs, gathered, unmatched, skipped FROM dicomgw.route_again(instance_ids) r;
END
$$;
COMMENT ON FUNCTION dicomgw_api.route_again(bigint[]) IS
    'Evaluates the routes of now over these objects, for routes that have not taken them yet. Answers how many objects, jobs made, objects that wait for their study, objects that no route has taken, and how many were skipped: not routed yet, or their file is removed';

CREATE FUNCTION dicomgw_api.complete_study(study_instance_uid text, OUT completed bigint, OUT jobs bigint)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM dicomgw._refuse_get();
    SELECT c.* INTO completed, jobs FROM dicomgw.complete_study(study_instance_uid) c;
END
$$;
COMMENT ON FUNCTION dicomgw_api.complete_study(text) IS
    'Takes a study as complete now, for all routes that wait for it. Answers how many waits that ends, and how many jobs it makes';
