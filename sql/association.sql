/*
 * Associations that callers open with us: which are open, how the others ended.
 *
 * Open ones are in shared memory, where the receiver keeps them; when one has
 * ended it becomes a row.
 */
CREATE SEQUENCE dicomgw.association_id_seq AS bigint INCREMENT 1000;
COMMENT ON SEQUENCE dicomgw.association_id_seq IS 'Numbers of associations; the receiver takes a thousand at a time';

CREATE TABLE dicomgw.association_history (
    id                       bigint NOT NULL,
    listener_id              integer NOT NULL,
    peer_address             inet NOT NULL,
    peer_port                integer NOT NULL,
    calling_ae               text,
    called_ae                text,
    username                 text,
    implementation_class_uid text,
    implementation_version   text,
    tls_version              text,
    tls_cipher               text,
    tls_subject              text,
    started_at               timestamptz NOT NULL,
    ended_at                 timestamptz NOT NULL,
    objects                  bigint NOT NULL,
    bytes                    bigint NOT NULL,
    outcome                  text NOT NULL,
    reason                   text
) PARTITION BY RANGE (ended_at);
CREATE INDEX association_history_ended_at_idx ON dicomgw.association_history (ended_at);
CREATE INDEX association_history_calling_ae_idx ON dicomgw.association_history (calling_ae, ended_at);
COMMENT ON TABLE dicomgw.association_history IS
    'Associations that have ended, and connections and requests that were refused; one partition a day';
COMMENT ON COLUMN dicomgw.association_history.id IS 'number of the association';
COMMENT ON COLUMN dicomgw.association_history.listener_id IS 'listener that was called';
COMMENT ON COLUMN dicomgw.association_history.peer_address IS 'network address of the caller';
COMMENT ON COLUMN dicomgw.association_history.peer_port IS 'its TCP port; 0: several connections';
COMMENT ON COLUMN dicomgw.association_history.calling_ae IS 'AE title of the caller; NULL: it never said';
COMMENT ON COLUMN dicomgw.association_history.called_ae IS 'AE title that it called';
COMMENT ON COLUMN dicomgw.association_history.username IS 'user name that it presented (User Identity, PS3.7 D.3.3.7)';
COMMENT ON COLUMN dicomgw.association_history.implementation_class_uid IS 'Implementation Class UID of the caller''s software';
COMMENT ON COLUMN dicomgw.association_history.implementation_version IS 'Implementation Version Name of the caller''s software';
COMMENT ON COLUMN dicomgw.association_history.tls_version IS 'TLS version; NULL: not encrypted';
COMMENT ON COLUMN dicomgw.association_history.tls_cipher IS 'TLS cipher suite';
COMMENT ON COLUMN dicomgw.association_history.tls_subject IS 'subject of the caller''s certificate; NULL: it sent none';
COMMENT ON COLUMN dicomgw.association_history.started_at IS 'when the connection was accepted';
COMMENT ON COLUMN dicomgw.association_history.ended_at IS 'when it ended';
COMMENT ON COLUMN dicomgw.association_history.objects IS 'objects answered with success';
COMMENT ON COLUMN dicomgw.association_history.bytes IS 'bytes of datasets that came, those of refused objects included';
COMMENT ON COLUMN dicomgw.association_history.outcome IS
    'released; aborted by the peer; closed by the peer; timed out; rejected; turned away; broke the protocol; TLS failed; aborted by us; failed; lost';
COMMENT ON COLUMN dicomgw.association_history.reason IS 'more about the outcome, in words';
CREATE TABLE dicomgw.association_history_default PARTITION OF dicomgw.association_history DEFAULT;
INSERT INTO dicomgw.partitioned VALUES ('association_history', 'dicomgw.history_retention');
SELECT dicomgw._maintain_partitions();

CREATE TABLE dicomgw.caller (
    calling_ae       text NOT NULL,
    peer_address     inet NOT NULL,
    associations     bigint NOT NULL DEFAULT 0,
    refused          bigint NOT NULL DEFAULT 0,
    objects          bigint NOT NULL DEFAULT 0,
    bytes            bigint NOT NULL DEFAULT 0,
    first_seen_at    timestamptz NOT NULL,
    last_seen_at     timestamptz NOT NULL,
    last_refused_at  timestamptz,
    last_refusal     text,
    PRIMARY KEY (calling_ae, peer_address)
) WITH (fillfactor = 70);
COMMENT ON TABLE dicomgw.caller IS
    'Counters of each caller, of its associations that have ended; at most 10,000 callers are told apart, the rest is counted as calling AE title (others)';
COMMENT ON COLUMN dicomgw.caller.calling_ae IS 'AE title of the caller; empty: it never said';
COMMENT ON COLUMN dicomgw.caller.peer_address IS 'its network address';
COMMENT ON COLUMN dicomgw.caller.associations IS 'associations that were accepted';
COMMENT ON COLUMN dicomgw.caller.refused IS 'associations and connections that were not';
COMMENT ON COLUMN dicomgw.caller.objects IS 'objects answered with success';
COMMENT ON COLUMN dicomgw.caller.bytes IS 'bytes of datasets that came';
COMMENT ON COLUMN dicomgw.caller.first_seen_at IS 'when it first called';
COMMENT ON COLUMN dicomgw.caller.last_seen_at IS 'when its last association ended';
COMMENT ON COLUMN dicomgw.caller.last_refused_at IS 'when it was last refused';
COMMENT ON COLUMN dicomgw.caller.last_refusal IS 'and why';

CREATE FUNCTION dicomgw._open_associations(
    OUT id bigint, OUT listener_id integer, OUT peer_address inet, OUT peer_port integer,
    OUT calling_ae text, OUT called_ae text, OUT username text,
    OUT implementation_class_uid text, OUT implementation_version text,
    OUT tls_version text, OUT tls_cipher text, OUT tls_subject text,
    OUT started_at timestamptz, OUT last_active_at timestamptz, OUT objects bigint, OUT bytes bigint,
    OUT state text)
RETURNS SETOF record
LANGUAGE c STRICT VOLATILE
AS 'MODULE_PATHNAME', 'dgw_open_associations';
COMMENT ON FUNCTION dicomgw._open_associations() IS
    'Receiver: associations that are open now, and connections that have not asked for one yet';

-- With the owner's rights: what is in shared memory has no row level security, so it is done here.
CREATE FUNCTION dicomgw.open_associations(
    OUT id bigint, OUT listener_id integer, OUT peer_address inet, OUT peer_port integer,
    OUT calling_ae text, OUT called_ae text, OUT username text,
    OUT implementation_class_uid text, OUT implementation_version text,
    OUT tls_version text, OUT tls_cipher text, OUT tls_subject text,
    OUT started_at timestamptz, OUT last_active_at timestamptz, OUT objects bigint, OUT bytes bigint,
    OUT state text)
RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT o.* FROM dicomgw._open_associations() o
    WHERE (SELECT s.sees_all FROM dicomgw._scope() s) OR o.calling_ae = ANY ((SELECT s.calling_aes FROM dicomgw._scope() s)::text[])
$$;
COMMENT ON FUNCTION dicomgw.open_associations() IS
    'Associations that are open now, and connections that have not asked for one yet, as far as one may see them; see the view association';

CREATE VIEW dicomgw.association AS
    SELECT a.id, a.state, l.name AS listener, a.peer_address, a.peer_port, a.calling_ae, a.called_ae, a.username,
           a.implementation_class_uid, a.implementation_version, a.tls_version, a.tls_cipher, a.tls_subject,
           a.started_at, a.last_active_at, a.ended_at, a.objects, a.bytes,
           (a.bytes / greatest(extract(epoch FROM coalesce(a.ended_at, now()) - a.started_at), 0.001))::bigint AS bytes_per_second,
           a.reason
    FROM (SELECT o.id, o.state, o.listener_id, o.peer_address, o.peer_port, o.calling_ae, o.called_ae, o.username,
                 o.implementation_class_uid, o.implementation_version, o.tls_version, o.tls_cipher, o.tls_subject,
                 o.started_at, o.last_active_at, NULL::timestamptz AS ended_at, o.objects, o.bytes, NULL::text AS reason
          FROM dicomgw.open_associations() o
          UNION ALL
          SELECT h.id, h.outcome, h.listener_id, h.peer_address, h.peer_port, h.calling_ae, h.called_ae, h.username,
                 h.implementation_class_uid, h.implementation_version, h.tls_version, h.tls_cipher, h.tls_subject,
                 h.started_at, h.ended_at, h.ended_at, h.objects, h.bytes, h.reason
          FROM dicomgw.association_history h) a
    LEFT JOIN dicomgw.listener l ON l.id = a.listener_id;
COMMENT ON VIEW dicomgw.association IS 'Associations, open (ended_at IS NULL) and ended: who, how much, how fast, how it ended';
COMMENT ON COLUMN dicomgw.association.id IS 'number of the association, for abort_association()';
COMMENT ON COLUMN dicomgw.association.state IS 'connected (has not asked for an association yet), open, or how it ended';
COMMENT ON COLUMN dicomgw.association.listener IS 'listener that was called';
COMMENT ON COLUMN dicomgw.association.peer_address IS 'network address of the caller';
COMMENT ON COLUMN dicomgw.association.peer_port IS 'its TCP port';
COMMENT ON COLUMN dicomgw.association.calling_ae IS 'AE title of the caller';
COMMENT ON COLUMN dicomgw.association.called_ae IS 'AE title that it called';
COMMENT ON COLUMN dicomgw.association.username IS 'user name that it presented';
COMMENT ON COLUMN dicomgw.association.implementation_class_uid IS 'Implementation Class UID of the caller''s software';
COMMENT ON COLUMN dicomgw.association.implementation_version IS 'Implementation Version Name of the caller''s software';
COMMENT ON COLUMN dicomgw.association.tls_version IS 'TLS version; NULL: not encrypted';
COMMENT ON COLUMN dicomgw.association.tls_cipher IS 'TLS cipher suite';
COMMENT ON COLUMN dicomgw.association.tls_subject IS 'subject of the caller''s certificate';
COMMENT ON COLUMN dicomgw.association.started_at IS 'when the connection was accepted';
COMMENT ON COLUMN dicomgw.association.last_active_at IS 'when its last object was received, or it was opened';
COMMENT ON COLUMN dicomgw.association.ended_at IS 'when it ended; NULL: it has not';
COMMENT ON COLUMN dicomgw.association.objects IS 'objects answered with success';
COMMENT ON COLUMN dicomgw.association.bytes IS 'bytes of their datasets; of an ended one, those of refused objects included';
COMMENT ON COLUMN dicomgw.association.bytes_per_second IS 'bytes by the time it lasted';
COMMENT ON COLUMN dicomgw.association.reason IS 'more about how it ended, in words';

CREATE FUNCTION dicomgw._abort_association(p_id bigint) RETURNS boolean
LANGUAGE c STRICT VOLATILE
AS 'MODULE_PATHNAME', 'dgw_abort_association';
COMMENT ON FUNCTION dicomgw._abort_association(bigint) IS 'Called by abort_association: asks the receiver to';

CREATE FUNCTION dicomgw.abort_association(association_id bigint) RETURNS boolean
LANGUAGE plpgsql STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_aborted boolean := dicomgw._abort_association(association_id);
BEGIN
    PERFORM dicomgw._audit('abort_association', format('association %s', association_id), jsonb_build_object('aborted', v_aborted));
    RETURN v_aborted;
END
$$;
COMMENT ON FUNCTION dicomgw.abort_association(bigint) IS
    'Ends an open association with A-ABORT, at once, whatever becomes of this transaction; what was acknowledged is kept; false if it is not open (any more)';

CREATE FUNCTION dicomgw.listener_states(
    OUT listener_id integer, OUT listening boolean, OUT message text, OUT certificate_expires_at timestamptz)
RETURNS SETOF record
LANGUAGE c STRICT VOLATILE
AS 'MODULE_PATHNAME', 'dgw_listener_states';
COMMENT ON FUNCTION dicomgw.listener_states() IS 'What dicomgw-scp says of each listener; see the view listener_status';

CREATE VIEW dicomgw.listener_status AS
    SELECT l.name, l.bind_address, l.port,
           coalesce(s.listening, false) AS listening,
           CASE WHEN NOT l.enabled THEN 'is not enabled'
                WHEN s.listener_id IS NULL THEN coalesce(
                    (SELECT 'the receiver is not running: ' || w.last_error FROM dicomgw.worker_status() w
                     WHERE w.worker = 'receiver' AND w.last_error IS NOT NULL),
                    'the receiver has not opened it')
                WHEN s.message IS NULL AND s.certificate_expires_at < now() THEN
                    'its certificate expired at ' || s.certificate_expires_at
                ELSE s.message END AS problem,
           s.certificate_expires_at,
           (SELECT count(*) FROM dicomgw.open_associations() a WHERE a.listener_id = l.id) AS associations
    FROM dicomgw.listener l LEFT JOIN dicomgw.listener_states() s ON s.listener_id = l.id;
COMMENT ON VIEW dicomgw.listener_status IS 'One row a listener: is it listening, and if not, why';
COMMENT ON COLUMN dicomgw.listener_status.name IS 'name of the listener';
COMMENT ON COLUMN dicomgw.listener_status.bind_address IS 'address that it listens on';
COMMENT ON COLUMN dicomgw.listener_status.port IS 'TCP port';
COMMENT ON COLUMN dicomgw.listener_status.listening IS 'true if connections are accepted';
COMMENT ON COLUMN dicomgw.listener_status.problem IS 'what is wrong with it, or its certificate; NULL: nothing';
COMMENT ON COLUMN dicomgw.listener_status.certificate_expires_at IS 'when its certificate expires; NULL: no TLS, or not read yet';
COMMENT ON COLUMN dicomgw.listener_status.associations IS 'associations open here';

CREATE FUNCTION dicomgw._receiving(OUT accepts_objects boolean, OUT reason text, OUT since timestamptz)
LANGUAGE c STRICT VOLATILE
AS 'MODULE_PATHNAME', 'dgw_receiving';
COMMENT ON FUNCTION dicomgw._receiving() IS 'Receiver: whether objects are accepted now, why not, and since when';

CREATE VIEW dicomgw.receiving AS
    SELECT accepts_objects, reason, since FROM dicomgw._receiving();
COMMENT ON VIEW dicomgw.receiving IS 'Are objects accepted now? If not, C-STORE is answered A700H, C-ECHO as ever';
COMMENT ON COLUMN dicomgw.receiving.accepts_objects IS 'false: the storage is above its high-water mark, or cannot be used';
COMMENT ON COLUMN dicomgw.receiving.reason IS 'why not';
COMMENT ON COLUMN dicomgw.receiving.since IS 'since when that is so';

CREATE FUNCTION dicomgw._record_associations(
    p_id bigint[], p_listener_id integer[], p_peer_address inet[], p_peer_port integer[],
    p_calling_ae text[], p_called_ae text[], p_username text[],
    p_implementation_class_uid text[], p_implementation_version text[],
    p_tls_version text[], p_tls_cipher text[], p_tls_subject text[],
    p_started_at timestamptz[], p_ended_at timestamptz[], p_objects bigint[], p_bytes bigint[],
    p_outcome text[], p_reason text[], p_accepted boolean[], p_connections integer[])
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    c_max_callers CONSTANT integer := 10000;
    v_full boolean := (SELECT count(*) >= c_max_callers FROM (SELECT FROM dicomgw.caller LIMIT c_max_callers) c);
BEGIN
    -- Nothing was promised about these rows: no need to wait for the disk, or a standby.
    PERFORM set_config('synchronous_commit', 'off', true);

    INSERT INTO dicomgw.association_history
    SELECT * FROM unnest(p_id, p_listener_id, p_peer_address, p_peer_port, p_calling_ae, p_called_ae, p_username,
                         p_implementation_class_uid, p_implementation_version, p_tls_version, p_tls_cipher, p_tls_subject,
                         p_started_at, p_ended_at, p_objects, p_bytes, p_outcome, p_reason);

    -- Why it was rejected in words of the standard: what comes after them names the caller.
    INSERT INTO dicomgw.measurement (writer, kind, subject, label, objects, bytes)
    SELECT 1, 'association', coalesce(l.name, e.listener_id::text),
           e.outcome || CASE e.outcome WHEN 'rejected' THEN ': ' || left(split_part(coalesce(e.reason, ''), ':', 1), 40) ELSE '' END,
           sum(e.connections), sum(e.bytes)
    FROM unnest(p_listener_id, p_outcome, p_reason, p_bytes, p_connections) AS e(listener_id, outcome, reason, bytes, connections)
    LEFT JOIN dicomgw.listener l ON l.id = e.listener_id
    GROUP BY 3, 4;

    INSERT INTO dicomgw.caller AS c
        (calling_ae, peer_address, associations, refused, objects, bytes,
         first_seen_at, last_seen_at, last_refused_at, last_refusal)
    SELECT k.calling_ae, k.peer_address,
           count(*) FILTER (WHERE e.accepted), coalesce(sum(e.connections) FILTER (WHERE NOT e.accepted), 0),
           sum(e.objects), sum(e.bytes), min(e.started_at), max(e.ended_at),
           max(e.ended_at) FILTER (WHERE NOT e.accepted),
           (array_agg(e.reason ORDER BY e.ended_at DESC) FILTER (WHERE NOT e.accepted))[1]
    FROM unnest(p_calling_ae, p_peer_address, p_started_at, p_ended_at, p_objects, p_bytes, p_reason, p_accepted, p_connections)
         AS e(calling_ae, peer_address, started_at, ended_at, objects, bytes, reason, accepted, connections)
    CROSS JOIN LATERAL (
        SELECT coalesce(e.calling_ae, '') AS calling_ae, e.peer_address
        WHERE NOT v_full OR EXISTS (SELECT FROM dicomgw.caller x
                                    WHERE (x.calling_ae, x.peer_address) = (coalesce(e.calling_ae, ''), e.peer_address))
        UNION ALL
        SELECT '(others)', '0.0.0.0'
        WHERE v_full AND NOT EXISTS (SELECT FROM dicomgw.caller x
                                     WHERE (x.calling_ae, x.peer_address) = (coalesce(e.calling_ae, ''), e.peer_address))) k
    GROUP BY k.calling_ae, k.peer_address
    ON CONFLICT (calling_ae, peer_address) DO UPDATE
        SET associations = c.associations + excluded.associations,
            refused = c.refused + excluded.refused,
            objects = c.objects + excluded.objects,
            bytes = c.bytes + excluded.bytes,
            last_seen_at = greatest(c.last_seen_at, excluded.last_seen_at),
            last_refused_at = coalesce(excluded.last_refused_at, c.last_refused_at),
            last_refusal = coalesce(excluded.last_refusal, c.last_refusal);
END
$$;
COMMENT ON FUNCTION dicomgw._record_associations(bigint[], integer[], inet[], integer[], text[], text[], text[], text[], text[], text[], text[], text[], timestamptz[], timestamptz[], bigint[], bigint[], text[], text[], boolean[], integer[]) IS
    'Receiver: records associations that have ended, and counts them for their callers';
