/*
 * C-ECHO from psql: does it answer, and what is it?
 */
CREATE FUNCTION dicomgw.echo(destination text,
    OUT ok boolean, OUT message text, OUT status text,
    OUT associate_time interval, OUT round_trip_time interval, OUT peer_max_pdu bigint, OUT peer_implementation text)
LANGUAGE c STRICT VOLATILE
AS 'MODULE_PATHNAME', 'dgw_echo';
COMMENT ON FUNCTION dicomgw.echo(text) IS
    'C-ECHO to a destination, now: whether it answers, what it is, and how long it took; if not, why';
