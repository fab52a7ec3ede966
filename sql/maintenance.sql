/*
 * Housekeeping: daily partitions, made ahead and dropped whole.
 */
CREATE TABLE dicomgw.partitioned (
    table_name text PRIMARY KEY,
    setting    text NOT NULL
);
COMMENT ON TABLE dicomgw.partitioned IS 'Tables with one partition a day, and the setting that says how long a day is kept';
COMMENT ON COLUMN dicomgw.partitioned.table_name IS 'table in schema dicomgw';
COMMENT ON COLUMN dicomgw.partitioned.setting IS 'setting with the days to keep; 0 keeps all';
INSERT INTO dicomgw.partitioned VALUES
    ('instance_header', 'dicomgw.header_retention'),
    ('routing_decision', 'dicomgw.history_retention'),
    ('completion', 'dicomgw.history_retention'),
    ('forward_history', 'dicomgw.history_retention'),
    ('forward_attempt', 'dicomgw.history_retention');

-- Rows of a day that has no partition go here: nothing is refused because housekeeping is late.
CREATE TABLE dicomgw.instance_header_default PARTITION OF dicomgw.instance_header DEFAULT;
CREATE TABLE dicomgw.routing_decision_default PARTITION OF dicomgw.routing_decision DEFAULT;
CREATE TABLE dicomgw.completion_default PARTITION OF dicomgw.completion DEFAULT;
CREATE TABLE dicomgw.forward_history_default PARTITION OF dicomgw.forward_history DEFAULT;
CREATE TABLE dicomgw.forward_attempt_default PARTITION OF dicomgw.forward_attempt DEFAULT;

CREATE FUNCTION dicomgw._create_partition(p_table text, p_day date) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
    v_name text := format('%s_%s', p_table, to_char(p_day, 'YYYYMMDD'));
    v_key  text := (SELECT a.attname FROM pg_partitioned_table p
                    JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]
                    WHERE p.partrelid = format('dicomgw.%I', p_table)::regclass);
BEGIN
    IF to_regclass(format('dicomgw.%I', v_name)) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE dicomgw.%I (LIKE dicomgw.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING COMPRESSION)', v_name, p_table);
    -- Within CREATE EXTENSION it is a member already.
    IF NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND deptype = 'e'
                   AND objid = format('dicomgw.%I', v_name)::regclass) THEN
        EXECUTE format('ALTER EXTENSION dicomgw ADD TABLE dicomgw.%I', v_name);
    END IF;
    EXECUTE format('WITH moved AS (DELETE FROM dicomgw.%I WHERE %I >= %L AND %I < %L RETURNING *) INSERT INTO dicomgw.%I SELECT * FROM moved',
                   p_table || '_default', v_key, p_day::timestamptz, v_key, (p_day + 1)::timestamptz, v_name);
    EXECUTE format('ALTER TABLE dicomgw.%I ATTACH PARTITION dicomgw.%I FOR VALUES FROM (%L) TO (%L)',
                   p_table, v_name, p_day::timestamptz, (p_day + 1)::timestamptz);
    RETURN true;
END
$$;
COMMENT ON FUNCTION dicomgw._create_partition(text, date) IS
    'Maintenance: makes the partition of a day (UTC), with the rows of that day that went to the default partition; false if there is one. It belongs to the extension, so pg_dump leaves it out';

CREATE FUNCTION dicomgw._drop_partitions(p_table text, p_before date) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    c_most       CONSTANT integer := 31;
    v_partitions text[];
    v_partition  text;
BEGIN
    v_partitions := ARRAY(
        SELECT c.relname FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid
        WHERE h.inhparent = format('dicomgw.%I', p_table)::regclass
          AND c.relname ~ ('^' || p_table || '_[0-9]{8}$')
          AND right(c.relname, 8) < to_char(p_before, 'YYYYMMDD')
        ORDER BY c.relname LIMIT c_most);
    -- All of this before the first DROP, which locks the whole table.
    IF p_table = 'forward_history' THEN
        FOREACH v_partition IN ARRAY v_partitions LOOP
            PERFORM dicomgw._note_delivered(v_partition);
        END LOOP;
    END IF;
    FOREACH v_partition IN ARRAY v_partitions LOOP
        EXECUTE format('ALTER EXTENSION dicomgw DROP TABLE dicomgw.%I', v_partition);
        EXECUTE format('DROP TABLE dicomgw.%I', v_partition);
    END LOOP;
    RETURN cardinality(v_partitions);
END
$$;
COMMENT ON FUNCTION dicomgw._drop_partitions(text, date) IS
    'Maintenance: drops the partitions of the days before this one, at most a month''s at a time, returns how many; what retention must know of forward_history is kept in dicomgw.delivered';

CREATE FUNCTION dicomgw._maintain_partitions(p_today date DEFAULT (now() AT TIME ZONE 'UTC')::date) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '5s'
AS $$
DECLARE
    v_table   dicomgw.partitioned;
    v_days    integer;
    v_created integer := 0;
    v_dropped integer := 0;
BEGIN
    FOR v_table IN SELECT * FROM dicomgw.partitioned ORDER BY table_name LOOP
        FOR v_ahead IN 0..7 LOOP
            IF dicomgw._create_partition(v_table.table_name, p_today + v_ahead) THEN
                v_created := v_created + 1;
            END IF;
        END LOOP;
        v_days := coalesce(current_setting(v_table.setting, true)::integer, 0);
        IF v_days > 0 THEN
            v_dropped := v_dropped + dicomgw._drop_partitions(v_table.table_name, p_today - v_days);
        END IF;
    END LOOP;
    RETURN format('partitions: %s created, %s dropped', v_created, v_dropped);
END
$$;
COMMENT ON FUNCTION dicomgw._maintain_partitions(date) IS
    'Maintenance: sees to it that today and the seven days after it have their partitions, and drops those that are kept long enough';

-- The first objects should find their partitions, not wait for them.
SELECT dicomgw._maintain_partitions();
