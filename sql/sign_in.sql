/*
 * Signing in, by user name and password.
 *
 * A failure is recorded, so it raises no error: it is an answer like another,
 * with its status in response.status.  Whether there is such a user can be
 * told neither by the answer nor by the time it takes; failures are counted
 * under a name whether there is one or not.
 */
CREATE TABLE dicomgw.login_failure (
    key          bytea PRIMARY KEY,
    failures     integer NOT NULL,
    last_at      timestamptz NOT NULL DEFAULT now(),
    locked_until timestamptz
);
CREATE INDEX login_failure_last_at_idx ON dicomgw.login_failure (last_at);
COMMENT ON TABLE dicomgw.login_failure IS 'Failed sign-ins in a row, of each user name and address; forgotten after a day';
COMMENT ON COLUMN dicomgw.login_failure.key IS 'SHA-256 of "user " and the name (what is typed there may be a password), or of "address " and the network';
COMMENT ON COLUMN dicomgw.login_failure.failures IS 'how many';
COMMENT ON COLUMN dicomgw.login_failure.last_at IS 'when the last one was';
COMMENT ON COLUMN dicomgw.login_failure.locked_until IS 'until when no password is looked at';

CREATE FUNCTION dicomgw._login_key(p_kind text, p_value text) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
RETURN sha256(convert_to(p_kind || ' ' || p_value, 'UTF8'));
COMMENT ON FUNCTION dicomgw._login_key(text, text) IS 'Called at a sign-in: key of login_failure';

CREATE FUNCTION dicomgw._address_key(p_address inet) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
RETURN dicomgw._login_key('address', network(set_masklen(p_address, CASE family(p_address) WHEN 4 THEN 32 ELSE 64 END))::text);
COMMENT ON FUNCTION dicomgw._address_key(inet) IS 'Called at a sign-in: key of login_failure of an IPv4 address or an IPv6 /64';

CREATE FUNCTION dicomgw._count_failure(p_key bytea, p_most integer) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    DELETE FROM dicomgw.login_failure f
    WHERE f.key IN (SELECT o.key FROM dicomgw.login_failure o
                    WHERE o.last_at < now() - interval '1 day' AND o.key <> p_key ORDER BY o.last_at LIMIT 10 FOR UPDATE SKIP LOCKED);
    INSERT INTO dicomgw.login_failure AS f (key, failures, locked_until)
    SELECT p_key, 1, CASE WHEN p_most <= 1 THEN now() + interval '5 seconds' END
    WHERE p_key IS NOT NULL
    ON CONFLICT (key) DO UPDATE
        SET failures = CASE WHEN f.last_at < now() - interval '1 day' THEN 1 ELSE f.failures + 1 END,
            last_at = now(),
            locked_until = CASE WHEN f.last_at >= now() - interval '1 day' AND f.failures + 1 >= p_most
                                THEN now() + least(interval '5 seconds' * power(2, least(f.failures + 1 - p_most, 10)), interval '15 minutes') END;
END;
COMMENT ON FUNCTION dicomgw._count_failure(bytea, integer) IS 'Called at a failed sign-in: from so many on there is a wait, which doubles each time';

CREATE FUNCTION dicomgw._open_attempt(p_key bytea) RETURNS integer
LANGUAGE c STRICT VOLATILE
AS 'MODULE_PATHNAME', 'dgw_open_attempt';
COMMENT ON FUNCTION dicomgw._open_attempt(bytea) IS
    'Called before a password is verified: how many such transactions were rolled back in the last 15 minutes, each with the failure that it had recorded; this one counts, if it is';

-- What PostgREST answers instead of the function's result, in the form of its errors.
CREATE FUNCTION dicomgw._answer(p_status integer, p_message text, p_hint text DEFAULT NULL, p_retry_after integer DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM set_config('response.status', p_status::text, true);
    IF p_retry_after IS NOT NULL THEN
        PERFORM set_config('response.headers', json_build_array(json_build_object('Retry-After', p_retry_after::text))::text, true);
    END IF;
    RETURN jsonb_build_object('code', 'PT' || p_status, 'message', p_message, 'details', NULL, 'hint', p_hint);
END
$$;
COMMENT ON FUNCTION dicomgw._answer(integer, text, text, integer) IS 'Called to refuse without an error, so that what was recorded stays: the answer''s body';

-- Locks of this transaction: pg_advisory_xact_lock("dgwu", user name) and ("dgwp", slot).
CREATE FUNCTION dicomgw._refuse_password_check(p_username text) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_most CONSTANT integer := dicomgw._setting('sign_in_failures', 5);
    v_wait integer;
BEGIN
    -- one guess at a time
    IF NOT pg_try_advisory_xact_lock(1684502389, hashtext(p_username)) THEN
        RETURN dicomgw._answer(429, 'somebody is signing in as this user just now', 'Try again in a moment.', 1);
    END IF;
    SELECT ceil(extract(epoch FROM max(f.locked_until) - now())) INTO v_wait FROM dicomgw.login_failure f
    WHERE f.key IN (dicomgw._login_key('user', p_username), dicomgw._address_key(dicomgw.client_address())) AND f.locked_until > now();
    IF v_wait IS NOT NULL THEN
        RETURN dicomgw._answer(429, 'there were too many failed sign-ins', format('Try again in %s s.', v_wait), v_wait);
    END IF;
    FOR v_slot IN 1..dicomgw._setting('password_checks', 4) LOOP
        CONTINUE WHEN NOT pg_try_advisory_xact_lock(1684502384, v_slot);
        IF dicomgw._open_attempt(dicomgw._login_key('user', p_username)) >= v_most
           OR dicomgw._open_attempt(dicomgw._address_key(dicomgw.client_address())) >= 4 * v_most THEN
            RETURN dicomgw._answer(429, 'there were too many failed sign-ins', 'Try again in 15 minutes.', 900);
        END IF;
        RETURN NULL;
    END LOOP;
    RETURN dicomgw._answer(503, 'too many users are signing in just now', 'Try again in a moment.', 1);
END
$$;
COMMENT ON FUNCTION dicomgw._refuse_password_check(text) IS
    'Called before a password is verified: NULL, or the answer if that may not be now: after failures, or because too many are at it';

CREATE FUNCTION dicomgw._authenticate(p_username text, p_password text, p_failure text) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_password CONSTANT text := normalize(left(p_password, 1000), NFC);
    v_most     CONSTANT integer := dicomgw._setting('sign_in_failures', 5);
    v_refusal  jsonb := dicomgw._refuse_password_check(p_username);
    v_user     dicomgw.app_user;
    v_right    boolean;
BEGIN
    IF v_refusal IS NOT NULL THEN
        RETURN v_refusal;
    END IF;
    SELECT * INTO v_user FROM dicomgw.app_user u WHERE u.username = p_username FOR NO KEY UPDATE;
    IF FOUND THEN
        v_right := dicomgw._verify_password(v_password, v_user.password_hash);
    ELSE
        v_right := dicomgw._hash_password(v_password) IS NULL; -- false, after the same time
    END IF;
    IF NOT v_right OR v_user.disabled THEN
        PERFORM dicomgw._count_failure(dicomgw._login_key('user', p_username), v_most);
        PERFORM dicomgw._count_failure(dicomgw._address_key(dicomgw.client_address()), 4 * v_most);
        PERFORM dicomgw._audit(p_failure, coalesce('user ' || v_user.username, 'an unknown user'),
                               jsonb_build_object('disabled', nullif(v_right, false)));
        RETURN dicomgw._answer(401, 'user name or password is wrong');
    END IF;
    DELETE FROM dicomgw.login_failure f WHERE f.key = dicomgw._login_key('user', p_username);
    IF NOT dicomgw._password_hash_is_current(v_user.password_hash) THEN
        UPDATE dicomgw.app_user u SET password_hash = dicomgw._hash_password(v_password) WHERE u.username = p_username;
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION dicomgw._authenticate(text, text, text) IS 'Called with a password: NULL if it is the user''s, else the answer; a failure is counted and recorded';

-- With the owner's rights, as those that follow: whoever calls has no rights yet.
CREATE FUNCTION dicomgw.login(username text, password text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_refusal jsonb := dicomgw._authenticate(coalesce(username, ''), coalesce(password, ''), 'failed login');
    v_user    dicomgw.app_user;
    v_session record;
BEGIN
    IF v_refusal IS NOT NULL THEN
        RETURN v_refusal;
    END IF;
    UPDATE dicomgw.app_user u SET last_login_at = now() WHERE u.username = login.username RETURNING * INTO v_user;
    SELECT * INTO v_session FROM dicomgw._open_session(v_user.username, make_interval(mins => dicomgw._setting('session_lifetime', 720)), false);
    PERFORM dicomgw._audit('login', 'user ' || v_user.username, '{}', v_user.username);
    PERFORM dicomgw._set_cookie(v_session.token);
    RETURN jsonb_build_object('token', v_session.token, 'username', v_user.username, 'role', v_user.role,
                              'expires_at', v_session.expires_at, 'must_change_password', v_user.must_change_password);
END
$$;
COMMENT ON FUNCTION dicomgw.login(text, text) IS
    'Signs in: a token for the Authorization header, and the same as a cookie; 401 if name or password are wrong, 429 after too many failures, 503 if too many sign in at the same time';

CREATE FUNCTION dicomgw._set_cookie(p_token text) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT set_config('response.headers', json_build_array(
        json_build_object('Set-Cookie', format('__Host-dicomgw=%s; Path=/; Secure; HttpOnly; SameSite=Strict%s', p_token,
                                               CASE WHEN p_token = '' THEN '; Max-Age=0' END)),
        json_build_object('Cache-Control', 'no-store'))::text, true);
END;
COMMENT ON FUNCTION dicomgw._set_cookie(text) IS 'Called at a sign-in: the answer sets the cookie; an empty one takes it away';

CREATE FUNCTION dicomgw.logout() RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_ended boolean;
BEGIN
    UPDATE dicomgw.session s SET revoked_at = now() WHERE s.id = dicomgw._session_id() AND s.revoked_at IS NULL;
    v_ended := FOUND;
    PERFORM dicomgw._audit('logout', 'user ' || dicomgw.actor(), '{}');
    PERFORM dicomgw._set_cookie('');
    RETURN v_ended;
END
$$;
COMMENT ON FUNCTION dicomgw.logout() IS 'Ends the session of this request, and takes its cookie away';

CREATE FUNCTION dicomgw._own_username() RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF dicomgw._by_http() THEN
        RETURN dicomgw._claim('username');
    END IF;
    RETURN (SELECT u.username FROM dicomgw.app_user u WHERE u.db_role = session_user);
END
$$;
COMMENT ON FUNCTION dicomgw._own_username() IS 'Called for the user who acts: by HTTP he that has signed in, else he whose database role has logged in; NULL: none';

CREATE FUNCTION dicomgw.change_password(old text, new text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_username CONSTANT text := dicomgw._own_username();
    v_refusal  jsonb;
    v_ended    bigint;
BEGIN
    IF v_username IS NULL THEN
        RAISE EXCEPTION 'role "%" is no user of the HTTP interface', session_user USING ERRCODE = 'undefined_object',
            HINT = 'dicomgw.reset_password() gives a user a new password.';
    END IF;
    PERFORM dicomgw._check_password(v_username, coalesce(new, ''));
    IF new = old THEN
        RAISE EXCEPTION 'the new password is the old one' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    v_refusal := dicomgw._authenticate(v_username, coalesce(old, ''), 'failed change_password');
    IF v_refusal IS NOT NULL THEN
        RETURN v_refusal;
    END IF;
    PERFORM dicomgw._set_password(v_username, new, false);
    v_ended := dicomgw._end_sessions(v_username, dicomgw._session_id());
    PERFORM dicomgw._audit('change_password', 'user ' || v_username, jsonb_build_object('ended_sessions', v_ended));
    RETURN jsonb_build_object('changed', true, 'ended_sessions', v_ended);
END
$$;
COMMENT ON FUNCTION dicomgw.change_password(text, text) IS
    'Changes one''s own password; all other sessions end. 400 if it is not good enough, 401 if the old one is wrong';

CREATE FUNCTION dicomgw.me() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
RETURN (SELECT jsonb_build_object(
            'username', u.username, 'role', u.role,
            'scope', CASE WHEN num_nonnulls(u.scope_calling_aes, u.scope_institutions) > 0
                          THEN jsonb_build_object('calling_aes', u.scope_calling_aes, 'institutions', u.scope_institutions) END,
            'must_change_password', u.must_change_password, 'expires_at', s.expires_at, 'database_time', now())
        FROM dicomgw.app_user u LEFT JOIN dicomgw.session s ON s.id = dicomgw._session_id()
        WHERE u.username = dicomgw._own_username());
COMMENT ON FUNCTION dicomgw.me() IS 'Who has signed in, as what, limited to what (scope; null: to nothing), until when; and what the time is here';
