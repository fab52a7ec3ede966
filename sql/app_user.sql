/*
 * Users of the HTTP interface: who may sign in, as what, and which studies he
 * is limited to.  Passwords are kept as Argon2id hashes; those that we make are
 * for one time.
 */
CREATE TABLE dicomgw.app_user (
    username             text PRIMARY KEY,
    role                 text NOT NULL,
    password_hash        text NOT NULL,
    scope_calling_aes    text[],
    scope_institutions   text[],
    disabled             boolean NOT NULL DEFAULT false,
    must_change_password boolean NOT NULL DEFAULT true,
    db_role              name UNIQUE,
    password_changed_at  timestamptz NOT NULL DEFAULT now(),
    created_at           timestamptz NOT NULL DEFAULT now(),
    last_login_at        timestamptz,
    CONSTRAINT app_user_username_is_1_to_64_printable_characters CHECK (username ~ '^[^[:cntrl:][:space:]()]{1,64}$'),
    CONSTRAINT app_user_role_is_known CHECK (role IN ('viewer', 'operator', 'admin', 'metrics')),
    CONSTRAINT app_user_password_is_hashed CHECK (password_hash LIKE '$argon2id$%'),
    CONSTRAINT app_user_scope_is_a_viewers CHECK (role = 'viewer' OR num_nonnulls(scope_calling_aes, scope_institutions) = 0),
    CONSTRAINT app_user_scope_names_something CHECK (cardinality(scope_calling_aes) > 0 AND cardinality(scope_institutions) > 0)
);
COMMENT ON TABLE dicomgw.app_user IS 'Users of the HTTP interface; see dicomgw.create_user()';
COMMENT ON COLUMN dicomgw.app_user.username IS 'what he signs in with';
COMMENT ON COLUMN dicomgw.app_user.role IS 'viewer, operator (and viewer), admin (and operator), or metrics';
COMMENT ON COLUMN dicomgw.app_user.password_hash IS 'Argon2id hash of his password, with its parameters (PHC string)';
COMMENT ON COLUMN dicomgw.app_user.scope_calling_aes IS 'he sees objects from these calling AE titles only; NULL: from any';
COMMENT ON COLUMN dicomgw.app_user.scope_institutions IS 'he sees objects with these Institution Names (0008,0080) only; NULL: with any, or none';
COMMENT ON COLUMN dicomgw.app_user.disabled IS 'true: he cannot sign in, and his sessions are over';
COMMENT ON COLUMN dicomgw.app_user.must_change_password IS 'true: before anything else he has to choose a password';
COMMENT ON COLUMN dicomgw.app_user.db_role IS 'database role that he logs in with by psql: his scope holds there, too';
COMMENT ON COLUMN dicomgw.app_user.password_changed_at IS 'when his password was set';
COMMENT ON COLUMN dicomgw.app_user.created_at IS 'when he was added';
COMMENT ON COLUMN dicomgw.app_user.last_login_at IS 'when he last signed in';

-- ---------- passwords ----------

CREATE FUNCTION dicomgw._hash_password(p_password text) RETURNS text
LANGUAGE c STRICT VOLATILE
AS 'MODULE_PATHNAME', 'dgw_hash_password';
COMMENT ON FUNCTION dicomgw._hash_password(text) IS 'Called for a new password: its Argon2id hash (RFC 9106)';

CREATE FUNCTION dicomgw._verify_password(p_password text, p_hash text) RETURNS boolean
LANGUAGE c STRICT VOLATILE
AS 'MODULE_PATHNAME', 'dgw_verify_password';
COMMENT ON FUNCTION dicomgw._verify_password(text, text) IS 'Called at a sign-in: whether this is the password of that hash; takes its time';

CREATE FUNCTION dicomgw._password_hash_is_current(p_hash text) RETURNS boolean
LANGUAGE c STRICT VOLATILE
AS 'MODULE_PATHNAME', 'dgw_password_hash_is_current';
COMMENT ON FUNCTION dicomgw._password_hash_is_current(text) IS 'Called at a sign-in: whether the hash has the parameters of the settings';

-- A setting of ours, also in a server that has not loaded the library.
CREATE FUNCTION dicomgw._setting(p_name text, p_default integer) RETURNS integer
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
RETURN coalesce((SELECT s.setting::integer FROM pg_settings s WHERE s.name = 'dicomgw.' || p_name), p_default);
COMMENT ON FUNCTION dicomgw._setting(text, integer) IS 'Called for a number among our settings, in its own unit';

CREATE FUNCTION dicomgw._one_time_password() RETURNS text
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
RETURN regexp_replace(substr(encode(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 'hex'), 1, 20),
                      '(.{5})(?=.)', '\1-', 'g');
COMMENT ON FUNCTION dicomgw._one_time_password() IS 'Called for a new user: a random password of 80 bits that can be typed';

CREATE FUNCTION dicomgw._check_password(p_username text, p_password text) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    c_commonest CONSTANT text[] := '{password,passwort,passw0rd,pass,qwerty,qwertz,qwertyuiop,qwertzuiop,asdf,asdfghjkl,abc,abcdef,abcdefghijkl,
        admin,administrator,adminadmin,root,user,test,guest,letmein,welcome,willkommen,iloveyou,changeme,hello,hallo,football,sunshine,
        princess,dragon,monkey,secret,geheim,passwordpassword,dicom,dicomgw,pacs,radiology,radiologie,hospital,krankenhaus}';
    v_length    CONSTANT integer := dicomgw._setting('password_min_length', 12);
    c_no_letter CONSTANT text := '[\x01-\x40\x5b-\x60\x7b-\x7f]'; -- of ASCII; of others the locale may not know
    v_letters   CONSTANT text := lower(regexp_replace(p_password, c_no_letter, '', 'g'));
    v_why       text;
BEGIN
    v_why := CASE
        WHEN length(p_password) < v_length THEN format('It has less than %s characters.', v_length)
        WHEN length(p_password) > 1000 THEN 'It has more than 1000 characters.'
        WHEN v_letters = lower(regexp_replace(p_username, c_no_letter, '', 'g')) THEN 'It is the user name, or little more.'
        WHEN v_letters = '' OR v_letters = ANY (c_commonest) THEN 'It is one of the commonest, or little more.'
        WHEN (SELECT count(DISTINCT c) FROM regexp_split_to_table(lower(p_password), '') c) < 5 THEN 'It has less than 5 different characters.'
    END;
    IF v_why IS NOT NULL THEN
        RAISE EXCEPTION 'the password is not good enough' USING ERRCODE = 'invalid_parameter_value', DETAIL = v_why,
            HINT = 'Several words that have nothing to do with each other are easy to remember and hard to guess.';
    END IF;
END
$$;
COMMENT ON FUNCTION dicomgw._check_password(text, text) IS 'Called for a new password: an error if it is too short or too easy to guess';

-- Whoever signs in or is shown to be somebody does so by the same letters, however his keyboard composes them.
CREATE FUNCTION dicomgw._set_password(p_username text, p_password text, p_one_time boolean) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    UPDATE dicomgw.app_user u
    SET password_hash = dicomgw._hash_password(normalize(p_password, NFC)), must_change_password = p_one_time, password_changed_at = now()
    WHERE u.username = p_username;
END;
COMMENT ON FUNCTION dicomgw._set_password(text, text, boolean) IS 'Called for a new password: keeps its hash';
