/*
 * What a study browser shows beside the study itself: whether its objects agree
 * about whose it is, and where they have gone.
 */
CREATE TABLE dicomgw.study_conflict (
    study_id    bigint REFERENCES dicomgw.study,
    attribute   text,
    value       text,
    instance_id bigint NOT NULL,
    instances   bigint NOT NULL,
    PRIMARY KEY (study_id, attribute, value)
) WITH (fillfactor = 70);
COMMENT ON TABLE dicomgw.study_conflict IS
    'Values that objects of a study have in place of the study''s own, which are those of the object that said them first: merged patients, corrected names, two studies with one UID';
COMMENT ON COLUMN dicomgw.study_conflict.study_id IS 'the study';
COMMENT ON COLUMN dicomgw.study_conflict.attribute IS 'column of study that they contradict';
COMMENT ON COLUMN dicomgw.study_conflict.value IS 'what they say';
COMMENT ON COLUMN dicomgw.study_conflict.instance_id IS 'the first object that says so';
COMMENT ON COLUMN dicomgw.study_conflict.instances IS 'how many do';

CREATE TABLE dicomgw.study_delivery (
    study_id     bigint REFERENCES dicomgw.study,
    destination  text,
    sent         bigint NOT NULL,
    last_sent_at timestamptz NOT NULL,
    PRIMARY KEY (study_id, destination)
) WITH (fillfactor = 50);
COMMENT ON TABLE dicomgw.study_delivery IS 'How many objects of a study have been sent where, also when forward_history knows it no longer';
COMMENT ON COLUMN dicomgw.study_delivery.study_id IS 'the study';
COMMENT ON COLUMN dicomgw.study_delivery.destination IS 'name of the destination at that time';
COMMENT ON COLUMN dicomgw.study_delivery.sent IS 'jobs that ended as sent; an object that was sent twice counts twice';
COMMENT ON COLUMN dicomgw.study_delivery.last_sent_at IS 'when the last of them was';

-- Cheap for a study, or a page of them: what was sent is counted already, what is not done is found by index.
CREATE VIEW dicomgw.study_delivery_status AS
    SELECT s.id AS study_id, s.study_instance_uid, x.destination, x.sent, x.waiting, x.sending, x.failed, x.last_sent_at
    FROM dicomgw.study s
    CROSS JOIN LATERAL (
        SELECT u.destination, sum(u.sent)::bigint AS sent, sum(u.waiting)::bigint AS waiting, sum(u.sending)::bigint AS sending,
               sum(u.failed)::bigint AS failed, max(u.last_sent_at) AS last_sent_at
        FROM (SELECT d.destination, d.sent, 0 AS waiting, 0 AS sending, 0 AS failed, d.last_sent_at
              FROM dicomgw.study_delivery d WHERE d.study_id = s.id
              UNION ALL
              SELECT t.name, 0, count(*) FILTER (WHERE j.lease_until <= now()), count(*) FILTER (WHERE j.lease_until > now()), 0, NULL
              FROM dicomgw.series e JOIN dicomgw.instance i ON i.series_id = e.id
              JOIN dicomgw.forward_job j ON j.instance_id = i.id JOIN dicomgw.destination t ON t.id = j.destination_id
              WHERE e.study_id = s.id GROUP BY t.name
              UNION ALL
              SELECT t.name, 0, 0, 0, count(*), NULL
              FROM dicomgw.series e JOIN dicomgw.instance i ON i.series_id = e.id
              JOIN dicomgw.dead_letter l ON l.instance_id = i.id JOIN dicomgw.destination t ON t.id = l.destination_id
              WHERE e.study_id = s.id GROUP BY t.name) u
        GROUP BY u.destination
    ) x;
COMMENT ON VIEW dicomgw.study_delivery_status IS 'Where the objects of each study have gone, and where they wait; meant for a study or a page of them';
COMMENT ON COLUMN dicomgw.study_delivery_status.study_id IS 'number of the study';
COMMENT ON COLUMN dicomgw.study_delivery_status.study_instance_uid IS 'Study Instance UID';
COMMENT ON COLUMN dicomgw.study_delivery_status.destination IS 'name of the destination';
COMMENT ON COLUMN dicomgw.study_delivery_status.sent IS 'jobs that ended as sent';
COMMENT ON COLUMN dicomgw.study_delivery_status.waiting IS 'jobs that wait';
COMMENT ON COLUMN dicomgw.study_delivery_status.sending IS 'jobs that are being sent';
COMMENT ON COLUMN dicomgw.study_delivery_status.failed IS 'dead letters';
COMMENT ON COLUMN dicomgw.study_delivery_status.last_sent_at IS 'when the last one was sent';
