/*
 * What was received: the object index, from the moment of its receipt.
 *
 * The receiver writes ingest and instance_header; the router moves an ingest
 * row on to study, series and instance when it decides where the object goes.
 */
CREATE SEQUENCE dicomgw.instance_id_seq AS bigint;
COMMENT ON SEQUENCE dicomgw.instance_id_seq IS 'Numbers every received object, once and for all';

CREATE TABLE dicomgw.ingest (
    id                  bigint PRIMARY KEY,
    received_at         timestamptz NOT NULL,
    listener_id         integer,
    calling_ae          text NOT NULL,
    called_ae           text NOT NULL,
    peer_address        inet,
    sop_class_uid       text NOT NULL,
    sop_instance_uid    text NOT NULL,
    transfer_syntax_uid text NOT NULL,
    file_path           text NOT NULL,
    size                bigint NOT NULL,
    sha256              bytea NOT NULL,
    header_error        text,
    route_after         timestamptz NOT NULL DEFAULT '-infinity',
    route_attempts      integer NOT NULL DEFAULT 0,
    route_error         text
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
        autovacuum_vacuum_insert_threshold = -1, autovacuum_analyze_scale_factor = 0,
        autovacuum_analyze_threshold = 20000);
CREATE INDEX ingest_sop_instance_uid_idx ON dicomgw.ingest (sop_instance_uid);
COMMENT ON TABLE dicomgw.ingest IS 'Objects that were received and acknowledged, and are not routed yet';
COMMENT ON COLUMN dicomgw.ingest.id IS 'number of the object; stays the same in instance';
COMMENT ON COLUMN dicomgw.ingest.received_at IS 'when its row was committed (start of that transaction)';
COMMENT ON COLUMN dicomgw.ingest.listener_id IS 'listener that it came in by';
COMMENT ON COLUMN dicomgw.ingest.calling_ae IS 'AE title of the sender';
COMMENT ON COLUMN dicomgw.ingest.called_ae IS 'AE title that the sender called';
COMMENT ON COLUMN dicomgw.ingest.peer_address IS 'network address of the sender';
COMMENT ON COLUMN dicomgw.ingest.sop_class_uid IS 'Affected SOP Class UID of the C-STORE-RQ';
COMMENT ON COLUMN dicomgw.ingest.sop_instance_uid IS 'Affected SOP Instance UID of the C-STORE-RQ';
COMMENT ON COLUMN dicomgw.ingest.transfer_syntax_uid IS 'transfer syntax of the dataset''s bytes';
COMMENT ON COLUMN dicomgw.ingest.file_path IS 'its Part 10 file, below dicomgw.storage_path';
COMMENT ON COLUMN dicomgw.ingest.size IS 'bytes of the dataset, without the file meta group';
COMMENT ON COLUMN dicomgw.ingest.sha256 IS 'SHA-256 of the dataset''s bytes as they were received';
COMMENT ON COLUMN dicomgw.ingest.header_error IS 'what could not be read of its header; NULL if all could';
COMMENT ON COLUMN dicomgw.ingest.route_after IS 'not routed before; moved on when routing it failed';
COMMENT ON COLUMN dicomgw.ingest.route_attempts IS 'how often routing it failed';
COMMENT ON COLUMN dicomgw.ingest.route_error IS 'why routing it failed';

CREATE TABLE dicomgw.study (
    id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    study_instance_uid text NOT NULL UNIQUE,
    patient_id         text,
    patient_name       text,
    study_date         date,
    study_description  text,
    accession_number   text,
    instances          integer NOT NULL DEFAULT 0,
    size               bigint NOT NULL DEFAULT 0,
    first_received_at  timestamptz NOT NULL,
    last_received_at   timestamptz NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX study_patient_id_idx ON dicomgw.study (patient_id);
COMMENT ON TABLE dicomgw.study IS 'Studies of which at least one object was received';
COMMENT ON COLUMN dicomgw.study.id IS 'number of the study';
COMMENT ON COLUMN dicomgw.study.study_instance_uid IS 'Study Instance UID (0020,000D)';
COMMENT ON COLUMN dicomgw.study.patient_id IS 'Patient ID (0010,0020), of the first object received';
COMMENT ON COLUMN dicomgw.study.patient_name IS 'Patient''s Name (0010,0010), of the first object received';
COMMENT ON COLUMN dicomgw.study.study_date IS 'Study Date (0008,0020)';
COMMENT ON COLUMN dicomgw.study.study_description IS 'Study Description (0008,1030)';
COMMENT ON COLUMN dicomgw.study.accession_number IS 'Accession Number (0008,0050)';
COMMENT ON COLUMN dicomgw.study.instances IS 'objects received, repeated ones counted each time';
COMMENT ON COLUMN dicomgw.study.size IS 'bytes of their datasets';
COMMENT ON COLUMN dicomgw.study.first_received_at IS 'when the first object was received';
COMMENT ON COLUMN dicomgw.study.last_received_at IS 'when the last object was received';

CREATE TABLE dicomgw.series (
    id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    study_id            bigint NOT NULL REFERENCES dicomgw.study,
    series_instance_uid text NOT NULL,
    modality            text,
    series_number       integer,
    series_description  text,
    instances           integer NOT NULL DEFAULT 0,
    size                bigint NOT NULL DEFAULT 0,
    first_received_at   timestamptz NOT NULL DEFAULT now(),
    last_received_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT series_is_unique_within_its_study UNIQUE (study_id, series_instance_uid)
) WITH (fillfactor = 80);
COMMENT ON TABLE dicomgw.series IS 'Series of which at least one object was received';
COMMENT ON COLUMN dicomgw.series.id IS 'number of the series';
COMMENT ON COLUMN dicomgw.series.study_id IS 'its study';
COMMENT ON COLUMN dicomgw.series.series_instance_uid IS 'Series Instance UID (0020,000E); empty: of the objects that name none';
COMMENT ON COLUMN dicomgw.series.modality IS 'Modality (0008,0060)';
COMMENT ON COLUMN dicomgw.series.series_number IS 'Series Number (0020,0011)';
COMMENT ON COLUMN dicomgw.series.series_description IS 'Series Description (0008,103E)';
COMMENT ON COLUMN dicomgw.series.instances IS 'objects received, repeated ones counted each time';
COMMENT ON COLUMN dicomgw.series.size IS 'bytes of their datasets';
COMMENT ON COLUMN dicomgw.series.first_received_at IS 'when the first of them was received';
COMMENT ON COLUMN dicomgw.series.last_received_at IS 'when the last of them was received';

CREATE TABLE dicomgw.instance (
    id                  bigint PRIMARY KEY,
    series_id           bigint REFERENCES dicomgw.series,
    received_at         timestamptz NOT NULL,
    listener_id         integer,
    calling_ae          text NOT NULL,
    called_ae           text NOT NULL,
    peer_address        inet,
    sop_class_uid       text NOT NULL,
    sop_instance_uid    text NOT NULL,
    transfer_syntax_uid text NOT NULL,
    file_path           text NOT NULL,
    size                bigint NOT NULL,
    sha256              bytea NOT NULL,
    header_error        text,
    removed_at          timestamptz,
    institution_name    text,
    instance_number     integer
);
CREATE INDEX instance_sop_instance_uid_idx ON dicomgw.instance (sop_instance_uid);
CREATE INDEX instance_series_id_idx ON dicomgw.instance (series_id);
COMMENT ON TABLE dicomgw.instance IS
    'Objects that are routed; the same SOP Instance UID received twice is two rows with a file each';
COMMENT ON COLUMN dicomgw.instance.id IS 'number of the object, in the order of receipt';
COMMENT ON COLUMN dicomgw.instance.series_id IS 'its series; NULL if its header names no study';
COMMENT ON COLUMN dicomgw.instance.received_at IS 'when its row was committed (start of that transaction)';
COMMENT ON COLUMN dicomgw.instance.listener_id IS 'listener that it came in by';
COMMENT ON COLUMN dicomgw.instance.calling_ae IS 'AE title of the sender';
COMMENT ON COLUMN dicomgw.instance.called_ae IS 'AE title that the sender called';
COMMENT ON COLUMN dicomgw.instance.peer_address IS 'network address of the sender';
COMMENT ON COLUMN dicomgw.instance.sop_class_uid IS 'SOP Class UID, as in the C-STORE-RQ';
COMMENT ON COLUMN dicomgw.instance.sop_instance_uid IS 'SOP Instance UID, as in the C-STORE-RQ';
COMMENT ON COLUMN dicomgw.instance.transfer_syntax_uid IS 'transfer syntax of the dataset''s bytes';
COMMENT ON COLUMN dicomgw.instance.file_path IS 'its Part 10 file, below dicomgw.storage_path';
COMMENT ON COLUMN dicomgw.instance.size IS 'bytes of the dataset, without the file meta group';
COMMENT ON COLUMN dicomgw.instance.sha256 IS 'SHA-256 of the dataset''s bytes as they were received';
COMMENT ON COLUMN dicomgw.instance.header_error IS 'what could not be read of its header; NULL if all could';
COMMENT ON COLUMN dicomgw.instance.removed_at IS 'when retention removed its file; NULL: it is kept';
COMMENT ON COLUMN dicomgw.instance.institution_name IS 'Institution Name (0008,0080), which a viewer may be limited to';
COMMENT ON COLUMN dicomgw.instance.instance_number IS 'Instance Number (0020,0013): its place in the series, as its sender has it';

CREATE TABLE dicomgw.instance_header (
    instance_id bigint NOT NULL,
    received_at timestamptz NOT NULL,
    header      jsonb NOT NULL,
    PRIMARY KEY (instance_id, received_at)
) PARTITION BY RANGE (received_at);
-- LZ4 costs a tenth of pglz's time; not every server is built with it.
DO $$
BEGIN
    ALTER TABLE dicomgw.instance_header ALTER COLUMN header SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    NULL;
END
$$;
COMMENT ON TABLE dicomgw.instance_header IS
    'Header of each object as DICOM JSON (PS3.18 F.2), without bulk data; one partition a day';
COMMENT ON COLUMN dicomgw.instance_header.instance_id IS 'the object';
COMMENT ON COLUMN dicomgw.instance_header.received_at IS 'received_at of the object';
COMMENT ON COLUMN dicomgw.instance_header.header IS 'attributes by tag, e.g. header -> ''00080060'' -> ''Value'' ->> 0; see dicomgw.tag()';

CREATE FUNCTION dicomgw._study_id(study_instance_uid text) RETURNS bigint
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_id bigint;
BEGIN
    SELECT s.id INTO v_id FROM dicomgw.study s WHERE s.study_instance_uid = _study_id.study_instance_uid;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'study % was not received', study_instance_uid
            USING ERRCODE = 'PT404',
                  HINT = 'SELECT study_instance_uid FROM dicomgw.study lists the studies that were.';
    END IF;
    RETURN v_id;
END
$$;
COMMENT ON FUNCTION dicomgw._study_id(text) IS 'Number of the study with this Study Instance UID, or an error';
