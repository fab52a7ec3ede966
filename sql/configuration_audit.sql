/*
 * Each change of the configuration is in the audit log: which row, and what
 * became of which column.  Secrets are not, only that they changed.
 */

-- With the owner's rights: whoever changes the configuration may not write to the audit log himself.
CREATE FUNCTION dicomgw._audit_configuration() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    c_secret  CONSTANT text[] := '{passcode,password,password_hash,bearer_token}';
    c_unsaid  CONSTANT text[] := '{last_login_at,password_hash}'; -- what signing in changes by itself
    v_old     jsonb := CASE WHEN TG_OP IN ('UPDATE', 'DELETE') THEN to_jsonb(OLD) ELSE '{}' END;
    v_new     jsonb := CASE WHEN TG_OP IN ('INSERT', 'UPDATE') THEN to_jsonb(NEW) ELSE '{}' END;
    v_row     jsonb := CASE WHEN TG_OP <> 'DELETE' THEN v_new ELSE v_old END;
    v_changed jsonb;
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        PERFORM dicomgw._audit('truncate', replace(TG_TABLE_NAME, '_', ' '), '{}');
        RETURN NULL;
    END IF;
    SELECT jsonb_object_agg(c.name, CASE WHEN c.name = ANY (c_secret) THEN to_jsonb('(secret)'::text)
                                         WHEN TG_OP = 'INSERT' THEN v_new -> c.name
                                         WHEN TG_OP = 'DELETE' THEN v_old -> c.name
                                         ELSE jsonb_build_array(v_old -> c.name, v_new -> c.name) END)
    INTO v_changed
    FROM jsonb_object_keys(v_row) AS c(name)
    WHERE v_old -> c.name IS DISTINCT FROM v_new -> c.name
      AND NOT (TG_OP = 'UPDATE' AND c.name = ANY (c_unsaid))
      AND coalesce(v_row ->> c.name, v_old ->> c.name) IS NOT NULL;
    IF v_changed IS NOT NULL THEN
        PERFORM dicomgw._audit(lower(TG_OP),
            concat_ws(' ', replace(TG_TABLE_NAME, '_', ' '),
                      coalesce(v_row ->> 'name', v_row ->> 'ae_title', v_row ->> 'username', v_row ->> 'route',
                               concat_ws(' ', v_row ->> 'destination_group', v_row ->> 'destination'))),
            jsonb_build_object('table', TG_TABLE_NAME, 'id', v_row -> 'id', 'columns', v_changed));
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION dicomgw._audit_configuration() IS 'Trigger of the configuration tables: an entry of the audit log for each row that is changed';

-- Configuration is what wakes the workers when it changes; and users, and what de-identification lets pass.
DO $$
DECLARE
    v_table regclass;
BEGIN
    FOR v_table IN SELECT t.tgrelid FROM pg_trigger t WHERE t.tgfoid = 'dicomgw.notify_config_change()'::regprocedure
                   UNION SELECT unnest('{dicomgw.app_user,dicomgw.harmless_text}'::regclass[]) LOOP
        EXECUTE format('CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION dicomgw._audit_configuration()', v_table);
        EXECUTE format('CREATE TRIGGER audit_truncate AFTER TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION dicomgw._audit_configuration()', v_table);
    END LOOP;
END
$$;
