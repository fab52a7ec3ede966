/*
 * The journal: the bytes of small objects, from their receipt until their files
 * are on the disk.  What was acknowledged is safe by PostgreSQL's WAL meanwhile,
 * so that no sender waits for a file to be synced; after a crash, files that the
 * disk does not have are written anew from here, before anything else begins.
 *
 * Two tables take turns: one takes what comes in, while the files of the other
 * are synced and it is emptied as a whole (TRUNCATE: dead rows would have to be
 * vacuumed away).  Both are the receiver's alone.
 */
CREATE TABLE dicomgw.journal_a (
    sop_instance_uid text NOT NULL,
    file_path        text NOT NULL,
    content          bytea NOT NULL
) WITH (autovacuum_enabled = off, toast.autovacuum_enabled = off);
ALTER TABLE dicomgw.journal_a ALTER content SET STORAGE EXTERNAL;
CREATE TABLE dicomgw.journal_b (LIKE dicomgw.journal_a INCLUDING STORAGE)
    WITH (autovacuum_enabled = off, toast.autovacuum_enabled = off);
COMMENT ON TABLE dicomgw.journal_a IS 'Bytes of received objects whose files are not known to be on the disk yet';
COMMENT ON COLUMN dicomgw.journal_a.sop_instance_uid IS 'Affected SOP Instance UID of the C-STORE-RQ';
COMMENT ON COLUMN dicomgw.journal_a.file_path IS 'its Part 10 file, below dicomgw.storage_path';
COMMENT ON COLUMN dicomgw.journal_a.content IS 'the whole of that file';
COMMENT ON TABLE dicomgw.journal_b IS 'As journal_a, by turns';
COMMENT ON COLUMN dicomgw.journal_b.sop_instance_uid IS 'Affected SOP Instance UID of the C-STORE-RQ';
COMMENT ON COLUMN dicomgw.journal_b.file_path IS 'its Part 10 file, below dicomgw.storage_path';
COMMENT ON COLUMN dicomgw.journal_b.content IS 'the whole of that file';

CREATE VIEW dicomgw.journal AS
    SELECT 0 AS half, * FROM dicomgw.journal_a UNION ALL SELECT 1, * FROM dicomgw.journal_b;
COMMENT ON VIEW dicomgw.journal IS 'Bytes of received objects whose files are not known to be on the disk yet, or have been for less than a minute or so';
COMMENT ON COLUMN dicomgw.journal.half IS '0: journal_a, 1: journal_b';
COMMENT ON COLUMN dicomgw.journal.sop_instance_uid IS 'Affected SOP Instance UID of the C-STORE-RQ';
COMMENT ON COLUMN dicomgw.journal.file_path IS 'its Part 10 file, below dicomgw.storage_path';
COMMENT ON COLUMN dicomgw.journal.content IS 'the whole of that file';

CREATE FUNCTION dicomgw._journaled(p_file_path text[]) RETURNS TABLE (file_path text, content bytea)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT j.file_path, j.content FROM dicomgw.journal j
    WHERE j.file_path = ANY (p_file_path)
      AND (EXISTS (SELECT FROM dicomgw.ingest i
                   WHERE i.sop_instance_uid = j.sop_instance_uid AND i.file_path = j.file_path)
           OR EXISTS (SELECT FROM dicomgw.instance i
                      WHERE i.sop_instance_uid = j.sop_instance_uid AND i.file_path = j.file_path
                        AND i.removed_at IS NULL))
$$;
COMMENT ON FUNCTION dicomgw._journaled(text[]) IS
    'Receiver: what the journal has of these files; nothing of those that no object has any more';
