/*
 * Reading a header: DICOM JSON (PS3.18 F.2) as jsonb.
 */
CREATE TABLE dicomgw.attribute (
    tag     text PRIMARY KEY,
    keyword text NOT NULL UNIQUE,
    vr      text NOT NULL
);
COMMENT ON TABLE dicomgw.attribute IS
    'Data dictionary (PS3.6): keyword and tag of each standard attribute; taken from DCMTK''s dictionary when dicomgw was built';
COMMENT ON COLUMN dicomgw.attribute.tag IS 'eight hexadecimal digits, as in DICOM JSON: 00100020';
COMMENT ON COLUMN dicomgw.attribute.keyword IS 'PatientID';
COMMENT ON COLUMN dicomgw.attribute.vr IS 'value representation';

-- Filled by the dictionary part that the build appends here.

CREATE FUNCTION dicomgw._edit_distance(a text, b text) RETURNS integer
LANGUAGE c STRICT IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'dgw_edit_distance';
COMMENT ON FUNCTION dicomgw._edit_distance(text, text) IS
    'Number of letters to change, add or remove to make one text of the other (Levenshtein); NULL if one of them has more than 128 bytes';

CREATE FUNCTION dicomgw.tag_of(attribute text) RETURNS text
LANGUAGE plpgsql STRICT STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_tag     text := upper(regexp_replace(attribute, '^\(?([0-9A-Fa-f]{4}),?([0-9A-Fa-f]{4})\)?$', '\1\2'));
    v_typed   text := lower(regexp_replace(attribute, '[^A-Za-z0-9]', '', 'g'));
    v_similar text;
BEGIN
    IF v_tag ~ '^[0-9A-F]{8}$' THEN
        RETURN v_tag;
    END IF;
    SELECT a.tag INTO v_tag FROM dicomgw.attribute a WHERE a.keyword = attribute;
    IF FOUND THEN
        RETURN v_tag;
    END IF;
    -- What differs by a letter in four, and what it is a part of.
    SELECT string_agg(k.keyword, ', ' ORDER BY k.distance, k.keyword) INTO v_similar
    FROM (SELECT a.keyword, dicomgw._edit_distance(lower(a.keyword), v_typed) AS distance
          FROM dicomgw.attribute a
          WHERE v_typed <> ''
            AND (dicomgw._edit_distance(lower(a.keyword), v_typed) <= length(v_typed) / 4 OR strpos(lower(a.keyword), v_typed) > 0)
          ORDER BY distance, a.keyword LIMIT 3) k;
    RAISE EXCEPTION '"%" is neither the keyword nor the tag of a DICOM attribute', attribute
        USING ERRCODE = 'invalid_parameter_value',
              HINT = coalesce('Perhaps you meant: ' || v_similar || '.',
                              'Keywords are those of PS3.6, as PatientID; tags are written 0010,0020.');
END
$$;
COMMENT ON FUNCTION dicomgw.tag_of(text) IS
    'Tag as eight hexadecimal digits of an attribute given by keyword (PatientID) or tag (0010,0020); an error with suggestions if there is none';

CREATE FUNCTION dicomgw.tag_path(attribute text) RETURNS text
LANGUAGE plpgsql STRICT STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_parts text[] := string_to_array(attribute, '/');
    v_path  text;
    v_item  text[];
    v_tag   text;
BEGIN
    FOR i IN 1 .. greatest(cardinality(v_parts), 1) LOOP
        v_item := regexp_match(coalesce(v_parts[i], ''), '^(.*?)(\[[1-9][0-9]{0,4}\])?$');
        v_tag := dicomgw.tag_of(v_item[1]);
        IF i < cardinality(v_parts)
           AND EXISTS (SELECT FROM dicomgw.attribute a WHERE a.tag = v_tag AND a.vr <> 'SQ') THEN
            RAISE EXCEPTION '"%" is not a sequence', v_item[1]
                USING ERRCODE = 'invalid_parameter_value',
                      HINT = 'A path is a sequence, its item if only one is meant, and an attribute in it: RequestAttributesSequence[1]/ScheduledProcedureStepID.';
        END IF;
        v_path := concat_ws('/', v_path, v_tag || coalesce(v_item[2], ''));
    END LOOP;
    RETURN v_path;
END
$$;
COMMENT ON FUNCTION dicomgw.tag_path(text) IS
    'Path of an attribute in a header: its tag, or those of the sequences that it is in and its own, parted by slashes; RequestAttributesSequence/ScheduledProcedureStepID gives 00400275/00400007. An error as of tag_of()';

-- What predicates call in the end: the path is looked up when a route is compiled.
CREATE FUNCTION dicomgw.tag_value(header jsonb, path text) RETURNS text
LANGUAGE c STRICT IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'dgw_tag_value';
COMMENT ON FUNCTION dicomgw.tag_value(jsonb, text) IS
    'First value at this path (see tag_path) as text; a person name gives its alphabetic representation; NULL if it has none';

CREATE FUNCTION dicomgw.tag_values(header jsonb, path text) RETURNS text[]
LANGUAGE c STRICT IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'dgw_tag_values';
COMMENT ON FUNCTION dicomgw.tag_values(jsonb, text) IS
    'All values at this path (see tag_path) as text, of all items; empty if it has none';

CREATE FUNCTION dicomgw.tag_any_equal(header jsonb, path text, value text) RETURNS boolean
LANGUAGE c STRICT IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'dgw_tag_any_equal';
COMMENT ON FUNCTION dicomgw.tag_any_equal(jsonb, text, text) IS
    'Whether one of the values at this path (see tag_path) is this one; neither case nor spaces around it count';

CREATE FUNCTION dicomgw.tag_any_like(header jsonb, path text, pattern text) RETURNS boolean
LANGUAGE c STRICT IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'dgw_tag_any_like';
COMMENT ON FUNCTION dicomgw.tag_any_like(jsonb, text, text) IS
    'Whether one of the values at this path (see tag_path) is like this pattern, as ILIKE has it';

-- The same for people, by keyword.  In a route's predicate the header goes without saying.
CREATE FUNCTION dicomgw.tag(header jsonb, attribute text) RETURNS text
LANGUAGE plpgsql STRICT STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN dicomgw.tag_value(header, dicomgw.tag_path(attribute));
END
$$;
COMMENT ON FUNCTION dicomgw.tag(jsonb, text) IS
    'First value of an attribute as text, by keyword (PatientID), tag (0010,0020) or path (RequestAttributesSequence/ScheduledProcedureStepID). In a route''s predicate the header goes without saying: tag(''PatientID'')';

CREATE FUNCTION dicomgw.tags(header jsonb, attribute text) RETURNS text[]
LANGUAGE plpgsql STRICT STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN dicomgw.tag_values(header, dicomgw.tag_path(attribute));
END
$$;
COMMENT ON FUNCTION dicomgw.tags(jsonb, text) IS 'All values of an attribute: ''DERIVED'' = ANY (tags(''ImageType''))';

CREATE FUNCTION dicomgw.tag_has(header jsonb, attribute text, value text) RETURNS boolean
LANGUAGE plpgsql STRICT STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN dicomgw.tag_any_equal(header, dicomgw.tag_path(attribute), value);
END
$$;
COMMENT ON FUNCTION dicomgw.tag_has(jsonb, text, text) IS
    'Whether one of the values of an attribute is this one; neither case nor spaces around it count: tag_has(''ImageType'', ''derived'')';

CREATE FUNCTION dicomgw.tag_like(header jsonb, attribute text, pattern text) RETURNS boolean
LANGUAGE plpgsql STRICT STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN dicomgw.tag_any_like(header, dicomgw.tag_path(attribute), pattern);
END
$$;
COMMENT ON FUNCTION dicomgw.tag_like(jsonb, text, text) IS
    'Whether one of the values of an attribute is like this pattern, as ILIKE has it: tag_like(''StudyDescription'', ''%thorax%'')';

CREATE TYPE dicomgw.header_attributes AS (
    patient_id          text,
    patient_name        text,
    patient_birth_date  date,
    patient_sex         text,
    study_instance_uid  text,
    study_date          date,
    study_description   text,
    accession_number    text,
    referring_physician text,
    series_instance_uid text,
    series_number       integer,
    series_description  text,
    modality            text,
    body_part           text,
    protocol_name       text,
    instance_number     integer,
    station_name        text,
    institution_name    text,
    manufacturer        text
);
COMMENT ON TYPE dicomgw.header_attributes IS 'The usual attributes of a header as typed columns';

CREATE FUNCTION dicomgw.header_attributes(header jsonb) RETURNS dicomgw.header_attributes
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'dgw_header_attributes';
COMMENT ON FUNCTION dicomgw.header_attributes(jsonb) IS
    'The usual attributes of a header as typed columns; NULL where the header has none, or none of that type';
