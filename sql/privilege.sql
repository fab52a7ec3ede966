/*
 * Who may do what: the one place.  The rows are what dicomgw.create_roles()
 * grants, and nothing else; test/pgtap/api_privileges.sql compares, and does not
 * let pass an object that is not named here.
 *
 * An operator may do what a viewer may, an admin what an operator may.  Names
 * are of tables and views of schema dicomgw, with their schema of others;
 * of functions they end with (), and mean all of this name.
 */
CREATE TABLE dicomgw.privilege (
    role      text NOT NULL,
    privilege text NOT NULL,
    object    text NOT NULL,
    PRIMARY KEY (object, role, privilege),
    CONSTRAINT privilege_role_is_known
        CHECK (role IN ('anonymous', 'viewer', 'operator', 'admin', 'metrics', 'authenticator', 'nobody'))
);
COMMENT ON TABLE dicomgw.privilege IS 'What dicomgw.create_roles() grants to the roles dicomgw_...; nobody: an object that is for the workers and the owner only';
COMMENT ON COLUMN dicomgw.privilege.role IS 'the role dicomgw_..., without that; an operator may do what a viewer may, an admin what an operator may';
COMMENT ON COLUMN dicomgw.privilege.privilege IS 'as in GRANT';
COMMENT ON COLUMN dicomgw.privilege.object IS 'a table or view, a function of any arguments (with parentheses), or a schema';

INSERT INTO dicomgw.privilege (role, privilege, object)
SELECT r.role, g.privilege, CASE WHEN g.privilege = 'USAGE' THEN o.name ELSE g.schema || '.' || o.name END
FROM (VALUES
    ('anonymous viewer metrics', 'USAGE', '', 'dicomgw dicomgw_api'),
    ('authenticator', 'USAGE', '', 'dicomgw'),

    -- ---------- signing in, one's own session ----------

    ('authenticator', 'EXECUTE', 'dicomgw', 'postgrest_settings()'),
    ('anonymous', 'EXECUTE', 'dicomgw', 'login()'),
    ('anonymous viewer metrics', 'EXECUTE', 'dicomgw', 'check_request() _refuse_get() ready()'),
    ('viewer metrics', 'EXECUTE', 'dicomgw', 'actor() client_address() _by_http() _claim() _request_header() me() logout() change_password()'),
    ('anonymous', 'EXECUTE', 'dicomgw_api', 'login()'),
    ('anonymous viewer metrics', 'EXECUTE', 'dicomgw_api', 'live() ready()'),
    ('viewer metrics', 'EXECUTE', 'dicomgw_api', 'me() logout() change_password()'),

    -- ---------- looking ----------

    ('viewer', 'SELECT', 'dicomgw',
     'listener destination destination_group destination_group_member destination_window destination_state route
      ingest study series series_scope instance instance_header
      forward_job dead_letter forward_history forward_attempt routing_decision group_assignment
      association_history caller storage_problem storage_check storage_repair removal_log attribute partitioned privilege
      status storage stored_object destination_open route_row unrouted job_status destination_status totals
      association listener_status receiving
      route_edit edit_version harmless_text deidentification_rule deidentification_dummy
      gathering gathering_instance gathering_status completion study_conflict study_delivery study_delivery_status
      configuration_history configuration_change destination_hold object_origin task
      traffic_minute traffic_hour counter counted measurement_fold metric alert'),
    ('viewer', 'SELECT (id, ae_title, network, description, enabled, may_store, may_echo, max_associations, username)', 'dicomgw', 'remote_ae'),
    ('viewer', 'EXECUTE', 'dicomgw',
     'explain_routing() explain_predicate() _explain_terms() _jobs_of() _routes_at() _row_key()
      configuration_as_of() route_as_of() destination_as_of() listener_as_of()
      timeline() tag() tags() tag_has() tag_like() tag_of() tag_path() tag_value() tag_values() tag_any_equal() tag_any_like()
      _edit_distance() header_attributes() status_text() retry_delay() note_view()
      instance_file() preview() header() instance_image_info() _object_file() _image_info() _header_from_file() _kept_header() _declared_image()
      _byte_range() _etag() _not_modified() _set_response_headers()
      audit_export_problems() worker_status() open_associations() listener_states() storage_status() _receiving() _window() _study_id() _destination_id()
      settings() _note_object() _masked_passcode() _dcmtk_version()
      duration_bounds() time_series() _check_time_series() _refuse_limited()'),
    ('viewer', 'SELECT', 'dicomgw_api',
     'listener remote_ae destination destination_group destination_group_member destination_window route
      route_edit harmless_text attribute route_column deidentification_rule edit_version configuration_change configuration_history
      study series instance study_conflict job job_summary forward_history forward_attempt destination_status
      routing_decision unrouted gathering_status worker listener_status receiving totals association caller
      storage storage_problem storage_check storage_repair removal_log setting version task alert'),
    ('viewer', 'EXECUTE', 'dicomgw_api', 'timeline() explain_routing() explain_predicate() configuration_as_of()
      instance_file() preview() header() instance_image_info() time_series()'),
    ('viewer metrics', 'EXECUTE', 'dicomgw', 'metrics()'),
    ('viewer metrics', 'EXECUTE', 'dicomgw_api', 'metrics()'),

    -- ---------- the queue ----------

    ('operator', 'EXECUTE', 'dicomgw',
     'retry() cancel() set_priority() move() replay() replay_study() pause() resume() echo() abort_association() verify() check_storage()
      complete_study() route_again() route_dry_run() _try_predicate() count_jobs() _chosen_jobs()
      count_replay() _chosen_objects() start_replay() start_verb() start_check_storage() cancel_task()'),
    ('operator', 'EXECUTE', 'dicomgw_api',
     'count_jobs() retry() cancel() set_priority() move() replay() replay_study() pause() resume() echo() echo_address()
      abort_association() verify() check_storage() complete_study() route_again() route_dry_run() count_replay() start_replay() start_verb() start_check_storage() cancel_task()'),

    -- ---------- configuration, users ----------

    ('admin', 'INSERT, UPDATE, DELETE', 'dicomgw',
     'listener remote_ae destination destination_group destination_group_member destination_window route
      route_edit harmless_text audit_repository'),
    ('admin', 'INSERT, UPDATE, DELETE', 'dicomgw_api',
     'listener remote_ae destination destination_group destination_group_member destination_window route
      route_edit harmless_text audit_repository'),
    ('admin', 'EXECUTE', 'dicomgw_api',
     'check_predicate() check_expected_instances() check_edit_expression() delete_destination() set_credentials() revert() preview_edits()'),
    ('admin', 'SELECT', 'dicomgw', 'audit_log audit_chain session app_user_status audit_code audit_event audit_repository audit_export audit_export_status'),
    ('admin', 'EXECUTE', 'dicomgw',
     'check_predicate() check_expected_instances() check_edit_expression() delete_destination() set_credentials() revert() preview_edits()
      create_user() update_user() reset_password() issue_token() revoke_session() revoke_sessions() rotate_secret()
      verify_audit() _audit_hash() _setting() _login_key()
      _check_expression() _check_set_edit() _edit_path() _value_problem() _deidentification_options()'),
    ('admin', 'SELECT', 'dicomgw_api', 'app_user session audit audit_repository audit_export_status'),
    ('admin', 'EXECUTE', 'dicomgw_api',
     'create_user() update_user() reset_password() issue_token() revoke_session() revoke_sessions() rotate_secret() verify_audit()'),

    -- ---------- the workers' and the owner's own ----------

    ('nobody', 'SELECT', 'dicomgw',
     'journal journal_a journal_b measurement pseudonym destination_secret sender_destination forward_target removable delivered storage_epoch task_portion audit_target app_user token_secret login_failure'),
    ('nobody', 'EXECUTE', 'dicomgw', 'notify_config_change() notify_work() create_first_admin() create_roles() drop_roles()')
) AS g(roles, privilege, schema, names)
CROSS JOIN regexp_split_to_table(g.roles, '\s+') AS r(role)
CROSS JOIN regexp_split_to_table(g.names, '\s+') AS o(name);

-- ---------- with whose rights ----------

-- A verb writes to tables that people may not write to, lest they do without its checks and its entry in the
-- audit log: it runs with the owner's rights, and who may call it is who may do it.  The triggers put right what
-- follows from a change of the configuration.
DO $$
DECLARE
    v_function regprocedure;
BEGIN
    FOR v_function IN
        SELECT p.oid FROM pg_proc p
        WHERE p.pronamespace = 'dicomgw'::regnamespace
          AND p.proname IN ('retry', 'cancel', 'set_priority', 'move', 'replay', 'replay_study', 'pause', 'resume', 'echo',
                            'abort_association', 'verify', 'check_storage', 'delete_destination', 'set_credentials', 'complete_study', 'route_again', 'revert', 'preview_edits',
                            'start_replay', 'start_verb', 'start_check_storage', 'cancel_task',
                            '_forget_destination_state', '_guard_destination') LOOP
        EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER SET search_path = pg_catalog, pg_temp', v_function);
    END LOOP;
END
$$;

-- A view shows what its reader may see.
DO $$
DECLARE
    v_view regclass;
BEGIN
    FOR v_view IN SELECT c.oid FROM pg_class c
                  WHERE c.relkind = 'v' AND c.relnamespace IN ('dicomgw'::regnamespace, 'dicomgw_api'::regnamespace)
                    AND c.oid <> 'dicomgw.app_user_status'::regclass LOOP -- that one is to leave out what its reader may not see
        EXECUTE format('ALTER VIEW %s SET (security_invoker = true)', v_view);
    END LOOP;
END
$$;

-- Who writes to a view that cannot be written to is told by his lack of privileges (403), not by PostgreSQL's error about
-- such views, which comes before these are looked at, and is the server's fault by HTTP (500).
CREATE FUNCTION dicomgw._refuse_write() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'view "%" cannot be written to', TG_TABLE_NAME USING ERRCODE = 'PT405';
END
$$;
COMMENT ON FUNCTION dicomgw._refuse_write() IS 'Trigger of views for HTTP that show what nobody may change';
DO $$
DECLARE
    v_view regclass;
BEGIN
    FOR v_view IN SELECT c.oid FROM pg_class c
                  WHERE c.relkind = 'v' AND c.relnamespace = 'dicomgw_api'::regnamespace
                    AND pg_relation_is_updatable(c.oid, true) & 8 = 0 LOOP -- 8: rows can be added
        EXECUTE format('CREATE TRIGGER refuse INSTEAD OF INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION dicomgw._refuse_write()', v_view);
    END LOOP;
END
$$;
