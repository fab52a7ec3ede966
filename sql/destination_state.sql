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

-- Exponential, capped, and spread so that many don't come at once.
CREATE FUNCTION dicomgw.retry_delay(
    first_delay interval, factor double precision, max_delay interval, failures integer, jitter double precision DEFAULT 0.25)
RETURNS interval
LANGUAGE sql VOLATILE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
RETURN make_interval(secs =>
    least(extract(epoch FROM first_delay)::double precision * power(factor, least(greatest(failures - 1, 0), 64)),
          extract(epoch FROM max_delay)::double precision)
    * (1 - jitter + 2 * jitter * random()));
COMMENT ON FUNCTION dicomgw.retry_delay(interval, double precision, interval, integer, double precision) IS
    'How long to wait after so many failures in a row: first_delay * factor^(failures - 1), at most max_delay, then up to the share jitter more or less at random';

CREATE VIEW dicomgw.destination_open AS
    SELECT d.id AS destination_id, o.may_send, o.may_send AND coalesce(s.state, 'up') = 'up' AS takes_jobs
    FROM dicomgw.destination d
    LEFT JOIN dicomgw.destination_state s ON s.destination_id = d.id
    CROSS JOIN LATERAL (
        SELECT NOT d.paused AND (NOT EXISTS (SELECT FROM dicomgw.destination_window w WHERE w.destination = d.name)
                                 OR (SELECT w.open FROM dicomgw._window(d.name, now()) w)) AS may_send
    ) o;
COMMENT ON VIEW dicomgw.destination_open IS 'Which destinations can be sent to now';
COMMENT ON COLUMN dicomgw.destination_open.destination_id IS 'number of the destination';
COMMENT ON COLUMN dicomgw.destination_open.may_send IS 'true: not paused, and a window is open or there are none';
COMMENT ON COLUMN dicomgw.destination_open.takes_jobs IS 'true: and it is up, as far as is known';

CREATE VIEW dicomgw.forward_target AS
    SELECT t.*, o.may_send,
           array_position('{up,down,probing}', s.state) - 1 AS state,
           coalesce(s.failures, 0) AS failures, coalesce(s.next_probe_at, '-infinity') AS next_probe_at,
           d.max_objects_per_second, d.max_bytes_per_second::double precision AS max_bytes_per_second
    FROM dicomgw.destination d
    JOIN dicomgw.sender_destination t ON t.id = d.id
    JOIN dicomgw.destination_open o ON o.destination_id = d.id
    LEFT JOIN dicomgw.destination_state s ON s.destination_id = d.id;
COMMENT ON VIEW dicomgw.forward_target IS 'What the forwarder knows of each destination (src/target.h), secrets included';
COMMENT ON COLUMN dicomgw.forward_target.id IS 'number of the destination';
COMMENT ON COLUMN dicomgw.forward_target.name IS 'its name';
COMMENT ON COLUMN dicomgw.forward_target.kind IS 'true: dicomweb, false: dimse';
COMMENT ON COLUMN dicomgw.forward_target.max_associations IS 'most associations';
COMMENT ON COLUMN dicomgw.forward_target.host IS 'host';
COMMENT ON COLUMN dicomgw.forward_target.port IS 'TCP port';
COMMENT ON COLUMN dicomgw.forward_target.ae_title IS 'AE title that we call';
COMMENT ON COLUMN dicomgw.forward_target.calling_ae_title IS 'our AE title';
COMMENT ON COLUMN dicomgw.forward_target.max_pdu IS 'longest PDU that we receive';
COMMENT ON COLUMN dicomgw.forward_target.connect_timeout IS 'seconds';
COMMENT ON COLUMN dicomgw.forward_target.association_timeout IS 'seconds';
COMMENT ON COLUMN dicomgw.forward_target.response_timeout IS 'seconds';
COMMENT ON COLUMN dicomgw.forward_target.tls IS 'DgwTlsCheck of src/protocol/message.h; NULL: off';
COMMENT ON COLUMN dicomgw.forward_target.tls_ca IS 'CA file';
COMMENT ON COLUMN dicomgw.forward_target.tls_certificate IS 'certificate file';
COMMENT ON COLUMN dicomgw.forward_target.tls_key IS 'key file';
COMMENT ON COLUMN dicomgw.forward_target.tls_server_name IS 'name on the certificate';
COMMENT ON COLUMN dicomgw.forward_target.conversion IS 'DgwConversion of src/protocol/message.h';
COMMENT ON COLUMN dicomgw.forward_target.compression IS 'transfer syntax to compress into';
COMMENT ON COLUMN dicomgw.forward_target.url IS 'base URL';
COMMENT ON COLUMN dicomgw.forward_target.username IS 'HTTP user name';
COMMENT ON COLUMN dicomgw.forward_target.password IS 'HTTP password';
COMMENT ON COLUMN dicomgw.forward_target.bearer_token IS 'HTTP bearer token';
COMMENT ON COLUMN dicomgw.forward_target.proxy IS 'HTTP proxy';
COMMENT ON COLUMN dicomgw.forward_target.batch IS 'most instances in a request';
COMMENT ON COLUMN dicomgw.forward_target.may_send IS 'false: paused, or outside its windows';
COMMENT ON COLUMN dicomgw.forward_target.state IS '0 up, 1 down, 2 probing; NULL: not tried yet';
COMMENT ON COLUMN dicomgw.forward_target.failures IS 'as in destination_state';
COMMENT ON COLUMN dicomgw.forward_target.next_probe_at IS 'as in destination_state';
COMMENT ON COLUMN dicomgw.forward_target.max_objects_per_second IS 'most objects a second';
COMMENT ON COLUMN dicomgw.forward_target.max_bytes_per_second IS 'most bytes a second';

-- Set-based, in one order, and a destination that is just being deleted is no error: there is nothing to record.
CREATE FUNCTION dicomgw._destinations_up(p_ids integer[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO dicomgw.destination_state AS s (destination_id, state)
    SELECT d.id, 'up' FROM dicomgw.destination d WHERE d.id = ANY (p_ids) ORDER BY d.id
    FOR KEY SHARE
    ON CONFLICT (destination_id) DO UPDATE
        SET state = 'up', since = now(), reason = NULL, next_probe_at = NULL
        WHERE s.state <> 'up';
END
$$;
COMMENT ON FUNCTION dicomgw._destinations_up(integer[]) IS
    'Forwarder: these destinations answer; how often they failed is kept until they have taken an object';

CREATE FUNCTION dicomgw._destinations_settled(p_ids integer[]) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    UPDATE dicomgw.destination_state SET failures = 0 WHERE destination_id = ANY (p_ids) AND state = 'up';
END;
COMMENT ON FUNCTION dicomgw._destinations_settled(integer[]) IS 'Forwarder: these destinations have taken an object since they were down';

CREATE FUNCTION dicomgw._destinations_down(p_ids integer[], p_reasons text[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO dicomgw.destination_state AS s (destination_id, state, failures, reason, next_probe_at)
    SELECT d.id, 'down', 1, r.reason,
           now() + dicomgw.retry_delay(d.retry_first_delay, d.retry_factor, d.probe_interval, 1, d.retry_jitter)
    FROM (SELECT DISTINCT ON (u.id) u.id, u.reason
          FROM unnest(p_ids, p_reasons) WITH ORDINALITY AS u(id, reason, n) ORDER BY u.id, u.n) r
    JOIN dicomgw.destination d ON d.id = r.id
    ORDER BY d.id
    FOR KEY SHARE OF d
    ON CONFLICT (destination_id) DO UPDATE
        SET state = 'down',
            since = CASE WHEN s.state = 'up' THEN now() ELSE s.since END,
            failures = s.failures + 1,
            reason = excluded.reason,
            next_probe_at = (SELECT now() + dicomgw.retry_delay(d.retry_first_delay, d.retry_factor, d.probe_interval,
                                                                s.failures + 1, d.retry_jitter)
                             FROM dicomgw.destination d WHERE d.id = s.destination_id)
        WHERE s.state <> 'down'; -- several associations that break at once are one failure
END
$$;
COMMENT ON FUNCTION dicomgw._destinations_down(integer[], text[]) IS
    'Forwarder: these destinations do not answer, or take nothing, for these reasons; says when each is probed next';

CREATE FUNCTION dicomgw._destinations_probing(p_ids integer[]) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    UPDATE dicomgw.destination_state SET state = 'probing' WHERE destination_id = ANY (p_ids) AND state = 'down';
END;
COMMENT ON FUNCTION dicomgw._destinations_probing(integer[]) IS 'Forwarder: these destinations are being asked whether they answer';

CREATE FUNCTION dicomgw._destinations_busy(p_ids integer[], p_associations integer[], p_concurrency integer[]) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    UPDATE dicomgw.destination_state s SET associations = b.associations, concurrency = b.concurrency
    FROM unnest(p_ids, p_associations, p_concurrency) AS b(id, associations, concurrency)
    WHERE s.destination_id = b.id;
END;
COMMENT ON FUNCTION dicomgw._destinations_busy(integer[], integer[], integer[]) IS
    'Forwarder: shows how many associations destinations have, and may have';

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
CREATE TRIGGER forget_state AFTER UPDATE OF host, port, ae_title, calling_ae_title, url, proxy, tls, tls_ca, tls_certificate, tls_key, tls_server_name, paused ON dicomgw.destination
    FOR EACH ROW EXECUTE FUNCTION dicomgw._forget_destination_state();
