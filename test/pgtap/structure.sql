-- The conventions that hold for everything in the extension, whatever is added to it:
-- comments, pinned search paths, privileges, names, and nothing indexed that changes.
--
-- Each is a view of what breaks it, which is to be empty; and each view is shown, on
-- an object made for the purpose, not to be empty for want of looking.

\set ON_ERROR_STOP 1
SET client_min_messages = error;
CREATE EXTENSION pgtap;
CREATE EXTENSION dicomgw;
BEGIN;
SELECT plan(25);

CREATE VIEW pg_temp.member AS
    SELECT d.classid, d.objid
    FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
    WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'dicomgw';
-- tables and views; partitions come and go, and are as their parent is
CREATE VIEW pg_temp.relation AS
    SELECT c.* FROM pg_class c JOIN pg_temp.member m ON m.classid = 'pg_class'::regclass AND m.objid = c.oid
    WHERE c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition;
CREATE VIEW pg_temp.function AS
    SELECT p.* FROM pg_proc p JOIN pg_temp.member m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid;

-- An object that breaks every rule.
CREATE FUNCTION pg_temp.break_the_rules() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    CREATE TABLE dicomgw._bad (id integer);
    CREATE SEQUENCE dicomgw.bad_seq;
    CREATE DOMAIN dicomgw.bad AS text;
    CREATE FUNCTION dicomgw.bad(p_x integer, integer) RETURNS integer LANGUAGE sql RETURN 1;
    CREATE TABLE public.bad (id integer);
    CREATE INDEX bad_idx ON dicomgw.forward_job (id) WHERE lease_token IS NULL;
    GRANT SELECT ON dicomgw._bad TO PUBLIC;
    ALTER EXTENSION dicomgw ADD TABLE dicomgw._bad;
    ALTER EXTENSION dicomgw ADD SEQUENCE dicomgw.bad_seq;
    ALTER EXTENSION dicomgw ADD DOMAIN dicomgw.bad;
    ALTER EXTENSION dicomgw ADD FUNCTION dicomgw.bad(integer, integer);
    ALTER EXTENSION dicomgw ADD TABLE public.bad;
    CREATE TRIGGER notify_config_change AFTER INSERT ON dicomgw._bad
        FOR EACH STATEMENT EXECUTE FUNCTION dicomgw.notify_config_change();
END $$;

-- ---------- comments ----------

CREATE VIEW pg_temp.uncommented AS
    SELECT 'relation ' || c.oid::regclass AS object FROM pg_temp.relation c WHERE obj_description(c.oid, 'pg_class') IS NULL
    UNION ALL
    SELECT format('column %s.%I', c.oid::regclass, a.attname)
    FROM pg_temp.relation c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE col_description(c.oid, a.attnum) IS NULL
    UNION ALL
    -- but those of identity columns, which are the column's own affair
    SELECT 'sequence ' || c.oid::regclass
    FROM pg_class c JOIN pg_temp.member m ON m.classid = 'pg_class'::regclass AND m.objid = c.oid
    WHERE c.relkind = 'S' AND obj_description(c.oid, 'pg_class') IS NULL
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'i')
    UNION ALL
    SELECT 'function ' || p.oid::regprocedure FROM pg_temp.function p WHERE obj_description(p.oid, 'pg_proc') IS NULL
    UNION ALL
    SELECT 'type ' || t.oid::regtype
    FROM pg_type t JOIN pg_temp.member m ON m.classid = 'pg_type'::regclass AND m.objid = t.oid
    WHERE t.typtype IN ('c', 'd', 'e', 'r') AND obj_description(t.oid, 'pg_type') IS NULL
    UNION ALL
    SELECT 'schema ' || n.nspname FROM pg_namespace n WHERE n.nspname LIKE 'dicomgw%' AND obj_description(n.oid, 'pg_namespace') IS NULL;
SELECT is_empty('SELECT object FROM pg_temp.uncommented', 'everything has its comment');
SELECT isnt_empty('SELECT FROM pg_temp.relation', 'there are relations');
SELECT isnt_empty('SELECT FROM pg_temp.function', 'there are functions');

-- A comment is one phrase in one line, as \d+ shows it.
CREATE VIEW pg_temp.ill_commented AS
    SELECT m.classid::regclass, m.objid, d.description FROM pg_temp.member m JOIN pg_description d ON d.classoid = m.classid AND d.objoid = m.objid
    WHERE d.description ~ '\n' OR d.description ~ '\.$' OR btrim(d.description) = '' OR d.description <> btrim(d.description);
SELECT is_empty('SELECT * FROM pg_temp.ill_commented', 'no comment has several lines, a full stop at its end, or nothing to say');

-- ---------- functions ----------

CREATE VIEW pg_temp.unpinned AS
    SELECT p.oid::regprocedure::text AS object FROM pg_temp.function p JOIN pg_language l ON l.oid = p.prolang
    WHERE l.lanname <> 'c' AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false);
SELECT is_empty('SELECT object FROM pg_temp.unpinned', 'every function that is not in C pins its search path');

CREATE VIEW pg_temp.alien_code AS
    SELECT p.oid::regprocedure::text AS object FROM pg_temp.function p JOIN pg_language l ON l.oid = p.prolang
    WHERE l.lanname NOT IN ('c', 'sql', 'plpgsql') OR (l.lanname = 'c' AND (p.probin NOT LIKE '%/dicomgw' OR p.prosrc NOT LIKE 'dgw\_%'));
SELECT is_empty('SELECT object FROM pg_temp.alien_code', 'C functions are dgw_... of our library');

-- People call functions with name => value.
CREATE VIEW pg_temp.unnamed AS
    SELECT p.oid::regprocedure::text AS object FROM pg_temp.function p
    WHERE p.prorettype <> 'trigger'::regtype AND p.proname NOT LIKE '\_%' AND p.pronargs > 0
      AND (p.proargnames IS NULL OR EXISTS (SELECT FROM unnest(p.proargnames) n WHERE n = '' OR n LIKE 'p\_%'));
SELECT is_empty('SELECT object FROM pg_temp.unnamed', 'parameters of public functions have names for people');

-- ---------- names and places ----------

CREATE VIEW pg_temp.elsewhere AS
    SELECT pg_describe_object(m.classid, m.objid, 0) AS object
    FROM pg_temp.member m
    WHERE NOT EXISTS (SELECT FROM pg_namespace n WHERE m.classid = 'pg_namespace'::regclass AND n.oid = m.objid AND n.nspname LIKE 'dicomgw%')
      AND NOT EXISTS (SELECT FROM pg_identify_object(m.classid, m.objid, 0) i WHERE i.schema LIKE 'dicomgw%');
SELECT is_empty('SELECT object FROM pg_temp.elsewhere', 'all of it is in schemas of its own');

CREATE VIEW pg_temp.hidden AS
    SELECT c.oid::regclass::text AS object FROM pg_temp.relation c WHERE c.relname LIKE '\_%';
SELECT is_empty('SELECT object FROM pg_temp.hidden', 'no table is internal: all of them may be looked at');

-- What begins with an underscore is the workers' own, and says whose.
SELECT is_empty(
    $$ SELECT p.oid::regprocedure FROM pg_temp.function p WHERE p.proname LIKE '\_%'
         AND obj_description(p.oid, 'pg_proc') !~ '^(Trigger of|Receiver|Router|Forwarder|Maintenance|Verbs|Edits|Called|Number)' $$,
    'the comment of an internal function begins with whose it is, or what it gives');

-- ---------- privileges ----------

CREATE VIEW pg_temp.public AS
    SELECT c.oid::regclass::text AS object FROM pg_class c JOIN pg_temp.member m ON m.classid = 'pg_class'::regclass AND m.objid = c.oid,
           aclexplode(coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner))) a
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND a.grantee = 0
    UNION ALL
    SELECT c.oid::regclass || '.' || t.attname FROM pg_temp.relation c JOIN pg_attribute t ON t.attrelid = c.oid, aclexplode(t.attacl) a
    WHERE a.grantee = 0
    UNION ALL
    SELECT p.oid::regprocedure::text FROM pg_temp.function p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
    WHERE a.grantee = 0
    UNION ALL
    SELECT n.nspname FROM pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
    WHERE n.nspname LIKE 'dicomgw%' AND a.grantee = 0;
SELECT bag_eq('SELECT object FROM pg_temp.public', ARRAY['dicomgw.tag_value(jsonb,text)', 'dicomgw.tag_values(jsonb,text)',
                                                             'dicomgw.tag_any_equal(jsonb,text,text)', 'dicomgw.tag_any_like(jsonb,text,text)', 'dicomgw._scope()'],
              'nothing is granted to PUBLIC but what predicates and policies call');
-- Each with its reason beside it: verbs, looks that are noted, sign-in and sessions, users, what policies ask, two triggers, what is masked or only ours to name.
SELECT set_eq('SELECT p.oid::regproc::text FROM pg_temp.function p WHERE p.prosecdef',
              (SELECT array_agg('dicomgw.' || f) FROM regexp_split_to_table(
                  'retry cancel set_priority move replay replay_study pause resume echo abort_association verify check_storage complete_study route_again start_replay start_verb start_check_storage cancel_task revert preview_edits _keep_version
                   delete_destination set_credentials _forget_destination_state _guard_destination
                   note_view _chain_audit _audit_configuration
                   login logout change_password me check_request postgrest_settings ready
                   revoke_session revoke_sessions rotate_secret create_user update_user reset_password issue_token
                   _scope open_associations settings _masked_passcode metrics audit_export_problems', '\s+') f),
              'no other function lends its owner''s rights');
SELECT is_empty($$ SELECT p.oid::regprocedure FROM pg_temp.function p
                   WHERE p.prosecdef AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false) $$,
                'and those pin its search path, also in C');

-- ---------- what pg_dump keeps ----------

-- Configuration is what wakes the workers when it changes: those tables, their sequences, all rows of them.
CREATE VIEW pg_temp.configuration AS
    SELECT t.tgrelid AS relation FROM pg_trigger t WHERE t.tgfoid = 'dicomgw.notify_config_change()'::regprocedure
    UNION
    SELECT s.objid FROM pg_depend s JOIN pg_trigger t ON t.tgrelid = s.refobjid
    WHERE s.classid = 'pg_class'::regclass AND s.refclassid = 'pg_class'::regclass AND s.deptype IN ('a', 'i') AND s.refobjsubid > 0
      AND t.tgfoid = 'dicomgw.notify_config_change()'::regprocedure
      AND EXISTS (SELECT FROM pg_class c WHERE c.oid = s.objid AND c.relkind = 'S')
    UNION
    SELECT 'dicomgw.app_user'::regclass; -- no worker cares, but people do
CREATE VIEW pg_temp.kept AS
    SELECT c.relation, w.condition FROM pg_extension e, unnest(e.extconfig) WITH ORDINALITY AS c(relation, n)
         JOIN unnest((SELECT extcondition FROM pg_extension WHERE extname = 'dicomgw')) WITH ORDINALITY AS w(condition, n) USING (n)
    WHERE e.extname = 'dicomgw';
SELECT set_eq('SELECT relation::regclass::text FROM pg_temp.kept',
              $$ SELECT relation::regclass::text FROM pg_temp.configuration UNION VALUES ('dicomgw.harmless_text'), ('dicomgw.pseudonym') $$,
              'pg_dump keeps the configuration, what edits know, and nothing else');
SELECT is_empty('SELECT relation FROM pg_temp.kept WHERE condition <> ''''', 'and all of its rows');
SELECT isnt_empty('SELECT FROM pg_temp.kept', 'which is something');
-- On a subscriber, too: there nothing is fired by a statement but COPY and TRUNCATE, and nothing at all unless it is said.
CREATE VIEW pg_temp.notified AS
    SELECT c.relation::regclass::text AS relation, t.tgtype, t.tgenabled FROM pg_temp.kept c
    JOIN pg_class r ON r.oid = c.relation AND r.relkind = 'r'
     -- no worker keeps a copy of these
     AND r.relname NOT IN ('app_user', 'harmless_text', 'pseudonym')
    LEFT JOIN pg_trigger t ON t.tgrelid = c.relation AND t.tgfoid = 'dicomgw.notify_config_change()'::regprocedure;
SELECT is_empty($$ SELECT relation FROM pg_temp.notified GROUP BY 1
                   -- INSERT 4, DELETE 8, UPDATE 16, TRUNCATE 32; ROW 1
                   HAVING NOT (bool_or(tgtype = 4 + 8 + 16 + 32 AND tgenabled = 'A') AND bool_or(tgtype = 1 + 4 + 8 + 16 AND tgenabled = 'R')) $$,
                'a change of the configuration wakes the workers, also one that is replicated');

-- ---------- nothing indexed changes ----------

-- What UPDATEs of the workers set; an index on it, or one whose condition names it, would cost the HOT update.
-- patient_id of a study is not here: it changes once at most, when an object says it after others that did not.
CREATE VIEW pg_temp.indexed_and_changed AS
    SELECT DISTINCT format('%s: %s', d.objid::regclass, a.attname) AS object
    FROM (VALUES ('forward_job', '{attempts,refused_at,not_before,lease_token,lease_until,last_status,last_error,last_offending}'::name[]),
                 ('study', '{patient_name,study_date,study_description,accession_number,instances,size,last_received_at}'),
                 ('series', '{instances,size,last_received_at}'), ('study_conflict', '{instances}'), ('study_delivery', '{sent,last_sent_at}'),
                 ('ingest', '{route_after,route_attempts,route_error}'),
                 ('destination_state', '{state,since,failures,reason,next_probe_at,associations,concurrency}')) AS u(relation, columns)
    JOIN pg_attribute a ON a.attrelid = format('dicomgw.%I', u.relation)::regclass AND a.attname = ANY (u.columns)
    JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum
                    AND d.classid = 'pg_class'::regclass
    JOIN pg_index i ON i.indexrelid = d.objid;
SELECT is_empty('SELECT object FROM pg_temp.indexed_and_changed', 'no index has a column that changes in its row');

-- ---------- these tests can fail ----------

SELECT lives_ok('SELECT pg_temp.break_the_rules()', 'an object that breaks the rules');
SELECT bag_eq('SELECT object FROM pg_temp.uncommented',
              ARRAY['relation dicomgw._bad', 'column dicomgw._bad.id', 'relation bad', 'column bad.id', 'sequence dicomgw.bad_seq',
                    'type dicomgw.bad', 'function dicomgw.bad(integer,integer)'], 'is found without comments');
SELECT bag_eq('SELECT object FROM pg_temp.unpinned UNION ALL SELECT object FROM pg_temp.unnamed',
              ARRAY['dicomgw.bad(integer,integer)', 'dicomgw.bad(integer,integer)'], 'without a search path, and with bad names');
SELECT bag_eq('SELECT object FROM pg_temp.elsewhere UNION ALL SELECT object FROM pg_temp.hidden',
              ARRAY['table bad', 'dicomgw._bad'], 'out of place');
SELECT bag_eq($$ SELECT object FROM pg_temp.public WHERE object LIKE '%bad%' $$,
              ARRAY['dicomgw._bad', 'dicomgw.bad(integer,integer)'], 'open to the public');
SELECT bag_eq('SELECT relation::regclass::text FROM pg_temp.configuration EXCEPT ALL SELECT relation::regclass::text FROM pg_temp.kept',
              ARRAY['dicomgw._bad'], 'configuration that would be lost');
SELECT bag_eq('SELECT object FROM pg_temp.indexed_and_changed', ARRAY['dicomgw.bad_idx: lease_token'], 'and an index in the way');

SELECT * FROM finish();
ROLLBACK;
