/*
 * What a version of a route's edits comes to for one object: all that the
 * database has to evaluate, as the JSON that src/helper/edit_plan.h describes.
 */
CREATE FUNCTION dicomgw._header_elements(p_header jsonb, OUT path text[], OUT tag text, OUT vr text, OUT element jsonb)
RETURNS SETOF record
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH RECURSIVE e AS (
        SELECT '{}'::text[] AS path, k.key AS tag, k.value AS element FROM jsonb_each(p_header) k
        UNION ALL
        SELECT e.path || (e.tag || '#' || i.n), k.key, k.value
        FROM e
        CROSS JOIN LATERAL jsonb_array_elements(CASE WHEN e.element ->> 'vr' = 'SQ' THEN e.element -> 'Value' END)
            WITH ORDINALITY AS i(item, n)
        CROSS JOIN LATERAL jsonb_each(i.item) k
    )
    SELECT e.path, e.tag, e.element ->> 'vr', e.element FROM e;
END;
COMMENT ON FUNCTION dicomgw._header_elements(jsonb) IS 'Edits: all elements of a header at any depth; path: the sequences that it is in, each with the number of its item';

CREATE FUNCTION dicomgw._deidentify_steps(p_header jsonb, p_options text[], p_rules jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_who     text := (SELECT p.value FROM jsonb_each_text(dicomgw._pseudonyms('patient_id', ARRAY[dicomgw._patient_key(p_header)])) p);
    v_moved   boolean := 'retain_longitudinal_temporal_information_modified_dates' = ANY (p_options);
    v_full    boolean := 'retain_longitudinal_temporal_information_full_dates' = ANY (p_options);
    v_codes   jsonb;
    v_methods text;
BEGIN
    IF NOT 'allow_burned_in' = ANY (p_options) AND dicomgw.tag_value(p_header, '00280301') = 'YES' THEN
        RAISE EXCEPTION 'its pixel data has text burned in (Burned In Annotation is YES), and pixels are not cleaned';
    END IF;
    SELECT jsonb_agg(jsonb_build_object(
               '00080100', jsonb_build_object('vr', 'SH', 'value', c.code),
               '00080102', jsonb_build_object('vr', 'SH', 'value', 'DCM'),
               '00080104', jsonb_build_object('vr', 'LO', 'value', c.meaning)) ORDER BY c.code),
           'DICOM PS3.15 E.1 Table E.1-1\' || string_agg(c.code || ' ' || left(c.meaning, 57), '\' ORDER BY c.code)
    INTO v_codes, v_methods
    FROM (SELECT '113100' AS code, 'Basic Application Confidentiality Profile' AS meaning
          UNION ALL
          SELECT o.code, o.meaning FROM dicomgw._deidentification_options() o WHERE o.option = ANY (p_options) AND o.code IS NOT NULL) c;
    RETURN jsonb_build_array(
        jsonb_build_object('do', 'rules', 'rules', p_rules),
        jsonb_build_object('do', 'private', 'keep', '[]'::jsonb),
        jsonb_build_object('do', 'set', 'path', '["00100010"]'::jsonb, 'vr', 'PN', 'value', v_who),
        jsonb_build_object('do', 'set', 'path', '["00100020"]'::jsonb, 'vr', 'LO', 'value', v_who),
        jsonb_build_object('do', 'set', 'path', '["00120062"]'::jsonb, 'vr', 'CS', 'value', 'YES'),
        jsonb_build_object('do', 'set', 'path', '["00120063"]'::jsonb, 'vr', 'LO', 'value', v_methods),
        jsonb_build_object('do', 'set', 'path', '["00120064"]'::jsonb, 'vr', 'SQ', 'value', v_codes),
        jsonb_build_object('do', 'set', 'path', '["00280303"]'::jsonb, 'vr', 'CS',
                           'value', CASE WHEN v_full THEN 'UNMODIFIED' WHEN v_moved THEN 'MODIFIED' ELSE 'REMOVED' END));
END
$$;
COMMENT ON FUNCTION dicomgw._deidentify_steps(jsonb, text[], jsonb) IS
    'Edits: the steps of an edit plan for the Basic Application Level Confidentiality Profile with these options';

CREATE FUNCTION dicomgw._edit_steps(p_edit jsonb, p_instance_id bigint, p_header jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_action  text := p_edit ->> 'action';
    v_path    text[];
    v_vr      text;
    v_value   text := p_edit ->> 'value';
    v_problem text;
BEGIN
    IF v_action IN ('set', 'replace') THEN
        v_path := dicomgw._edit_path(p_edit ->> 'attribute');
        v_vr := (SELECT a.vr FROM dicomgw.attribute a WHERE a.tag = v_path[cardinality(v_path)]);
        IF p_edit ? 'expression' THEN
            v_value := dicomgw._edit_value(p_edit ->> 'expression', p_instance_id);
            v_problem := dicomgw._value_problem(v_vr, v_value);
            IF v_problem IS NOT NULL THEN
                RAISE EXCEPTION 'the expression for % gives an invalid value: %', p_edit ->> 'attribute', v_problem;
            END IF;
        END IF;
        RETURN jsonb_build_array(jsonb_strip_nulls(jsonb_build_object(
            'do', 'set', 'path', v_path, 'vr', v_vr, 'value', coalesce(v_value, ''), 'replace', v_action = 'replace')));
    END IF;
    RETURN CASE v_action
        WHEN 'remove' THEN jsonb_build_array(jsonb_build_object('do', 'remove', 'path', dicomgw._edit_path(p_edit ->> 'attribute')))
        WHEN 'keep_only' THEN jsonb_build_array(jsonb_build_object('do', 'keep_only', 'tags',
            (SELECT jsonb_agg((dicomgw._edit_path(a.attribute))[1]) FROM string_to_table(p_edit ->> 'attribute', '\') AS a(attribute))))
        WHEN 'map_uid' THEN jsonb_build_array(jsonb_build_object('do', 'rules', 'rules',
            (SELECT jsonb_object_agg(u.tag, 'uid')
             FROM (SELECT (dicomgw._edit_path(p_edit ->> 'attribute'))[1] AS tag WHERE p_edit ? 'attribute'
                   UNION ALL
                   SELECT r.tag FROM dicomgw.deidentification_rule r
                   WHERE NOT p_edit ? 'attribute' AND r.basic = 'U' AND r.tag >= '0008') u)))
        WHEN 'remove_private' THEN '[{"do": "private", "keep": []}]'::jsonb
        WHEN 'keep_private' THEN jsonb_build_array(jsonb_build_object('do', 'private', 'keep', string_to_array(p_edit ->> 'attribute', '\')))
        WHEN 'deidentify' THEN dicomgw._deidentify_steps(p_header, ARRAY(SELECT jsonb_array_elements_text(p_edit -> 'options')),
                                                            p_edit -> 'rules')
    END;
END
$$;
COMMENT ON FUNCTION dicomgw._edit_steps(jsonb, bigint, jsonb) IS 'Edits: one edit of a version as steps of the plan for this object';

CREATE FUNCTION dicomgw._edit_plan(p_instance_id bigint, p_edits jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET jit = off -- it takes longer than all else
AS $$
DECLARE
    v_header jsonb;
    v_error  text;
    v_days   text;
    v_plan   jsonb;
    v_clean  boolean := jsonb_path_exists(p_edits, '$[*].options[*] ? (@ == "clean_descriptors")');
BEGIN
    IF p_edits IS NULL THEN
        RAISE EXCEPTION 'its version of the edits of its route is missing';
    END IF;
    SELECT h.header, i.header_error INTO v_header, v_error
    FROM dicomgw.instance i
    LEFT JOIN dicomgw.instance_header h ON h.instance_id = i.id AND h.received_at = i.received_at
    WHERE i.id = p_instance_id;
    IF jsonb_path_exists(p_edits, '$[*] ? (exists(@.expression) || @.action == "map_uid" || @.action == "deidentify")') THEN
        IF v_header IS NULL THEN
            RAISE EXCEPTION 'the edits of its route need its header, which is not kept';
        ELSIF v_error IS NOT NULL THEN
            RAISE EXCEPTION 'the edits of its route need its header, which could not be read as a whole: %', v_error;
        END IF;
    END IF;
    SELECT jsonb_build_object('steps', coalesce(jsonb_agg(s.step ORDER BY e.n, s.n), '[]')) INTO v_plan
    FROM jsonb_array_elements(p_edits) WITH ORDINALITY AS e(edit, n)
    CROSS JOIN LATERAL jsonb_array_elements(dicomgw._edit_steps(e.edit, p_instance_id, v_header)) WITH ORDINALITY AS s(step, n);

    IF jsonb_path_exists(v_plan, '$.steps[*].rules.* ? (@ == "uid")') THEN
        v_plan := v_plan || jsonb_build_object('uids', dicomgw._pseudonyms('uid', ARRAY(
            SELECT DISTINCT u.uid
            FROM dicomgw._header_elements(v_header) h
            CROSS JOIN LATERAL jsonb_array_elements_text(h.element -> 'Value') AS u(uid)
            WHERE h.vr = 'UI' AND u.uid NOT LIKE '1.2.840.10008.%'
              AND EXISTS (SELECT FROM jsonb_array_elements(v_plan -> 'steps') s WHERE s -> 'rules' ->> h.tag = 'uid'))));
    END IF;
    IF jsonb_path_exists(v_plan, '$.steps[*].rules.* ? (@ starts with "shift")') THEN
        v_days := (SELECT p.value FROM jsonb_each_text(dicomgw._pseudonyms('date_shift', ARRAY[dicomgw._patient_key(v_header)])) p);
        v_plan := v_plan || jsonb_build_object('days', v_days::integer);
    END IF;
    IF v_clean THEN
        v_plan := v_plan || jsonb_build_object('clean', coalesce((
            SELECT jsonb_agg(DISTINCT t.value)
            FROM dicomgw._header_elements(v_header) h
            CROSS JOIN LATERAL jsonb_array_elements(h.element -> 'Value') AS v(value)
            JOIN dicomgw.harmless_text t ON jsonb_typeof(v.value) = 'string' AND t.value = v.value #>> '{}'
            WHERE h.vr <> 'SQ'), '[]'));
    END IF;
    RETURN v_plan || jsonb_build_object('dummies', (SELECT jsonb_object_agg(d.vr, d.value) FROM dicomgw.deidentification_dummy d));
END
$$;
COMMENT ON FUNCTION dicomgw._edit_plan(bigint, jsonb) IS
    'Edits: the plan (src/helper/edit_plan.h) that these edits come to for an object; an error if they can''t be made on it';

CREATE FUNCTION dicomgw._plan_of_job(p_instance_id bigint, p_destination_id integer, p_edit_version bigint, OUT plan text, OUT error text)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
BEGIN
    IF EXISTS (SELECT FROM dicomgw.destination d WHERE d.id = p_destination_id AND d.kind = 'dicomweb') THEN
        error := 'there are no edits for DICOMweb destinations';
        RETURN;
    END IF;
    BEGIN
        plan := dicomgw._edit_plan(p_instance_id, (SELECT v.edits FROM dicomgw.edit_version v WHERE v.id = p_edit_version))::text;
    EXCEPTION WHEN OTHERS THEN -- of this job alone: all others of the batch are sent
        error := SQLERRM;
    END;
END
$$;
COMMENT ON FUNCTION dicomgw._plan_of_job(bigint, integer, bigint) IS
    'Forwarder: the plan of a job that is to be edited, or why there is none: then it has failed';
