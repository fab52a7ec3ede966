/*
 * HTTP: what was received.  Whoever looks at a list of it is noted in the audit log.
 */
CREATE VIEW dicomgw.object_origin AS
    SELECT i.id AS instance_id, i.sop_instance_uid, r.study_id, t.study_instance_uid, t.patient_id, t.patient_name, r.modality, i.calling_ae
    FROM dicomgw.instance i
    LEFT JOIN dicomgw.series r ON r.id = i.series_id
    LEFT JOIN dicomgw.study t ON t.id = r.study_id;
COMMENT ON VIEW dicomgw.object_origin IS 'What lists of jobs and decisions say of their objects';
COMMENT ON COLUMN dicomgw.object_origin.instance_id IS 'number of the object';
COMMENT ON COLUMN dicomgw.object_origin.sop_instance_uid IS 'SOP Instance UID of the object';
COMMENT ON COLUMN dicomgw.object_origin.study_id IS 'number of its study; NULL: its header names none';
COMMENT ON COLUMN dicomgw.object_origin.study_instance_uid IS 'Study Instance UID (0020,000D)';
COMMENT ON COLUMN dicomgw.object_origin.patient_id IS 'Patient ID (0010,0020) of the study';
COMMENT ON COLUMN dicomgw.object_origin.patient_name IS 'Patient''s Name (0010,0010) of the study';
COMMENT ON COLUMN dicomgw.object_origin.modality IS 'Modality (0008,0060) of its series';
COMMENT ON COLUMN dicomgw.object_origin.calling_ae IS 'AE title of the sender';

CREATE FUNCTION dicomgw._note_object(p_instance_id bigint) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM dicomgw.note_view('object ' || i.sop_instance_uid) FROM dicomgw.instance i WHERE i.id = p_instance_id;
END
$$;
COMMENT ON FUNCTION dicomgw._note_object(bigint) IS 'Called by what shows an object: notes that somebody looks at it, if there is one of this number';

CREATE VIEW dicomgw_api.study WITH (security_invoker = true) AS
    SELECT t.*,
           ARRAY(SELECT DISTINCT r.modality FROM dicomgw.series r WHERE r.study_id = t.id AND r.modality IS NOT NULL ORDER BY 1) AS modalities,
           ARRAY(SELECT DISTINCT c.calling_ae FROM dicomgw.series_scope c WHERE c.study_id = t.id ORDER BY 1) AS calling_aes,
           (SELECT count(*)::integer FROM dicomgw.series r WHERE r.study_id = t.id) AS series,
           (SELECT count(*)::integer FROM dicomgw.study_conflict c WHERE c.study_id = t.id) AS conflicts,
           (SELECT coalesce(jsonb_agg(jsonb_build_object('destination', d.destination, 'sent', d.sent, 'waiting', d.waiting, 'sending', d.sending,
                                                         'failed', d.failed, 'last_sent_at', d.last_sent_at) ORDER BY d.destination), '[]')
            FROM dicomgw.study_delivery_status d WHERE d.study_id = t.id) AS delivery
    FROM dicomgw.study t
    WHERE (SELECT dicomgw.note_view('list of studies'));
COMMENT ON COLUMN dicomgw_api.study.modalities IS 'Modality (0008,0060) of its series';
COMMENT ON COLUMN dicomgw_api.study.calling_aes IS 'AE titles that sent its objects';
COMMENT ON COLUMN dicomgw_api.study.series IS 'number of its series';
COMMENT ON COLUMN dicomgw_api.study.conflicts IS 'values of its objects that contradict it; see study_conflict';
COMMENT ON COLUMN dicomgw_api.study.delivery IS 'where its objects have gone, and where they wait: [{destination, sent, waiting, sending, failed, last_sent_at}]';

CREATE VIEW dicomgw_api.series WITH (security_invoker = true) AS
    SELECT t.*
    FROM dicomgw.series t
    WHERE (SELECT dicomgw.note_view('list of series'));

CREATE VIEW dicomgw_api.instance WITH (security_invoker = true) AS
    SELECT t.*, r.study_id
    FROM dicomgw.instance t LEFT JOIN dicomgw.series r ON r.id = t.series_id
    WHERE (SELECT dicomgw.note_view('list of instances'));
COMMENT ON COLUMN dicomgw_api.instance.study_id IS 'its study';

CREATE VIEW dicomgw_api.study_conflict WITH (security_invoker = true) AS
    SELECT t.* FROM dicomgw.study_conflict t
    WHERE (SELECT dicomgw.note_view('list of studies'));
