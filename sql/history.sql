/*
 * History of the configuration: every version of every row, who made it and
 * when.  Triggers write it, whatever the change is made with; it can be added
 * to, and nothing else.
 *
 * A version counts from the first change of its transaction: all that one
 * transaction changes has one time, and is in force together.  It comes into
 * force at COMMIT, which nothing can write down beforehand; the two are as far
 * apart as the transaction is long.  Versions of a row never go back in time.
 *
 * The triggers fire on a subscriber, too, which has a history of its own: what
 * was in force there, and since when.  It is not in dumps; a restored database
 * begins with the rows that it was given.
 */
CREATE TABLE dicomgw.configuration_history (
    table_name     text NOT NULL,
    row_key        text NOT NULL,
    name           text NOT NULL,
    version        integer NOT NULL,
    operation      text NOT NULL,
    valid_from     timestamptz NOT NULL,
    changed_by     text,
    changed_as     text,
    application    text,
    replicated     boolean NOT NULL DEFAULT current_setting('session_replication_role') = 'replica',
    transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
    contents       jsonb NOT NULL,
    secrets        jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (table_name, row_key, version),
    CONSTRAINT configuration_history_operation_is_known CHECK (operation IN ('insert', 'update', 'delete', 'found'))
);
CREATE INDEX configuration_history_transaction_id_idx ON dicomgw.configuration_history (transaction_id);
COMMENT ON TABLE dicomgw.configuration_history IS
    'Every version of every row of the configuration; see dicomgw.configuration_change for what was changed in each';
COMMENT ON COLUMN dicomgw.configuration_history.table_name IS 'table in schema dicomgw';
COMMENT ON COLUMN dicomgw.configuration_history.row_key IS 'the row: its primary key';
COMMENT ON COLUMN dicomgw.configuration_history.name IS 'what people call the row in this version';
COMMENT ON COLUMN dicomgw.configuration_history.version IS 'the how manieth version of the row it is, from 1';
COMMENT ON COLUMN dicomgw.configuration_history.operation IS
    'insert, update; delete: the row is gone from here on; found: as it was when it was first changed, of a row that came in while triggers were disabled';
COMMENT ON COLUMN dicomgw.configuration_history.valid_from IS
    'since when: the first change of the transaction, so that all it changes has one time; in force from its COMMIT';
COMMENT ON COLUMN dicomgw.configuration_history.changed_by IS 'who: the role that logged in; NULL: it is not known';
COMMENT ON COLUMN dicomgw.configuration_history.changed_as IS 'the role that it acted as (SET ROLE); NULL: as itself';
COMMENT ON COLUMN dicomgw.configuration_history.application IS 'with which program, as it calls itself';
COMMENT ON COLUMN dicomgw.configuration_history.replicated IS 'true: the change came by logical replication';
COMMENT ON COLUMN dicomgw.configuration_history.transaction_id IS 'the transaction: what has the same one was changed together';
COMMENT ON COLUMN dicomgw.configuration_history.contents IS 'the row in this version (delete: the last one), without its secrets';
COMMENT ON COLUMN dicomgw.configuration_history.secrets IS 'secret columns: the version in which each got its present value, or null if it has none';

CREATE FUNCTION dicomgw._protect_configuration_history() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'the history of the configuration can be added to, and nothing else' USING ERRCODE = 'insufficient_privilege';
END
$$;
COMMENT ON FUNCTION dicomgw._protect_configuration_history() IS
    'Trigger of configuration_history: no version is changed or removed, by its owner neither';
CREATE TRIGGER protect BEFORE UPDATE OR DELETE OR TRUNCATE ON dicomgw.configuration_history
    FOR EACH STATEMENT EXECUTE FUNCTION dicomgw._protect_configuration_history();
ALTER TABLE dicomgw.configuration_history ENABLE ALWAYS TRIGGER protect;

-- ---------- reading it ----------

CREATE FUNCTION dicomgw.configuration_as_of(table_name text, at timestamptz DEFAULT 'infinity')
RETURNS SETOF dicomgw.configuration_history
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT v.*
    FROM (SELECT DISTINCT ON (h.row_key) h.* FROM dicomgw.configuration_history h
          WHERE h.table_name = configuration_as_of.table_name AND h.valid_from <= at
          ORDER BY h.row_key, h.version DESC) v
    WHERE v.operation <> 'delete'
    ORDER BY v.name
$$;
COMMENT ON FUNCTION dicomgw.configuration_as_of(text, timestamptz) IS
    'The versions of the rows of a table of the configuration that were in force at this time; none of what was deleted before';

CREATE FUNCTION dicomgw.route_as_of(at timestamptz) RETURNS SETOF dicomgw.route
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT r.* FROM dicomgw.configuration_as_of('route', at) v, jsonb_populate_record(NULL::dicomgw.route, v.contents) r
$$;
COMMENT ON FUNCTION dicomgw.route_as_of(timestamptz) IS
    'The routes that were in force at this time; a column that a route did not have then is NULL';

CREATE FUNCTION dicomgw.destination_as_of(at timestamptz) RETURNS SETOF dicomgw.destination
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT d.* FROM dicomgw.configuration_as_of('destination', at) v, jsonb_populate_record(NULL::dicomgw.destination, v.contents) d
$$;
COMMENT ON FUNCTION dicomgw.destination_as_of(timestamptz) IS
    'The destinations that were in force at this time; a column that a destination did not have then is NULL';

CREATE FUNCTION dicomgw.listener_as_of(at timestamptz) RETURNS SETOF dicomgw.listener
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT l.* FROM dicomgw.configuration_as_of('listener', at) v, jsonb_populate_record(NULL::dicomgw.listener, v.contents) l
$$;
COMMENT ON FUNCTION dicomgw.listener_as_of(timestamptz) IS
    'The listeners that were in force at this time; a column that a listener did not have then is NULL';

CREATE VIEW dicomgw.configuration_change AS
    WITH shown AS (
        SELECT h.*, h.contents || coalesce((SELECT jsonb_object_agg(s.key, 'secret of version ' || s.value)
                                            FROM jsonb_each_text(h.secrets) s), '{}') AS now_is
        FROM dicomgw.configuration_history h
    ), following AS (
        SELECT s.*, CASE WHEN lag(s.operation) OVER w <> 'delete' THEN lag(s.now_is) OVER w END AS was
        FROM shown s WINDOW w AS (PARTITION BY s.table_name, s.row_key ORDER BY s.version)
    )
    SELECT f.valid_from AS at, f.changed_by, f.changed_as, f.application, f.replicated, f.table_name, f.name, f.version, f.operation,
           c.change, c.before, c.after, f.transaction_id
    FROM following f
    CROSS JOIN LATERAL (
        SELECT string_agg(CASE WHEN f.was IS NULL OR f.operation = 'delete' THEN format('%s: %s', coalesce(o.key, n.key), coalesce(n.value, o.value))
                               ELSE format('%s: %s → %s', coalesce(o.key, n.key), coalesce(o.value, 'NULL'), coalesce(n.value, 'NULL')) END,
                          '; ' ORDER BY coalesce(o.key, n.key)) AS change,
               jsonb_object_agg(o.key, f.was -> o.key) FILTER (WHERE o.key IS NOT NULL) AS before,
               jsonb_object_agg(n.key, f.now_is -> n.key) FILTER (WHERE n.key IS NOT NULL) AS after
        FROM jsonb_each_text(f.was) AS o
        FULL JOIN jsonb_each_text(CASE WHEN f.operation <> 'delete' THEN f.now_is END) AS n ON n.key = o.key
        WHERE o.value IS DISTINCT FROM n.value
    ) c;
COMMENT ON VIEW dicomgw.configuration_change IS 'What was changed in the configuration, by whom and when: one row a version, ORDER BY at DESC shows the last ones first';
COMMENT ON COLUMN dicomgw.configuration_change.at IS 'when: the first change of the transaction';
COMMENT ON COLUMN dicomgw.configuration_change.changed_by IS 'who: the role that logged in; NULL: it is not known';
COMMENT ON COLUMN dicomgw.configuration_change.changed_as IS 'the role that it acted as (SET ROLE); NULL: as itself';
COMMENT ON COLUMN dicomgw.configuration_change.application IS 'with which program, as it calls itself';
COMMENT ON COLUMN dicomgw.configuration_change.replicated IS 'true: the change came by logical replication';
COMMENT ON COLUMN dicomgw.configuration_change.table_name IS 'table in schema dicomgw';
COMMENT ON COLUMN dicomgw.configuration_change.name IS 'what people call the row';
COMMENT ON COLUMN dicomgw.configuration_change.version IS 'number of the version; for dicomgw.revert()';
COMMENT ON COLUMN dicomgw.configuration_change.operation IS 'insert, update, delete; found: how a row was that came in unnoticed';
COMMENT ON COLUMN dicomgw.configuration_change.change IS 'what was changed, to be read: column: old → new; all that is not NULL of a row that is new or gone';
COMMENT ON COLUMN dicomgw.configuration_change.before IS 'the columns that differ, with their values before; NULL: the row is new';
COMMENT ON COLUMN dicomgw.configuration_change.after IS 'the columns that differ, with their values after; NULL: the row is gone';
COMMENT ON COLUMN dicomgw.configuration_change.transaction_id IS 'the transaction: what has the same one was changed together';

-- ---------- writing it ----------

CREATE FUNCTION dicomgw._row_key(p_table text, p_row jsonb) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT string_agg(p_row ->> a.attname, '/' ORDER BY k.n)
    FROM pg_index i
    CROSS JOIN LATERAL unnest(i.indkey::smallint[]) WITH ORDINALITY AS k(attnum, n)
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
    WHERE i.indrelid = format('dicomgw.%I', p_table)::regclass AND i.indisprimary
$$;
COMMENT ON FUNCTION dicomgw._row_key(text, jsonb) IS 'Number of a row of the configuration, or whatever its primary key is, as text';

CREATE FUNCTION dicomgw._note_version(p_table text, p_operation text, p_row jsonb, p_secrets text[], p_new_secrets text[])
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_key     CONSTANT text NOT NULL := dicomgw._row_key(p_table, p_row);
    v_name    CONSTANT text NOT NULL := coalesce(p_row ->> 'name', CASE p_table
        WHEN 'remote_ae' THEN concat_ws(' ', p_row ->> 'ae_title', p_row ->> 'network')
        WHEN 'destination_window' THEN concat_ws(' ', p_row ->> 'destination', v_key)
        WHEN 'route_edit' THEN concat_ws(' ', p_row ->> 'route', v_key)
        ELSE v_key END);
    v_known   CONSTANT boolean NOT NULL := p_operation <> 'found';
    v_last    dicomgw.configuration_history;
    v_since   timestamptz;
    v_version integer;
BEGIN
    SELECT h.* INTO v_last FROM dicomgw.configuration_history h
    WHERE h.table_name = p_table AND h.row_key = v_key ORDER BY h.version DESC LIMIT 1;
    SELECT min(h.valid_from) INTO v_since FROM dicomgw.configuration_history h
    WHERE h.transaction_id = pg_current_xact_id() AND h.operation <> 'found';
    v_version := coalesce(v_last.version, 0) + 1;

    INSERT INTO dicomgw.configuration_history
        (table_name, row_key, name, version, operation, valid_from, changed_by, changed_as, application, contents, secrets)
    VALUES (p_table, v_key, v_name, v_version, p_operation,
            CASE WHEN v_known THEN greatest(coalesce(v_since, clock_timestamp()), v_last.valid_from)
                 ELSE coalesce(v_last.valid_from, '-infinity') END,
            CASE WHEN v_known THEN dicomgw.actor() END,
            CASE WHEN v_known THEN nullif(current_setting('role'), 'none') END,
            CASE WHEN v_known THEN nullif(current_setting('application_name'), '') END,
            p_row - p_secrets,
            coalesce((SELECT jsonb_object_agg(s, CASE WHEN p_row ->> s IS NULL THEN NULL
                                                      WHEN s = ANY (p_new_secrets) THEN v_version
                                                      ELSE coalesce((v_last.secrets ->> s)::integer, v_version) END)
                      FROM unnest(p_secrets) s), '{}'));
END
$$;
COMMENT ON FUNCTION dicomgw._note_version(text, text, jsonb, text[], text[]) IS
    'Called by the triggers of the configuration: adds a version of a row to its history, without its secrets';

-- Its arguments are the secret columns.  With the owner's rights: whoever may change the configuration must not be
-- able to write its history himself.  The settings: the same value is the same text, whoever writes it.
CREATE FUNCTION dicomgw._keep_version() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET "TimeZone" = 'UTC'
SET "IntervalStyle" = 'postgres'
SET extra_float_digits = 1
AS $$
DECLARE
    v_table   CONSTANT text NOT NULL := TG_TABLE_NAME;
    v_secrets CONSTANT text[] NOT NULL := coalesce(TG_ARGV[:], '{}');
    v_old     CONSTANT jsonb := to_jsonb(OLD);
    v_new     CONSTANT jsonb := to_jsonb(NEW);
    v_changed CONSTANT text[] NOT NULL := ARRAY(SELECT s FROM unnest(v_secrets) s WHERE v_old ->> s IS DISTINCT FROM v_new ->> s);
    v_key     CONSTANT text := dicomgw._row_key(v_table, v_old);
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        PERFORM dicomgw._note_version(v_table, 'delete', v.contents, '{}', '{}') FROM dicomgw.configuration_as_of(v_table) v;
        RETURN NULL;
    END IF;
    IF v_old = v_new THEN
        RETURN NULL;
    END IF;
    IF v_old IS NOT NULL AND NOT EXISTS (SELECT FROM dicomgw.configuration_as_of(v_table) v WHERE v.row_key = v_key) THEN
        PERFORM dicomgw._note_version(v_table, 'found', v_old, v_secrets, '{}');
    END IF;
    IF TG_OP = 'UPDATE' AND v_key = dicomgw._row_key(v_table, v_new) THEN
        PERFORM dicomgw._note_version(v_table, 'update', v_new, v_secrets, v_changed);
        RETURN NULL;
    END IF;
    -- a row whose key has changed is another row
    IF v_old IS NOT NULL THEN
        PERFORM dicomgw._note_version(v_table, 'delete', v_old, v_secrets, '{}');
    END IF;
    IF v_new IS NOT NULL THEN
        PERFORM dicomgw._note_version(v_table, 'insert', v_new, v_secrets, v_secrets);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION dicomgw._keep_version() IS
    'Trigger of the configuration''s tables: adds the new version of a row to its history; one that changes nothing is none. Arguments: columns that are secret';

-- Always: also on a subscriber, where other triggers are silent.  What is there already is a first version.
DO $$
DECLARE
    v_table  text;
    v_secret text;
BEGIN
    FOR v_table, v_secret IN SELECT * FROM (VALUES
        ('listener', ''), ('remote_ae', '''passcode'''), ('destination', ''), ('destination_window', ''), ('destination_group', ''),
        ('destination_group_member', ''), ('route', ''), ('route_edit', '')) AS t
    LOOP
        EXECUTE format('CREATE TRIGGER keep_version AFTER INSERT OR UPDATE OR DELETE ON dicomgw.%I '
                       'FOR EACH ROW EXECUTE FUNCTION dicomgw._keep_version(%s)', v_table, v_secret);
        EXECUTE format('CREATE TRIGGER keep_end AFTER TRUNCATE ON dicomgw.%I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION dicomgw._keep_version()', v_table);
        EXECUTE format('ALTER TABLE dicomgw.%I ENABLE ALWAYS TRIGGER keep_version, ENABLE ALWAYS TRIGGER keep_end', v_table);
        EXECUTE format('SELECT dicomgw._note_version(%L, ''insert'', to_jsonb(t), ''{}'', ''{}'') FROM dicomgw.%I t', v_table, v_table);
    END LOOP;
END
$$;
