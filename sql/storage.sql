/*
 * The stored files and the rows that name them: how full the disks are, what
 * is missing or damaged, and what to do about it.
 *
 * A row names its file while removed_at is NULL; rows of ingest always do.
 */
CREATE FUNCTION dicomgw.storage_status(
    OUT place text, OUT path text, OUT total bigint, OUT available bigint, OUT used_percent integer,
    OUT high_water integer, OUT low_water integer, OUT problem text)
RETURNS SETOF record
LANGUAGE c STRICT VOLATILE
AS 'MODULE_PATHNAME', 'dgw_storage_status';
COMMENT ON FUNCTION dicomgw.storage_status() IS 'One row a place in which objects are kept: how full its file system is';

CREATE VIEW dicomgw.storage AS
    SELECT place, path, total, available, used_percent, high_water, low_water, problem FROM dicomgw.storage_status();
COMMENT ON VIEW dicomgw.storage IS 'Where objects are kept, and how full it is there: the storage, and its mirror if there is one';
COMMENT ON COLUMN dicomgw.storage.place IS 'storage or mirror';
COMMENT ON COLUMN dicomgw.storage.path IS 'its folder';
COMMENT ON COLUMN dicomgw.storage.total IS 'bytes of its file system';
COMMENT ON COLUMN dicomgw.storage.available IS 'bytes that can still be used';
COMMENT ON COLUMN dicomgw.storage.used_percent IS 'percent in use, as df shows it';
COMMENT ON COLUMN dicomgw.storage.high_water IS 'percent at which objects are refused (dicomgw.storage_high_water)';
COMMENT ON COLUMN dicomgw.storage.low_water IS 'percent below which they are accepted again (dicomgw.storage_low_water)';
COMMENT ON COLUMN dicomgw.storage.problem IS 'why it cannot be used; NULL: it can';

-- Rows are looked up by the hour of their file, and retention goes by age: both only among those that are kept.
CREATE INDEX instance_file_path_idx ON dicomgw.instance (file_path COLLATE "C") WHERE removed_at IS NULL;
CREATE INDEX instance_kept_idx ON dicomgw.instance (received_at, id) WHERE removed_at IS NULL;

CREATE TABLE dicomgw.storage_problem (
    place        text NOT NULL,
    file_path    text NOT NULL,
    instance_id  bigint,
    problem      text NOT NULL,
    found_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (place, file_path)
);
CREATE INDEX storage_problem_instance_id_idx ON dicomgw.storage_problem (instance_id);
COMMENT ON TABLE dicomgw.storage_problem IS
    'What is wrong in the storage, as check_storage and verify found it; what a later one finds well again is taken out';
COMMENT ON COLUMN dicomgw.storage_problem.place IS 'storage or mirror';
COMMENT ON COLUMN dicomgw.storage_problem.file_path IS 'the file, below that place';
COMMENT ON COLUMN dicomgw.storage_problem.instance_id IS 'the object whose file it is; NULL: no row names it';
COMMENT ON COLUMN dicomgw.storage_problem.problem IS 'what is wrong with it';
COMMENT ON COLUMN dicomgw.storage_problem.found_at IS 'when it was found first';
COMMENT ON COLUMN dicomgw.storage_problem.last_seen_at IS 'when it was found last';

CREATE TABLE dicomgw.storage_check (
    started_at timestamptz PRIMARY KEY,
    ended_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    files      bigint NOT NULL,
    problems   bigint NOT NULL,
    removed    bigint NOT NULL
);
COMMENT ON TABLE dicomgw.storage_check IS 'Checks of the whole storage of the last 100 days';
COMMENT ON COLUMN dicomgw.storage_check.started_at IS 'when it began';
COMMENT ON COLUMN dicomgw.storage_check.ended_at IS 'when it ended';
COMMENT ON COLUMN dicomgw.storage_check.files IS 'files looked at, in storage and mirror';
COMMENT ON COLUMN dicomgw.storage_check.problems IS 'how many things it found wrong, those removed included';
COMMENT ON COLUMN dicomgw.storage_check.removed IS 'files without row and temporary files that it removed';

CREATE TABLE dicomgw.storage_epoch (
    timeline text PRIMARY KEY,
    since    timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE dicomgw.storage_epoch IS
    'Since when these tables know every file: their installation, and each later timeline (recovery, promotion). An older file without row may be one that was acknowledged and whose row was lost, so it is kept';
COMMENT ON COLUMN dicomgw.storage_epoch.timeline IS 'timeline of the server, as in the names of its WAL files';
COMMENT ON COLUMN dicomgw.storage_epoch.since IS 'when it was seen first';

CREATE FUNCTION dicomgw._storage_epoch() RETURNS timestamptz
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO dicomgw.storage_epoch (timeline) VALUES (left(pg_walfile_name(pg_current_wal_lsn()), 8))
    ON CONFLICT DO NOTHING;
    RETURN (SELECT max(e.since) FROM dicomgw.storage_epoch e);
END
$$;
COMMENT ON FUNCTION dicomgw._storage_epoch() IS 'Maintenance: since when the tables know every file that was acknowledged';
SELECT dicomgw._storage_epoch();

-- ---------- files ----------

CREATE FUNCTION dicomgw._file_problem(place text, file_path text, size bigint, sha256 bytea) RETURNS text
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'dgw_file_problem_sql';
COMMENT ON FUNCTION dicomgw._file_problem(text, text, bigint, bytea) IS
    'Maintenance: what is wrong with the file of a dataset of this size and digest; NULL: nothing. Without a digest only its size is looked at';

CREATE FUNCTION dicomgw._remove_file(place text, file_path text) RETURNS text
LANGUAGE c STRICT VOLATILE
AS 'MODULE_PATHNAME', 'dgw_remove_file';
COMMENT ON FUNCTION dicomgw._remove_file(text, text) IS 'Maintenance: removes a file; NULL, or why it could not';

CREATE FUNCTION dicomgw._list_files(place text, hour text,
    OUT file_path text, OUT size bigint, OUT modified_at timestamptz, OUT kind text)
RETURNS SETOF record
LANGUAGE c STRICT VOLATILE
AS 'MODULE_PATHNAME', 'dgw_list_files';
COMMENT ON FUNCTION dicomgw._list_files(text, text) IS
    'Maintenance: the files of an hour (YYYY/MM/DD/HH); of no hour (empty): what does not belong into the folders above. kind: object, temporary, other, unreadable';

CREATE FUNCTION dicomgw._next_hour(place text, after text) RETURNS text
LANGUAGE c STRICT VOLATILE
AS 'MODULE_PATHNAME', 'dgw_next_hour';
COMMENT ON FUNCTION dicomgw._next_hour(text, text) IS 'Maintenance: the first hour after this one that has a folder; NULL: none';

CREATE FUNCTION dicomgw._tidy_hour(place text, hour text) RETURNS integer
LANGUAGE c STRICT VOLATILE
AS 'MODULE_PATHNAME', 'dgw_tidy_hour';
COMMENT ON FUNCTION dicomgw._tidy_hour(text, text) IS 'Maintenance: removes the empty folders of an hour, and those above that are empty then; returns how many';

-- ---------- one object ----------

CREATE TYPE dicomgw.storage_finding AS (
    problem     text,
    place       text,
    file_path   text,
    instance_id bigint,
    size        bigint,
    action      text
);
COMMENT ON TYPE dicomgw.storage_finding IS
    'Something wrong in the storage, and what was done about it; size: bytes of the file, or of the dataset if there is none';

CREATE FUNCTION dicomgw._note_problem(p_finding dicomgw.storage_finding) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    INSERT INTO dicomgw.storage_problem AS p (place, file_path, instance_id, problem)
    VALUES ((p_finding).place, (p_finding).file_path, (p_finding).instance_id, (p_finding).problem)
    ON CONFLICT (place, file_path) DO UPDATE
        SET instance_id = excluded.instance_id, problem = excluded.problem, last_seen_at = clock_timestamp(),
            found_at = CASE WHEN p.problem = excluded.problem THEN p.found_at ELSE excluded.found_at END;
END;
COMMENT ON FUNCTION dicomgw._note_problem(dicomgw.storage_finding) IS 'Maintenance: notes what is wrong in dicomgw.storage_problem';

CREATE VIEW dicomgw.stored_object AS
    SELECT id AS instance_id, sop_instance_uid, received_at, file_path, size, sha256 FROM dicomgw.instance WHERE removed_at IS NULL
    UNION ALL
    SELECT id, sop_instance_uid, received_at, file_path, size, sha256 FROM dicomgw.ingest;
COMMENT ON VIEW dicomgw.stored_object IS 'Every object whose file is kept, routed or not';
COMMENT ON COLUMN dicomgw.stored_object.instance_id IS 'number of the object';
COMMENT ON COLUMN dicomgw.stored_object.sop_instance_uid IS 'its SOP Instance UID';
COMMENT ON COLUMN dicomgw.stored_object.received_at IS 'when its row was committed (start of that transaction)';
COMMENT ON COLUMN dicomgw.stored_object.file_path IS 'its Part 10 file, below the storage path and the mirror''s';
COMMENT ON COLUMN dicomgw.stored_object.size IS 'bytes of the dataset';
COMMENT ON COLUMN dicomgw.stored_object.sha256 IS 'SHA-256 of the dataset''s bytes';

CREATE FUNCTION dicomgw._examine(p_place text, p_instance_id bigint, p_whole boolean) RETURNS dicomgw.storage_finding
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_object  dicomgw.stored_object;
    v_problem text;
    v_other   text;
    v_finding dicomgw.storage_finding;
BEGIN
    SELECT * INTO v_object FROM dicomgw.stored_object o WHERE o.instance_id = p_instance_id;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    v_problem := dicomgw._file_problem(p_place, v_object.file_path, v_object.size, CASE WHEN p_whole THEN v_object.sha256 END);
    IF v_problem IS NULL THEN
        DELETE FROM dicomgw.storage_problem p
        WHERE p.place = p_place AND p.file_path = v_object.file_path AND (p_whole OR p.problem NOT LIKE 'damaged%');
        RETURN NULL;
    END IF;

    v_finding := (CASE WHEN v_problem <> 'missing' AND v_problem NOT LIKE 'damaged%' THEN 'file ' || v_problem
                       WHEN v_problem <> 'missing' THEN v_problem
                       WHEN p_place = 'mirror' THEN 'missing in the mirror'
                       ELSE 'row without file' END,
                  p_place, v_object.file_path, p_instance_id, v_object.size, 'flagged');
    v_other := (SELECT s.place FROM dicomgw.storage_status() s WHERE s.place <> p_place AND s.problem IS NULL);
    IF v_other IS NOT NULL AND dicomgw._file_problem(v_other, v_object.file_path, v_object.size, NULL) IS NULL THEN
        INSERT INTO dicomgw.storage_repair (instance_id, file_path, size, sha256)
        VALUES (p_instance_id, v_object.file_path, v_object.size, v_object.sha256)
        ON CONFLICT DO NOTHING;
        v_finding.action := 'queued for repair';
    END IF;
    PERFORM dicomgw._note_problem(v_finding);
    RETURN v_finding;
END
$$;
COMMENT ON FUNCTION dicomgw._examine(text, bigint, boolean) IS
    'Maintenance: looks at an object''s file, and notes what is wrong with it, or that nothing is any more; what the other place can mend is queued for repair. NULL: it is well, or not kept';

CREATE TYPE dicomgw.verification AS (
    instance_id bigint,
    place       text,
    file_path   text,
    ok          boolean,
    problem     text
);
COMMENT ON TYPE dicomgw.verification IS 'What was found of one copy of an object; ok is NULL if retention has removed it';

CREATE FUNCTION dicomgw.verify(instance_id bigint) RETURNS SETOF dicomgw.verification
LANGUAGE plpgsql STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_path    text;
    v_removed timestamptz;
    v_place   text;
    v_finding dicomgw.storage_finding;
BEGIN
    SELECT o.file_path, o.removed_at INTO v_path, v_removed
    FROM (SELECT i.id, i.file_path, i.removed_at FROM dicomgw.instance i
          UNION ALL SELECT g.id, g.file_path, NULL FROM dicomgw.ingest g) o
    WHERE o.id = verify.instance_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'object % was not received', instance_id
            USING ERRCODE = 'PT404',
                  HINT = 'SELECT id, sop_instance_uid FROM dicomgw.instance lists those that were.';
    END IF;
    FOR v_place IN SELECT s.place FROM dicomgw.storage_status() s LOOP
        IF v_removed IS NOT NULL THEN
            RETURN NEXT (verify.instance_id, v_place, v_path, NULL::boolean, format('removed by retention on %s', v_removed::timestamptz(0)));
        ELSE
            v_finding := dicomgw._examine(v_place, verify.instance_id, true);
            RETURN NEXT (verify.instance_id, v_place, v_path, v_finding.problem IS NULL, v_finding.problem);
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION dicomgw.verify(bigint) IS
    'Reads the file of an object again, in storage and mirror, and compares size and SHA-256 with what was received; what is wrong is noted in dicomgw.storage_problem, and repaired if the other copy is good';

CREATE FUNCTION dicomgw.verify(study_instance_uid text) RETURNS SETOF dicomgw.verification
LANGUAGE plpgsql STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_id    bigint;
    v_found boolean := false;
BEGIN
    FOR v_id IN
        SELECT i.id FROM dicomgw.study s JOIN dicomgw.series r ON r.study_id = s.id JOIN dicomgw.instance i ON i.series_id = r.id
        WHERE s.study_instance_uid = verify.study_instance_uid
        UNION ALL
        SELECT g.id FROM dicomgw.ingest g JOIN dicomgw.instance_header h ON h.instance_id = g.id AND h.received_at = g.received_at
        WHERE (dicomgw.header_attributes(h.header)).study_instance_uid = verify.study_instance_uid
        ORDER BY 1
    LOOP
        v_found := true;
        RETURN QUERY SELECT * FROM dicomgw.verify(v_id);
    END LOOP;
    IF NOT v_found THEN
        RAISE EXCEPTION 'study % was not received', study_instance_uid
            USING ERRCODE = 'PT404',
                  HINT = 'SELECT study_instance_uid FROM dicomgw.study lists the studies that were; verify(instance_id => ...) takes the number of an object.';
    END IF;
END
$$;
COMMENT ON FUNCTION dicomgw.verify(text) IS 'Verifies every object of a study, those that are not routed yet included; see verify(instance_id)';
