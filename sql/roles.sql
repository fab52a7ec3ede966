/*
 * The database roles.  Roles are the cluster's, not the database's: CREATE
 * EXTENSION makes none, a superuser does, once, with dicomgw.create_roles().
 */
CREATE FUNCTION dicomgw._roles() RETURNS SETOF text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT unnest('{dicomgw_anonymous,dicomgw_viewer,dicomgw_operator,dicomgw_admin,dicomgw_metrics,dicomgw_authenticator}'::text[]);
END;
COMMENT ON FUNCTION dicomgw._roles() IS 'Called for the names of our roles';

CREATE FUNCTION dicomgw._revoke_privileges() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_role text;
BEGIN
    FOR v_role IN SELECT r.rolname FROM dicomgw._roles() n JOIN pg_roles r ON r.rolname = n LOOP
        EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA dicomgw, dicomgw_api FROM %I', v_role);
        EXECUTE format('REVOKE ALL ON ALL SEQUENCES IN SCHEMA dicomgw, dicomgw_api FROM %I', v_role);
        EXECUTE format('REVOKE ALL ON ALL ROUTINES IN SCHEMA dicomgw, dicomgw_api FROM %I', v_role);
        EXECUTE format('REVOKE ALL ON SCHEMA dicomgw, dicomgw_api FROM %I', v_role);
    END LOOP;
END
$$;
COMMENT ON FUNCTION dicomgw._revoke_privileges() IS 'Called by create_roles and drop_roles: takes from our roles what they have in our schemas';

CREATE FUNCTION dicomgw._grant_privileges() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_statement text;
BEGIN
    PERFORM dicomgw._revoke_privileges();
    FOR v_statement IN
        SELECT format('GRANT %s ON %s TO %I', p.privilege,
                      CASE WHEN p.object LIKE '%()' THEN 'FUNCTION ' || f.oid::regprocedure
                           WHEN p.privilege = 'USAGE' THEN 'SCHEMA ' || p.object
                           ELSE p.object END, r.rolname)
        FROM dicomgw.privilege p
        JOIN pg_roles r ON r.rolname = 'dicomgw_' || p.role
        LEFT JOIN pg_proc f ON p.object = f.pronamespace::regnamespace || '.' || f.proname || '()'
    LOOP
        EXECUTE v_statement;
    END LOOP;
END
$$;
COMMENT ON FUNCTION dicomgw._grant_privileges() IS
    'Called by create_roles, and by CREATE EXTENSION and each update: our roles, as far as there are any, get what dicomgw.privilege says';

CREATE FUNCTION dicomgw.create_roles() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET client_min_messages = warning -- not what is there already
AS $$
DECLARE
    v_role text;
BEGIN
    FOR v_role IN SELECT n FROM dicomgw._roles() n WHERE n NOT IN (SELECT rolname FROM pg_roles) LOOP
        EXECUTE format('CREATE ROLE %I %s', v_role, CASE v_role WHEN 'dicomgw_authenticator' THEN 'LOGIN NOINHERIT' ELSE 'NOLOGIN' END);
    END LOOP;
    -- Parameters of what PostgREST executes are passwords, and names of patients, and so may be what an error says
    -- (whoever casts a name to a number): whatever else is logged, not these.
    ALTER ROLE dicomgw_authenticator SET log_parameter_max_length = 0;
    ALTER ROLE dicomgw_authenticator SET log_parameter_max_length_on_error = 0;
    ALTER ROLE dicomgw_authenticator SET log_min_messages = log; -- that is, no errors; a request gets its own
    -- A page of a list is a few rows by index out of many partitions: to compile the plan takes a thousand times as long.
    ALTER ROLE dicomgw_authenticator SET jit = off;
    GRANT dicomgw_viewer TO dicomgw_operator;
    GRANT dicomgw_operator TO dicomgw_admin;
    GRANT dicomgw_anonymous, dicomgw_viewer, dicomgw_operator, dicomgw_admin, dicomgw_metrics TO dicomgw_authenticator;
    PERFORM dicomgw._grant_privileges();
END
$$;
COMMENT ON FUNCTION dicomgw.create_roles() IS
    'Makes the roles dicomgw_anonymous, _viewer, _operator, _admin, _metrics and _authenticator as far as they are missing, and grants to them what dicomgw.privilege says; for a superuser, before PostgREST is started';

CREATE FUNCTION dicomgw.drop_roles() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_role text;
BEGIN
    PERFORM dicomgw._revoke_privileges();
    FOR v_role IN SELECT r.rolname FROM dicomgw._roles() n JOIN pg_roles r ON r.rolname = n LOOP
        EXECUTE format('DROP ROLE %I', v_role);
    END LOOP;
END
$$;
COMMENT ON FUNCTION dicomgw.drop_roles() IS 'Takes from the roles what create_roles granted, and drops them; an error if something else in the cluster needs them';
