/*
 * HTTP: the configuration.  Views as its tables are, with their defaults (api_comment.sql);
 * an admin writes to them, and what they do not let in is refused as by psql.
 */
CREATE VIEW dicomgw_api.listener WITH (security_invoker = true) AS
    SELECT t.* FROM dicomgw.listener t;
CREATE VIEW dicomgw_api.destination WITH (security_invoker = true) AS
    SELECT t.* FROM dicomgw.destination t;
CREATE VIEW dicomgw_api.destination_group WITH (security_invoker = true) AS
    SELECT t.* FROM dicomgw.destination_group t;
CREATE VIEW dicomgw_api.destination_group_member WITH (security_invoker = true) AS
    SELECT t.* FROM dicomgw.destination_group_member t;
CREATE VIEW dicomgw_api.destination_window WITH (security_invoker = true) AS
    SELECT t.* FROM dicomgw.destination_window t;
CREATE VIEW dicomgw_api.route WITH (security_invoker = true) AS
    SELECT t.* FROM dicomgw.route t;
CREATE VIEW dicomgw_api.route_edit WITH (security_invoker = true) AS
    SELECT t.* FROM dicomgw.route_edit t;
CREATE VIEW dicomgw_api.harmless_text WITH (security_invoker = true) AS
    SELECT t.* FROM dicomgw.harmless_text t;

-- ---------- a passcode is written, and never shown ----------

-- With the owner's rights: that there is one is for everybody to see, its hash for nobody.
CREATE FUNCTION dicomgw._masked_passcode(p_remote_ae integer) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
RETURN (SELECT '********' FROM dicomgw.remote_ae r WHERE r.id = p_remote_ae AND r.passcode IS NOT NULL);
COMMENT ON FUNCTION dicomgw._masked_passcode(integer) IS 'Called by the view remote_ae: asterisks in place of a passcode; NULL: it has none';

CREATE VIEW dicomgw_api.remote_ae WITH (security_invoker = true) AS
    SELECT t.id, t.ae_title, t.network, t.description, t.enabled, t.may_store, t.may_echo, t.max_associations, t.username,
           dicomgw._masked_passcode(t.id) AS passcode
    FROM dicomgw.remote_ae t;
COMMENT ON COLUMN dicomgw_api.remote_ae.passcode IS
    'passcode that goes with it: write it, and read asterisks if there is one; asterisks that are written back change nothing, null takes it away';

CREATE FUNCTION dicomgw._write_remote_ae() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM dicomgw.remote_ae r WHERE r.id = OLD.id;
        RETURN OLD;
    END IF;
    IF NEW.passcode ~ '^\*+$' AND (TG_OP = 'INSERT' OR NEW.passcode IS DISTINCT FROM OLD.passcode) THEN
        RAISE EXCEPTION 'a passcode cannot consist of asterisks' USING ERRCODE = 'invalid_parameter_value',
            DETAIL = 'They stand for one that is not shown.';
    END IF;
    IF TG_OP = 'UPDATE' THEN
        UPDATE dicomgw.remote_ae r
        SET id = NEW.id, ae_title = NEW.ae_title, network = NEW.network, description = NEW.description, enabled = NEW.enabled,
            may_store = NEW.may_store, may_echo = NEW.may_echo, max_associations = NEW.max_associations, username = NEW.username
        WHERE r.id = OLD.id;
        IF NEW.passcode IS DISTINCT FROM OLD.passcode THEN
            UPDATE dicomgw.remote_ae r SET passcode = NEW.passcode WHERE r.id = NEW.id;
        END IF;
    ELSIF NEW.id IS NULL THEN
        INSERT INTO dicomgw.remote_ae
            (ae_title, network, description, enabled, may_store, may_echo, max_associations, username, passcode)
        VALUES (NEW.ae_title, NEW.network, NEW.description, NEW.enabled, NEW.may_store, NEW.may_echo, NEW.max_associations, NEW.username,
                NEW.passcode)
        RETURNING remote_ae.id INTO NEW.id;
    ELSE
        INSERT INTO dicomgw.remote_ae
            (id, ae_title, network, description, enabled, may_store, may_echo, max_associations, username, passcode)
        VALUES (NEW.id, NEW.ae_title, NEW.network, NEW.description, NEW.enabled, NEW.may_store, NEW.may_echo, NEW.max_associations,
                NEW.username, NEW.passcode);
    END IF;
    NEW.passcode := dicomgw._masked_passcode(NEW.id); -- what the answer shows
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION dicomgw._write_remote_ae() IS
    'Trigger of the view remote_ae: writes to the table, with the rights of whoever writes; the passcode only if another one is given';
CREATE TRIGGER write INSTEAD OF INSERT OR UPDATE OR DELETE ON dicomgw_api.remote_ae
    FOR EACH ROW EXECUTE FUNCTION dicomgw._write_remote_ae();

-- ---------- what helps to write it ----------

CREATE VIEW dicomgw_api.attribute WITH (security_invoker = true) AS
    SELECT t.keyword, t.tag, t.vr FROM dicomgw.attribute t;

CREATE VIEW dicomgw_api.route_column WITH (security_invoker = true) AS
    SELECT a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type, col_description(a.attrelid, a.attnum) AS comment
    FROM pg_attribute a
    WHERE a.attrelid = 'dicomgw.route_row'::regclass AND a.attnum > 0
    ORDER BY a.attnum;
COMMENT ON VIEW dicomgw_api.route_column IS 'Columns that predicates of routes and expressions of edits are written over';
COMMENT ON COLUMN dicomgw_api.route_column.name IS 'name of the column';
COMMENT ON COLUMN dicomgw_api.route_column.type IS 'its type';
COMMENT ON COLUMN dicomgw_api.route_column.comment IS 'what it is';

CREATE VIEW dicomgw_api.deidentification_rule WITH (security_invoker = true) AS
    SELECT t.* FROM dicomgw.deidentification_rule t;
CREATE VIEW dicomgw_api.edit_version WITH (security_invoker = true) AS
    SELECT t.* FROM dicomgw.edit_version t;

-- A position is not among what PostgREST passes on of an error.
CREATE FUNCTION dicomgw._check_expression(kind text, expression text) RETURNS void
LANGUAGE c STRICT STABLE
AS 'MODULE_PATHNAME', 'dgw_check_expression';
COMMENT ON FUNCTION dicomgw._check_expression(text, text) IS
    'Called by dicomgw_api: check_predicate, check_expected_instances or check_edit_expression; the detail of its error begins with the position, as in "At character 12."';

CREATE FUNCTION dicomgw_api.check_predicate(predicate text) RETURNS void
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
RETURN dicomgw._check_expression('predicate', predicate);
COMMENT ON FUNCTION dicomgw_api.check_predicate(text) IS
    '204, or an error that says why this is not a boolean expression over the columns of route_column that a route may have; details: at which character';

CREATE FUNCTION dicomgw_api.check_expected_instances(expected_instances text) RETURNS void
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
RETURN dicomgw._check_expression('expected_instances', expected_instances);
COMMENT ON FUNCTION dicomgw_api.check_expected_instances(text) IS
    '204, or an error that says why this is not an integer expression over the columns of route_column that a route may have; details: at which character';

CREATE FUNCTION dicomgw_api.check_edit_expression(expression text) RETURNS void
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
RETURN dicomgw._check_expression('edit_expression', expression);
COMMENT ON FUNCTION dicomgw_api.check_edit_expression(text) IS
    '204, or an error that says why this is not an expression over the columns of route_column that an edit may have; details: at which character';

CREATE FUNCTION dicomgw_api.preview_edits(instance_id bigint, route text)
RETURNS TABLE (tag text, keyword text, before text, after text, action text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM dicomgw._refuse_get(); -- pseudonyms that it needs are made
    PERFORM dicomgw._note_object(preview_edits.instance_id);
    RETURN QUERY SELECT p.* FROM dicomgw.preview_edits(preview_edits.instance_id, preview_edits.route) p;
END
$$;
COMMENT ON FUNCTION dicomgw_api.preview_edits(bigint, text) IS
    'What the edits of a route would make of an object, element by element, without sending it: action is null where nothing changes; items of sequences stand as 00400275[1]/00400009';

-- ---------- verbs ----------

CREATE FUNCTION dicomgw_api.delete_destination(destination text, cancel boolean DEFAULT false) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM dicomgw._refuse_get();
    RETURN dicomgw.delete_destination(destination, cancel);
END
$$;
COMMENT ON FUNCTION dicomgw_api.delete_destination(text, boolean) IS
    'Deletes a destination that no route and no group names; with cancel its jobs and dead letters are cancelled first. Answers how many were';

CREATE FUNCTION dicomgw_api.set_credentials(destination text, username text DEFAULT NULL, password text DEFAULT NULL, bearer_token text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM dicomgw._refuse_get();
    PERFORM dicomgw.set_credentials(destination, username, password, bearer_token);
END
$$;
COMMENT ON FUNCTION dicomgw_api.set_credentials(text, text, text, text) IS
    'Sets the HTTP credentials of a DICOMweb destination: user name and password, or a bearer token; none of them removes what there is. They are never shown';

CREATE FUNCTION dicomgw_api.revert(table_name text, name text, version integer) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM dicomgw._refuse_get();
    RETURN dicomgw.revert(table_name, name, version);
END
$$;
COMMENT ON FUNCTION dicomgw_api.revert(text, text, integer) IS
    'Puts a row of the configuration back to a version of it (see configuration_change), one that was deleted, too; secrets stay as they are. Answers the number of the version that this makes, or of the present one if nothing differs';

-- ---------- its history ----------

CREATE VIEW dicomgw_api.configuration_change WITH (security_invoker = true) AS
    SELECT t.* FROM dicomgw.configuration_change t;
CREATE VIEW dicomgw_api.configuration_history WITH (security_invoker = true) AS
    SELECT t.* FROM dicomgw.configuration_history t;

CREATE FUNCTION dicomgw_api.configuration_as_of(table_name text, at timestamptz DEFAULT 'infinity')
RETURNS SETOF dicomgw_api.configuration_history
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT v.* FROM dicomgw.configuration_as_of(table_name, at) v;
END;
COMMENT ON FUNCTION dicomgw_api.configuration_as_of(text, timestamptz) IS
    'The versions of the rows of a table of the configuration that were in force at this time; none of what was deleted before';
