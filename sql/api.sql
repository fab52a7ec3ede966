/*
 * The schema that PostgREST shows: views and functions, thin ones, that run with
 * the caller's rights.  What they may is in privilege.sql.  Names and comments
 * are what a client and OpenAPI see.
 */
CREATE SCHEMA dicomgw_api;
COMMENT ON SCHEMA dicomgw_api IS 'dicomgw: DICOM store-and-forward gateway';

CREATE FUNCTION dicomgw_api.live() RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
RETURN jsonb_build_object('live', true);
COMMENT ON FUNCTION dicomgw_api.live() IS 'Answers: the way to the database is open';

-- With the owner's rights: what runs here is not for everybody to see, only whether it does.
CREATE FUNCTION dicomgw.ready() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
RETURN (SELECT NOT pg_is_in_recovery() AND bool_and(w.running OR w.worker = 'audit') AND count(*) > 0 FROM dicomgw.worker_status() w)
       AND (SELECT r.accepts_objects FROM dicomgw._receiving() r);
COMMENT ON FUNCTION dicomgw.ready() IS
    'Whether objects are received, routed and forwarded here: not in recovery, all workers run (but the one that sends the audit log away, whose work can wait), and the storage takes objects';

CREATE FUNCTION dicomgw_api.ready() RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_ready CONSTANT boolean := dicomgw.ready();
BEGIN
    IF NOT v_ready THEN
        PERFORM set_config('response.status', '503', true);
    END IF;
    RETURN jsonb_build_object('ready', v_ready);
END
$$;
COMMENT ON FUNCTION dicomgw_api.ready() IS 'Whether objects are received, routed and forwarded here; 503 if not';
