/*
 * tools/ui-types.sql
 *
 * Writes what the web UI knows of schema dicomgw_api as TypeScript, in the shape that postgrest-js calls Database:
 * psql -XAtq -f tools/ui-types.sql, in a database with the extension.
 *
 * PostgreSQL does not say whether a column of a view may be null.  Here it may not if it is a plain column of a
 * relation, is NOT NULL there (or, of a view, not null after the same rule), and that relation is not on the side of
 * an outer join that may be missing.  Whatever is computed, comes from a function, or from a UNION may be null.
 * That rule errs on one side only: a page that knows better says so itself (Filled of ui/src/api/client.ts).
 */
SET search_path = pg_catalog, pg_temp;

-- JSON's words: bigint is a number up to 2^53, which numbers of rows and bytes do not reach.
CREATE FUNCTION pg_temp.ts_type(p_type oid) RETURNS text
LANGUAGE sql STABLE AS $$
    WITH base AS (SELECT t.oid, t.typelem, t.typcategory, t.typtype, t.typbasetype, t.typname FROM pg_type t WHERE t.oid = p_type)
    SELECT CASE WHEN b.typtype = 'd' THEN pg_temp.ts_type(b.typbasetype)
                WHEN b.typcategory = 'A' THEN pg_temp.ts_type(b.typelem) || '[]'
                WHEN b.typname IN ('int2', 'int4', 'int8', 'float4', 'float8', 'numeric', 'oid') THEN 'number'
                WHEN b.typname = 'bool' THEN 'boolean'
                WHEN b.typname IN ('json', 'jsonb') THEN 'Json'
                WHEN b.typname = 'void' THEN 'null'
                ELSE 'string' END
    FROM base b
$$;

CREATE FUNCTION pg_temp.doc(p_comment text, p_indent text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(p_indent || '/** ' || replace(regexp_replace(p_comment, '\s+', ' ', 'g'), '*/', '* /') || E' */\n', '')
$$;

CREATE TEMP TABLE relation_column AS
SELECT c.oid AS relation, c.relkind, c.relname, a.attnum, a.attname, a.attnotnull, a.atttypid, a.atthasdef OR a.attidentity <> '' AS has_default,
       col_description(c.oid, a.attnum) AS comment
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p', 'v') AND c.relnamespace IN ('dicomgw'::regnamespace, 'dicomgw_api'::regnamespace);

-- A stored query tree without the queries inside it: WITH, subqueries, sublinks.
CREATE FUNCTION pg_temp.outermost(p_tree text) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_kept   text[] := '{}';
    v_token  text;
    v_depth  integer := 0;
    v_within integer := 0; -- depth at which a query inside began; 0: not in one
BEGIN
    FOR v_token IN SELECT m[1] FROM regexp_matches(p_tree, '([{}][^{}]*)', 'g') WITH ORDINALITY AS t(m, n) ORDER BY t.n LOOP
        IF v_token LIKE '{%' THEN
            v_depth := v_depth + 1;
            IF v_within = 0 AND v_depth > 1 AND v_token LIKE '{QUERY %' THEN
                v_within := v_depth;
            END IF;
        ELSE
            v_depth := v_depth - 1;
            IF v_within > v_depth THEN
                v_within := 0;
                v_token := substr(v_token, 2);
            END IF;
        END IF;
        IF v_within = 0 THEN
            v_kept := v_kept || v_token;
        END IF;
    END LOOP;
    RETURN array_to_string(v_kept, '');
END
$$;

-- Where plain columns of views come from.
CREATE TEMP TABLE origin AS
WITH tree AS (
    SELECT r.ev_class AS relation, pg_temp.outermost(r.ev_action::text) AS tree
    FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
    WHERE c.relkind = 'v' AND r.rulename = '_RETURN' AND c.relnamespace IN ('dicomgw'::regnamespace, 'dicomgw_api'::regnamespace)
), simple AS (
    -- no UNION; outer joins are LEFT ones, and to their right are plain relations
    SELECT t.relation, t.tree,
           ARRAY(SELECT m[1]::integer FROM regexp_matches(t.tree, ':rarg \{RANGETBLREF :rtindex (\d+)', 'g') m)
               || ARRAY(SELECT m[1]::integer FROM regexp_matches(t.tree, ':jointype 1 .*?:rarg \{RANGETBLREF :rtindex (\d+)', 'g') m) AS may_miss
    FROM tree t
    WHERE t.tree ~ ':setOperations <>' AND t.tree !~ ':jointype [23] ' AND t.tree !~ ':rarg \{JOINEXPR'
)
SELECT s.relation, m[2]::smallint AS attnum, m[3]::oid AS from_relation, m[4]::smallint AS from_attnum
FROM simple s
CROSS JOIN LATERAL regexp_matches(s.tree,
    '\{TARGETENTRY :expr \{VAR :varno (\d+) [^{}]*\} :resno (\d+) :resname [^ ]+ :ressortgroupref \d+ :resorigtbl (\d+) :resorigcol (\d+) :resjunk false\}', 'g') m
WHERE m[3] <> '0' AND (s.tree !~ ':jointype 1 ' OR m[1]::integer <> ALL (s.may_miss));

CREATE TEMP TABLE filled AS
WITH RECURSIVE known (relation, attnum) AS (
    SELECT c.relation, c.attnum FROM relation_column c WHERE c.attnotnull
    UNION
    SELECT o.relation, o.attnum FROM origin o JOIN known k ON k.relation = o.from_relation AND k.attnum = o.from_attnum
)
SELECT * FROM known;

-- A view that somebody may write to has the defaults of its table.
CREATE FUNCTION pg_temp.row_type(p_relation oid, p_kind text) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT string_agg(
        CASE p_kind WHEN 'Row' THEN pg_temp.doc(c.comment, '          ') ELSE '' END
        || '          ' || c.attname
        || CASE WHEN p_kind = 'Row' OR (p_kind = 'Insert' AND f.attnum IS NOT NULL AND NOT coalesce(b.has_default, false)) THEN '' ELSE '?' END
        || ': ' || pg_temp.ts_type(c.atttypid) || CASE WHEN f.attnum IS NULL THEN ' | null' ELSE '' END || E'\n', '' ORDER BY c.attnum)
    FROM relation_column c
    LEFT JOIN filled f ON f.relation = c.relation AND f.attnum = c.attnum
    LEFT JOIN origin o ON o.relation = c.relation AND o.attnum = c.attnum
    LEFT JOIN relation_column b ON b.relation = o.from_relation AND b.attnum = o.from_attnum
    WHERE c.relation = p_relation
$$;

CREATE FUNCTION pg_temp.view_type(p_relation oid) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT pg_temp.doc(obj_description(p_relation, 'pg_class'), '      ') || '      ' || c.relname || E': {\n        Row: {\n'
           || pg_temp.row_type(p_relation, 'Row') || E'        }\n'
           || CASE WHEN EXISTS (SELECT FROM dicomgw.privilege g WHERE g.object = 'dicomgw_api.' || c.relname AND g.privilege LIKE '%INSERT%')
                   THEN E'        Insert: {\n' || pg_temp.row_type(p_relation, 'Insert') || E'        }\n'
                        || E'        Update: {\n' || pg_temp.row_type(p_relation, 'Update') || E'        }\n'
                   ELSE '' END
           || E'        Relationships: []\n      }\n'
    FROM pg_class c WHERE c.oid = p_relation
$$;

-- One of a name: PostgREST's overloads have to differ in the names of their arguments, ours have none.
CREATE FUNCTION pg_temp.function_type(p_function oid) RETURNS text
LANGUAGE sql STABLE AS $$
    WITH f AS (
        SELECT p.*, coalesce(p.proallargtypes, p.proargtypes::oid[]) AS types FROM pg_proc p WHERE p.oid = p_function
    ), argument AS (
        SELECT a.n, f.proargnames[a.n] AS name, a.type, coalesce(f.proargmodes[a.n], 'i') AS mode,
               row_number() OVER (PARTITION BY coalesce(f.proargmodes[a.n], 'i') IN ('i', 'b') ORDER BY a.n) > f.pronargs - f.pronargdefaults AS optional
        FROM f CROSS JOIN unnest(f.types) WITH ORDINALITY AS a(type, n)
    )
    SELECT pg_temp.doc(obj_description(f.oid, 'pg_proc'), '      ') || '      ' || f.proname || E': {\n        Args: '
           || coalesce((SELECT '{ ' || string_agg(a.name || CASE WHEN a.optional THEN '?: ' ELSE ': ' END || pg_temp.ts_type(a.type)
                                                  || CASE WHEN a.optional THEN ' | null' ELSE '' END, '; ' ORDER BY a.n) || ' }'
                        FROM argument a WHERE a.mode IN ('i', 'b')), 'Record<PropertyKey, never>') || E'\n        Returns: '
           || coalesce((SELECT '{ ' || string_agg(a.name || ': ' || pg_temp.ts_type(a.type) || ' | null', '; ' ORDER BY a.n) || ' }'
                        FROM argument a WHERE a.mode IN ('o', 'b', 't')),
                       (SELECT 'Database[''dicomgw_api''][''Views''][''' || c.relname || '''][''Row'']' FROM pg_class c
                        WHERE c.reltype = f.prorettype AND c.relnamespace = 'dicomgw_api'::regnamespace),
                       (SELECT '{ ' || string_agg(x.attname || ': ' || pg_temp.ts_type(x.atttypid) || ' | null', '; ' ORDER BY x.attnum) || ' }'
                        FROM pg_class c JOIN pg_attribute x ON x.attrelid = c.oid AND x.attnum > 0 AND NOT x.attisdropped
                        WHERE c.reltype = f.prorettype),
                       pg_temp.ts_type(f.prorettype))
           || CASE WHEN f.proretset THEN '[]' ELSE '' END || E'\n      }\n'
    FROM f
$$;

SELECT E'/*\n * What schema dicomgw_api has.  Made by tools/ui-types ("make ui-types") from the database''s catalog; not to be edited.\n */\n'
    || E'export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[]\n\n'
    || E'export type Database = {\n  dicomgw_api: {\n    Tables: Record<never, never>\n    Views: {\n'
    || (SELECT string_agg(pg_temp.view_type(c.oid), '' ORDER BY c.relname COLLATE "C") FROM pg_class c
        WHERE c.relnamespace = 'dicomgw_api'::regnamespace AND c.relkind = 'v')
    || E'    }\n    Functions: {\n'
    || (SELECT string_agg(pg_temp.function_type(f.oid), '' ORDER BY f.proname COLLATE "C")
        FROM (SELECT DISTINCT ON (p.proname) p.oid, p.proname FROM pg_proc p WHERE p.pronamespace = 'dicomgw_api'::regnamespace
              ORDER BY p.proname, p.oid) f)
    || E'    }\n    Enums: Record<never, never>\n    CompositeTypes: Record<never, never>\n  }\n}';
