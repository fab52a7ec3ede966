/*
 * Objects of which the mirror has no copy yet, or one of whose copies is
 * damaged: to be repaired by maintenance.
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
COMMENT ON TABLE dicomgw.storage_repair IS
    'Objects of which storage or mirror lacks a good copy; maintenance makes it from the other one';
COMMENT ON COLUMN dicomgw.storage_repair.instance_id IS 'the object';
COMMENT ON COLUMN dicomgw.storage_repair.file_path IS 'its file, below the storage path and the mirror''s';
COMMENT ON COLUMN dicomgw.storage_repair.size IS 'bytes of the dataset';
COMMENT ON COLUMN dicomgw.storage_repair.sha256 IS 'SHA-256 of the dataset''s bytes';
COMMENT ON COLUMN dicomgw.storage_repair.since IS 'when it was put here';
COMMENT ON COLUMN dicomgw.storage_repair.attempts IS 'how often the repair failed';
COMMENT ON COLUMN dicomgw.storage_repair.next_try_at IS 'when it is tried next';
COMMENT ON COLUMN dicomgw.storage_repair.error IS 'why it failed last';
