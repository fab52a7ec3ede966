/*
 * C-ECHO from psql: does it answer, and what is it?
 */
CREATE FUNCTION dicomgw.echo(destination text,
    OUT ok boolean, OUT message text, OUT status text,
    OUT associate_time interval, OUT round_trip_time interval, OUT peer_max_pdu bigint, OUT peer_implementation text,
    OUT tls_version text, OUT tls_cipher text, OUT tls_subject text)
LANGUAGE c STRICT VOLATILE
AS 'MODULE_PATHNAME', 'dgw_echo';
COMMENT ON FUNCTION dicomgw.echo(text) IS
    'C-ECHO to a destination, now: whether it answers, what it is, and how long it took; if not, why, and what was learnt so far';

CREATE FUNCTION dicomgw.echo(host text, port dicomgw.tcp_port, called_ae dicomgw.ae_title,
    calling_ae dicomgw.ae_title DEFAULT 'DICOMGW', tls text DEFAULT 'off',
    OUT ok boolean, OUT message text, OUT status text,
    OUT associate_time interval, OUT round_trip_time interval, OUT peer_max_pdu bigint, OUT peer_implementation text,
    OUT tls_version text, OUT tls_cipher text, OUT tls_subject text)
LANGUAGE c STRICT VOLATILE
AS 'MODULE_PATHNAME', 'dgw_echo_peer';
COMMENT ON FUNCTION dicomgw.echo(text, dicomgw.tcp_port, dicomgw.ae_title, dicomgw.ae_title, text) IS
    'C-ECHO to any application entity, before it is made a destination; tls as in dicomgw.destination, with the authorities that the system trusts';

CREATE FUNCTION dicomgw._echo_peer(host text, port dicomgw.tcp_port, called_ae dicomgw.ae_title, calling_ae dicomgw.ae_title,
    tls text) RETURNS SETOF dicomgw.sender_destination
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_peer dicomgw.sender_destination;
BEGIN
    IF host !~ '^[A-Za-z0-9._:%-]{1,253}$' THEN
        RAISE EXCEPTION '"%" is neither a host name nor an address', host
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF tls NOT IN ('off', 'require', 'verify-ca', 'verify-full') THEN
        RAISE EXCEPTION 'tls must be off, require, verify-ca or verify-full'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    v_peer.id := 0;
    v_peer.name := host;
    v_peer.kind := false;
    v_peer.max_associations := 1;
    v_peer.host := host;
    v_peer.port := port;
    v_peer.ae_title := called_ae;
    v_peer.calling_ae_title := calling_ae;
    v_peer.max_pdu := 131072;
    v_peer.connect_timeout := 10;
    v_peer.association_timeout := 30;
    v_peer.response_timeout := 30;
    v_peer.tls := array_position('{require,verify-ca,verify-full}', tls);
    RETURN NEXT v_peer;
END
$$;
COMMENT ON FUNCTION dicomgw._echo_peer(text, dicomgw.tcp_port, dicomgw.ae_title, dicomgw.ae_title, text) IS
    'Called by echo(): what the sender is told of an application entity that is no destination, or an error';
