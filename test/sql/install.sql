--
-- CREATE EXTENSION and DROP EXTENSION: what there is, where it is refused, and
-- that nothing stays behind.
--
-- The database of this test is not the gateway's, so that no worker is in it.
SET client_min_messages = error;
CREATE EXTENSION dicomgw;
RESET client_min_messages;

-- What a person uses.  A name that is missing here is an interface that broke.
SELECT c.relname, CASE c.relkind WHEN 'v' THEN 'view' ELSE 'table' END AS kind
FROM pg_class c
WHERE c.relnamespace = 'dicomgw'::regnamespace AND c.relkind IN ('r', 'p', 'v')
  AND NOT c.relispartition AND c.relname IN (
    'association', 'attribute', 'audit_log', 'dead_letter', 'destination', 'destination_group', 'destination_group_member',
    'destination_state', 'destination_status', 'destination_window', 'forward_attempt', 'forward_history',
    'forward_job', 'completion', 'gathering', 'gathering_status', 'ingest', 'instance', 'instance_header', 'job_status', 'listener', 'route', 'route_row',
    'routing_decision', 'series', 'status', 'study', 'totals', 'unrouted')
ORDER BY c.relname COLLATE "C";
SELECT p.oid::regprocedure AS function
FROM pg_proc p
WHERE p.pronamespace = 'dicomgw'::regnamespace AND p.proname IN (
    'cancel', 'check_expected_instances', 'check_predicate', 'complete_study', 'route_again', 'delete_destination', 'echo', 'header_attributes', 'move', 'pause', 'replay', 'replay_study',
    'resume', 'retry', 'retry_delay', 'set_credentials', 'set_priority', 'status_text', 'tag', 'tag_of', 'tag_value',
    'timeline', 'worker_status')
ORDER BY p.oid::regprocedure::text COLLATE "C";
SELECT t.typname AS domain FROM pg_type t
WHERE t.typnamespace = 'dicomgw'::regnamespace AND t.typtype = 'd' ORDER BY t.typname COLLATE "C";

-- It listens as soon as it is there, for everybody, and sends nothing anywhere.
SELECT name, bind_address, port, ae_titles, enabled FROM dicomgw.listener;
SELECT count(*) AS destinations FROM dicomgw.destination;
SELECT count(*) AS routes FROM dicomgw.route;

-- The data dictionary is filled.
SELECT tag, keyword, vr FROM dicomgw.attribute
WHERE keyword IN ('PatientID', 'StudyInstanceUID', 'PixelData') ORDER BY tag;
SELECT count(*) > 4000 AS complete FROM dicomgw.attribute;

-- Objects of today find a partition.
SELECT table_name, to_regclass(format('dicomgw.%I', table_name || '_' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD')))
           IS NOT NULL AS has_today
FROM dicomgw.partitioned ORDER BY table_name;

-- There is one of it in a database, and it stays in its schema.
CREATE EXTENSION dicomgw;
ALTER EXTENSION dicomgw SET SCHEMA information_schema;

-- ---------- nothing stays behind ----------

-- What is made while it runs goes with it, and no CASCADE is needed.
SELECT dicomgw._create_partition('instance_header', '2001-02-03');
SELECT dicomgw._create_partition('forward_history', '2001-02-03');
INSERT INTO dicomgw.destination (name, host, port, ae_title) VALUES ('pacs', 'pacs.example', 104, 'PACS');
INSERT INTO dicomgw.route (name, destination) VALUES ('everything', 'pacs');

-- Everything in the catalogs that names our schema or our library.
CREATE VIEW public.ours AS
    SELECT 'schema' AS kind, nspname::text AS name FROM pg_namespace WHERE nspname LIKE 'dicomgw%'
    UNION ALL
    SELECT 'relation', relname FROM pg_class WHERE relnamespace::regnamespace::text LIKE 'dicomgw%'
    UNION ALL
    SELECT 'type', typname FROM pg_type WHERE typnamespace::regnamespace::text LIKE 'dicomgw%'
    UNION ALL
    SELECT 'function', proname FROM pg_proc
    WHERE pronamespace::regnamespace::text LIKE 'dicomgw%' OR probin LIKE '%dicomgw%'
    UNION ALL
    SELECT 'event trigger', evtname FROM pg_event_trigger
    UNION ALL
    SELECT 'role', rolname FROM pg_roles WHERE rolname LIKE 'dicomgw%' OR rolname LIKE 'dgw%'
    UNION ALL
    SELECT 'extension', extname FROM pg_extension WHERE extname = 'dicomgw';
SELECT kind FROM public.ours GROUP BY kind ORDER BY kind COLLATE "C";

DROP EXTENSION dicomgw;
SELECT * FROM public.ours;

-- Somebody else's view on it does need CASCADE.
SET client_min_messages = error;
CREATE EXTENSION dicomgw;
RESET client_min_messages;
CREATE VIEW public.mine AS SELECT name FROM dicomgw.destination;
DROP EXTENSION dicomgw;
DROP EXTENSION dicomgw CASCADE;
SELECT * FROM public.ours;

-- Taken back, and made again.
SET client_min_messages = error;
BEGIN;
CREATE EXTENSION dicomgw;
ROLLBACK;
SELECT * FROM public.ours;
BEGIN;
CREATE EXTENSION dicomgw;
DROP EXTENSION dicomgw;
CREATE EXTENSION dicomgw;
COMMIT;
BEGIN;
DROP EXTENSION dicomgw;
ROLLBACK;
SELECT count(*) AS listeners FROM dicomgw.listener;
DROP EXTENSION dicomgw;
RESET client_min_messages;
SELECT * FROM public.ours;

-- ---------- where it can't be ----------

\set database :DBNAME
CREATE DATABASE regress_dicomgw_latin1 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;
\c regress_dicomgw_latin1
\set SHOW_CONTEXT never
CREATE EXTENSION dicomgw;
SELECT count(*) AS schemas FROM pg_namespace WHERE nspname LIKE 'dicomgw%';
\c :database
DROP DATABASE regress_dicomgw_latin1;

CREATE DATABASE regress_dicomgw_ascii ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;
\c regress_dicomgw_ascii
CREATE EXTENSION dicomgw;
\c :database
DROP DATABASE regress_dicomgw_ascii;

-- In another database than the workers': possible, but hardly what was meant.
CREATE DATABASE regress_dicomgw_elsewhere ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;
\c regress_dicomgw_elsewhere
CREATE EXTENSION dicomgw;
SELECT worker, running AND worker <> 'launcher' AND EXISTS (
           SELECT FROM pg_stat_activity a WHERE a.pid = s.pid AND a.datname = current_database()) AS runs_here
FROM dicomgw.status s ORDER BY worker COLLATE "C";
\c :database
DROP DATABASE regress_dicomgw_elsewhere;

-- Nobody but a superuser installs it: it reads and writes files, and runs programs.
CREATE ROLE regress_dicomgw_owner;
SELECT format('GRANT CREATE ON DATABASE %I TO regress_dicomgw_owner', current_database()) \gexec
SET ROLE regress_dicomgw_owner;
CREATE EXTENSION dicomgw;
RESET ROLE;
SELECT format('REVOKE ALL ON DATABASE %I FROM regress_dicomgw_owner', current_database()) \gexec
DROP ROLE regress_dicomgw_owner;
DROP VIEW public.ours;
