/*
 * HTTP: what was received.  Whoever looks at a list of it is noted in the audit log.
 */
CREATE VIEW dicomgw_api.study WITH (security_invoker = true) AS
    SELECT t.id, t.study_instance_uid, t.patient_id, t.patient_name, t.study_date, t.study_description, t.accession_number, t.instances, t.size, t.first_received_at, t.last_received_at,
           ARRAY(SELECT DISTINCT r.modality FROM dicomgw.series r WHERE r.study_id = t.id AND r.modality IS NOT NULL ORDER BY 1) AS modalities,
           ARRAY(SELECT DISTINCT c.calling_ae FROM dicomgw.series_scope c WHERE c.study_id = t.id ORDER BY 1) AS calling_aes,
           (SELECT count(*)::integer FROM dicomgw.series r WHERE r.study_id = t.id) AS series
    FROM dicomgw.study t
    WHERE (SELECT dicomgw.note_view('list of studies'));
COMMENT ON VIEW dicomgw_api.study IS 'Studies of which at least one object was received';
COMMENT ON COLUMN dicomgw_api.study.id IS 'number of the study';
COMMENT ON COLUMN dicomgw_api.study.study_instance_uid IS 'Study Instance UID (0020,000D)';
COMMENT ON COLUMN dicomgw_api.study.patient_id IS 'Patient ID (0010,0020), of the first object received';
COMMENT ON COLUMN dicomgw_api.study.patient_name IS 'Patient''s Name (0010,0010), of the first object received';
COMMENT ON COLUMN dicomgw_api.study.study_date IS 'Study Date (0008,0020)';
COMMENT ON COLUMN dicomgw_api.study.study_description IS 'Study Description (0008,1030)';
COMMENT ON COLUMN dicomgw_api.study.accession_number IS 'Accession Number (0008,0050)';
COMMENT ON COLUMN dicomgw_api.study.instances IS 'objects received, repeated ones counted each time';
COMMENT ON COLUMN dicomgw_api.study.size IS 'bytes of their datasets';
COMMENT ON COLUMN dicomgw_api.study.first_received_at IS 'when the first object was received';
COMMENT ON COLUMN dicomgw_api.study.last_received_at IS 'when the last object was received';
COMMENT ON COLUMN dicomgw_api.study.modalities IS 'Modality (0008,0060) of its series';
COMMENT ON COLUMN dicomgw_api.study.calling_aes IS 'AE titles that sent its objects';
COMMENT ON COLUMN dicomgw_api.study.series IS 'number of its series';

CREATE VIEW dicomgw_api.series WITH (security_invoker = true) AS
    SELECT t.id, t.study_id, t.series_instance_uid, t.modality, t.series_number, t.series_description, t.instances
    FROM dicomgw.series t
    WHERE (SELECT dicomgw.note_view('list of series'));
COMMENT ON VIEW dicomgw_api.series IS 'Series of which at least one object was received';
COMMENT ON COLUMN dicomgw_api.series.id IS 'number of the series';
COMMENT ON COLUMN dicomgw_api.series.study_id IS 'its study';
COMMENT ON COLUMN dicomgw_api.series.series_instance_uid IS 'Series Instance UID (0020,000E); empty: of the objects that name none';
COMMENT ON COLUMN dicomgw_api.series.modality IS 'Modality (0008,0060)';
COMMENT ON COLUMN dicomgw_api.series.series_number IS 'Series Number (0020,0011)';
COMMENT ON COLUMN dicomgw_api.series.series_description IS 'Series Description (0008,103E)';
COMMENT ON COLUMN dicomgw_api.series.instances IS 'objects received, repeated ones counted each time';

CREATE VIEW dicomgw_api.instance WITH (security_invoker = true) AS
    SELECT t.id, t.series_id, t.received_at, t.listener_id, t.calling_ae, t.called_ae, t.peer_address, t.sop_class_uid, t.sop_instance_uid, t.transfer_syntax_uid, t.file_path, t.size, t.sha256, t.header_error, t.removed_at, t.institution_name, r.study_id
    FROM dicomgw.instance t LEFT JOIN dicomgw.series r ON r.id = t.series_id
    WHERE (SELECT dicomgw.note_view('list of instances'));
COMMENT ON VIEW dicomgw_api.instance IS 'Objects that were received and routed';
COMMENT ON COLUMN dicomgw_api.instance.id IS 'number of the object, in the order of receipt';
COMMENT ON COLUMN dicomgw_api.instance.series_id IS 'its series; null: its header names no study';
COMMENT ON COLUMN dicomgw_api.instance.received_at IS 'when it was received';
COMMENT ON COLUMN dicomgw_api.instance.listener_id IS 'listener that it came in by';
COMMENT ON COLUMN dicomgw_api.instance.calling_ae IS 'AE title of the sender';
COMMENT ON COLUMN dicomgw_api.instance.called_ae IS 'AE title that the sender called';
COMMENT ON COLUMN dicomgw_api.instance.peer_address IS 'network address of the sender';
COMMENT ON COLUMN dicomgw_api.instance.sop_class_uid IS 'SOP Class UID';
COMMENT ON COLUMN dicomgw_api.instance.sop_instance_uid IS 'SOP Instance UID';
COMMENT ON COLUMN dicomgw_api.instance.transfer_syntax_uid IS 'transfer syntax';
COMMENT ON COLUMN dicomgw_api.instance.file_path IS 'its Part 10 file, below the storage path';
COMMENT ON COLUMN dicomgw_api.instance.size IS 'bytes of the dataset';
COMMENT ON COLUMN dicomgw_api.instance.sha256 IS 'SHA-256 of the dataset';
COMMENT ON COLUMN dicomgw_api.instance.header_error IS 'what could not be read of its header';
COMMENT ON COLUMN dicomgw_api.instance.removed_at IS 'when retention removed its file; null: it is kept';
COMMENT ON COLUMN dicomgw_api.instance.institution_name IS 'Institution Name (0008,0080)';
COMMENT ON COLUMN dicomgw_api.instance.study_id IS 'its study';
