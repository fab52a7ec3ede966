/*
 * Do files and rows match?  The whole storage, an hour of files at a time: the
 * lists of an hour are all that is held at once.
 *
 * A file without row was never acknowledged, and is removed: but a row may be
 * there that cannot be seen yet.  The receiver holds the ingest's advisory lock
 * (src/ingest_lock.h) in share mode from before it makes sure that its files
 * are there until the end of its transaction, and that may wait for a synchronous
 * standby as long as it takes.  So a file is removed only under the same lock
 * in exclusive mode, after another look at the rows with a snapshot taken
 * under it.  The lock is given up after each few files, and not waited for: if
 * a commit is under way, everything stays until the next check.
 */
CREATE FUNCTION dicomgw._remove_orphans(p_findings dicomgw.storage_finding[]) RETURNS SETOF dicomgw.storage_finding
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '1s'
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
    v_finding dicomgw.storage_finding;
    v_named   text[];
    v_done    dicomgw.storage_finding[] := '{}';
BEGIN
    BEGIN
        PERFORM pg_advisory_xact_lock(0, 1684502377); -- DGW_INGEST_LOCK_KEY
        v_named := ARRAY(SELECT i.file_path FROM unnest(p_findings) f
                         JOIN dicomgw.instance i ON i.file_path COLLATE "C" = f.file_path AND i.removed_at IS NULL)
                || ARRAY(SELECT g.file_path FROM dicomgw.ingest g WHERE g.file_path IN (SELECT f.file_path FROM unnest(p_findings) f));
        FOREACH v_finding IN ARRAY p_findings LOOP
            CONTINUE WHEN v_finding.file_path = ANY (v_named);
            v_finding.action := coalesce('could not be removed: ' || dicomgw._remove_file(v_finding.place, v_finding.file_path), 'removed');
            v_done := v_done || v_finding;
        END LOOP;
        -- Gives the lock back at once, which the end of the block would not.
        RAISE EXCEPTION USING ERRCODE = 'DGW00', MESSAGE = 'done';
    EXCEPTION
        WHEN SQLSTATE 'DGW00' THEN
            RETURN QUERY SELECT * FROM unnest(v_done);
        WHEN lock_not_available THEN
            RETURN QUERY SELECT f.problem, f.place, f.file_path, f.instance_id, f.size, 'kept: a commit is under way' FROM unnest(p_findings) f;
    END;
END
$$;
COMMENT ON FUNCTION dicomgw._remove_orphans(dicomgw.storage_finding[]) IS
    'Maintenance: removes files that no row names, after another look under the lock of the ingest; returns those, and what became of each';

CREATE FUNCTION dicomgw._check_hour(p_place text, p_hour text, p_ingest_from text, p_orphans text, p_older boolean)
RETURNS SETOF dicomgw.storage_finding
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    c_batch   CONSTANT integer := 500;
    v_mature  timestamptz := clock_timestamp() - current_setting('dicomgw.orphan_grace')::interval;
    v_known   timestamptz := CASE WHEN p_older THEN '-infinity' ELSE dicomgw._storage_epoch() END;
    v         record;
    v_finding dicomgw.storage_finding;
    v_orphans dicomgw.storage_finding[] := '{}';
    v_files   bigint := 0;
BEGIN
    FOR v IN
        SELECT f.file_path, f.size, f.modified_at, f.kind, r.id, r.size AS dataset_size
        FROM dicomgw._list_files(p_place, p_hour) f
        FULL JOIN (
            SELECT i.id, i.file_path, i.size FROM dicomgw.instance i
            WHERE i.removed_at IS NULL AND i.file_path COLLATE "C" >= p_hour AND i.file_path COLLATE "C" < p_hour || ':' AND p_hour <> ''
            UNION ALL
            SELECT g.id, g.file_path, g.size FROM dicomgw.ingest g
            WHERE g.file_path COLLATE "C" >= p_hour AND g.file_path COLLATE "C" < p_hour || ':'
              AND p_hour <> '' AND p_hour || ':' > p_ingest_from COLLATE "C"
        ) r ON r.file_path = f.file_path
    LOOP
        v_files := v_files + (v.kind IS NOT NULL)::integer;
        CONTINUE WHEN v.size - v.dataset_size BETWEEN 144 AND 1024;

        IF v.id IS NOT NULL THEN
            -- The row may be newer than the list of files: now it is looked at itself.
            v_finding := dicomgw._examine(p_place, v.id, false);
            IF v_finding.problem IS NOT NULL THEN
                RETURN NEXT v_finding;
            END IF;
        ELSIF v.kind IN ('object', 'temporary') THEN
            CONTINUE WHEN v.modified_at >= v_mature;
            v_finding := (CASE v.kind WHEN 'object' THEN 'file without row' ELSE 'temporary file' END,
                          p_place, v.file_path, NULL, v.size, NULL);
            IF v.modified_at < v_known AND v.kind = 'object' THEN
                v_finding.action := 'kept: older than the installation or the last recovery';
                PERFORM dicomgw._note_problem(v_finding);
                RETURN NEXT v_finding;
            ELSIF p_orphans = 'busy' AND v.kind = 'object' THEN
                v_finding.action := 'kept: a commit is under way';
                RETURN NEXT v_finding;
            ELSIF p_orphans = 'keep' THEN
                v_finding.action := 'kept: removal was not asked for';
                RETURN NEXT v_finding;
            ELSE
                v_orphans := v_orphans || v_finding;
            END IF;
        ELSE
            v_finding := (CASE v.kind WHEN 'unreadable' THEN 'cannot be read' ELSE 'not ours' END, p_place, v.file_path, NULL, v.size, 'reported');
            PERFORM dicomgw._note_problem(v_finding);
            RETURN NEXT v_finding;
        END IF;

        IF cardinality(v_orphans) = c_batch THEN
            RETURN QUERY SELECT * FROM dicomgw._remove_orphans(v_orphans);
            v_orphans := '{}';
        END IF;
    END LOOP;
    IF cardinality(v_orphans) > 0 THEN
        RETURN QUERY SELECT * FROM dicomgw._remove_orphans(v_orphans);
    END IF;
    RETURN NEXT (NULL, p_place, p_hour, NULL, v_files, 'files')::dicomgw.storage_finding;
END
$$;
COMMENT ON FUNCTION dicomgw._check_hour(text, text, text, text, boolean) IS
    'Maintenance: compares the files of an hour in one place with the rows; what to do with orphans: remove, keep, or busy (a commit is under way). The last row, without problem, counts the files';

CREATE FUNCTION dicomgw._check_places(p_hour text, p_ingest_from text, p_orphans text, p_older boolean)
RETURNS SETOF dicomgw.storage_finding
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_status dicomgw.storage;
BEGIN
    FOR v_status IN SELECT * FROM dicomgw.storage LOOP
        IF v_status.problem IS NULL THEN
            RETURN QUERY SELECT * FROM dicomgw._check_hour(v_status.place, p_hour, p_ingest_from, p_orphans, p_older);
            IF left(p_hour, 10) < to_char(now() AT TIME ZONE 'UTC' - interval '1 day', 'YYYY/MM/DD') AND p_orphans <> 'keep' THEN
                PERFORM dicomgw._tidy_hour(v_status.place, p_hour);
            END IF;
        ELSIF p_hour <> '' THEN
            NULL; -- said already
        ELSIF v_status.place = 'mirror' THEN
            RETURN NEXT ('the mirror cannot be read: ' || v_status.problem, v_status.place, NULL, NULL, NULL, 'reported')::dicomgw.storage_finding;
        ELSIF EXISTS (SELECT FROM dicomgw.stored_object) THEN
            RAISE EXCEPTION 'the storage folder "%" cannot be read: %', v_status.path, v_status.problem
                USING ERRCODE = 'undefined_file',
                      HINT = 'Is its file system mounted, and is dicomgw.storage_path right?';
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION dicomgw._check_places(text, text, text, boolean) IS
    'Maintenance: checks an hour in storage and mirror, and tidies up empty folders of earlier days; without an hour, the folders above';

CREATE FUNCTION dicomgw._next_check(p_after text, p_ingest_from text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
RETURN (
    SELECT min(h.hour COLLATE "C")
    FROM (SELECT dicomgw._next_hour(s.place, p_after) AS hour FROM dicomgw.storage_status() s WHERE s.problem IS NULL
          UNION ALL
          (SELECT left(i.file_path, 13) FROM dicomgw.instance i
           WHERE i.removed_at IS NULL AND i.file_path COLLATE "C" >= CASE p_after WHEN '' THEN '' ELSE p_after || ':' END
             AND i.file_path COLLATE "C" < ':'
           ORDER BY i.file_path COLLATE "C" LIMIT 1)
          UNION ALL
          SELECT CASE WHEN left(p_ingest_from, 13) COLLATE "C" > p_after THEN left(p_ingest_from, 13)
                      ELSE (SELECT left(min(g.file_path COLLATE "C"), 13) FROM dicomgw.ingest g WHERE g.file_path COLLATE "C" >= p_after || ':') END) h);
COMMENT ON FUNCTION dicomgw._next_check(text, text) IS 'Maintenance: the first hour after this one that has files or rows; NULL: none';

CREATE FUNCTION dicomgw._ingest_from() RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
RETURN coalesce((SELECT min(g.file_path COLLATE "C") FROM dicomgw.ingest g), to_char(now() AT TIME ZONE 'UTC', 'YYYY/MM/DD/HH24'));
COMMENT ON FUNCTION dicomgw._ingest_from() IS
    'Maintenance: the first file that is not routed yet; there is no need to look for earlier ones in dicomgw.ingest';

CREATE FUNCTION dicomgw._check_ended(p_started_at timestamptz, p_files bigint, p_problems bigint, p_removed bigint) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_gone bigint;
BEGIN
    -- What was not found again is well, or not there any more; damage, only verify() sees.
    DELETE FROM dicomgw.storage_problem p USING dicomgw.storage_status() s
    WHERE s.place = p.place AND s.problem IS NULL AND p.last_seen_at < p_started_at
      AND (p.problem NOT LIKE 'damaged%' OR NOT EXISTS (SELECT FROM dicomgw.stored_object o WHERE o.instance_id = p.instance_id));
    GET DIAGNOSTICS v_gone = ROW_COUNT;
    INSERT INTO dicomgw.storage_check (started_at, files, problems, removed)
    VALUES (p_started_at, p_files, p_problems, p_removed);
    DELETE FROM dicomgw.storage_check c WHERE c.started_at < now() - interval '100 days';
    RETURN v_gone;
END
$$;
COMMENT ON FUNCTION dicomgw._check_ended(timestamptz, bigint, bigint, bigint) IS
    'Maintenance: records a check, and takes out the problems that it did not find again; returns how many';

CREATE FUNCTION dicomgw.check_storage(remove_orphans boolean DEFAULT true, also_older boolean DEFAULT false)
RETURNS SETOF dicomgw.storage_finding
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_started_at  timestamptz := clock_timestamp();
    v_ingest_from text := dicomgw._ingest_from();
    v_orphans     text := CASE WHEN remove_orphans THEN 'remove' ELSE 'keep' END;
    v_hour        text := '';
    v_finding     dicomgw.storage_finding;
    v_files       bigint := 0;
    v_problems    bigint := 0;
    v_removed     bigint := 0;
BEGIN
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        RAISE EXCEPTION 'the storage cannot be checked in a % transaction', upper(current_setting('transaction_isolation'))
            USING ERRCODE = 'invalid_transaction_state',
                  DETAIL = 'It would not see rows that are committed while it looks at their files.',
                  HINT = 'Call dicomgw.check_storage() in a READ COMMITTED transaction.';
    END IF;
    WHILE v_hour IS NOT NULL LOOP
        FOR v_finding IN SELECT * FROM dicomgw._check_places(v_hour, v_ingest_from, v_orphans, also_older) LOOP
            IF v_finding.problem IS NULL THEN
                v_files := v_files + v_finding.size;
                CONTINUE;
            END IF;
            v_problems := v_problems + 1;
            v_removed := v_removed + (v_finding.action = 'removed')::integer;
            IF v_finding.action = 'kept: a commit is under way' THEN
                v_orphans := 'busy';
            END IF;
            RETURN NEXT v_finding;
        END LOOP;
        v_hour := dicomgw._next_check(v_hour, v_ingest_from);
    END LOOP;
    PERFORM dicomgw._check_ended(v_started_at, v_files, v_problems, v_removed);
END
$$;
COMMENT ON FUNCTION dicomgw.check_storage(boolean, boolean) IS
    'Compares files and rows, in storage and mirror, and returns what does not match. Files without row and temporary files are removed when older than dicomgw.orphan_grace, unless remove_orphans is false; also_older: also those from before the installation or the last recovery, which may have been acknowledged. Rows are never dropped';

-- ---------- the same by the worker, an hour a transaction ----------

CREATE FUNCTION dicomgw._check_due(OUT due boolean, OUT ingest_from text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT NOT EXISTS (SELECT FROM dicomgw.storage_check c
                       WHERE c.started_at > greatest(pg_postmaster_start_time(), now() - interval '1 day'))
           OR NOT EXISTS (SELECT FROM dicomgw.storage_epoch e WHERE e.timeline = left(pg_walfile_name(pg_current_wal_lsn()), 8)),
           dicomgw._ingest_from();
END;
COMMENT ON FUNCTION dicomgw._check_due() IS 'Maintenance: is a check of the storage due? One is after each start of the server, after a promotion, and daily';

CREATE FUNCTION dicomgw._check_step(p_hour text, p_ingest_from text, p_orphans text, p_older boolean,
    OUT files bigint, OUT problems bigint, OUT removed bigint, OUT busy boolean, OUT next_hour text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '5s'
AS $$
BEGIN
    SELECT coalesce(sum(f.size) FILTER (WHERE f.problem IS NULL), 0), count(f.problem),
           count(*) FILTER (WHERE f.action = 'removed'),
           coalesce(bool_or(f.action = 'kept: a commit is under way'), false)
    INTO files, problems, removed, busy
    FROM dicomgw._check_places(p_hour, p_ingest_from, p_orphans, p_older) f;
    next_hour := dicomgw._next_check(p_hour, p_ingest_from);
END
$$;
COMMENT ON FUNCTION dicomgw._check_step(text, text, text, boolean) IS
    'Maintenance: checks an hour, see _check_places; busy: files without row were kept because of a commit that is under way';
