/*
 * A viewer who is limited to some calling AE titles, or institutions, sees
 * their objects and what belongs to them, and nothing else: row level security,
 * so that it holds in psql, too (app_user.db_role), and in every function and
 * view that runs with the caller's rights.
 *
 * The owner and the workers are not concerned.  For everybody else the scope is
 * looked up once a query (an InitPlan), and who is not limited pays nothing more.
 */
CREATE TABLE dicomgw.series_scope (
    study_id         bigint NOT NULL,
    series_id        bigint NOT NULL REFERENCES dicomgw.series,
    calling_ae       text NOT NULL,
    institution_name text NOT NULL,
    PRIMARY KEY (study_id, series_id, calling_ae, institution_name)
);
COMMENT ON TABLE dicomgw.series_scope IS 'From whom objects of each series came: whose studies and series a limited viewer sees';
COMMENT ON COLUMN dicomgw.series_scope.study_id IS 'the study';
COMMENT ON COLUMN dicomgw.series_scope.series_id IS 'the series';
COMMENT ON COLUMN dicomgw.series_scope.calling_ae IS 'AE title of a sender of its objects';
COMMENT ON COLUMN dicomgw.series_scope.institution_name IS 'and an Institution Name (0008,0080) of these; empty: none';

-- With the owner's rights: users are for nobody else to read.  It tells everybody about himself only.
CREATE FUNCTION dicomgw._scope(OUT sees_all boolean, OUT calling_aes text[], OUT institutions text[])
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_username CONSTANT text := dicomgw._own_username();
BEGIN
    SELECT num_nonnulls(u.scope_calling_aes, u.scope_institutions) = 0, u.scope_calling_aes, u.scope_institutions
    INTO sees_all, calling_aes, institutions
    FROM dicomgw.app_user u WHERE u.username = v_username AND NOT u.disabled;
    IF NOT FOUND THEN
        -- by psql, a role that is nobody's here sees what is granted to it
        sees_all := v_username IS NULL AND NOT dicomgw._by_http();
        calling_aes := '{}';
        institutions := '{}';
    END IF;
END
$$;
COMMENT ON FUNCTION dicomgw._scope() IS 'Called by the policies of tables: whether the user who acts sees all objects, or else those of which calling AE titles and institutions (NULL: any)';

-- ---------- objects ----------

DO $$
DECLARE
    c_object CONSTANT text :=
        '(SELECT (dicomgw._scope()).sees_all)
         OR ((SELECT (dicomgw._scope()).calling_aes) IS NULL OR calling_ae = ANY ((SELECT (dicomgw._scope()).calling_aes)::text[]))
            AND ((SELECT (dicomgw._scope()).institutions) IS NULL OR institution_name = ANY ((SELECT (dicomgw._scope()).institutions)::text[]))';
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY '{instance,series_scope}'::text[] LOOP
        EXECUTE format('ALTER TABLE dicomgw.%I ENABLE ROW LEVEL SECURITY', v_table);
        EXECUTE format('CREATE POLICY scope ON dicomgw.%I FOR SELECT USING (%s)', v_table, c_object);
    END LOOP;
END
$$;

-- What is not filed yet has no institution yet.
ALTER TABLE dicomgw.ingest ENABLE ROW LEVEL SECURITY;
CREATE POLICY scope ON dicomgw.ingest FOR SELECT USING (
    (SELECT (dicomgw._scope()).sees_all)
    OR (SELECT (dicomgw._scope()).institutions) IS NULL AND calling_ae = ANY ((SELECT (dicomgw._scope()).calling_aes)::text[]));

ALTER TABLE dicomgw.series ENABLE ROW LEVEL SECURITY;
CREATE POLICY scope ON dicomgw.series FOR SELECT USING (
    (SELECT (dicomgw._scope()).sees_all)
    OR EXISTS (SELECT FROM dicomgw.series_scope c WHERE c.study_id = series.study_id AND c.series_id = series.id));

-- ---------- what belongs to a study, or to an object ----------

ALTER TABLE dicomgw.study ENABLE ROW LEVEL SECURITY;
CREATE POLICY scope ON dicomgw.study FOR SELECT USING (
    (SELECT (dicomgw._scope()).sees_all) OR EXISTS (SELECT FROM dicomgw.series_scope c WHERE c.study_id = study.id));

DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY '{group_assignment,study_delivery,gathering,completion}'::text[] LOOP
        EXECUTE format('ALTER TABLE dicomgw.%I ENABLE ROW LEVEL SECURITY', v_table);
        EXECUTE format('CREATE POLICY scope ON dicomgw.%1$I FOR SELECT USING (
                            (SELECT (dicomgw._scope()).sees_all) OR EXISTS (SELECT FROM dicomgw.series_scope c WHERE c.study_id = %1$I.study_id))',
                       v_table);
    END LOOP;
END
$$;

ALTER TABLE dicomgw.instance_header ENABLE ROW LEVEL SECURITY;
CREATE POLICY scope ON dicomgw.instance_header FOR SELECT USING (
    (SELECT (dicomgw._scope()).sees_all)
    OR EXISTS (SELECT FROM dicomgw.instance i WHERE i.id = instance_header.instance_id)
    OR EXISTS (SELECT FROM dicomgw.ingest g WHERE g.id = instance_header.instance_id));

DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY '{forward_job,dead_letter,forward_history,forward_attempt,routing_decision,delivered,storage_problem,
                               storage_repair,gathering_instance,study_conflict}'::text[] LOOP
        EXECUTE format('ALTER TABLE dicomgw.%I ENABLE ROW LEVEL SECURITY', v_table);
        EXECUTE format('CREATE POLICY scope ON dicomgw.%1$I FOR SELECT USING (
                            (SELECT (dicomgw._scope()).sees_all) OR EXISTS (SELECT FROM dicomgw.instance i WHERE i.id = %1$I.instance_id))',
                       v_table);
    END LOOP;
END
$$;

-- ---------- callers ----------

-- Who is limited to institutions sees none: an association is of none.
DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY '{association_history,caller}'::text[] LOOP
        EXECUTE format('ALTER TABLE dicomgw.%I ENABLE ROW LEVEL SECURITY', v_table);
        EXECUTE format('CREATE POLICY scope ON dicomgw.%I FOR SELECT USING (
                            (SELECT (dicomgw._scope()).sees_all) OR calling_ae = ANY ((SELECT (dicomgw._scope()).calling_aes)::text[]))',
                       v_table);
    END LOOP;
END
$$;

-- ---------- what is about everybody's objects ----------

-- Counts, and long work, can't be taken apart again: who is limited sees none of it.
DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY '{counter,traffic_minute,traffic_hour,task}'::text[] LOOP
        EXECUTE format('ALTER TABLE dicomgw.%I ENABLE ROW LEVEL SECURITY', v_table);
        EXECUTE format('CREATE POLICY scope ON dicomgw.%I FOR SELECT USING ((SELECT (dicomgw._scope()).sees_all))', v_table);
    END LOOP;
END
$$;
