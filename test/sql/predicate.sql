--
-- Predicates of routes: what is accepted, what is refused and in which words, and
-- that they run without rights.
--
-- Refusals quote the predicate and point into it, as PostgreSQL does with a
-- statement.  Where the call came from is the same each time, and left out.
--
SET client_min_messages = error;
CREATE EXTENSION dicomgw;
RESET client_min_messages;
\set SHOW_CONTEXT never
\pset tuples_only on

-- ---------- accepted ----------

SELECT p AS accepted, dicomgw.check_predicate(p) FROM unnest(ARRAY[
    'true',
    'NULL',
    ' modality = ''CT'' AND calling_ae LIKE ''CT%'' ',
    'route_row.modality IN (''CT'', ''MR'')',
    'study_date > current_date - 30',
    'received_at AT TIME ZONE ''Europe/Berlin'' BETWEEN ''2020-01-01'' AND ''2020-12-31''',
    'peer_address << inet ''192.0.2.0/24''',
    'size BETWEEN 1 AND 1000000 OR size IS NULL',
    'header @> ''{"00080060": {"Value": ["CT"]}}''',
    'header -> ''00080060'' -> ''Value'' ->> 0 = ''CT''',
    'tag(''PatientID'') = ''4711''',
    'upper(tag(''0010,0020'')) = ''X'' OR tag(''(0010,0020)'') = tag(''00100020'')',
    'tag(''0009,1001'') IS NULL -- a private attribute',
    'tag(''0009,10fF'') IS NULL /* and its hexadecimal digits in any case */',
    'CASE WHEN modality ~ ''^(CT|MR)$'' THEN true ELSE listener = ''default'' END',
    'lower(patient_name COLLATE "C") LIKE ''m%''',
    'current_date - patient_birth_date < 18 * 365.25',
    'route_row IS NOT NULL'
]) AS p;

\pset tuples_only off

-- ---------- refused: no such thing ----------

SELECT dicomgw.check_predicate('modality = = ''CT''');
SELECT dicomgw.check_predicate('modality = ''CT');
SELECT dicomgw.check_predicate('modality = ''CT'' AND
    modalitty = ''MR''');
SELECT dicomgw.check_predicate('modality = CT');
SELECT dicomgw.check_predicate('modality = 5');
SELECT dicomgw.check_predicate('nosuch(modality)');
SELECT dicomgw.check_predicate('modality');
SELECT dicomgw.check_predicate('size');
SELECT dicomgw.check_predicate('''no''');
SELECT dicomgw.check_predicate('''perhaps''');
SELECT dicomgw.check_predicate('study_date = ''2020-13-01''');
SELECT dicomgw.check_predicate('');
SELECT dicomgw.check_predicate('   ');
SELECT dicomgw.check_predicate('-- nothing');

-- ---------- over HTTP, which has no position, the detail says it ----------

SELECT dicomgw_api.check_predicate('modality = CT');
SELECT dicomgw_api.check_predicate('modality = 5');
SELECT dicomgw_api.check_predicate('tag(''Modalty'') = ''CT''');
SELECT dicomgw_api.check_expected_instances('1 + sise');
SELECT dicomgw_api.check_edit_expression('upper(modalitty)');

-- ---------- refused: more than an expression over the row ----------

SELECT dicomgw.check_predicate('EXISTS (SELECT FROM pg_class)');
SELECT dicomgw.check_predicate('instance_id IN (SELECT 1)');
SELECT dicomgw.check_predicate('instance_id = ALL (ARRAY(SELECT 1::bigint))');
SELECT dicomgw.check_predicate('(TABLE pg_authid) IS NULL');
SELECT dicomgw.check_predicate('count(*) > 1');
SELECT dicomgw.check_predicate('row_number() OVER () = 1');
SELECT dicomgw.check_predicate('generate_series(1, 2) = 1');
SELECT dicomgw.check_predicate('unnest(ARRAY[true])');
SELECT dicomgw.check_predicate('grouping(modality) = 0');
SELECT dicomgw.check_predicate('$1 = ''CT''');
SELECT dicomgw.check_predicate('DEFAULT');
SELECT dicomgw.check_predicate('*');
SELECT dicomgw.check_predicate('route_row.*');
SELECT dicomgw.check_predicate('route_row.* IS NULL');
SELECT dicomgw.check_predicate('ctid IS NULL');
SELECT dicomgw.check_predicate('pg_class.relname IS NULL');

-- ---------- refused: clauses that a parser of expressions would let through ----------

SELECT dicomgw.check_predicate('true FROM pg_class');
SELECT dicomgw.check_predicate('true WHERE true');
SELECT dicomgw.check_predicate('true GROUP BY modality');
SELECT dicomgw.check_predicate('true HAVING true');
SELECT dicomgw.check_predicate('true WINDOW w AS ()');
SELECT dicomgw.check_predicate('true ORDER BY 1');
SELECT dicomgw.check_predicate('true LIMIT 1');
SELECT dicomgw.check_predicate('true OFFSET 1');
SELECT dicomgw.check_predicate('true FOR UPDATE');
SELECT dicomgw.check_predicate('DISTINCT true');
SELECT dicomgw.check_predicate('true, false');
SELECT dicomgw.check_predicate('true AS x');
SELECT dicomgw.check_predicate('true x');
SELECT dicomgw.check_predicate('true; DROP TABLE dicomgw.route');
SELECT dicomgw.check_predicate('true;');
SELECT dicomgw.check_predicate('true) OR (1=1');
SELECT dicomgw.check_predicate('true UNION SELECT true');
SELECT dicomgw.check_predicate('SELECT true');
SELECT dicomgw.check_predicate('WITH x AS (SELECT 1) SELECT true');
SELECT dicomgw.check_predicate('true /* OR false');
SELECT dicomgw.check_predicate('modality = $$CT');
-- inside a string nothing is anything
SELECT dicomgw.check_predicate('modality = ''x; DROP TABLE dicomgw.route; --''');

-- ---------- refused: not the same answer each time, or a side effect ----------

SELECT dicomgw.check_predicate('random() < 0.5');
SELECT dicomgw.check_predicate('pg_read_file(''PG_VERSION'') IS NULL');
SELECT dicomgw.check_predicate('pg_sleep(1) IS NULL');
SELECT dicomgw.check_predicate('nextval(''dicomgw.instance_id_seq'') = 1');
SELECT dicomgw.check_predicate('set_config(''search_path'', '''', false) = ''''');
SELECT dicomgw.check_predicate('clock_timestamp() > received_at');
SELECT dicomgw.check_predicate('pg_terminate_backend(1)');

-- ---------- refused: tag() of nothing ----------

SELECT dicomgw.check_predicate('tag(''PatientId'') = ''1''');
SELECT dicomgw.check_predicate('tag(''birth date'') IS NULL');
SELECT dicomgw.check_predicate('tag(''Xyzzy'') = ''1''');
SELECT dicomgw.check_predicate('tag(''0010,002'') = ''1''');
SELECT dicomgw.check_predicate('tag('''') = ''1''');
SELECT dicomgw.check_predicate('tag(''%'') = ''1''');
SELECT dicomgw.check_predicate('modality = ''CT'' AND tag(modality) = ''1''');
SELECT dicomgw.check_predicate('tag(NULL) = ''1''');
SELECT dicomgw.check_predicate('tag(00100020) = ''1''');
SELECT dicomgw.check_predicate('tag() = ''1''');
SELECT dicomgw.check_predicate('tag(''Patient'' || ''ID'') = ''1''');

-- ---------- tried on a row without values ----------

SELECT dicomgw.check_predicate('1 / size > 0');
SELECT dicomgw.check_predicate('1 / coalesce(size, 0) > 0');
SELECT dicomgw.check_predicate('1 / 0 = 1');
SELECT dicomgw.check_predicate('tag(''Rows'')::integer > 512');

-- There is nothing to check in NULL; the table refuses it.
SELECT dicomgw.check_predicate(NULL) IS NULL AS nothing_to_check;

-- ---------- without rights ----------

CREATE SCHEMA regress_predicates;
CREATE TABLE regress_predicates.wanted (modality text);
INSERT INTO regress_predicates.wanted VALUES ('CT');
CREATE FUNCTION regress_predicates.is_sectional(modality text) RETURNS boolean
    LANGUAGE sql IMMUTABLE RETURN modality IN ('CT', 'MR');
CREATE FUNCTION regress_predicates.is_wanted(modality text) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS 'BEGIN RETURN EXISTS (SELECT FROM regress_predicates.wanted w WHERE w.modality = is_wanted.modality); END';
CREATE FUNCTION regress_predicates.is_wanted_strictly(modality text) RETURNS boolean
    LANGUAGE plpgsql STABLE STRICT
    AS 'BEGIN RETURN EXISTS (SELECT FROM regress_predicates.wanted w WHERE w.modality = $1); END';
CREATE FUNCTION regress_predicates.is_wanted_by_owner(modality text) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'BEGIN RETURN EXISTS (SELECT FROM regress_predicates.wanted w WHERE w.modality = is_wanted_by_owner.modality); END';
CREATE FUNCTION regress_predicates.lies(modality text) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS 'BEGIN INSERT INTO regress_predicates.wanted VALUES (''MR''); RETURN true; END';
CREATE FUNCTION regress_predicates.is_private(modality text) RETURNS boolean
    LANGUAGE sql IMMUTABLE RETURN modality IS NOT NULL;
REVOKE ALL ON FUNCTION regress_predicates.is_private(text) FROM PUBLIC;

-- A function of one's own: if anybody may execute it, and by its full name.
SELECT dicomgw.check_predicate('regress_predicates.is_sectional(modality)');
SELECT dicomgw.check_predicate('is_sectional(modality)');
SELECT dicomgw.check_predicate('regress_predicates.is_private(modality)');

-- What it may read is what anybody may read, though the caller is a superuser.
SELECT dicomgw.check_predicate('regress_predicates.is_wanted(modality)');
SELECT dicomgw.check_predicate('regress_predicates.lies(modality)');
SELECT dicomgw.check_predicate('current_setting(''dicomgw.storage_path'') = ''''');
SELECT dicomgw.check_predicate('table_to_xml(''regress_predicates.wanted'', true, true, '''') IS NULL');
GRANT USAGE ON SCHEMA regress_predicates TO PUBLIC;
GRANT SELECT ON regress_predicates.wanted TO PUBLIC;
SELECT dicomgw.check_predicate('regress_predicates.is_wanted(modality)');
REVOKE SELECT ON regress_predicates.wanted FROM PUBLIC;
-- Its owner can lend it the right to.
SELECT dicomgw.check_predicate('regress_predicates.is_wanted_by_owner(modality)');
-- A strict function isn't called with the empty row's NULL: this one fails when an object comes.
SELECT dicomgw.check_predicate('regress_predicates.is_wanted_strictly(modality)');

-- After a refusal the session is who it was.
BEGIN;
SAVEPOINT before;
SELECT dicomgw.check_predicate('regress_predicates.is_wanted(modality)');
ROLLBACK TO before;
SELECT current_user = session_user AS is_itself, current_setting('search_path') AS search_path;
SELECT dicomgw.check_predicate('regress_predicates.is_sectional(modality)');
SELECT current_user = session_user AS is_itself, current_setting('search_path') AS search_path;
SELECT count(*) FROM regress_predicates.wanted;
COMMIT;

-- The search path of the session counts for nothing: neither for names in the predicate ...
CREATE FUNCTION regress_predicates.upper(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RAISE ''hijacked''; END';
SET search_path = regress_predicates, pg_catalog;
SELECT dicomgw.check_predicate('upper(modality) IS NULL');
-- ... nor for those in the dictionary's function.
SELECT dicomgw.check_predicate('tag(''PatientID'') IS NULL');
RESET search_path;

-- ---------- by way of a route ----------

INSERT INTO dicomgw.destination (name, host, ae_title) VALUES ('pacs', 'pacs.example', 'PACS');
INSERT INTO dicomgw.route (name, predicate, destination) VALUES ('ct', 'modality = ''CT''', 'pacs');
INSERT INTO dicomgw.route (name, predicate, destination) VALUES ('mr', 'modalty = ''MR''', 'pacs');
UPDATE dicomgw.route SET predicate = 'tag(''PatientId'') = ''1''';
UPDATE dicomgw.route SET predicate = 'tag(''PatientID'') = ''1''';
SELECT name, predicate FROM dicomgw.route;

-- With everything that psql shows.
\set SHOW_CONTEXT errors
UPDATE dicomgw.route SET predicate = 'random() > 1';
UPDATE dicomgw.route SET predicate = 'modality = ''CT'' OR modality LIKE';

SET client_min_messages = warning;
DROP SCHEMA regress_predicates CASCADE;
