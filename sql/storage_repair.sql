/*
 * Objects that are still to be copied to the mirror.
 *
 * The receiver writes a row in the transaction that records an object which
 * the mirror could not take (dicomgw.mirror_failure = 'repair'); maintenance
 * copies the file and deletes the row.
 */
CREATE TABLE dicomgw.storage_repair (
    instance_id bigint PRIMARY KEY,
    file_path   text NOT NULL,
    size        bigint NOT NULL,
    sha256      bytea NOT NULL,
    since       timestamptz NOT NULL DEFAULT now(),
    attempts    integer NOT NULL DEFAULT 0,
    next_try_at timestamptz NOT NULL DEFAULT now(),
    error       text
);
COMMENT ON TABLE dicomgw.storage_repair IS 'Objects whose copy at the mirror is missing, until maintenance has made it';
COMMENT ON COLUMN dicomgw.storage_repair.instance_id IS 'number of the object, as in ingest and instance';
COMMENT ON COLUMN dicomgw.storage_repair.file_path IS 'its Part 10 file, below dicomgw.storage_path and below dicomgw.storage_mirror_path';
COMMENT ON COLUMN dicomgw.storage_repair.size IS 'bytes of the dataset, without the file meta group';
COMMENT ON COLUMN dicomgw.storage_repair.sha256 IS 'SHA-256 of the dataset''s bytes as they were received';
COMMENT ON COLUMN dicomgw.storage_repair.since IS 'when the copy was found to be missing';
COMMENT ON COLUMN dicomgw.storage_repair.attempts IS 'how often making it failed';
COMMENT ON COLUMN dicomgw.storage_repair.next_try_at IS 'not tried before';
COMMENT ON COLUMN dicomgw.storage_repair.error IS 'why making it failed last';
