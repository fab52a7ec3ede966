/*
 * Who is it?  A database role by psql, or a user by HTTP: then PostgREST is
 * logged in as dicomgw_authenticator, and has verified what the request
 * claims.  Claims in anybody else's session mean nothing: everybody can set them.
 *
 * All of it is asked for in each request, several times: PL/pgSQL keeps its plans,
 * and a function in SQL that pins its search path is planned each time.
 */
CREATE FUNCTION dicomgw._by_http() RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN session_user = 'dicomgw_authenticator';
END
$$;
COMMENT ON FUNCTION dicomgw._by_http() IS 'Called by what asks for the actor: whether this session is PostgREST''s';

CREATE FUNCTION dicomgw._claim(p_name text) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN CASE WHEN dicomgw._by_http() THEN nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> p_name END;
END
$$;
COMMENT ON FUNCTION dicomgw._claim(text) IS 'Called by what asks for the actor: a claim of the request''s token; NULL: none, or no request';

CREATE FUNCTION dicomgw._request_header(p_name text) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN CASE WHEN dicomgw._by_http() THEN nullif(current_setting('request.headers', true), '')::jsonb ->> p_name END;
END
$$;
COMMENT ON FUNCTION dicomgw._request_header(text) IS 'Called by what asks for the request: one of its headers, in lower case; NULL: it has none, or this is no request';

CREATE FUNCTION dicomgw.actor() RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN CASE WHEN dicomgw._by_http() THEN coalesce(dicomgw._claim('username'), '(nobody)') ELSE session_user END;
END
$$;
COMMENT ON FUNCTION dicomgw.actor() IS 'Who acts: by HTTP the user that has signed in, else the database role that has logged in';

CREATE FUNCTION dicomgw._session_id() RETURNS uuid
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN dicomgw._claim('sid')::uuid;
END
$$;
COMMENT ON FUNCTION dicomgw._session_id() IS 'Called by what asks for the actor: the session of the request; NULL: none';

-- nginx sets this header, whatever the client has sent, and nobody but nginx can reach PostgREST's socket.
CREATE FUNCTION dicomgw.client_address() RETURNS inet
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF dicomgw._by_http() THEN
        RETURN dicomgw._request_header('x-real-ip')::inet;
    END IF;
    RETURN inet_client_addr();
EXCEPTION WHEN invalid_text_representation THEN
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION dicomgw.client_address() IS
    'From where: by HTTP the address that nginx saw (X-Real-IP), else that of the database connection; NULL: a local socket';
