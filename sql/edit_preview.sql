/*
 * What a route's edits would make of an object, without sending it: the plan
 * (sql/edit_plan.sql) followed on the header, as src/helper/edit_plan.cpp
 * follows it on the dataset.
 */
CREATE FUNCTION dicomgw._element_text(p_element jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
RETURN CASE
    WHEN p_element ->> 'vr' = 'SQ' THEN format('%s item(s)', coalesce(jsonb_array_length(p_element -> 'Value'), 0))
    WHEN p_element ->> 'vr' IN ('OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'UN') THEN '(bulk data)'
    ELSE (SELECT coalesce(string_agg(coalesce(CASE jsonb_typeof(v.value) WHEN 'object' THEN v.value ->> 'Alphabetic' ELSE v.value #>> '{}' END, ''), '\' ORDER BY v.n), '')
          FROM jsonb_array_elements(p_element -> 'Value') WITH ORDINALITY AS v(value, n))
END;
COMMENT ON FUNCTION dicomgw._element_text(jsonb) IS 'Edits: an element of a header in words: its values, parted by backslashes';

CREATE FUNCTION dicomgw._tag_matches(p_pattern text, p_tag text, p_creator text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
RETURN p_tag ~ ('^' || replace(left(p_pattern, 8), 'x', '.') || '$') AND (length(p_pattern) = 8 OR substr(p_pattern, 10) = p_creator);
COMMENT ON FUNCTION dicomgw._tag_matches(text, text, text) IS 'Edits: is this tag meant by a pattern of an edit plan?';

CREATE FUNCTION dicomgw._plan_rule(p_rules jsonb, p_tag text, p_vr text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
RETURN coalesce(
    p_rules ->> p_tag,
    (SELECT r.value FROM jsonb_each_text(p_rules) r WHERE r.key LIKE '%x%' AND dicomgw._tag_matches(r.key, p_tag, '') LIMIT 1),
    CASE WHEN p_tag !~ '^...[13579BDF]' THEN p_rules ->> p_vr END,
    'keep');
COMMENT ON FUNCTION dicomgw._plan_rule(jsonb, text, text) IS 'Edits: what the rules of a step say of an element';

-- what: absent, raw, given; rule: of what is raw; value: of what is given.
CREATE FUNCTION dicomgw._edit_decision(
    p_plan jsonb, p_parents text[], p_tag text, p_vr text, p_creator text, p_present boolean,
    OUT what text, OUT rule text, OUT given jsonb)
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_step    jsonb;
    v_path    text[];
    v_rule    text;
    v_private boolean := p_tag ~ '^...[13579BDF]';
    v_changed boolean;
BEGIN
    what := CASE WHEN p_present THEN 'raw' ELSE 'absent' END;
    rule := 'keep';
    FOR v_step IN SELECT jsonb_array_elements(p_plan -> 'steps') LOOP
        IF v_step ->> 'do' IN ('set', 'remove') THEN
            v_path := ARRAY(SELECT jsonb_array_elements_text(v_step -> 'path'));
            CONTINUE WHEN NOT (dicomgw._tag_matches(v_path[cardinality(v_path)], p_tag, p_creator)
                               AND (v_path[1] = '*' OR trim_array(v_path, 1) = p_parents));
            IF v_step ->> 'do' = 'remove' THEN
                what := 'absent';
                rule := 'keep';
            ELSIF what <> 'absent' OR NOT coalesce((v_step ->> 'replace')::boolean, false) THEN
                what := 'given';
                rule := 'keep';
                given := v_step;
            END IF;
        ELSIF v_step ->> 'do' = 'keep_only' THEN
            IF p_parents = '{}' AND p_tag NOT IN ('00080005', '00080016', '00080018', '0020000D', '0020000E') AND p_tag !~ '^(0028|7FE0)'
               AND NOT EXISTS (SELECT FROM jsonb_array_elements_text(v_step -> 'tags') t WHERE dicomgw._tag_matches(t, p_tag, '')) THEN
                what := 'absent';
                rule := 'keep';
            END IF;
        ELSIF v_step ->> 'do' = 'private' THEN
            IF v_private AND NOT (v_step -> 'keep') ? coalesce(p_creator, '') THEN
                what := 'absent';
                rule := 'keep';
            END IF;
        ELSIF what <> 'absent' THEN
            v_rule := dicomgw._plan_rule(v_step -> 'rules', p_tag, p_vr);
            v_changed := what = 'given' OR rule <> 'keep';
            IF v_changed AND v_rule ~ '^(shift|clean)' THEN
                v_rule := split_part(v_rule, ':', 2);
            END IF;
            CONTINUE WHEN v_rule = 'keep' OR (v_changed AND v_rule = 'uid');
            what := CASE WHEN v_rule = 'remove' THEN 'absent' ELSE 'raw' END;
            rule := CASE WHEN v_rule = 'remove' THEN 'keep' ELSE v_rule END;
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION dicomgw._edit_decision(jsonb, text[], text, text, text, boolean) IS 'Edits: what a plan does with an element: all its steps, one after the other';

CREATE FUNCTION dicomgw._edited_text(p_plan jsonb, p_element jsonb, INOUT rule text, OUT after text)
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_vr     text := p_element ->> 'vr';
    v_text   text := dicomgw._element_text(p_element);
    v_values text[] := string_to_array(v_text, '\');
BEGIN
    IF rule ~ '^shift' THEN
        IF v_vr = 'TM' THEN
            after := v_text;
        ELSIF v_vr IN ('DA', 'DT') AND NOT EXISTS (
            SELECT FROM unnest(v_values) AS v(value)
            WHERE v.value !~ (CASE v_vr WHEN 'DA' THEN '^([0-9]{8})?$' ELSE '^([0-9]{8}.*)?$' END)
               OR (v.value <> '' AND to_char(to_date(left(v.value, 8), 'YYYYMMDD'), 'YYYYMMDD') <> left(v.value, 8))) THEN
            after := (SELECT coalesce(string_agg(CASE WHEN v.value = '' THEN '' ELSE
                                 to_char(to_date(left(v.value, 8), 'YYYYMMDD') + (p_plan ->> 'days')::integer, 'YYYYMMDD') || substr(v.value, 9) END,
                                 '\' ORDER BY v.n), '')
                      FROM unnest(v_values) WITH ORDINALITY AS v(value, n));
        END IF;
    ELSIF rule ~ '^clean' THEN
        IF v_vr NOT IN ('SQ', 'PN', 'OB', 'OW', 'UN') AND NOT EXISTS (
            SELECT FROM unnest(CASE WHEN v_vr IN ('LT', 'ST', 'UT', 'UR') THEN ARRAY[v_text] ELSE v_values END) AS v(value)
            WHERE v.value <> '' AND NOT (p_plan -> 'clean') ? v.value) THEN
            after := v_text;
        END IF;
    ELSIF rule = 'uid' THEN
        after := (SELECT coalesce(string_agg(CASE WHEN v.value = '' OR v.value LIKE '1.2.840.10008.%' THEN v.value
                                                  ELSE coalesce(p_plan -> 'uids' ->> v.value, '') END, '\' ORDER BY v.n), '')
                  FROM unnest(v_values) WITH ORDINALITY AS v(value, n));
    ELSIF rule = 'dummy' THEN
        after := coalesce(p_plan -> 'dummies' ->> v_vr, '');
    ELSIF rule = 'empty' THEN
        after := '';
    ELSIF rule = 'keep' THEN
        after := v_text;
    END IF;
    IF after IS NULL AND rule <> 'remove' THEN
        SELECT e.rule, e.after INTO rule, after FROM dicomgw._edited_text(p_plan, p_element, split_part(rule, ':', 2)) e;
    END IF;
END
$$;
COMMENT ON FUNCTION dicomgw._edited_text(jsonb, jsonb, text) IS
    'Edits: what a rule makes of an element; and which rule it was in the end, as a date may be none, and a text not be known as harmless';

CREATE FUNCTION dicomgw._preview_level(p_plan jsonb, p_level jsonb, p_path text, p_parents text[], p_dummies boolean)
RETURNS TABLE (tag text, keyword text, before text, after text, action text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v       record;
    d       record;
    v_item  record;
    v_rule  text;
    v_after text;
BEGIN
    FOR v IN
        SELECT l.key AS tag, l.element, a.keyword, true AS present,
               CASE WHEN l.key ~ '^...[13579BDF]00[1-9A-F]' THEN l.element -> 'Value' ->> 0
                    ELSE p_level -> (left(l.key, 4) || '00' || substr(l.key, 5, 2)) -> 'Value' ->> 0 END AS creator
        FROM jsonb_each(p_level) AS l(key, element) LEFT JOIN dicomgw.attribute a ON a.tag = l.key
        UNION ALL
        SELECT DISTINCT s.step -> 'path' ->> -1, NULL::jsonb, a.keyword, false, NULL
        FROM jsonb_array_elements(p_plan -> 'steps') AS s(step) LEFT JOIN dicomgw.attribute a ON a.tag = s.step -> 'path' ->> -1
        WHERE s.step ->> 'do' = 'set' AND NOT coalesce((s.step ->> 'replace')::boolean, false)
          AND trim_array(ARRAY(SELECT jsonb_array_elements_text(s.step -> 'path')), 1) = p_parents
          AND NOT p_level ? (s.step -> 'path' ->> -1)
        ORDER BY 1
    LOOP
        SELECT * INTO d FROM dicomgw._edit_decision(p_plan, p_parents, v.tag, v.element ->> 'vr', v.creator, v.present);
        CONTINUE WHEN d.what <> 'given' AND NOT v.present;
        tag := p_path || v.tag;
        keyword := v.keyword;
        before := CASE WHEN v.present THEN dicomgw._element_text(v.element) END;
        IF d.what = 'given' THEN
            after := CASE jsonb_typeof(d.given -> 'value') WHEN 'array' THEN format('%s item(s)', jsonb_array_length(d.given -> 'value'))
                          ELSE d.given ->> 'value' END;
            action := CASE WHEN v.present THEN 'replaced' ELSE 'added' END;
            RETURN NEXT;
            CONTINUE;
        END IF;
        v_rule := CASE WHEN d.what = 'absent' THEN 'remove'
                       WHEN p_dummies AND v.tag <> '00080005' AND d.rule <> 'uid' THEN 'dummy' ELSE d.rule END;
        IF v.element ->> 'vr' = 'SQ' AND v_rule ~ '^(shift|clean)' THEN
            v_rule := split_part(v_rule, ':', 2);
        END IF;
        IF v.element ->> 'vr' = 'SQ' AND v_rule NOT IN ('remove', 'empty') THEN
            action := NULL;
            after := before;
            RETURN NEXT;
            FOR v_item IN SELECT i.item, i.n FROM jsonb_array_elements(v.element -> 'Value') WITH ORDINALITY AS i(item, n) LOOP
                RETURN QUERY SELECT * FROM dicomgw._preview_level(p_plan, v_item.item, format('%s%s[%s]/', p_path, v.tag, v_item.n),
                                                                  p_parents || v.tag, p_dummies OR v_rule = 'dummy');
            END LOOP;
            CONTINUE;
        END IF;
        SELECT e.rule, e.after INTO v_rule, v_after FROM dicomgw._edited_text(p_plan, v.element, v_rule) e;
        after := CASE WHEN v_rule <> 'remove' THEN CASE WHEN v.element ->> 'vr' = 'SQ' THEN '0 item(s)' ELSE v_after END END;
        action := CASE WHEN v_rule = 'remove' THEN 'removed' WHEN after IS DISTINCT FROM before THEN
                       CASE split_part(v_rule, ':', 1) WHEN 'empty' THEN 'emptied' WHEN 'dummy' THEN 'dummy value' WHEN 'uid' THEN 'pseudonym'
                                                       WHEN 'shift' THEN 'date moved' ELSE v_rule END END;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION dicomgw._preview_level(jsonb, jsonb, text, text[], boolean) IS 'Edits: the preview of a header or an item of it';

CREATE FUNCTION dicomgw.preview_edits(instance_id bigint, route text)
RETURNS TABLE (tag text, keyword text, before text, after text, action text)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
    v_version bigint := dicomgw._edits_of_route(preview_edits.route);
    v_plan    jsonb;
    v_header  jsonb;
BEGIN
    SELECT h.header INTO v_header
    FROM dicomgw.instance i JOIN dicomgw.instance_header h ON h.instance_id = i.id AND h.received_at = i.received_at
    WHERE i.id = preview_edits.instance_id;
    IF v_header IS NULL THEN
        RAISE EXCEPTION 'the header of object % is not kept', instance_id USING ERRCODE = 'PT404';
    END IF;
    v_plan := dicomgw._edit_plan(preview_edits.instance_id, (SELECT v.edits FROM dicomgw.edit_version v WHERE v.id = v_version));
    RETURN QUERY SELECT p.* FROM dicomgw._preview_level(v_plan, v_header, '', '{}', false) p;
END
$$;
COMMENT ON FUNCTION dicomgw.preview_edits(bigint, text) IS
    'What the edits of a route would make of an object, element by element, without sending it. Of what the header has: action is NULL where nothing changes; items of sequences stand as 00400275[1]/00400009. Pseudonyms that it needs are made, and stay';
