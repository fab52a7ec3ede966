/*
 * HTTP: signing in, one's own session, users and sessions for admins, the audit log.
 */
CREATE FUNCTION dicomgw_api.login(username text, password text) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM dicomgw._refuse_get();
    RETURN dicomgw.login(username, password);
END
$$;
COMMENT ON FUNCTION dicomgw_api.login(text, text) IS
    'Signs in: {token, username, role, expires_at, must_change_password}, and the token as cookie __Host-dicomgw; 401 if name or password are wrong, 429 after too many failures, 503 if too many sign in at the same time';

CREATE FUNCTION dicomgw_api.logout() RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM dicomgw._refuse_get();
    RETURN dicomgw.logout();
END
$$;
COMMENT ON FUNCTION dicomgw_api.logout() IS
    'Ends the session of this request, and takes its cookie away';

CREATE FUNCTION dicomgw_api.change_password(old text, new text) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM dicomgw._refuse_get();
    RETURN dicomgw.change_password(old, new);
END
$$;
COMMENT ON FUNCTION dicomgw_api.change_password(text, text) IS
    'Changes one''s own password; all other sessions end. 400 if it is not good enough, 401 if the old one is wrong';

CREATE FUNCTION dicomgw_api.me() RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
RETURN dicomgw.me();
COMMENT ON FUNCTION dicomgw_api.me() IS
    '{username, role, scope, must_change_password, expires_at, database_time}; scope is null for who sees everything';

-- ---------- for admins ----------

CREATE FUNCTION dicomgw_api.create_user(username text, role text, scope_calling_aes text[] DEFAULT NULL, scope_institutions text[] DEFAULT NULL, db_role text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM dicomgw._refuse_get();
    RETURN dicomgw.create_user(username, role, scope_calling_aes, scope_institutions, db_role::name);
END
$$;
COMMENT ON FUNCTION dicomgw_api.create_user(text, text, text[], text[], text) IS
    'Adds a user: viewer, operator, admin or metrics; a viewer may be limited to objects of some calling AE titles, or with some Institution Names. Answers a password that he has to change when he signs in';

CREATE FUNCTION dicomgw_api.update_user(username text, role text DEFAULT NULL, disabled boolean DEFAULT NULL, scope_calling_aes text[] DEFAULT NULL, scope_institutions text[] DEFAULT NULL, unlimited boolean DEFAULT false, db_role text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM dicomgw._refuse_get();
    PERFORM dicomgw.update_user(username, role, disabled, scope_calling_aes, scope_institutions, unlimited, db_role::name);
END
$$;
COMMENT ON FUNCTION dicomgw_api.update_user(text, text, boolean, text[], text[], boolean, text) IS
    'Changes a user; what is not given stays. unlimited takes his limits away, but those that are given. Disabled, or with another role, his sessions end at once';

CREATE FUNCTION dicomgw_api.reset_password(username text) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM dicomgw._refuse_get();
    RETURN dicomgw.reset_password(username);
END
$$;
COMMENT ON FUNCTION dicomgw_api.reset_password(text) IS
    'Gives a user a new password that he has to change when he signs in; his sessions end. Answers the password';

CREATE FUNCTION dicomgw_api.issue_token(username text, valid_for interval DEFAULT '1 year') RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM dicomgw._refuse_get();
    RETURN dicomgw.issue_token(username, valid_for);
END
$$;
COMMENT ON FUNCTION dicomgw_api.issue_token(text, interval) IS
    'A token for a program that fetches metrics; it is listed among the sessions, and can be revoked there';

CREATE FUNCTION dicomgw_api.revoke_session(id uuid) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM dicomgw._refuse_get();
    RETURN dicomgw.revoke_session(id);
END
$$;
COMMENT ON FUNCTION dicomgw_api.revoke_session(uuid) IS
    'Ends a session at once; false if there is none, or it has been ended before';

CREATE FUNCTION dicomgw_api.revoke_sessions(username text) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM dicomgw._refuse_get();
    RETURN dicomgw.revoke_sessions(username);
END
$$;
COMMENT ON FUNCTION dicomgw_api.revoke_sessions(text) IS
    'Ends all sessions of a user at once; answers how many';

CREATE FUNCTION dicomgw_api.rotate_secret() RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM dicomgw._refuse_get();
    RETURN dicomgw.rotate_secret();
END
$$;
COMMENT ON FUNCTION dicomgw_api.rotate_secret() IS
    'A new secret for tokens: all that were signed with the old one are worth nothing any more, and all sessions end; answers how many';

CREATE VIEW dicomgw_api.app_user WITH (security_invoker = true) AS
    SELECT t.username, t.role, t.scope_calling_aes, t.scope_institutions, t.disabled, t.must_change_password, t.db_role, t.password_changed_at, t.created_at, t.last_login_at, t.failed_logins, t.locked_until
    FROM dicomgw.app_user_status t;
COMMENT ON VIEW dicomgw_api.app_user IS 'Users';

CREATE VIEW dicomgw_api.session WITH (security_invoker = true) AS
    SELECT t.id, t.username, t.created_at, t.last_seen_at, t.expires_at, t.may_idle, t.address, t.user_agent
    FROM dicomgw.session t
    WHERE t.revoked_at IS NULL AND t.expires_at > now()
      AND (t.may_idle OR t.last_seen_at > now() - make_interval(mins => dicomgw._setting('session_idle', 60)));
COMMENT ON VIEW dicomgw_api.session IS 'Sessions that are open';
COMMENT ON COLUMN dicomgw_api.session.id IS 'for revoke_session';
COMMENT ON COLUMN dicomgw_api.session.expires_at IS 'when it ends';
COMMENT ON COLUMN dicomgw_api.session.may_idle IS 'true: the token of a program';
COMMENT ON COLUMN dicomgw_api.session.address IS 'from where he signed in';

CREATE VIEW dicomgw_api.audit WITH (security_invoker = true) AS
    SELECT t.id, t.at, t.actor, t.session_id, t.address, t.application, t.action, t.target, t.details
    FROM dicomgw.audit_log t;
COMMENT ON VIEW dicomgw_api.audit IS 'Who did what, and looked at what';
COMMENT ON COLUMN dicomgw_api.audit.id IS 'number of the entry; newest first is order=id.desc';
COMMENT ON COLUMN dicomgw_api.audit.actor IS 'who';
COMMENT ON COLUMN dicomgw_api.audit.session_id IS 'in which session; null: by psql';
COMMENT ON COLUMN dicomgw_api.audit.address IS 'from where';
COMMENT ON COLUMN dicomgw_api.audit.action IS 'what: a verb, insert, update, delete of configuration, login, failed login, logout, change_password, view, export';
COMMENT ON COLUMN dicomgw_api.audit.target IS 'to what';
COMMENT ON COLUMN dicomgw_api.audit.details IS 'with which arguments, what was changed';

CREATE FUNCTION dicomgw_api.verify_audit(OUT entries bigint, OUT first_broken bigint, OUT problem text, OUT head text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT v.entries, v.first_broken, v.problem, v.head FROM dicomgw.verify_audit() v
$$;
COMMENT ON FUNCTION dicomgw_api.verify_audit() IS
    'Goes through the audit log and its chain of hashes: number of entries, the first one that was tampered with (null: none) and how, and the newest link, to be kept elsewhere';
