--
-- Configuration is rows with constraints: what can't work is refused when it is
-- written, in words that say what is wrong.
--
SET client_min_messages = error;
CREATE EXTENSION dicomgw;
RESET client_min_messages;
\set VERBOSITY terse

-- ---------- destinations ----------

INSERT INTO dicomgw.destination (name, host, port, ae_title) VALUES ('pacs', 'pacs.example', 104, 'PACS');
SELECT name, host, port, ae_title, calling_ae_title, max_associations, max_pdu, connect_timeout,
       association_timeout, response_timeout, max_attempts, retry_first_delay, retry_factor, retry_max_delay, paused
FROM dicomgw.destination \gx

-- addresses
INSERT INTO dicomgw.destination (name, host, port, ae_title) VALUES
    ('by IPv4', '192.0.2.1', 1, 'A'), ('by IPv6', '2001:db8::1', 65535, 'A'),
    ('by scoped IPv6', 'fe80::1%eth0', 104, 'A'), ('by name', 'a-b.example', 104, 'A');
INSERT INTO dicomgw.destination (name, host, port, ae_title) VALUES ('x', 'pacs.example', 0, 'PACS');
INSERT INTO dicomgw.destination (name, host, port, ae_title) VALUES ('x', 'pacs.example', 70000, 'PACS');
INSERT INTO dicomgw.destination (name, host, port, ae_title) VALUES ('x', 'pacs.example', -1, 'PACS');
INSERT INTO dicomgw.destination (name, host, port, ae_title) VALUES ('x', 'pacs example', 104, 'PACS');
INSERT INTO dicomgw.destination (name, host, port, ae_title) VALUES ('x', '', 104, 'PACS');
INSERT INTO dicomgw.destination (name, host, port, ae_title) VALUES ('x', 'pacs.example:104/x', 104, 'PACS');
INSERT INTO dicomgw.destination (name, host, port, ae_title) VALUES ('x', E'pacs.example\nx', 104, 'PACS');
INSERT INTO dicomgw.destination (name, host, port, ae_title) VALUES ('', 'pacs.example', 104, 'PACS');
INSERT INTO dicomgw.destination (name, port, ae_title) VALUES ('x', 104, 'PACS');
INSERT INTO dicomgw.destination (name, host, port) VALUES ('x', 'pacs.example', 104);
INSERT INTO dicomgw.destination (name, host, port, ae_title) VALUES ('pacs', 'other.example', 104, 'OTHER');

-- AE titles: VR AE, PS3.5 6.2
INSERT INTO dicomgw.destination (name, host, ae_title) VALUES
    ('16 characters', 'pacs.example', 'ABCDEFGHIJKLMNOP'), ('a space within', 'pacs.example', 'CT 1'),
    ('punctuation', 'pacs.example', '!"#$%&[]^_`{|}~');
INSERT INTO dicomgw.destination (name, host, ae_title) VALUES ('x', 'pacs.example', 'ABCDEFGHIJKLMNOPQ');
INSERT INTO dicomgw.destination (name, host, ae_title) VALUES ('x', 'pacs.example', '');
INSERT INTO dicomgw.destination (name, host, ae_title) VALUES ('x', 'pacs.example', 'CT\1');
INSERT INTO dicomgw.destination (name, host, ae_title) VALUES ('x', 'pacs.example', ' PACS');
INSERT INTO dicomgw.destination (name, host, ae_title) VALUES ('x', 'pacs.example', 'PACS ');
INSERT INTO dicomgw.destination (name, host, ae_title) VALUES ('x', 'pacs.example', '   ');
INSERT INTO dicomgw.destination (name, host, ae_title) VALUES ('x', 'pacs.example', E'PA\tCS');
INSERT INTO dicomgw.destination (name, host, ae_title) VALUES ('x', 'pacs.example', E'PACS\n');
INSERT INTO dicomgw.destination (name, host, ae_title) VALUES ('x', 'pacs.example', U&'R\00D6NTGEN');
INSERT INTO dicomgw.destination (name, host, ae_title, calling_ae_title) VALUES ('x', 'pacs.example', 'PACS', '');

-- limits and patience, with the first value that is wrong and the last that is right
UPDATE dicomgw.destination SET max_pdu = 4095 WHERE name = 'pacs';
UPDATE dicomgw.destination SET max_pdu = 4096 WHERE name = 'pacs';
UPDATE dicomgw.destination SET max_pdu = 131073 WHERE name = 'pacs';
UPDATE dicomgw.destination SET max_pdu = 131072 WHERE name = 'pacs';
UPDATE dicomgw.destination SET max_associations = 0 WHERE name = 'pacs';
UPDATE dicomgw.destination SET max_associations = 1 WHERE name = 'pacs';
UPDATE dicomgw.destination SET max_associations = 65 WHERE name = 'pacs';
UPDATE dicomgw.destination SET max_associations = 64 WHERE name = 'pacs';
UPDATE dicomgw.destination SET max_attempts = 0 WHERE name = 'pacs';
UPDATE dicomgw.destination SET max_attempts = 100001 WHERE name = 'pacs';
UPDATE dicomgw.destination SET response_timeout = '999 ms' WHERE name = 'pacs';
UPDATE dicomgw.destination SET response_timeout = '1 s' WHERE name = 'pacs';
UPDATE dicomgw.destination SET response_timeout = '25 hours' WHERE name = 'pacs';
UPDATE dicomgw.destination SET response_timeout = '1 day' WHERE name = 'pacs';
UPDATE dicomgw.destination SET retry_first_delay = '-1 s' WHERE name = 'pacs';
UPDATE dicomgw.destination SET retry_factor = 0.9 WHERE name = 'pacs';
UPDATE dicomgw.destination SET retry_factor = 'NaN' WHERE name = 'pacs';
UPDATE dicomgw.destination SET retry_factor = 'Infinity' WHERE name = 'pacs';
UPDATE dicomgw.destination SET retry_factor = 1 WHERE name = 'pacs';
UPDATE dicomgw.destination SET paused = NULL WHERE name = 'pacs';

-- ---------- listeners ----------

INSERT INTO dicomgw.listener (name, bind_address, port, ae_titles) VALUES
    ('local', '127.0.0.1', 104, '{GATEWAY}'), ('IPv6', '::1', 104, '{GATEWAY}'), ('mapped', '::ffff:127.0.0.1', 104, '{GATEWAY}');
INSERT INTO dicomgw.listener (name) VALUES ('second');
INSERT INTO dicomgw.listener (name, port) VALUES ('default', 11113);
INSERT INTO dicomgw.listener (name, bind_address) VALUES ('x', 'localhost');
INSERT INTO dicomgw.listener (name, bind_address) VALUES ('x', '');
INSERT INTO dicomgw.listener (name, bind_address) VALUES ('x', '127.0.0');
INSERT INTO dicomgw.listener (name, bind_address) VALUES ('x', '999.1.1.1');
INSERT INTO dicomgw.listener (name, bind_address) VALUES ('x', '127.0.0.256');
INSERT INTO dicomgw.listener (name, bind_address) VALUES ('x', '127.0.0.01');
INSERT INTO dicomgw.listener (name, bind_address) VALUES ('x', '127.0.0.1.');
INSERT INTO dicomgw.listener (name, bind_address) VALUES ('x', '10.0.0.0/8');
INSERT INTO dicomgw.listener (name, bind_address) VALUES ('x', '::1/128');
INSERT INTO dicomgw.listener (name, bind_address) VALUES ('x', ':::');
INSERT INTO dicomgw.listener (name, bind_address) VALUES ('x', '1:2:3');
UPDATE dicomgw.listener SET bind_address = '255.249.199.0' WHERE name = 'local';
INSERT INTO dicomgw.listener (name, port) VALUES ('x', 0);
INSERT INTO dicomgw.listener (name, port) VALUES ('x', 65536);
INSERT INTO dicomgw.listener (name, port) VALUES ('', 11113);
INSERT INTO dicomgw.listener (name, port, ae_titles) VALUES ('x', 11113, '{A TITLE TOO LONG!}');
INSERT INTO dicomgw.listener (name, port, max_pdu) VALUES ('x', 11113, 1024);
INSERT INTO dicomgw.listener (name, port, idle_timeout) VALUES ('x', 11113, '0');
INSERT INTO dicomgw.listener (name, port, ae_titles) VALUES ('x', 11113, '{}');
INSERT INTO dicomgw.listener (name, port, ae_titles) VALUES ('x', 11113, '{A,NULL}');
INSERT INTO dicomgw.listener (name, port, accepts) VALUES ('x', 11113, 'everybody');
INSERT INTO dicomgw.listener (name, port, max_associations) VALUES ('x', 11113, 0);
INSERT INTO dicomgw.listener (name, port, max_object_size) VALUES ('x', 11113, -1);
INSERT INTO dicomgw.listener (name, port, transfer_syntaxes) VALUES ('x', 11113, '{JPEG}');
INSERT INTO dicomgw.listener (name, port, transfer_syntaxes) VALUES ('x', 11113, '{"1.2 1.3"}');
INSERT INTO dicomgw.listener (name, port, duplicates) VALUES ('x', 11113, 'overwrite');
INSERT INTO dicomgw.listener (name, port, mismatch) VALUES ('x', 11113, 'ignore');
INSERT INTO dicomgw.listener (name, port, tls) VALUES ('x', 11113, true);
INSERT INTO dicomgw.listener (name, port, tls, tls_certificate, tls_key) VALUES ('x', 11113, true, 'cert.pem', 'key.pem');
INSERT INTO dicomgw.listener (name, port, tls_client_certificate) VALUES ('x', 11113, 'required');
INSERT INTO dicomgw.listener (name, port, tls_client_certificate, tls_ca) VALUES ('x', 11113, 'perhaps', '/ca.pem');
INSERT INTO dicomgw.listener (name, port, tls, tls_certificate, tls_key, tls_client_certificate, tls_ca, transfer_syntaxes)
VALUES ('secure', 2762, true, '/cert.pem', '/key.pem', 'required', '/ca.pem', '{1.2.840.10008.1.2.4.70,1.2.840.10008.1.2.1}');
SELECT name, bind_address, port FROM dicomgw.listener ORDER BY id;

-- whoever commits it would not be known to the workers
BEGIN;
UPDATE dicomgw.listener SET max_pdu = 16384 WHERE name = 'local';
PREPARE TRANSACTION 'configuration';

-- ---------- who may call ----------

INSERT INTO dicomgw.remote_ae (ae_title, network) VALUES ('CT1', '10.0.0.0/8'), ('CT1', '10.1.0.0/16'), ('CT1', NULL), ('CT1', 'fd00::/8');
INSERT INTO dicomgw.remote_ae (ae_title, network) VALUES ('CT1', '10.0.0.0/8');
INSERT INTO dicomgw.remote_ae (ae_title) VALUES ('CT1');
INSERT INTO dicomgw.remote_ae (ae_title, network) VALUES ('CT2', '10.0.0.1/8');
INSERT INTO dicomgw.remote_ae (ae_title) VALUES ('CT\2');
INSERT INTO dicomgw.remote_ae (ae_title, max_associations) VALUES ('CT2', 0);
INSERT INTO dicomgw.remote_ae (ae_title, username) VALUES ('CT2', '');
INSERT INTO dicomgw.remote_ae (ae_title, passcode) VALUES ('CT2', 'secret');
INSERT INTO dicomgw.remote_ae (ae_title, username, passcode) VALUES ('CT2', 'ct2', '');
-- a passcode is hashed with a salt of its own, a hash is left alone
INSERT INTO dicomgw.remote_ae (ae_title, username, passcode) VALUES ('CT2', 'ct', 'secret'), ('CT3', 'ct', 'secret'), ('CT4', 'ct', '$argon2id$already');
SELECT ae_title, regexp_replace(passcode, '\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$', '$salt$hash') AS passcode
FROM dicomgw.remote_ae WHERE username IS NOT NULL ORDER BY ae_title;
SELECT count(DISTINCT passcode) FROM dicomgw.remote_ae WHERE ae_title IN ('CT2', 'CT3');
UPDATE dicomgw.remote_ae SET passcode = NULL WHERE ae_title = 'CT3';
SELECT passcode FROM dicomgw.remote_ae WHERE ae_title = 'CT3';

-- ---------- without workers ----------

SELECT * FROM dicomgw.association;
SELECT dicomgw.abort_association(1);
SELECT name, listening, problem, associations FROM dicomgw.listener_status WHERE name IN ('default', 'secure') ORDER BY name;
SELECT * FROM dicomgw.receiving;

-- ---------- routes ----------

INSERT INTO dicomgw.route (name, predicate, destination)
VALUES ('ct', $$ modality = 'CT' AND calling_ae LIKE 'CT%' $$, 'pacs');
INSERT INTO dicomgw.route (name, destination) VALUES ('everything', 'by name');
SELECT name, predicate, destination, priority, enabled FROM dicomgw.route ORDER BY id;
INSERT INTO dicomgw.route (name, destination) VALUES ('', 'pacs');
INSERT INTO dicomgw.route (name, destination) VALUES ('ct', 'pacs');
INSERT INTO dicomgw.route (name, destination, priority) VALUES ('x', 'pacs', 40000);
INSERT INTO dicomgw.route (name, predicate, destination) VALUES ('x', NULL, 'pacs');
UPDATE dicomgw.route SET enabled = NULL WHERE name = 'ct';

-- What a person sees of a mistake, in full.
\set VERBOSITY default
INSERT INTO dicomgw.route (name, destination) VALUES ('x', 'nowhere');
UPDATE dicomgw.route SET destination = 'nowhere' WHERE name = 'ct';

-- A destination that is renamed takes its routes along.
UPDATE dicomgw.destination SET name = 'archive' WHERE name = 'pacs';
SELECT name, destination FROM dicomgw.route ORDER BY id;
-- One that is in use stays: by a route, by a job, by a dead letter.
DELETE FROM dicomgw.destination WHERE name = 'archive';
DELETE FROM dicomgw.route WHERE name = 'ct';
INSERT INTO dicomgw.instance (id, received_at, calling_ae, called_ae, sop_class_uid, sop_instance_uid,
                              transfer_syntax_uid, file_path, size, sha256)
VALUES (1, now(), 'CT1', 'DICOMGW', '1.2.840.10008.5.1.4.1.1.2', '1.2.3', '1.2.840.10008.1.2', 'x', 0, '');
INSERT INTO dicomgw.forward_job (instance_id, destination_id)
SELECT 1, id FROM dicomgw.destination WHERE name = 'archive';
DELETE FROM dicomgw.destination WHERE name = 'archive';
SELECT * FROM dicomgw.cancel(destination => 'archive');
INSERT INTO dicomgw.dead_letter (id, instance_id, destination_id, priority, created_at, attempts, error)
SELECT 1, 1, id, 0, now(), 1, 'x' FROM dicomgw.destination WHERE name = 'archive';
DELETE FROM dicomgw.destination WHERE name = 'archive';
SELECT * FROM dicomgw.cancel(destination => 'archive');
-- What is known of its state is no reason to keep it; its history stays, by name.
INSERT INTO dicomgw.destination_state (destination_id, state) SELECT id, 'up' FROM dicomgw.destination;
DELETE FROM dicomgw.destination WHERE name = 'archive';
SELECT count(*) AS states, (SELECT count(*) FROM dicomgw.destination) AS destinations FROM dicomgw.destination_state;
SELECT destination, outcome, comment FROM dicomgw.forward_history ORDER BY job_id;

-- A listener can go at any time.
DELETE FROM dicomgw.listener;
