-- Who may do what: every table, view and function, by every role, is as dicomgw.privilege
-- says, and nothing is forgotten there; what it says of the roles that matter most is
-- written down here once more.

\set ON_ERROR_STOP 1
SET client_min_messages = error;
CREATE EXTENSION pgtap;
CREATE EXTENSION dicomgw;
BEGIN;
SELECT plan(22);

SELECT lives_ok('SELECT dicomgw.create_roles()', 'the roles are made');
SELECT lives_ok('SELECT dicomgw.create_roles()', 'again, too');

-- ---------- the matrix ----------

CREATE VIEW pg_temp.object AS
    SELECT c.oid, format('%s.%s', n.nspname, c.relname) AS name, false AS is_function
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('dicomgw', 'dicomgw_api') AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
    UNION ALL
    SELECT p.oid, format('%s.%s()', n.nspname, p.proname), true
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname IN ('dicomgw', 'dicomgw_api');
CREATE VIEW pg_temp.unnamed AS
    SELECT o.name FROM pg_temp.object o
    WHERE NOT EXISTS (SELECT FROM dicomgw.privilege p WHERE p.object = o.name) AND o.name NOT LIKE 'dicomgw.\_%()';
SELECT is_empty('SELECT name FROM pg_temp.unnamed', 'every table, view and public function has its place in the matrix');
SELECT is_empty($$ SELECT p.object FROM dicomgw.privilege p
                   WHERE p.privilege <> 'USAGE' AND NOT EXISTS (SELECT FROM pg_temp.object o WHERE o.name = p.object) $$,
                'and there is nothing else in it');
SELECT is_empty($$ SELECT p.object FROM dicomgw.privilege p GROUP BY p.object HAVING bool_or(p.role = 'nobody') AND count(*) > 1 $$,
                'what is nobody''s is nobody''s');

CREATE VIEW pg_temp.has AS
    SELECT r.role, o.name AS object, k.privilege
    FROM (VALUES ('anonymous'), ('viewer'), ('operator'), ('admin'), ('metrics'), ('authenticator')) AS r(role)
    CROSS JOIN pg_temp.object o
    CROSS JOIN unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER,EXECUTE}'::text[]) AS k(privilege)
    WHERE CASE WHEN o.is_function AND k.privilege = 'EXECUTE'
               THEN has_function_privilege('dicomgw_' || r.role, CASE WHEN o.is_function THEN o.oid END, 'EXECUTE')
                    AND NOT EXISTS (SELECT FROM pg_proc p, aclexplode(p.proacl) a WHERE p.oid = o.oid AND a.grantee = 0)
               WHEN NOT o.is_function AND k.privilege <> 'EXECUTE'
               THEN CASE WHEN k.privilege IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES')
                         THEN has_any_column_privilege('dicomgw_' || r.role, CASE WHEN NOT o.is_function THEN o.oid END, k.privilege)
                         ELSE has_table_privilege('dicomgw_' || r.role, CASE WHEN NOT o.is_function THEN o.oid END, k.privilege) END
               ELSE false END;
CREATE VIEW pg_temp.should_have AS
    SELECT DISTINCT r.role, p.object, k.privilege
    FROM dicomgw.privilege p
    CROSS JOIN unnest(string_to_array(regexp_replace(p.privilege, ' \(.*\)', ''), ', ')) AS k(privilege)
    JOIN (VALUES ('anonymous', 'anonymous'), ('viewer', 'viewer'), ('viewer', 'operator'), ('viewer', 'admin'), ('operator', 'operator'),
                 ('operator', 'admin'), ('admin', 'admin'), ('metrics', 'metrics'), ('authenticator', 'authenticator')) AS r(granted, role)
      ON r.granted = p.role
    WHERE k.privilege <> 'USAGE'
      AND p.object NOT IN ('dicomgw.tag_value()', 'dicomgw.tag_values()', 'dicomgw.tag_any_equal()', 'dicomgw.tag_any_like()',
                           'dicomgw._scope()'); -- everybody's
SELECT set_eq('TABLE pg_temp.has', 'TABLE pg_temp.should_have', 'each role may do what the matrix says, and nothing else');

SELECT is_empty($$ SELECT c.oid::regclass FROM pg_class c, unnest('{anonymous,viewer,operator,admin,metrics,authenticator}'::text[]) r
                   WHERE c.relnamespace = 'dicomgw'::regnamespace AND c.relkind = 'S'
                     AND CASE WHEN c.relkind = 'S' THEN has_sequence_privilege('dicomgw_' || r, c.oid, 'USAGE, SELECT, UPDATE') END $$,
                'no sequence is anybody''s');
SELECT is_empty($$ SELECT r FROM unnest('{anonymous,viewer,operator,admin,metrics,authenticator}'::text[]) r
                   WHERE has_schema_privilege('dicomgw_' || r, 'dicomgw', 'CREATE') OR has_schema_privilege('dicomgw_' || r, 'dicomgw_api', 'CREATE') $$,
                'nobody makes anything in our schemas');

-- ---------- what must not change by a slip in the matrix ----------

SELECT set_eq($$ SELECT object FROM pg_temp.has WHERE role = 'anonymous' AND object LIKE 'dicomgw\_api.%' $$,
              ARRAY['dicomgw_api.login()', 'dicomgw_api.live()', 'dicomgw_api.ready()'], 'who has not signed in may do that');
SELECT set_eq($$ SELECT object FROM pg_temp.has WHERE role = 'authenticator' $$, ARRAY['dicomgw.postgrest_settings()'],
              'PostgREST itself may read its settings');
SELECT is_empty($$ SELECT * FROM pg_temp.has WHERE object IN ('dicomgw.token_secret', 'dicomgw.app_user', 'dicomgw.login_failure',
                   'dicomgw.destination_secret', 'dicomgw.sender_destination', 'dicomgw.forward_target') $$, 'secrets are nobody''s');
SELECT ok(NOT has_column_privilege('dicomgw_admin', 'dicomgw.remote_ae', 'passcode', 'SELECT')
          AND has_column_privilege('dicomgw_admin', 'dicomgw.remote_ae', 'passcode', 'UPDATE'), 'a passcode is written, not read');
SELECT is_empty($$ SELECT * FROM pg_temp.has WHERE object LIKE '%audit%' AND privilege NOT IN ('SELECT', 'EXECUTE')
                      AND object NOT IN ('dicomgw.audit_repository', 'dicomgw_api.audit_repository') $$,
                'nobody writes to the audit log');
SELECT is_empty($$ SELECT * FROM pg_temp.has WHERE object LIKE '%audit%' AND role <> 'admin'
                      AND object <> 'dicomgw.audit_export_problems()' $$, 'and admins read it; that its export stands still, all may know');
SELECT is_empty($$ SELECT * FROM pg_temp.has WHERE role IN ('viewer', 'operator') AND privilege NOT IN ('SELECT', 'EXECUTE') $$,
                'viewers and operators write to no table');
SELECT set_eq($$ SELECT r.rolname::text FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid JOIN pg_roles u ON u.oid = m.member
                 WHERE u.rolname = 'dicomgw_authenticator' $$,
              ARRAY['dicomgw_anonymous', 'dicomgw_viewer', 'dicomgw_operator', 'dicomgw_admin', 'dicomgw_metrics'],
              'PostgREST may become one of these');
SELECT ok((SELECT NOT rolinherit AND rolcanlogin AND NOT rolsuper FROM pg_roles WHERE rolname = 'dicomgw_authenticator'),
          'and inherits nothing');

-- ---------- it is kept up ----------

GRANT UPDATE ON dicomgw.forward_job TO dicomgw_viewer;
GRANT EXECUTE ON FUNCTION dicomgw.rotate_secret() TO dicomgw_anonymous;
SELECT isnt_empty('TABLE pg_temp.has EXCEPT TABLE pg_temp.should_have', 'somebody has granted more');
SELECT dicomgw.create_roles();
SELECT is_empty('TABLE pg_temp.has EXCEPT TABLE pg_temp.should_have', 'which create_roles takes back');
CREATE TABLE dicomgw.new (id integer);
SELECT is((SELECT array_agg(name) FROM pg_temp.unnamed), ARRAY['dicomgw.new'], 'a new table that nobody has thought of is found');

SELECT lives_ok('SELECT dicomgw.drop_roles()', 'the roles are dropped');
SELECT is_empty($$ SELECT rolname FROM pg_roles WHERE rolname LIKE 'dicomgw\_%' $$, 'and gone');

SELECT * FROM finish();
ROLLBACK;
