-- What a gateway has behind it: :instances objects, ten of a series and a study each, and :history
-- ended jobs of theirs, for the benchmarks to put under a gateway that has just been made.
INSERT INTO dicomgw.study (study_instance_uid, instances, first_received_at, last_received_at)
SELECT '1.3.' || i, 10, now(), now() FROM generate_series(1, :instances / 10) i;
INSERT INTO dicomgw.series (study_id, series_instance_uid, modality, instances)
SELECT id, '1.3.1.' || id, 'CT', 10 FROM dicomgw.study WHERE study_instance_uid LIKE '1.3.%';
CREATE TEMPORARY TABLE history AS
SELECT nextval('dicomgw.instance_id_seq') AS id, s.id AS series_id, now() AS at
FROM dicomgw.series s, generate_series(1, 10) WHERE s.series_instance_uid LIKE '1.3.1.%';
INSERT INTO dicomgw.instance (id, series_id, received_at, calling_ae, called_ae, sop_class_uid, sop_instance_uid,
                              transfer_syntax_uid, file_path, size, sha256)
SELECT id, series_id, at, 'CT1', 'DICOMGW', '1.2.840.10008.5.1.4.1.1.2', '1.3.2.' || id, '1.2.840.10008.1.2.1', 'old' || id, 100, '\x00'
FROM history;
INSERT INTO dicomgw.instance_header (instance_id, received_at, header)
SELECT id, at, '{"00080060": {"vr": "CS", "Value": ["CT"]}}' FROM history;
INSERT INTO dicomgw.routing_decision (instance_id, matched) SELECT id, '{1,2}' FROM history;
INSERT INTO dicomgw.forward_history (job_id, instance_id, destination, outcome, created_at, attempts, duration, status)
SELECT -i, (SELECT min(id) FROM history) + i % :instances, 'd0', 'sent', now(), 1, interval '5 ms', 0 FROM generate_series(1, :history) i;
INSERT INTO dicomgw.completion (study_id, route_id, round, reason, instances, first_at, last_at)
SELECT s.id, r.id, 1, 'quiet', 10, now(), now() FROM dicomgw.study s, dicomgw.route r
WHERE s.study_instance_uid LIKE '1.3.%' AND r.trigger = 'study';
VACUUM (ANALYZE);
