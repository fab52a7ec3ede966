/*
 * The queue: a job is one object to be sent to one destination.
 *
 * A live row is narrow, and nothing indexed in it changes: claims and retries
 * are HOT updates.  Ended jobs move out: to forward_history (sent, cancelled)
 * or to dead_letter (failed for good, until a person decides).
 */
CREATE SEQUENCE dicomgw.lease_token_seq AS bigint;
COMMENT ON SEQUENCE dicomgw.lease_token_seq IS
    'Fencing tokens: each claim has its own, and a result that bears an older one changes nothing';

CREATE TABLE dicomgw.forward_job (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instance_id    bigint NOT NULL REFERENCES dicomgw.instance,
    destination_id integer NOT NULL REFERENCES dicomgw.destination,
    route_id       integer,
    group_id       integer,
    edit_version   bigint,
    priority       dicomgw.job_priority NOT NULL DEFAULT 5,
    created_at     timestamptz NOT NULL DEFAULT now(),
    attempts       integer NOT NULL DEFAULT 0,
    refused_at     timestamptz,
    not_before     timestamptz NOT NULL DEFAULT '-infinity',
    lease_token    bigint,
    lease_until    timestamptz NOT NULL DEFAULT '-infinity',
    last_status    integer,
    last_error     text,
    last_offending text,
    CONSTRAINT forward_job_lease_has_a_token CHECK ((lease_token IS NULL) = (lease_until = '-infinity'))
) WITH (fillfactor = 45, -- a claim may take all jobs of a page at once: it has room for two versions of each
        autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
        autovacuum_vacuum_insert_threshold = -1, autovacuum_analyze_scale_factor = 0,
        autovacuum_analyze_threshold = 20000);
CREATE INDEX forward_job_claim_idx ON dicomgw.forward_job (destination_id, priority DESC, id);
CREATE INDEX forward_job_instance_id_idx ON dicomgw.forward_job (instance_id);
CREATE INDEX forward_job_group_idx ON dicomgw.forward_job (group_id, destination_id) WHERE group_id IS NOT NULL;
COMMENT ON TABLE dicomgw.forward_job IS 'Objects waiting to be sent, or being sent; see dicomgw.job_status for why each waits';
COMMENT ON COLUMN dicomgw.forward_job.id IS 'number of the job';
COMMENT ON COLUMN dicomgw.forward_job.instance_id IS 'the object';
COMMENT ON COLUMN dicomgw.forward_job.destination_id IS 'where it goes';
COMMENT ON COLUMN dicomgw.forward_job.route_id IS 'the route that asked for it; NULL: a person did';
COMMENT ON COLUMN dicomgw.forward_job.group_id IS 'the destination group whose member the destination is; NULL: it was named itself';
COMMENT ON COLUMN dicomgw.forward_job.edit_version IS 'the edits that are made on its copy (dicomgw.edit_version); NULL: none, the bytes are untouched';
COMMENT ON COLUMN dicomgw.forward_job.priority IS '0 to 9, higher ones are sent first';
COMMENT ON COLUMN dicomgw.forward_job.created_at IS 'when it was put into the queue';
COMMENT ON COLUMN dicomgw.forward_job.attempts IS 'how often it was offered to the peer and refused';
COMMENT ON COLUMN dicomgw.forward_job.refused_at IS 'when it was first refused; NULL: it was not';
COMMENT ON COLUMN dicomgw.forward_job.not_before IS 'not sent before (backoff after a refusal)';
COMMENT ON COLUMN dicomgw.forward_job.lease_token IS 'fencing token of the claim under which it is being sent; NULL: nobody sends it';
COMMENT ON COLUMN dicomgw.forward_job.lease_until IS 'when that claim expires, if it is not renewed';
COMMENT ON COLUMN dicomgw.forward_job.last_status IS 'DIMSE status of the last refusal (PS3.7 C)';
COMMENT ON COLUMN dicomgw.forward_job.last_error IS 'the last refusal in words';
COMMENT ON COLUMN dicomgw.forward_job.last_offending IS 'Offending Element (0000,0901) of the last refusal: tags, separated by commas';

CREATE TABLE dicomgw.dead_letter (
    id             bigint PRIMARY KEY,
    instance_id    bigint NOT NULL REFERENCES dicomgw.instance,
    destination_id integer NOT NULL REFERENCES dicomgw.destination,
    route_id       integer,
    group_id       integer,
    edit_version   bigint,
    priority       dicomgw.job_priority NOT NULL,
    created_at     timestamptz NOT NULL,
    failed_at      timestamptz NOT NULL DEFAULT now(),
    attempts       integer NOT NULL,
    status         integer,
    error          text NOT NULL,
    offending      text
);
CREATE INDEX dead_letter_destination_id_idx ON dicomgw.dead_letter (destination_id);
CREATE INDEX dead_letter_instance_id_idx ON dicomgw.dead_letter (instance_id);
COMMENT ON TABLE dicomgw.dead_letter IS
    'Jobs that failed for good; they stay until a person retries (dicomgw.retry) or cancels (dicomgw.cancel) them';
COMMENT ON COLUMN dicomgw.dead_letter.id IS 'number of the job';
COMMENT ON COLUMN dicomgw.dead_letter.instance_id IS 'the object';
COMMENT ON COLUMN dicomgw.dead_letter.destination_id IS 'where it should have gone';
COMMENT ON COLUMN dicomgw.dead_letter.route_id IS 'the route that asked for it; NULL: a person did';
COMMENT ON COLUMN dicomgw.dead_letter.group_id IS 'the destination group whose member the destination is; NULL: it was named itself';
COMMENT ON COLUMN dicomgw.dead_letter.edit_version IS 'the edits that are made on its copy (dicomgw.edit_version); NULL: none, the bytes are untouched';
COMMENT ON COLUMN dicomgw.dead_letter.priority IS 'priority that it had in the queue';
COMMENT ON COLUMN dicomgw.dead_letter.created_at IS 'when it was put into the queue';
COMMENT ON COLUMN dicomgw.dead_letter.failed_at IS 'when it was given up';
COMMENT ON COLUMN dicomgw.dead_letter.attempts IS 'how often it was tried';
COMMENT ON COLUMN dicomgw.dead_letter.status IS 'DIMSE status of the peer''s last answer (PS3.7 C); NULL: the peer was not asked';
COMMENT ON COLUMN dicomgw.dead_letter.error IS 'the reason in words';
COMMENT ON COLUMN dicomgw.dead_letter.offending IS 'Offending Element (0000,0901) of the peer''s last answer: tags, separated by commas';

CREATE TABLE dicomgw.forward_history (
    job_id         bigint NOT NULL,
    instance_id    bigint NOT NULL,
    destination    text NOT NULL,
    route_id       integer,
    outcome        text NOT NULL,
    created_at     timestamptz NOT NULL,
    ended_at       timestamptz NOT NULL DEFAULT now(),
    attempts       integer NOT NULL,
    duration       interval,
    status         integer,
    comment        text,
    offending      text,
    sent_transfer_syntax_uid text,
    edit_version   bigint,
    CONSTRAINT forward_history_outcome_is_sent_or_cancelled CHECK (outcome IN ('sent', 'cancelled'))
) PARTITION BY RANGE (ended_at);
CREATE INDEX forward_history_instance_id_idx ON dicomgw.forward_history (instance_id);
-- What ended last, anywhere or at one destination: rows come in that order, so each goes to the end of a page that is at hand.
CREATE INDEX forward_history_ended_at_idx ON dicomgw.forward_history (ended_at);
CREATE INDEX forward_history_cancelled_idx ON dicomgw.forward_history (ended_at) WHERE outcome = 'cancelled';
CREATE INDEX forward_history_destination_idx ON dicomgw.forward_history (destination, ended_at);
COMMENT ON TABLE dicomgw.forward_history IS 'Jobs that have ended: sent, or cancelled by a person; one partition a day';
COMMENT ON COLUMN dicomgw.forward_history.job_id IS 'number of the job';
COMMENT ON COLUMN dicomgw.forward_history.instance_id IS 'the object';
COMMENT ON COLUMN dicomgw.forward_history.destination IS 'name of the destination at that time';
COMMENT ON COLUMN dicomgw.forward_history.route_id IS 'the route that asked for it; NULL: a person did';
COMMENT ON COLUMN dicomgw.forward_history.outcome IS 'sent: the peer answered 0000H or Bxxx; cancelled: by a person';
COMMENT ON COLUMN dicomgw.forward_history.created_at IS 'when it was put into the queue';
COMMENT ON COLUMN dicomgw.forward_history.ended_at IS 'when it ended';
COMMENT ON COLUMN dicomgw.forward_history.attempts IS 'how often it was offered to the peer, the last time included';
COMMENT ON COLUMN dicomgw.forward_history.duration IS 'from the C-STORE-RQ to the C-STORE-RSP';
COMMENT ON COLUMN dicomgw.forward_history.status IS 'DIMSE status of the peer''s answer (PS3.7 C): 0 success, B000H and up warnings';
COMMENT ON COLUMN dicomgw.forward_history.comment IS 'Error Comment (0000,0902) of the peer''s answer, or who cancelled';
COMMENT ON COLUMN dicomgw.forward_history.offending IS 'Offending Element (0000,0901) of a warning: tags, separated by commas';
COMMENT ON COLUMN dicomgw.forward_history.sent_transfer_syntax_uid IS 'transfer syntax that it was converted to for sending; NULL: its bytes were sent as they were received';
COMMENT ON COLUMN dicomgw.forward_history.edit_version IS 'the edits that were made on its copy (dicomgw.edit_version); NULL: none, the bytes are untouched';

CREATE TABLE dicomgw.forward_attempt (
    job_id         bigint NOT NULL,
    instance_id    bigint NOT NULL,
    destination    text NOT NULL,
    attempted_at   timestamptz NOT NULL DEFAULT now(),
    attempt        integer NOT NULL,
    duration       interval,
    status         integer,
    error          text,
    offending      text
) PARTITION BY RANGE (attempted_at);
CREATE INDEX forward_attempt_instance_id_idx ON dicomgw.forward_attempt (instance_id);
CREATE INDEX forward_attempt_attempted_at_idx ON dicomgw.forward_attempt (attempted_at);
CREATE INDEX forward_attempt_destination_idx ON dicomgw.forward_attempt (destination, attempted_at);
COMMENT ON TABLE dicomgw.forward_attempt IS 'Attempts that did not succeed; those that did are in forward_history; one partition a day';
COMMENT ON COLUMN dicomgw.forward_attempt.job_id IS 'number of the job';
COMMENT ON COLUMN dicomgw.forward_attempt.instance_id IS 'the object';
COMMENT ON COLUMN dicomgw.forward_attempt.destination IS 'name of the destination at that time';
COMMENT ON COLUMN dicomgw.forward_attempt.attempted_at IS 'when its result was recorded';
COMMENT ON COLUMN dicomgw.forward_attempt.attempt IS 'the how manieth attempt of the job it was';
COMMENT ON COLUMN dicomgw.forward_attempt.duration IS 'from the C-STORE-RQ to the C-STORE-RSP';
COMMENT ON COLUMN dicomgw.forward_attempt.status IS 'DIMSE status of the peer''s answer (PS3.7 C); NULL: there was none';
COMMENT ON COLUMN dicomgw.forward_attempt.error IS 'the reason in words';
COMMENT ON COLUMN dicomgw.forward_attempt.offending IS 'Offending Element (0000,0901) of the answer: tags, separated by commas';

CREATE FUNCTION dicomgw.status_text(status integer) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
RETURN lpad(upper(to_hex(status)), 4, '0') || 'H' ||
    CASE
        WHEN status = 0 THEN ' success'
        WHEN status = 272 THEN ' processing failure'
        WHEN status = 273 THEN ' duplicate SOP instance'
        WHEN status = 274 THEN ' no such SOP instance'
        WHEN status = 279 THEN ' invalid SOP instance'
        WHEN status = 290 THEN ' SOP class not supported'
        WHEN status = 292 THEN ' not authorized'
        WHEN status = 528 THEN ' duplicate invocation'
        WHEN status = 529 THEN ' unrecognized operation'
        WHEN status = 530 THEN ' mistyped argument'
        WHEN status BETWEEN 42752 AND 43007 THEN ' refused: out of resources'
        WHEN status BETWEEN 43264 AND 43519 THEN ' error: dataset does not match SOP class'
        WHEN status BETWEEN 45056 AND 49151 THEN ' warning'
        WHEN status BETWEEN 49152 AND 53247 THEN ' error: cannot understand'
        ELSE ''
    END;
COMMENT ON FUNCTION dicomgw.status_text(integer) IS
    'A DIMSE status in the standard''s notation and words, e.g. A700H refused: out of resources (PS3.7 C, PS3.4 B.2.3)';
