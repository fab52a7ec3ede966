/*
 * HTTP: what OpenAPI says of a column that is shown as it is in schema dicomgw is
 * what is said there; and a row that is added by a view has the defaults of its
 * table, also where PostgREST asks for them (Prefer: missing=default).
 */
DO $$
DECLARE
    v_view   record;
    v_column record;
BEGIN
    FOR v_view IN
        SELECT c.oid, c.relname AS name, to_regclass(format('dicomgw.%I', coalesce(r.source, c.relname))) AS source
        FROM pg_class c
        LEFT JOIN (VALUES ('job', 'job_status'), ('job_summary', 'job_status'), ('worker', 'status'), ('app_user', 'app_user_status'),
                          ('audit', 'audit_log')) AS r(name, source) ON r.name = c.relname
        WHERE c.relnamespace = 'dicomgw_api'::regnamespace AND c.relkind = 'v'
    LOOP
        IF obj_description(v_view.oid, 'pg_class') IS NULL THEN
            EXECUTE format('COMMENT ON VIEW dicomgw_api.%I IS %L', v_view.name, obj_description(v_view.source, 'pg_class'));
        END IF;
        FOR v_column IN
            SELECT a.attname AS name, col_description(a.attrelid, a.attnum) AS comment,
                   coalesce(col_description(s.attrelid, s.attnum), col_description(o.attrelid, o.attnum)) AS source_comment,
                   pg_get_expr(d.adbin, d.adrelid) AS default_value
            FROM pg_attribute a
            LEFT JOIN pg_attribute s ON s.attrelid = v_view.source AND s.attname = a.attname
            LEFT JOIN pg_attribute o ON o.attrelid = 'dicomgw.object_origin'::regclass AND o.attname = a.attname
            LEFT JOIN pg_attrdef d ON d.adrelid = v_view.source AND d.adnum = s.attnum
            WHERE a.attrelid = v_view.oid AND a.attnum > 0
        LOOP
            IF v_column.comment IS NULL THEN
                EXECUTE format('COMMENT ON COLUMN dicomgw_api.%I.%I IS %L', v_view.name, v_column.name, v_column.source_comment);
            END IF;
            IF v_column.default_value IS NOT NULL THEN
                EXECUTE format('ALTER VIEW dicomgw_api.%I ALTER COLUMN %I SET DEFAULT %s', v_view.name, v_column.name, v_column.default_value);
            END IF;
        END LOOP;
    END LOOP;
END
$$;
