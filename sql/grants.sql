/*
 * Who may do what, and what pg_dump keeps.  Nothing is for PUBLIC but what
 * computes from its arguments alone.
 */
REVOKE ALL ON ALL TABLES IN SCHEMA dicomgw FROM PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA dicomgw FROM PUBLIC;
REVOKE ALL ON ALL ROUTINES IN SCHEMA dicomgw, dicomgw_api FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA dicomgw_api FROM PUBLIC;

-- Predicates run as a role without rights; these are the functions of ours that they call.
GRANT EXECUTE ON FUNCTION dicomgw.tag_value(jsonb, text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION dicomgw.tag_values(jsonb, text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION dicomgw.tag_any_equal(jsonb, text, text) TO PUBLIC;
GRANT EXECUTE ON FUNCTION dicomgw.tag_any_like(jsonb, text, text) TO PUBLIC;
-- Row level security asks everybody for his scope.
GRANT EXECUTE ON FUNCTION dicomgw._scope() TO PUBLIC;

-- Roles that there are already, of another database or an earlier installation, get their rights here, too.
SELECT dicomgw._grant_privileges();

SELECT pg_catalog.pg_extension_config_dump('dicomgw.listener', '');
SELECT pg_catalog.pg_extension_config_dump('dicomgw.listener_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('dicomgw.remote_ae', '');
SELECT pg_catalog.pg_extension_config_dump('dicomgw.remote_ae_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('dicomgw.destination', '');
SELECT pg_catalog.pg_extension_config_dump('dicomgw.destination_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('dicomgw.destination_secret', '');
SELECT pg_catalog.pg_extension_config_dump('dicomgw.destination_window', '');
SELECT pg_catalog.pg_extension_config_dump('dicomgw.destination_window_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('dicomgw.destination_group', '');
SELECT pg_catalog.pg_extension_config_dump('dicomgw.destination_group_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('dicomgw.destination_group_member', '');
SELECT pg_catalog.pg_extension_config_dump('dicomgw.route', '');
SELECT pg_catalog.pg_extension_config_dump('dicomgw.app_user', '');
SELECT pg_catalog.pg_extension_config_dump('dicomgw.route_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('dicomgw.route_edit', '');
SELECT pg_catalog.pg_extension_config_dump('dicomgw.route_edit_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('dicomgw.harmless_text', '');
SELECT pg_catalog.pg_extension_config_dump('dicomgw.pseudonym', '');
SELECT pg_catalog.pg_extension_config_dump('dicomgw.audit_repository', '');
SELECT pg_catalog.pg_extension_config_dump('dicomgw.audit_repository_id_seq', '');

-- Configuration may be replicated here from elsewhere, and what a subscription applies fires row triggers
-- only.  All other changes are known by the statement triggers of each table, so these are for replicas.
DO $$
DECLARE
    v_table regclass;
BEGIN
    FOR v_table IN
        SELECT DISTINCT t.tgrelid FROM pg_catalog.pg_trigger t
        WHERE t.tgfoid = 'dicomgw.notify_config_change()'::pg_catalog.regprocedure
    LOOP
        EXECUTE format('CREATE TRIGGER notify_config_replica AFTER INSERT OR UPDATE OR DELETE ON %s
                        FOR EACH ROW EXECUTE FUNCTION dicomgw.notify_config_change()', v_table);
        EXECUTE format('ALTER TABLE %s ENABLE REPLICA TRIGGER notify_config_replica', v_table);
    END LOOP;
END
$$;

-- Wakes the launcher at COMMIT; warns if the workers can't run, or run elsewhere.
CREATE FUNCTION dicomgw._installed() RETURNS void
LANGUAGE c STRICT VOLATILE
AS 'MODULE_PATHNAME', 'dgw_installed';
COMMENT ON FUNCTION dicomgw._installed() IS 'Called once by CREATE EXTENSION: wakes the launcher, or says why there is none';
REVOKE ALL ON FUNCTION dicomgw._installed() FROM PUBLIC;
SELECT dicomgw._installed();
