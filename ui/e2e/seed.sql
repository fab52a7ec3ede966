/*
 * ui/e2e/seed.sql: what ui/e2e/stack configures.  psql variables: dicom, pacs, archive, picky, dead (ports), password.
 */
CREATE EXTENSION dicomgw;
SELECT dicomgw.create_roles();
UPDATE dicomgw.listener SET port = :dicom WHERE name = 'default';

INSERT INTO dicomgw.remote_ae (ae_title, description) VALUES
    ('CT1', 'CT scanner, room 1'), ('MR1', 'MR scanner, room 2'), ('US1', 'Ultrasound, ward 3'), ('RT1', 'Radiotherapy planning');

-- Nobody listens for "teaching"; "picky" takes one transfer syntax only, and is offered others.
INSERT INTO dicomgw.destination (name, host, port, ae_title, max_attempts, retry_first_delay) VALUES
    ('pacs', '127.0.0.1', :pacs, 'PACS', 500, '10 seconds'),
    ('archive', '127.0.0.1', :archive, 'ARCHIVE', 500, '10 seconds'),
    ('teaching', '127.0.0.1', :dead, 'TEACHING', 500, '10 seconds'),
    ('picky', '127.0.0.1', :picky, 'PICKY', 1, '1 second'),
    ('night', '127.0.0.1', :archive, 'ARCHIVE', 500, '10 seconds');
SELECT dicomgw.pause('night', 'moves to another building this week');

INSERT INTO dicomgw.destination_group (name, kind) VALUES ('readers', 'failover');
INSERT INTO dicomgw.destination_group_member (destination_group, destination, position) VALUES ('readers', 'pacs', 1), ('readers', 'archive', 2);

INSERT INTO dicomgw.route (name, position, predicate, destination, destination_group) VALUES
    ('CT and MR to the readers', 10, $$ modality IN ('CT', 'MR') $$, NULL, 'readers'),
    ('everything to the archive', 20, 'true', 'archive', NULL),
    ('MR to teaching', 30, $$ modality = 'MR' $$, 'teaching', NULL),
    ('MR to picky', 40, $$ modality = 'MR' $$, 'picky', NULL),
    ('ultrasound at night', 50, $$ modality = 'US' OR calling_ae = 'US1' $$, 'night', NULL);

SELECT dicomgw.create_user('admin', 'admin');
SELECT dicomgw.create_user('olga', 'operator');
SELECT dicomgw.create_user('victor', 'viewer');
SELECT dicomgw.create_user('cara', 'viewer', scope_calling_aes => '{CT1}');
SELECT dicomgw.create_user('newcomer', 'viewer');
UPDATE dicomgw.app_user SET password_hash = dicomgw._hash_password(:'password'), must_change_password = username = 'newcomer';
