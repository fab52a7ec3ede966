/*
 * Sessions of the HTTP interface.  A token (JWT, HS256) names its session, and
 * each request looks that up: a session that is revoked is over at once.
 */
CREATE TABLE dicomgw.token_secret (
    singleton  boolean PRIMARY KEY DEFAULT true,
    secret     text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT token_secret_is_one CHECK (singleton),
    CONSTRAINT token_secret_has_256_bits CHECK (secret ~ '^[0-9a-f]{64}$')
);
COMMENT ON TABLE dicomgw.token_secret IS 'What tokens are signed with; for nobody''s eyes, and in no dump. See dicomgw.rotate_secret()';
COMMENT ON COLUMN dicomgw.token_secret.singleton IS 'there is one';
COMMENT ON COLUMN dicomgw.token_secret.secret IS '256 random bits, in hexadecimal digits';
COMMENT ON COLUMN dicomgw.token_secret.created_at IS 'when it was made';

CREATE FUNCTION dicomgw._new_secret() RETURNS text
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
RETURN encode(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 'hex');
COMMENT ON FUNCTION dicomgw._new_secret() IS 'Called for the secret of tokens: 256 bits of the server''s strong random numbers';
INSERT INTO dicomgw.token_secret (secret) VALUES (dicomgw._new_secret());

CREATE TABLE dicomgw.session (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    username     text NOT NULL REFERENCES dicomgw.app_user ON DELETE CASCADE,
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    may_idle     boolean NOT NULL DEFAULT false,
    address      inet,
    user_agent   text,
    revoked_at   timestamptz
) WITH (fillfactor = 70);
CREATE INDEX session_username_idx ON dicomgw.session (username);
CREATE INDEX session_expires_at_idx ON dicomgw.session (expires_at);
COMMENT ON TABLE dicomgw.session IS 'Sessions of the HTTP interface; those that have ended are forgotten after 30 days';
COMMENT ON COLUMN dicomgw.session.id IS 'names it, in its token and in the audit log';
COMMENT ON COLUMN dicomgw.session.username IS 'whose it is';
COMMENT ON COLUMN dicomgw.session.created_at IS 'when he signed in';
COMMENT ON COLUMN dicomgw.session.last_seen_at IS 'when it was last used, to a minute';
COMMENT ON COLUMN dicomgw.session.expires_at IS 'when it ends (dicomgw.session_lifetime)';
COMMENT ON COLUMN dicomgw.session.may_idle IS 'true: it does not end because nobody uses it (dicomgw.session_idle): the token of a program';
COMMENT ON COLUMN dicomgw.session.address IS 'from where he signed in, as nginx saw it';
COMMENT ON COLUMN dicomgw.session.user_agent IS 'with what, as it calls itself';
COMMENT ON COLUMN dicomgw.session.revoked_at IS 'when it was ended: by signing out, by an admin, by a new password or a new secret';

CREATE FUNCTION dicomgw._sign_token(p_claims text, p_secret text) RETURNS text
LANGUAGE c STRICT STABLE
AS 'MODULE_PATHNAME', 'dgw_sign_token';
COMMENT ON FUNCTION dicomgw._sign_token(text, text) IS 'Called at a sign-in: a JSON Web Token with these claims (RFC 7519, HS256)';

CREATE FUNCTION dicomgw._touch_session(p_id uuid) RETURNS void
LANGUAGE c STRICT
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'dgw_touch_session';
COMMENT ON FUNCTION dicomgw._touch_session(uuid) IS 'Called for each request: its session was used, in a read-only transaction, too';

CREATE FUNCTION dicomgw._open_session(p_username text, p_lifetime interval, p_may_idle boolean, OUT token text, OUT expires_at timestamptz)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_id uuid;
BEGIN
    DELETE FROM dicomgw.session s WHERE s.expires_at < now() - interval '30 days';
    INSERT INTO dicomgw.session (username, expires_at, may_idle, address, user_agent)
    VALUES (p_username, now() + p_lifetime, p_may_idle, dicomgw.client_address(), left(dicomgw._request_header('user-agent'), 200))
    RETURNING session.id, session.expires_at INTO v_id, expires_at;
    token := dicomgw._sign_token(
        json_build_object('role', 'dicomgw_' || (SELECT u.role FROM dicomgw.app_user u WHERE u.username = p_username),
                          'username', p_username, 'sid', v_id, 'iat', extract(epoch FROM now())::bigint,
                          'exp', extract(epoch FROM _open_session.expires_at)::bigint)::text,
        (SELECT s.secret FROM dicomgw.token_secret s));
END
$$;
COMMENT ON FUNCTION dicomgw._open_session(text, interval, boolean) IS 'Called at a sign-in: a new session, and its token';

CREATE FUNCTION dicomgw._end_sessions(p_username text, p_but uuid DEFAULT NULL) RETURNS bigint
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH ended AS (
        UPDATE dicomgw.session s SET revoked_at = now()
        WHERE (p_username IS NULL OR s.username = p_username) AND s.id IS DISTINCT FROM p_but
          AND s.revoked_at IS NULL AND s.expires_at > now()
        RETURNING 1 AS one)
    SELECT count(*) FROM ended;
END;
COMMENT ON FUNCTION dicomgw._end_sessions(text, uuid) IS 'Called to end the sessions of a user (NULL: of all), but one; returns how many';

-- ---------- each request ----------

-- A browser says where a request comes from; who is no browser says nothing, and has no cookie to be misused.
CREATE FUNCTION dicomgw._check_origin() RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_site   CONSTANT text := dicomgw._request_header('sec-fetch-site');
    v_origin CONSTANT text := dicomgw._request_header('origin');
BEGIN
    IF v_site NOT IN ('same-origin', 'none')
       OR regexp_replace(v_origin, '^https?://', '') IS DISTINCT FROM dicomgw._request_header('host') AND v_origin IS NOT NULL THEN
        RAISE EXCEPTION 'the request comes from another site' USING ERRCODE = 'PT403',
            HINT = 'Something may only be changed by pages of this server.';
    END IF;
END
$$;
COMMENT ON FUNCTION dicomgw._check_origin() IS 'Called for each request that may change something: an error if a page of another site has made it';

-- With the owner's rights: sessions and users are for nobody else to read.
CREATE FUNCTION dicomgw.check_request() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_idle    CONSTANT interval := make_interval(mins => dicomgw._setting('session_idle', 60));
    v_session record;
BEGIN
    IF NOT dicomgw._by_http() THEN
        RETURN;
    END IF;
    IF current_setting('request.method', true) NOT IN ('GET', 'HEAD', 'OPTIONS') THEN
        PERFORM dicomgw._check_origin();
    END IF;
    IF coalesce(dicomgw._claim('role'), 'dicomgw_anonymous') = 'dicomgw_anonymous' THEN
        RETURN; -- he may sign in, and little else
    END IF;

    SELECT s.id, u.must_change_password INTO v_session
    FROM dicomgw.session s JOIN dicomgw.app_user u ON u.username = s.username
    WHERE s.id = dicomgw._session_id() AND s.revoked_at IS NULL AND s.expires_at > now()
      AND (s.may_idle OR s.last_seen_at > now() - v_idle)
      AND NOT u.disabled AND u.username = dicomgw.actor() AND 'dicomgw_' || u.role = dicomgw._claim('role');
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the session has ended' USING ERRCODE = 'PT401', HINT = 'Sign in again.';
    END IF;
    IF v_session.must_change_password
       AND current_setting('request.path', true) NOT IN ('/rpc/me', '/rpc/change_password', '/rpc/logout') THEN
        RAISE EXCEPTION 'the password has to be changed first' USING ERRCODE = 'PT403', HINT = 'See change_password.';
    END IF;
    PERFORM dicomgw._touch_session(v_session.id);
END
$$;
COMMENT ON FUNCTION dicomgw.check_request() IS
    'PostgREST calls it before each request (db-pre-request): an error if its session has ended, the password has to be changed first, or a page of another site wants to change something';

-- A function that changes something must not be called by GET, where its arguments would stand in logs.
CREATE FUNCTION dicomgw._refuse_get() RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF current_setting('transaction_read_only')::boolean THEN
        RAISE EXCEPTION 'this has to be called by POST' USING ERRCODE = 'PT405';
    END IF;
END
$$;
COMMENT ON FUNCTION dicomgw._refuse_get() IS 'Called by functions for HTTP that change something: an error if the request is a GET';

-- With the owner's rights: the secret is PostgREST's to know, and nobody else's.
CREATE FUNCTION dicomgw.postgrest_settings() RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT set_config('pgrst.jwt_secret', s.secret, true) FROM dicomgw.token_secret s;
END;
COMMENT ON FUNCTION dicomgw.postgrest_settings() IS 'PostgREST calls it when it reads its configuration (db-pre-config): the secret of tokens, so that it stands in no file';

-- ---------- for admins ----------

-- With the owner's rights, as those that follow: an admin may do this, not write to the tables.
CREATE FUNCTION dicomgw.revoke_session(id uuid) RETURNS boolean
LANGUAGE plpgsql STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_username text;
BEGIN
    UPDATE dicomgw.session s SET revoked_at = now() WHERE s.id = revoke_session.id AND s.revoked_at IS NULL
    RETURNING s.username INTO v_username;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM dicomgw._audit('revoke_session', 'user ' || v_username, jsonb_build_object('session', id));
    RETURN true;
END
$$;
COMMENT ON FUNCTION dicomgw.revoke_session(uuid) IS 'Ends a session at once; false if there is none, or it has been ended before';

CREATE FUNCTION dicomgw.revoke_sessions(username text) RETURNS bigint
LANGUAGE plpgsql STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_ended bigint := dicomgw._end_sessions(username);
BEGIN
    PERFORM dicomgw._audit('revoke_sessions', 'user ' || username, jsonb_build_object('ended', v_ended));
    RETURN v_ended;
END
$$;
COMMENT ON FUNCTION dicomgw.revoke_sessions(text) IS 'Ends all sessions of a user at once; returns how many';

CREATE FUNCTION dicomgw.rotate_secret() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_ended bigint := dicomgw._end_sessions(NULL); -- so that it is at once, whenever PostgREST hears of it
BEGIN
    UPDATE dicomgw.token_secret SET secret = dicomgw._new_secret(), created_at = now();
    NOTIFY pgrst, 'reload config';
    PERFORM dicomgw._audit('rotate_secret', NULL, jsonb_build_object('ended', v_ended));
    RETURN v_ended;
END
$$;
COMMENT ON FUNCTION dicomgw.rotate_secret() IS 'A new secret for tokens: all that were signed with the old one are worth nothing any more, and all sessions end; returns how many';
