/*
 * Is it running?  What the workers say of themselves, from shared memory.
 */
CREATE FUNCTION dicomgw.worker_status(
    OUT worker text, OUT running boolean, OUT pid integer, OUT since timestamptz,
    OUT last_action text, OUT last_action_at timestamptz,
    OUT last_error text, OUT last_error_at timestamptz, OUT restarts integer)
RETURNS SETOF record
LANGUAGE c STRICT VOLATILE
AS 'MODULE_PATHNAME', 'dgw_worker_status';
COMMENT ON FUNCTION dicomgw.worker_status() IS
    'One row a background worker: whether it runs, since when, what it did last, its last error; if none can run, the error says why';

CREATE VIEW dicomgw.status AS
    SELECT worker, running, pid, since, last_action, last_action_at, last_error, last_error_at, restarts
    FROM dicomgw.worker_status();
COMMENT ON VIEW dicomgw.status IS 'One row a background worker: is it running, and what did it do last';
COMMENT ON COLUMN dicomgw.status.worker IS 'launcher, receiver, router, forwarder, maintenance or audit';
COMMENT ON COLUMN dicomgw.status.running IS 'true while the worker''s process is alive';
COMMENT ON COLUMN dicomgw.status.pid IS 'process ID, as in pg_stat_activity; NULL when not running';
COMMENT ON COLUMN dicomgw.status.since IS 'when it was started, or when it ended';
COMMENT ON COLUMN dicomgw.status.last_action IS 'what it did last';
COMMENT ON COLUMN dicomgw.status.last_action_at IS 'when it did that';
COMMENT ON COLUMN dicomgw.status.last_error IS 'its last error, also of the programs it looks after; or why it is not running';
COMMENT ON COLUMN dicomgw.status.last_error_at IS 'when that error happened';
COMMENT ON COLUMN dicomgw.status.restarts IS 'how often it was started anew after an error, since the server started';

CREATE FUNCTION dicomgw.notify_config_change() RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'dgw_notify_config_change';
COMMENT ON FUNCTION dicomgw.notify_config_change() IS
    'Trigger of the configuration tables: wakes the workers when the transaction commits';

CREATE FUNCTION dicomgw.notify_work() RETURNS void
LANGUAGE c STRICT VOLATILE
AS 'MODULE_PATHNAME', 'dgw_notify_work';
COMMENT ON FUNCTION dicomgw.notify_work() IS
    'Wakes the router and the forwarder when this transaction commits, so that they need not wait for their next look';
