/*
 * De-identification after PS3.15 Annex E: the standard's table as data, and
 * what a profile needs beside it.
 */
CREATE TABLE dicomgw.deidentification_rule (
    tag                            text PRIMARY KEY,
    basic                          text NOT NULL,
    retain_uids                    text,
    retain_device_identity         text,
    retain_institution_identity    text,
    retain_patient_characteristics text,
    retain_full_dates              text,
    retain_modified_dates          text,
    clean_descriptors              text,
    clean_structured_content       text,
    clean_graphics                 text,
    name                           text NOT NULL
);
COMMENT ON TABLE dicomgw.deidentification_rule IS
    'Table E.1-1 of PS3.15, as data/ps3.15-e.1-1.csv of the source has it (it names its edition): what happens to each attribute';
COMMENT ON COLUMN dicomgw.deidentification_rule.tag IS 'eight hexadecimal digits; x stands for any of them: 60xx3000';
COMMENT ON COLUMN dicomgw.deidentification_rule.basic IS
    'action of the basic profile: X remove, Z zero length, D dummy value, U replace the UID; X/Z and the like: the first that the object''s IOD permits';
COMMENT ON COLUMN dicomgw.deidentification_rule.retain_uids IS 'instead, with the option Retain UIDs: K keep';
COMMENT ON COLUMN dicomgw.deidentification_rule.retain_device_identity IS 'instead, with the option Retain Device Identity';
COMMENT ON COLUMN dicomgw.deidentification_rule.retain_institution_identity IS 'instead, with the option Retain Institution Identity';
COMMENT ON COLUMN dicomgw.deidentification_rule.retain_patient_characteristics IS 'instead, with the option Retain Patient Characteristics; C: clean';
COMMENT ON COLUMN dicomgw.deidentification_rule.retain_full_dates IS
    'instead, with the option Retain Longitudinal Temporal Information with Full Dates';
COMMENT ON COLUMN dicomgw.deidentification_rule.retain_modified_dates IS
    'instead, with the option Retain Longitudinal Temporal Information with Modified Dates: C, moved by some days';
COMMENT ON COLUMN dicomgw.deidentification_rule.clean_descriptors IS 'instead, with the option Clean Descriptors: C, clean';
COMMENT ON COLUMN dicomgw.deidentification_rule.clean_structured_content IS 'with the option Clean Structured Content, which dicomgw does not offer';
COMMENT ON COLUMN dicomgw.deidentification_rule.clean_graphics IS 'with the option Clean Graphics, which dicomgw does not offer';
COMMENT ON COLUMN dicomgw.deidentification_rule.name IS 'of the attribute';

CREATE TABLE dicomgw.deidentification_dummy (
    vr    text PRIMARY KEY,
    value text NOT NULL,
    CONSTRAINT deidentification_dummy_vr_has_two_letters CHECK (vr ~ '^[A-Z]{2}$')
);
COMMENT ON TABLE dicomgw.deidentification_dummy IS 'What stands where the profile asks for a dummy value; a VR that is not here gets no value';
COMMENT ON COLUMN dicomgw.deidentification_dummy.vr IS 'value representation';
COMMENT ON COLUMN dicomgw.deidentification_dummy.value IS 'a value of it, in ASCII';
INSERT INTO dicomgw.deidentification_dummy VALUES
    ('AE', 'REMOVED'), ('AS', '000Y'), ('CS', 'REMOVED'), ('DA', '19000101'), ('DS', '0'), ('DT', '19000101'), ('FD', '0'),
    ('FL', '0'), ('IS', '0'), ('LO', 'REMOVED'), ('LT', 'REMOVED'), ('PN', 'REMOVED'), ('SH', 'REMOVED'), ('SL', '0'),
    ('SS', '0'), ('ST', 'REMOVED'), ('SV', '0'), ('TM', '000000'), ('UC', 'REMOVED'), ('UI', '2.25.0'), ('UL', '0'),
    ('US', '0'), ('UT', 'REMOVED'), ('UV', '0');

CREATE TABLE dicomgw.harmless_text (
    value text PRIMARY KEY
);
COMMENT ON TABLE dicomgw.harmless_text IS
    'Texts that the option Clean Descriptors keeps: what is not here, word by word, is treated as without the option';
COMMENT ON COLUMN dicomgw.harmless_text.value IS 'the whole value of an attribute, e.g. CHEST PA';

-- The table is filled by the part that the build puts behind this one.

-- The codes of CID 7050, and which column of the table an option is.
CREATE FUNCTION dicomgw._deidentification_options(OUT option text, OUT code text, OUT meaning text) RETURNS SETOF record
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT o.option, o.code, o.meaning
    FROM (VALUES
        ('clean_descriptors', '113105', 'Clean Descriptors Option'),
        ('retain_longitudinal_temporal_information_full_dates', '113106', 'Retain Longitudinal Temporal Information Full Dates Option'),
        ('retain_longitudinal_temporal_information_modified_dates', '113107', 'Retain Longitudinal Temporal Information Modified Dates Option'),
        ('retain_patient_characteristics', '113108', 'Retain Patient Characteristics Option'),
        ('retain_device_identity', '113109', 'Retain Device Identity Option'),
        ('retain_uids', '113110', 'Retain UIDs Option'),
        ('retain_institution_identity', '113112', 'Retain Institution Identity Option'),
        ('allow_burned_in', NULL, NULL)) o (option, code, meaning);
END;
COMMENT ON FUNCTION dicomgw._deidentification_options() IS
    'Edits: options of a de-identification, with their codes (PS3.16 CID 7050); allow_burned_in is ours';

-- No IOD is at hand: where the action depends on it, the one is taken that every IOD permits.
CREATE FUNCTION dicomgw._deidentification_action(p_code text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
RETURN CASE
    WHEN p_code = 'X' THEN 'remove'
    WHEN p_code IN ('Z', 'X/Z') THEN 'empty'
    WHEN p_code IN ('D', 'X/D', 'Z/D', 'X/Z/D') THEN 'dummy'
    WHEN p_code IN ('U', 'X/Z/U*') THEN 'uid'
    WHEN p_code = 'K' THEN 'keep'
END;
COMMENT ON FUNCTION dicomgw._deidentification_action(text) IS 'Edits: an action code of PS3.15 Table E.1-1a in the words of an edit plan';

CREATE FUNCTION dicomgw._deidentification_rules(p_options text[]) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH chosen AS (
        SELECT r.tag, dicomgw._deidentification_action(r.basic) AS basic,
               ARRAY[CASE WHEN 'retain_uids' = ANY (p_options) THEN r.retain_uids END,
                     CASE WHEN 'retain_device_identity' = ANY (p_options) THEN r.retain_device_identity END,
                     CASE WHEN 'retain_institution_identity' = ANY (p_options) THEN r.retain_institution_identity END,
                     CASE WHEN 'retain_patient_characteristics' = ANY (p_options) THEN r.retain_patient_characteristics END,
                     CASE WHEN 'retain_longitudinal_temporal_information_full_dates' = ANY (p_options) THEN r.retain_full_dates END] AS retained,
               CASE WHEN 'retain_longitudinal_temporal_information_modified_dates' = ANY (p_options) THEN r.retain_modified_dates END AS moved,
               CASE WHEN 'clean_descriptors' = ANY (p_options) THEN r.clean_descriptors END AS cleaned
        FROM dicomgw.deidentification_rule r WHERE r.tag >= '0008'
    ), dates AS (
        -- Those that the table does not name are dates all the same (E.3.6).
        SELECT CASE WHEN 'retain_longitudinal_temporal_information_full_dates' = ANY (p_options) THEN 'keep'
                    WHEN 'retain_longitudinal_temporal_information_modified_dates' = ANY (p_options) THEN 'shift:dummy'
                    ELSE 'dummy' END AS action
    )
    SELECT jsonb_object_agg(a.key, a.action)
    FROM (SELECT c.tag AS key,
                 CASE WHEN 'X' = ANY (c.retained) THEN 'remove'
                      WHEN 'K' = ANY (c.retained) THEN 'keep'
                      WHEN c.moved IS NOT NULL THEN 'shift:' || c.basic
                      WHEN 'C' = ANY (c.retained) OR c.cleaned IS NOT NULL THEN 'clean:' || c.basic
                      ELSE c.basic END AS action
          FROM chosen c
          UNION ALL
          SELECT v.vr, d.action FROM dates d, unnest('{DA,DT,TM}'::text[]) AS v(vr)
          UNION ALL
          -- What nobody can read nobody can clean.
          SELECT 'UN', 'remove') a;
END;
COMMENT ON FUNCTION dicomgw._deidentification_rules(text[]) IS
    'Edits: the basic profile with these options as the rules of an edit plan: {"tag, or a VR for what is not named": "action"}';
