/*
 * HTTP: metrics, alerts, how much came and went.
 */
CREATE DOMAIN dicomgw_api."text/plain" AS text;
COMMENT ON DOMAIN dicomgw_api."text/plain" IS 'An answer that is text, and not JSON: for who accepts text/plain';

CREATE FUNCTION dicomgw_api.metrics() RETURNS dicomgw_api."text/plain"
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
RETURN dicomgw.metrics();
COMMENT ON FUNCTION dicomgw_api.metrics() IS 'Metrics in Prometheus'' text exposition format (Accept: text/plain)';

CREATE FUNCTION dicomgw_api.time_series(since timestamptz, until timestamptz DEFAULT now(), step interval DEFAULT '1 minute', destination text DEFAULT NULL)
RETURNS TABLE (at timestamptz, received bigint, received_bytes bigint, sent bigint, sent_bytes bigint, failed bigint)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT t.* FROM dicomgw.time_series(since, until, step, destination) t;
END;
COMMENT ON FUNCTION dicomgw_api.time_series(timestamptz, timestamptz, interval, text) IS
    'What was received, sent and failed, a row for each step (whole minutes; UTC), also where there was nothing; at most 5000. Of one destination: received is null. Minutes are kept for 30 days, hours (steps of whole hours) for two years. 403 for a limited viewer';

CREATE VIEW dicomgw_api.alert WITH (security_invoker = true) AS
    SELECT a.severity, a.kind, a.subject, a.message, a.since FROM dicomgw.alert a;
