/*
 * Whether a destination answers, as the forwarder finds it.  One that does not
 * is down: its jobs wait without spending attempts, and it is probed with
 * C-ECHO (DICOMweb: a request) until it does.
 */
CREATE TABLE dicomgw.destination_state (
    destination_id integer PRIMARY KEY REFERENCES dicomgw.destination ON DELETE CASCADE,
    state          text NOT NULL,
    since          timestamptz NOT NULL DEFAULT now(),
    failures       integer NOT NULL DEFAULT 0,
    reason         text,
    next_probe_at  timestamptz,
    associations   smallint NOT NULL DEFAULT 0,
    concurrency    smallint NOT NULL DEFAULT 1,
    CONSTRAINT destination_state_is_up_probing_or_down CHECK (state IN ('up', 'probing', 'down'))
);
COMMENT ON TABLE dicomgw.destination_state IS
    'Whether a destination answers, as the forwarder found it; no row: not tried yet';
COMMENT ON COLUMN dicomgw.destination_state.destination_id IS 'the destination';
COMMENT ON COLUMN dicomgw.destination_state.state IS 'up; down: jobs wait without spending attempts; probing: it was down and is being asked';
COMMENT ON COLUMN dicomgw.destination_state.since IS 'up or down since';
COMMENT ON COLUMN dicomgw.destination_state.failures IS 'times in a row that it went down or did not answer a probe, until it took an object again';
COMMENT ON COLUMN dicomgw.destination_state.reason IS 'why it is down';
COMMENT ON COLUMN dicomgw.destination_state.next_probe_at IS 'when it is asked again whether it answers';
COMMENT ON COLUMN dicomgw.destination_state.associations IS 'associations open to it, as of a second ago';
COMMENT ON COLUMN dicomgw.destination_state.concurrency IS 'associations that it may have now: grows from 1 to max_associations with success, shrinks with refusal';

-- Exponential, capped, and spread by a quarter either way so that many don't come at once.
CREATE FUNCTION dicomgw.retry_delay(first_delay interval, factor double precision, max_delay interval, failures integer)
RETURNS interval
LANGUAGE sql VOLATILE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
RETURN make_interval(secs =>
    least(extract(epoch FROM first_delay)::double precision * power(factor, least(greatest(failures - 1, 0), 64)),
          extract(epoch FROM max_delay)::double precision)
    * (0.75 + random() / 2));
COMMENT ON FUNCTION dicomgw.retry_delay(interval, double precision, interval, integer) IS
    'How long to wait after so many failures in a row: first_delay * factor^(failures - 1), at most max_delay, then 25 % more or less at random';

-- The forwarder's report on an association: accepted (reason is NULL), or failed and why.
CREATE FUNCTION dicomgw._destination_answered(p_destination_id integer, p_reason text)
RETURNS timestamptz
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_next timestamptz;
BEGIN
    IF p_reason IS NULL THEN
        INSERT INTO dicomgw.destination_state AS s (destination_id, state)
        SELECT d.id, 'up' FROM dicomgw.destination d WHERE d.id = p_destination_id
        FOR KEY SHARE
        ON CONFLICT (destination_id) DO UPDATE
            SET state = 'up', since = now(), failures = 0, reason = NULL, next_probe_at = NULL
            WHERE s.state <> 'up';
        RETURN NULL;
    END IF;

    INSERT INTO dicomgw.destination_state AS s (destination_id, state, failures, reason, next_probe_at)
    SELECT d.id, 'down', 1, p_reason,
           now() + dicomgw.retry_delay(d.retry_first_delay, d.retry_factor, d.retry_max_delay, 1)
    FROM dicomgw.destination d WHERE d.id = p_destination_id
    FOR KEY SHARE -- a destination that is just being deleted is no error: there is nothing to record
    ON CONFLICT (destination_id) DO UPDATE
        SET state = 'down',
            since = CASE WHEN s.state = 'up' THEN now() ELSE s.since END,
            failures = s.failures + 1,
            reason = excluded.reason,
            next_probe_at = (SELECT now() + dicomgw.retry_delay(d.retry_first_delay, d.retry_factor,
                                                              d.retry_max_delay, s.failures + 1)
                           FROM dicomgw.destination d WHERE d.id = p_destination_id)
    RETURNING next_probe_at INTO v_next;
    RETURN v_next;
END
$$;
COMMENT ON FUNCTION dicomgw._destination_answered(integer, text) IS
    'Forwarder: records that an association was accepted (reason NULL) or why it failed; returns when to try again';

-- Somebody who corrects an address does not want to sit out the old one's waiting time.
CREATE FUNCTION dicomgw._forget_destination_state() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM dicomgw.destination_state WHERE destination_id = NEW.id;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION dicomgw._forget_destination_state() IS
    'Trigger of destination: a changed address or AE title is tried at once';
CREATE TRIGGER forget_state AFTER UPDATE OF host, port, ae_title, calling_ae_title, paused ON dicomgw.destination
    FOR EACH ROW EXECUTE FUNCTION dicomgw._forget_destination_state();
