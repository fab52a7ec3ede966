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

CREATE FUNCTION dicomgw.tag_value(header jsonb, tag text) RETURNS text
LANGUAGE c STRICT IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'dgw_tag_value';
COMMENT ON FUNCTION dicomgw.tag_value(jsonb, text) IS
    'First value of the attribute with this tag (eight hexadecimal digits) as text; a person name gives its alphabetic representation; NULL if it has none';

CREATE FUNCTION dicomgw.tag(header jsonb, attribute text) RETURNS text
LANGUAGE plpgsql STRICT STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_tag text;
BEGIN
    v_tag := dicomgw.tag_of(attribute);
    RETURN dicomgw.tag_value(header, v_tag);
END
$$;
COMMENT ON FUNCTION dicomgw.tag(jsonb, text) IS
    'First value of an attribute as text, by keyword (PatientID) or tag (0010,0020). In a route''s predicate the header goes without saying: tag(''PatientID'')';

CREATE FUNCTION dicomgw.tag_of(attribute text) RETURNS text
LANGUAGE plpgsql STRICT STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_tag     text := upper(regexp_replace(attribute, '^\(?([0-9A-Fa-f]{4}),?([0-9A-Fa-f]{4})\)?$', '\1\2'));
    v_similar text;
BEGIN
    IF v_tag ~ '^[0-9A-F]{8}$' THEN
        RETURN v_tag;
    END IF;
    SELECT a.tag INTO v_tag FROM dicomgw.attribute a WHERE a.keyword = attribute;
    IF FOUND THEN
        RETURN v_tag;
    END IF;
    SELECT string_agg(k.keyword, ', ') INTO v_similar
    FROM (SELECT a.keyword FROM dicomgw.attribute a
          WHERE lower(a.keyword) = lower(attribute)
             OR (attribute ~ '[A-Za-z0-9]' -- else every keyword would be like it
                 AND lower(a.keyword) LIKE '%' || lower(regexp_replace(attribute, '[^A-Za-z0-9]', '', 'g')) || '%')
          ORDER BY length(a.keyword), a.keyword LIMIT 3) k;
    RAISE EXCEPTION '"%" is neither the keyword nor the tag of a DICOM attribute', attribute
        USING ERRCODE = 'invalid_parameter_value',
              HINT = coalesce('Perhaps you meant: ' || v_similar || '.',
                              'Keywords are those of PS3.6, as PatientID; tags are written 0010,0020.');
END
$$;
COMMENT ON FUNCTION dicomgw.tag_of(text) IS
    'Tag as eight hexadecimal digits of an attribute given by keyword (PatientID) or tag (0010,0020); an error with suggestions if there is none';

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
