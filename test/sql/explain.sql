--
-- History, dry run and explanation: what a person sees, and in which words.
--
SET client_min_messages = error;
CREATE EXTENSION dicomgw;
RESET client_min_messages;
\set SHOW_CONTEXT never
INSERT INTO dicomgw.destination (name, host, ae_title) VALUES ('pacs', 'pacs.example', 'PACS');
INSERT INTO dicomgw.route (name, predicate, destination) VALUES ('ct', 'modality = ''CT''', 'pacs');
UPDATE dicomgw.route SET predicate = 'modality IN (''CT'', ''MR'')', priority = 7;
DELETE FROM dicomgw.route;
INSERT INTO dicomgw.remote_ae (ae_title, username, passcode) VALUES ('CT1', 'ct1', 'open sesame');
UPDATE dicomgw.remote_ae SET username = NULL, passcode = NULL;

SELECT table_name, name, version, operation, change, before, after FROM dicomgw.configuration_change
WHERE table_name IN ('route', 'remote_ae') ORDER BY table_name, version;

-- ---------- revert ----------

SELECT dicomgw.revert('route', 'ct', 1);
SELECT name, predicate, priority FROM dicomgw.route;
SELECT dicomgw.revert('destination_secret', 'pacs', 1);
SELECT dicomgw.revert('route', 'mr', 1);
SELECT dicomgw.revert('route', 'ct', 99);
SELECT dicomgw.revert('route', 'ct', 3);
SELECT dicomgw.revert('remote_ae', 'CT1', 1);
UPDATE dicomgw.destination SET name = 'new pacs';
SELECT dicomgw.revert('route', 'ct', 1);
DELETE FROM dicomgw.configuration_history;

-- ---------- explanation and dry run ----------

SELECT * FROM dicomgw.explain_predicate('modality = ''CT'' AND modalty = ''MR''', 1);
SELECT * FROM dicomgw.explain_predicate('tag(''PatientId'') = ''1''', 1);
SELECT * FROM dicomgw.explain_predicate('true', 1);
SELECT * FROM dicomgw.explain_routing(1);
SELECT * FROM dicomgw.route_dry_run('modality = ''CT'' AND modalty = ''MR''');
SELECT * FROM dicomgw.route_dry_run('random() < 0.5');
SELECT * FROM dicomgw.route_dry_run('true', route => 'mr');

SELECT dicomgw._ingest('{1,1}', '{CT1,CT1}', '{DICOMGW,DICOMGW}', '{192.0.2.1,192.0.2.1}', '{1.1,1.1}', '{1.2.3,1.2.4}', '{1.2.840.10008.1.2,1.2.840.10008.1.2}',
    '{a,b}', '{10,20}', '{"\\x01","\\x02"}', ARRAY['{"00080060": {"Value": ["CT"]}, "00280010": {"Value": ["many"]}}', NULL], '{NULL,not a dataset}');
SELECT * FROM dicomgw.explain_routing(1);
DO $$
DECLARE
    v_ids bigint[] := dicomgw._claim_ingest(10);
BEGIN
    PERFORM dicomgw._file_instances(v_ids);
    PERFORM dicomgw._enqueue(v_ids, '{1}', '{1}', '{}', '{}', '{}');
END
$$;
SELECT route, version, in_force, outcome, predicate, terms, remark FROM dicomgw.explain_routing(1);
SELECT * FROM dicomgw.explain_predicate('modality = ''CT'' AND tag(''Rows'')::integer > 512', 1);
SELECT * FROM dicomgw.explain_predicate('modality = ''CT'' AND tag(''Rows'')::integer > 512', 2);
SELECT * FROM dicomgw.route_dry_run('tag(''Rows'')::integer > 512 OR tag(''Rows'') IS NULL', until => 'infinity', route => 'ct');
