/*
 * What an admin does to users: add, change, give a new password.  All of it
 * with the owner's rights: an admin may do this, not write to the tables.
 */
CREATE FUNCTION dicomgw._check_scope() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF num_nonnulls(NEW.scope_calling_aes, NEW.scope_institutions) > 0
       AND EXISTS (SELECT FROM pg_roles r, pg_roles o
                   WHERE r.rolname = NEW.db_role AND o.rolname = 'dicomgw_operator' AND pg_has_role(r.oid, o.oid, 'MEMBER')) THEN
        RAISE EXCEPTION 'user "%" cannot be limited, as database role "%" is an operator', NEW.username, NEW.db_role
            USING ERRCODE = 'check_violation', HINT = format('REVOKE dicomgw_operator FROM %I first.', NEW.db_role);
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION dicomgw._check_scope() IS 'Trigger of app_user: a limit that a role''s other rights would undo is refused';
CREATE TRIGGER check_scope BEFORE INSERT OR UPDATE ON dicomgw.app_user FOR EACH ROW EXECUTE FUNCTION dicomgw._check_scope();

CREATE FUNCTION dicomgw.create_user(
    username text, role text, scope_calling_aes text[] DEFAULT NULL, scope_institutions text[] DEFAULT NULL, db_role name DEFAULT NULL)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_password CONSTANT text := dicomgw._one_time_password();
BEGIN
    INSERT INTO dicomgw.app_user (username, role, password_hash, scope_calling_aes, scope_institutions, db_role)
    VALUES (username, role, dicomgw._hash_password(v_password), scope_calling_aes, scope_institutions, db_role);
    RETURN v_password;
END
$$;
COMMENT ON FUNCTION dicomgw.create_user(text, text, text[], text[], name) IS
    'Adds a user: viewer, operator, admin or metrics; a viewer may be limited to objects of some calling AE titles, or with some Institution Names. Returns a password that he has to change when he signs in';

CREATE FUNCTION dicomgw.create_first_admin(username text DEFAULT 'admin') RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM dicomgw.app_user u WHERE u.role = 'admin' AND NOT u.disabled) THEN
        RAISE EXCEPTION 'there is an admin already' USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'dicomgw.reset_password() gives him a new password, dicomgw.create_user() adds another one.';
    END IF;
    RETURN dicomgw.create_user(username, 'admin');
END
$$;
COMMENT ON FUNCTION dicomgw.create_first_admin(text) IS 'Adds the first admin; returns a password that he has to change when he signs in';

CREATE FUNCTION dicomgw._missing_user(p_username text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'user "%" does not exist', p_username USING ERRCODE = 'undefined_object',
        HINT = 'SELECT username FROM dicomgw.app_user lists them.';
END
$$;
COMMENT ON FUNCTION dicomgw._missing_user(text) IS 'Called for a user that there is not: an error';

CREATE FUNCTION dicomgw.update_user(
    username text, role text DEFAULT NULL, disabled boolean DEFAULT NULL,
    scope_calling_aes text[] DEFAULT NULL, scope_institutions text[] DEFAULT NULL, unlimited boolean DEFAULT false,
    db_role name DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_old dicomgw.app_user;
    v_new dicomgw.app_user;
BEGIN
    LOCK TABLE dicomgw.app_user IN SHARE ROW EXCLUSIVE MODE; -- lest two admins demote each other
    SELECT * INTO v_old FROM dicomgw.app_user u WHERE u.username = update_user.username;
    IF NOT FOUND THEN
        PERFORM dicomgw._missing_user(username);
    END IF;
    UPDATE dicomgw.app_user u
    SET role = coalesce(update_user.role, u.role),
        disabled = coalesce(update_user.disabled, u.disabled),
        scope_calling_aes = CASE WHEN unlimited THEN update_user.scope_calling_aes ELSE coalesce(update_user.scope_calling_aes, u.scope_calling_aes) END,
        scope_institutions = CASE WHEN unlimited THEN update_user.scope_institutions ELSE coalesce(update_user.scope_institutions, u.scope_institutions) END,
        db_role = coalesce(update_user.db_role, u.db_role)
    WHERE u.username = update_user.username
    RETURNING * INTO v_new;
    IF v_old.role = 'admin' AND NOT EXISTS (SELECT FROM dicomgw.app_user u WHERE u.role = 'admin' AND NOT u.disabled) THEN
        RAISE EXCEPTION 'user "%" is the last admin', username USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF v_new.disabled OR v_new.role <> v_old.role THEN
        PERFORM dicomgw._end_sessions(username);
    END IF;
END
$$;
COMMENT ON FUNCTION dicomgw.update_user(text, text, boolean, text[], text[], boolean, name) IS
    'Changes a user; what is not given stays. unlimited takes his limits away, but those that are given. Disabled, or with another role, his sessions end at once';

CREATE FUNCTION dicomgw.reset_password(username text) RETURNS text
LANGUAGE plpgsql STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_password CONSTANT text := dicomgw._one_time_password();
BEGIN
    PERFORM FROM dicomgw.app_user u WHERE u.username = reset_password.username FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        PERFORM dicomgw._missing_user(username);
    END IF;
    PERFORM dicomgw._set_password(username, v_password, true);
    DELETE FROM dicomgw.login_failure f WHERE f.key = dicomgw._login_key('user', username);
    PERFORM dicomgw._audit('reset_password', 'user ' || username, jsonb_build_object('ended_sessions', dicomgw._end_sessions(username)));
    RETURN v_password;
END
$$;
COMMENT ON FUNCTION dicomgw.reset_password(text) IS
    'Gives a user a new password that he has to change when he signs in; his sessions end, and so does the wait after failed sign-ins. Returns the password';

CREATE FUNCTION dicomgw.issue_token(username text, valid_for interval DEFAULT '1 year') RETURNS text
LANGUAGE plpgsql STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM dicomgw.app_user u WHERE u.username = issue_token.username AND u.role = 'metrics') THEN
        RAISE EXCEPTION 'user "%" is no metrics user', username USING ERRCODE = 'invalid_parameter_value',
            HINT = 'A token for a program is not for what people may do.';
    END IF;
    -- nobody signs in with his password, so it is changed
    UPDATE dicomgw.app_user u SET must_change_password = false WHERE u.username = issue_token.username;
    PERFORM dicomgw._audit('issue_token', 'user ' || username, jsonb_build_object('valid_for', valid_for));
    RETURN (SELECT o.token FROM dicomgw._open_session(username, valid_for, true) o);
END
$$;
COMMENT ON FUNCTION dicomgw.issue_token(text, interval) IS
    'A token for a program that fetches metrics, for the Authorization header; it is listed in dicomgw.session, and revoke_session() ends it';

-- What was signed in with is nobody else's; whether a user has to wait is an admin's to see.
CREATE VIEW dicomgw.app_user_status AS
    SELECT u.username, u.role, u.scope_calling_aes, u.scope_institutions, u.disabled, u.must_change_password, u.db_role,
           u.password_changed_at, u.created_at, u.last_login_at, coalesce(f.failures, 0) AS failed_logins,
           CASE WHEN f.locked_until > now() THEN f.locked_until END AS locked_until
    FROM dicomgw.app_user u
    LEFT JOIN dicomgw.login_failure f ON f.key = dicomgw._login_key('user', u.username);
COMMENT ON VIEW dicomgw.app_user_status IS 'Users without their passwords'' hashes, and whether each has to wait after failed sign-ins';
COMMENT ON COLUMN dicomgw.app_user_status.username IS 'what he signs in with';
COMMENT ON COLUMN dicomgw.app_user_status.role IS 'viewer, operator, admin or metrics';
COMMENT ON COLUMN dicomgw.app_user_status.scope_calling_aes IS 'he sees objects from these calling AE titles only; NULL: from any';
COMMENT ON COLUMN dicomgw.app_user_status.scope_institutions IS 'he sees objects with these Institution Names only; NULL: with any, or none';
COMMENT ON COLUMN dicomgw.app_user_status.disabled IS 'true: he cannot sign in';
COMMENT ON COLUMN dicomgw.app_user_status.must_change_password IS 'true: before anything else he has to choose a password';
COMMENT ON COLUMN dicomgw.app_user_status.db_role IS 'database role that he logs in with by psql';
COMMENT ON COLUMN dicomgw.app_user_status.password_changed_at IS 'when his password was set';
COMMENT ON COLUMN dicomgw.app_user_status.created_at IS 'when he was added';
COMMENT ON COLUMN dicomgw.app_user_status.last_login_at IS 'when he last signed in';
COMMENT ON COLUMN dicomgw.app_user_status.failed_logins IS 'failed sign-ins since';
COMMENT ON COLUMN dicomgw.app_user_status.locked_until IS 'until when no password of his is looked at';
