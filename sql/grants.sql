/*
 * Who may do what, and what pg_dump keeps.  Nothing is for PUBLIC but what
 * computes from its arguments alone.
 */
REVOKE ALL ON ALL TABLES IN SCHEMA dicomgw FROM PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA dicomgw FROM PUBLIC;
REVOKE ALL ON ALL ROUTINES IN SCHEMA dicomgw, dicomgw_api FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA dicomgw_api FROM PUBLIC;

-- Predicates run as a role without rights; this is the one function of ours that they call.
GRANT EXECUTE ON FUNCTION dicomgw.tag_value(jsonb, text) TO PUBLIC;
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

-- Wakes the launcher at COMMIT; warns if the workers can't run, or run elsewhere.
CREATE FUNCTION dicomgw._installed() RETURNS void
LANGUAGE c STRICT VOLATILE
AS 'MODULE_PATHNAME', 'dgw_installed';
COMMENT ON FUNCTION dicomgw._installed() IS 'Called once by CREATE EXTENSION: wakes the launcher, or says why there is none';
REVOKE ALL ON FUNCTION dicomgw._installed() FROM PUBLIC;
SELECT dicomgw._installed();
