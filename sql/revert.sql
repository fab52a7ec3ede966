/*
 * Back to an earlier version of a row of the configuration.  It is a change as
 * any other: checked by the same constraints and triggers, in force at COMMIT,
 * and a new version.
 */
CREATE FUNCTION dicomgw._kept_version(p_table text, p_name text, p_version integer, OUT kept dicomgw.configuration_history)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_key  text;
    v_last integer;
BEGIN
    IF NOT EXISTS (SELECT FROM dicomgw.configuration_history h WHERE h.table_name = p_table) THEN
        RAISE EXCEPTION 'there is no history of a table "%"', p_table
            USING ERRCODE = 'undefined_table', HINT = 'SELECT DISTINCT table_name FROM dicomgw.configuration_history lists those that have one.';
    END IF;
    -- who has this name now goes before who has had it, or has had it more recently
    SELECT h.row_key INTO v_key FROM dicomgw.configuration_history h
    WHERE h.table_name = p_table AND h.name = p_name
    ORDER BY EXISTS (SELECT FROM dicomgw.configuration_as_of(p_table) v WHERE v.row_key = h.row_key AND v.name = p_name) DESC,
             h.valid_from DESC, h.version DESC LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no row of "%" was ever called "%"', p_table, p_name
            USING ERRCODE = 'undefined_object',
                  HINT = format('SELECT * FROM dicomgw.configuration_change WHERE table_name = %L shows what there was.', p_table);
    END IF;
    SELECT h.* INTO kept FROM dicomgw.configuration_history h
    WHERE h.table_name = p_table AND h.row_key = v_key AND h.version = p_version;
    IF kept.operation IS NULL THEN
        SELECT max(h.version) INTO v_last FROM dicomgw.configuration_history h WHERE h.table_name = p_table AND h.row_key = v_key;
        RAISE EXCEPTION '% "%" has no version %', p_table, p_name, p_version
            USING ERRCODE = 'undefined_object', DETAIL = format('It has the versions 1 to %s.', v_last);
    END IF;
    IF kept.operation = 'delete' THEN
        RAISE EXCEPTION '% "%" was deleted in version %', p_table, p_name, p_version
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give the version before, or delete the row.';
    END IF;
END
$$;
COMMENT ON FUNCTION dicomgw._kept_version(text, text, integer) IS
    'Verbs: the version of a row of the configuration that a person has named, or an error';

CREATE FUNCTION dicomgw.revert(table_name text, name text, version integer) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_kept    CONSTANT dicomgw.configuration_history NOT NULL := dicomgw._kept_version(table_name, name, version);
    v_row     jsonb NOT NULL := v_kept.contents;
    v_secrets text[];
    v_columns text;
    v_now     jsonb;
    v_version integer;
BEGIN
    -- A secret that there was not is taken away; one that there was stays what it is now.
    SELECT v_row || coalesce(jsonb_object_agg(s.key, NULL::text) FILTER (WHERE s.value IS NULL), '{}'),
           coalesce(array_agg(s.key) FILTER (WHERE s.value IS NOT NULL), '{}')
    INTO v_row, v_secrets
    FROM jsonb_each_text(v_kept.secrets) s;
    -- columns that the version knows and the table still has
    SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) INTO v_columns
    FROM pg_attribute a
    WHERE a.attrelid = format('dicomgw.%I', table_name)::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
      AND v_row ? a.attname;
    EXECUTE format('SELECT to_jsonb(t) FROM dicomgw.%I t WHERE dicomgw._row_key(%L, to_jsonb(t)) = $1 FOR UPDATE', table_name, table_name)
        INTO v_now USING v_kept.row_key;
    IF EXISTS (SELECT FROM unnest(v_secrets) s WHERE v_now ->> s IS NULL) THEN -- nobody comes in without a passcode by this
        RAISE EXCEPTION 'cannot revert % "%" to a version with a secret that is gone', table_name, name
            USING ERRCODE = 'PT409', DETAIL = format('The history does not keep: %s.', array_to_string(v_secrets, ', ')),
                  HINT = 'Write the row anew, with its secret.';
    END IF;

    IF v_now IS NULL THEN
        EXECUTE format('INSERT INTO dicomgw.%1$I (%2$s) OVERRIDING SYSTEM VALUE SELECT %2$s FROM jsonb_populate_record(NULL::dicomgw.%1$I, $1)',
                       table_name, v_columns)
            USING v_row;
    ELSE
        EXECUTE format('UPDATE dicomgw.%1$I t SET (%2$s) = (SELECT %2$s FROM jsonb_populate_record(NULL::dicomgw.%1$I, $1)) '
                       'WHERE dicomgw._row_key(%1$L, to_jsonb(t)) = $2', table_name, v_columns)
            USING v_row, v_kept.row_key;
    END IF;

    SELECT max(h.version) INTO v_version FROM dicomgw.configuration_history h
    WHERE h.table_name = revert.table_name AND h.row_key = v_kept.row_key;
    PERFORM dicomgw._audit('revert', format('%s %s', table_name, name), jsonb_build_object('to_version', version, 'version', v_version));
    RETURN v_version;
END
$$;
COMMENT ON FUNCTION dicomgw.revert(text, text, integer) IS
    'Puts a row of the configuration back to a version of it (see dicomgw.configuration_change), one that was deleted, too; secrets stay as they are. Returns the number of the version that this makes, or of the present one if nothing differs';
