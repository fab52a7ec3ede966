--
-- Privileges: an ordinary role sees nothing and does nothing here.  What is allowed
-- to it later is granted by name, in one place.
--
SET client_min_messages = error;
CREATE EXTENSION dicomgw;
DROP ROLE IF EXISTS regress_dicomgw_nobody;
RESET client_min_messages;
CREATE ROLE regress_dicomgw_nobody;
SET ROLE regress_dicomgw_nobody;

-- The door is shut.
SELECT * FROM dicomgw.destination;
SELECT * FROM dicomgw.route_row;
SELECT dicomgw.retry(destination => 'pacs');
SELECT 'PACS'::dicomgw.ae_title;

-- And behind it every other one, too.
RESET ROLE;
GRANT USAGE ON SCHEMA dicomgw TO regress_dicomgw_nobody;
SET ROLE regress_dicomgw_nobody;
\set SHOW_CONTEXT never
SELECT * FROM dicomgw.listener;
INSERT INTO dicomgw.destination (name, host, ae_title) VALUES ('mine', 'mine.example', 'MINE');
UPDATE dicomgw.route SET enabled = false;
DELETE FROM dicomgw.dead_letter;
TRUNCATE dicomgw.ingest;
SELECT * FROM dicomgw.route_row;
SELECT * FROM dicomgw.job_status;
SELECT * FROM dicomgw.status;
SELECT * FROM dicomgw.totals;
SELECT * FROM dicomgw.instance_header;
SELECT * FROM dicomgw.instance_header_default;
SELECT * FROM dicomgw.study;
SELECT nextval('dicomgw.instance_id_seq');
SELECT dicomgw.retry(destination => 'pacs');
SELECT dicomgw.cancel(job_id => 1);
SELECT dicomgw.replay_study('1.2.3', 'pacs');
SELECT dicomgw.echo('pacs');
SELECT dicomgw.check_predicate('true');
SELECT dicomgw.tag('{}', 'PatientID');
SELECT dicomgw.worker_status();
SELECT dicomgw.notify_work();
SELECT dicomgw._ingest('{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}');
SELECT dicomgw._maintain_partitions();
SELECT dicomgw._release_all();
CREATE TABLE dicomgw.mine ();
ALTER EXTENSION dicomgw DROP VIEW dicomgw.status;
DROP EXTENSION dicomgw;

-- The trigger functions can't be hung on a table of one's own.
RESET ROLE;
CREATE SCHEMA regress_dicomgw_nobody AUTHORIZATION regress_dicomgw_nobody;
SET ROLE regress_dicomgw_nobody;
CREATE TABLE regress_dicomgw_nobody.mine (id integer);
CREATE TRIGGER mine AFTER UPDATE ON regress_dicomgw_nobody.mine
    FOR EACH ROW EXECUTE FUNCTION dicomgw._forget_destination_state();
CREATE TRIGGER mine AFTER UPDATE ON regress_dicomgw_nobody.mine
    FOR EACH STATEMENT EXECUTE FUNCTION dicomgw.notify_config_change();

-- The exception computes from its arguments alone: predicates call it.
SELECT dicomgw.tag_value('{"00100020": {"Value": ["4711"]}}', '00100020');

-- Nothing is left out above: whatever there is, a role without rights has none on it.
RESET ROLE;
SELECT c.oid::regclass AS readable_or_writable
FROM pg_class c
WHERE c.relnamespace = 'dicomgw'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND (has_table_privilege('regress_dicomgw_nobody', c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
       OR has_any_column_privilege('regress_dicomgw_nobody', c.oid, 'SELECT, INSERT, UPDATE, REFERENCES'));
SELECT c.oid::regclass AS usable FROM pg_class c
WHERE c.relnamespace = 'dicomgw'::regnamespace
  AND CASE WHEN c.relkind = 'S' THEN has_sequence_privilege('regress_dicomgw_nobody', c.oid, 'USAGE, SELECT, UPDATE') END;
SELECT p.oid::regprocedure AS executable FROM pg_proc p
WHERE p.pronamespace = 'dicomgw'::regnamespace AND has_function_privilege('regress_dicomgw_nobody', p.oid, 'EXECUTE');
-- also of what is made while it runs
SELECT dicomgw._create_partition('instance_header', '2001-02-03');
SELECT has_table_privilege('regress_dicomgw_nobody', 'dicomgw.instance_header_20010203', 'SELECT') AS readable;
-- and nothing runs with somebody else's rights but what writes the history, which nobody may write himself
SELECT p.oid::regprocedure AS security_definer FROM pg_proc p WHERE p.pronamespace = 'dicomgw'::regnamespace AND p.prosecdef;

-- A granted role needs no more than what is granted.
GRANT SELECT ON dicomgw.job_status, dicomgw.destination TO regress_dicomgw_nobody;
SET ROLE regress_dicomgw_nobody;
SELECT count(*) FROM dicomgw.destination;
SELECT count(*) FROM dicomgw.forward_job;
RESET ROLE;

DROP TABLE regress_dicomgw_nobody.mine;
DROP SCHEMA regress_dicomgw_nobody;
DROP EXTENSION dicomgw;
DROP ROLE regress_dicomgw_nobody;
