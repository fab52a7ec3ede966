/*
 * An entry of the audit log as a DICOM audit message (PS3.15 A.5.1, which
 * succeeds RFC 3881).  Markup is made by PostgreSQL's own XML functions, so whatever
 * a name holds is escaped; what XML 1.0 has no way to say is replaced first.
 */
CREATE FUNCTION dicomgw._audit_text(p_text text, p_length integer DEFAULT 1000) RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN CASE WHEN length(p_text) > p_length THEN left(c.text, p_length - 1) || chr(8230) ELSE c.text END
    FROM (SELECT regexp_replace(p_text, '[\u0001-\u001f\u007f-\u009f\ufdd0-\ufdef\ufffe\uffff]', chr(65533), 'g')) AS c(text);
END
$$;
COMMENT ON FUNCTION dicomgw._audit_text(text, integer) IS
    'Called for whatever goes into an audit message: without control characters and what else XML 1.0 has no way to say (U+FFFD instead), and cut if it is too long';

CREATE FUNCTION dicomgw._audit_base64(p_text text) RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN translate(encode(convert_to(left(p_text, 8000), 'UTF8'), 'base64'), E'\n', '');
END
$$;
COMMENT ON FUNCTION dicomgw._audit_base64(text) IS 'Called for details of an audit message: xsd:base64Binary of at most 8000 characters';

CREATE FUNCTION dicomgw._audit_coded(p_element text, p_code text) RETURNS xml
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN xmlparse(CONTENT replace(xmlelement(NAME "Coded", xmlattributes(c.code AS "csd-code", 'DCM' AS "codeSystemName", c.meaning AS "originalText"))::text,
                                    'Coded', p_element))
    FROM dicomgw.audit_code c WHERE c.code = p_code;
END
$$;
COMMENT ON FUNCTION dicomgw._audit_coded(text, text) IS 'Called for a coded element of an audit message: of this name, with this code; NULL: no code';

-- What the entry says in its own words, and its link of the chain: so that it is known elsewhere, too.
CREATE FUNCTION dicomgw._audit_details(p_entry dicomgw.audit_log, p_position bigint) RETURNS xml
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN xmlagg(xmlelement(NAME "ParticipantObjectDetail", xmlattributes(d.type AS "type", dicomgw._audit_base64(d.value) AS "value")) ORDER BY d.n)
    FROM (VALUES (1, 'action', p_entry.action),
                 (2, 'target', p_entry.target),
                 (3, 'details', nullif(p_entry.details, '{}')::text),
                 (4, 'details were cut', CASE WHEN length(p_entry.details::text) > 8000 THEN length(p_entry.details::text)::text END),
                 (5, 'application', p_entry.application),
                 (6, 'entry', p_entry.id::text),
                 (7, 'position', p_position::text),
                 (8, 'hash', (SELECT encode(c.hash, 'hex') FROM dicomgw.audit_chain c WHERE c.position = p_position))) AS d(n, type, value)
    WHERE d.value IS NOT NULL;
END
$$;
COMMENT ON FUNCTION dicomgw._audit_details(dicomgw.audit_log, bigint) IS
    'Called for an audit message: the entry itself as details of what it is about, with its link of audit_chain';

CREATE FUNCTION dicomgw._audit_object(p_kind text, p_target text, p_details xml) RETURNS xml
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_name CONSTANT text := dicomgw._audit_text(coalesce(p_target, 'gateway'));
BEGIN
    RETURN xmlelement(NAME "ParticipantObjectIdentification",
        xmlattributes(CASE p_kind WHEN 'user' THEN regexp_replace(v_name, '^(app )?user ', '') ELSE v_name END AS "ParticipantObjectID",
                      CASE p_kind WHEN 'user' THEN 1 ELSE 2 END AS "ParticipantObjectTypeCode",
                      CASE p_kind WHEN 'user' THEN 11 WHEN 'query' THEN 24 ELSE 13 END AS "ParticipantObjectTypeCodeRole"),
        CASE p_kind
            WHEN 'user' THEN '<ParticipantObjectIDTypeCode csd-code="11" codeSystemName="RFC-3881" originalText="User Identifier"/>'
            WHEN 'query' THEN '<ParticipantObjectIDTypeCode csd-code="10" codeSystemName="RFC-3881" originalText="Search Criteria"/>'
            ELSE '<ParticipantObjectIDTypeCode csd-code="12" codeSystemName="RFC-3881" originalText="URI"/>' END::xml,
        CASE p_kind WHEN 'query' THEN xmlelement(NAME "ParticipantObjectQuery", dicomgw._audit_base64(v_name))
                    ELSE xmlelement(NAME "ParticipantObjectName", v_name) END,
        p_details);
END
$$;
COMMENT ON FUNCTION dicomgw._audit_object(text, text, xml) IS
    'Called for an audit message: what it is about, a user, a query or a resource of the gateway';

-- The log has UIDs only; whose study it is, is looked up if the repository is to know.
CREATE FUNCTION dicomgw._audit_study(p_target text, p_patient boolean, p_details xml) RETURNS xml
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_study     text := substring(p_target FROM '\mstudy ([0-9.]{1,64})\M');
    v_object    CONSTANT text := substring(p_target FROM '\m(?:object|instance) ([0-9.]{1,64})\M');
    v_sop_class text;
    v_row       dicomgw.study;
BEGIN
    IF v_study IS NULL AND v_object IS NOT NULL THEN
        SELECT t.study_instance_uid, i.sop_class_uid INTO v_study, v_sop_class
        FROM dicomgw.instance i JOIN dicomgw.series s ON s.id = i.series_id JOIN dicomgw.study t ON t.id = s.study_id
        WHERE i.sop_instance_uid = v_object ORDER BY i.id DESC LIMIT 1;
        v_study := coalesce(v_study, 'unknown');
    END IF;
    IF v_study IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT * INTO v_row FROM dicomgw.study t WHERE t.study_instance_uid = v_study;
    RETURN xmlconcat(
        xmlelement(NAME "ParticipantObjectIdentification",
            xmlattributes(v_study AS "ParticipantObjectID", 2 AS "ParticipantObjectTypeCode", 3 AS "ParticipantObjectTypeCodeRole"),
            dicomgw._audit_coded('ParticipantObjectIDTypeCode', '110180'),
            xmlelement(NAME "ParticipantObjectName", 'study ' || v_study),
            p_details,
            CASE WHEN v_object IS NOT NULL THEN
                xmlelement(NAME "ParticipantObjectDescription",
                    xmlelement(NAME "SOPClass", xmlattributes(v_sop_class AS "UID", 1 AS "NumberOfInstances"),
                        xmlelement(NAME "Instance", xmlattributes(v_object AS "UID")))) END),
        CASE WHEN p_patient AND v_row.patient_id IS NOT NULL THEN
            xmlelement(NAME "ParticipantObjectIdentification",
                xmlattributes(dicomgw._audit_text(v_row.patient_id) AS "ParticipantObjectID", 1 AS "ParticipantObjectTypeCode",
                              1 AS "ParticipantObjectTypeCodeRole"),
                '<ParticipantObjectIDTypeCode csd-code="2" codeSystemName="RFC-3881" originalText="Patient Number"/>'::xml,
                xmlelement(NAME "ParticipantObjectName", dicomgw._audit_text(coalesce(v_row.patient_name, '')))) END);
END
$$;
COMMENT ON FUNCTION dicomgw._audit_study(text, boolean, xml) IS
    'Called for an audit message: the study that a target names, or whose object it names, and its patient; NULL: it names none';

CREATE FUNCTION dicomgw._audit_event(p_action text, p_target text) RETURNS dicomgw.audit_event
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_event dicomgw.audit_event;
BEGIN
    SELECT e.* INTO v_event FROM dicomgw.audit_event e
    WHERE e.action = p_action AND starts_with(coalesce(p_target, ''), e.subject) ORDER BY length(e.subject) DESC LIMIT 1;
    IF NOT FOUND THEN
        SELECT e.* INTO STRICT v_event FROM dicomgw.audit_event e WHERE e.action = '*';
    END IF;
    RETURN v_event;
END
$$;
COMMENT ON FUNCTION dicomgw._audit_event(text, text) IS 'Called for an audit message: what this action is in DICOM''s words';

CREATE FUNCTION dicomgw._audit_message(p_entry dicomgw.audit_log, p_position bigint, p_source text, p_site text, p_patient boolean)
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_event   CONSTANT dicomgw.audit_event := dicomgw._audit_event(p_entry.action, p_entry.target);
    v_details CONSTANT xml := dicomgw._audit_details(p_entry, p_position);
    v_study   CONSTANT xml := dicomgw._audit_study(p_entry.target, p_patient, CASE WHEN v_event.object = 'study' THEN v_details END);
    -- who could not sign in is who was said to be
    v_actor   CONSTANT text := dicomgw._audit_text(CASE WHEN p_entry.actor = '(nobody)' AND p_entry.target LIKE 'user %'
                                                        THEN substr(p_entry.target, 6) ELSE p_entry.actor END);
BEGIN
    RETURN '<?xml version="1.0" encoding="UTF-8"?>' || xmlelement(NAME "AuditMessage",
        xmlelement(NAME "EventIdentification",
            xmlattributes(v_event.action_code AS "EventActionCode",
                          to_char(p_entry.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "EventDateTime",
                          v_event.outcome AS "EventOutcomeIndicator"),
            dicomgw._audit_coded('EventID', v_event.event),
            dicomgw._audit_coded('EventTypeCode', v_event.event_type)),
        xmlelement(NAME "ActiveParticipant",
            xmlattributes(v_actor AS "UserID", p_entry.session_id AS "AlternativeUserID", true AS "UserIsRequestor",
                          host(p_entry.address) AS "NetworkAccessPointID",
                          CASE WHEN p_entry.address IS NOT NULL THEN 2 END AS "NetworkAccessPointTypeCode"),
            dicomgw._audit_coded('RoleIDCode', v_event.actor_role)),
        xmlelement(NAME "ActiveParticipant",
            xmlattributes(dicomgw._audit_text(p_source) AS "UserID", 'dicomgw' AS "UserName", false AS "UserIsRequestor"),
            dicomgw._audit_coded('RoleIDCode', v_event.gateway_role)),
        xmlelement(NAME "AuditSourceIdentification",
            xmlattributes(dicomgw._audit_text(p_site) AS "AuditEnterpriseSiteID", dicomgw._audit_text(p_source) AS "AuditSourceID"),
            '<AuditSourceTypeCode csd-code="4"/>'::xml),
        CASE WHEN v_event.object <> 'study' OR v_study IS NULL
             THEN dicomgw._audit_object(v_event.object, p_entry.target, v_details) END,
        v_study)::text;
END
$$;
COMMENT ON FUNCTION dicomgw._audit_message(dicomgw.audit_log, bigint, text, text, boolean) IS
    'Called for each entry that goes to an audit repository: its audit message, in XML (PS3.15 A.5.1)';
