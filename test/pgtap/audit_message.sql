-- The audit log as DICOM audit messages: what each action becomes, and that whatever a name
-- holds the message is XML.

\set ON_ERROR_STOP 1
SET client_min_messages = error;
CREATE EXTENSION pgtap;
CREATE EXTENSION dicomgw;
BEGIN;
SELECT no_plan();

CREATE FUNCTION pg_temp.message(p_action text, p_target text, p_details jsonb DEFAULT '{}', p_actor text DEFAULT 'ann', p_application text DEFAULT 'psql')
RETURNS xml LANGUAGE sql AS $$
    SELECT xmlparse(DOCUMENT dicomgw._audit_message(
        ROW(7, '2026-11-25 14:00:00+00', p_actor, NULL, '192.0.2.1', p_application, p_action, p_target, p_details)::dicomgw.audit_log,
        3, 'gateway', 'site', true)) $$;
CREATE FUNCTION pg_temp.find(p_message xml, p_path text) RETURNS text LANGUAGE sql AS $$
    SELECT array_to_string(xpath(p_path, p_message)::text[], ',') $$;
CREATE FUNCTION pg_temp.event(p_action text, p_target text) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', pg_temp.find(m, '/AuditMessage/EventIdentification/EventID/@csd-code'),
                     nullif(pg_temp.find(m, '/AuditMessage/EventIdentification/EventTypeCode/@csd-code'), ''),
                     pg_temp.find(m, '/AuditMessage/EventIdentification/@EventActionCode'),
                     pg_temp.find(m, '/AuditMessage/EventIdentification/@EventOutcomeIndicator'))
    FROM pg_temp.message(p_action, p_target) m $$;

-- ---------- what each action becomes ----------

SELECT is(pg_temp.event(action, target), event, action || ' ' || target)
FROM (VALUES
    ('start', 'gateway', '110100 110120 E 0'),
    ('login', 'user ann', '110114 110122 E 0'), ('failed login', 'user ann', '110114 110122 E 4'), ('logout', 'user ann', '110114 110123 E 0'),
    ('change_password', 'user ann', '110113 110137 U 0'), ('failed change_password', 'user ann', '110113 110137 U 4'),
    ('reset_password', 'user ann', '110113 110137 U 0'), ('issue_token', 'user ann', '110113 110137 U 0'),
    ('revoke_session', 'user ann', '110113 110137 U 0'), ('revoke_sessions', 'user ann', '110113 110137 U 0'),
    ('rotate_secret', '', '110113 110129 U 0'),
    ('insert', 'app user ann', '110113 110137 C 0'), ('update', 'app user ann', '110113 110137 U 0'), ('delete', 'app user ann', '110113 110137 D 0'),
    ('insert', 'destination pacs', '110113 110128 C 0'), ('update', 'listener main', '110113 110128 U 0'), ('delete', 'destination pacs', '110113 110128 D 0'),
    ('insert', 'remote ae CT1', '110113 110129 C 0'), ('update', 'destination secret 1', '110113 110129 U 0'),
    ('delete', 'audit repository arr', '110113 110129 D 0'), ('truncate', 'audit repository', '110113 110129 D 0'),
    ('insert', 'route all', '110113 110131 C 0'), ('update', 'route edit x', '110113 110131 U 0'), ('truncate', 'harmless text', '110113 110131 D 0'),
    ('revert', 'route all', '110113 110131 U 0'), ('pause', 'destination pacs', '110113 110128 U 0'), ('resume', 'destination pacs', '110113 110128 U 0'),
    ('delete_destination', 'destination pacs', '110113 110128 D 0'), ('set_credentials', 'destination pacs', '110113 110129 U 0'),
    ('view', 'study 1.2.3', '110103 R 0'), ('view', 'list of studies', '110112 E 0'), ('view', 'audit log', '110101 R 0'),
    ('export', 'object 1.2.3', '110106 R 0')) AS t(action, target, event);
SELECT is(pg_temp.event(action, 'job 1'), '110113 110132 E 0', action)
FROM unnest('{retry,cancel,set_priority,move,replay,complete_study,route_again,abort_association,start replay,start retry,start cancel,
              start set_priority,start move,start check_storage,cancel task,an action of a later version}'::text[]) AS action;

SELECT is_empty($$
    SELECT p.proname, a.action[1]
    FROM pg_proc p, regexp_matches(p.prosrc, '_audit\(''([^'']*[^ ''])''', 'g') AS a(action)
    WHERE p.pronamespace = 'dicomgw'::regnamespace AND a.action[1] <> '*'
      AND NOT EXISTS (SELECT FROM dicomgw.audit_event e WHERE e.action = a.action[1]) $$, 'no action was forgotten');
SELECT bag_eq($$ SELECT action FROM unnest('{start replay,start retry,start cancel,start set_priority,start move,start check_storage,cancel task}'::text[]) action $$,
              $$ SELECT action FROM dicomgw.audit_event WHERE action LIKE 'start _%' OR action = 'cancel task' $$, 'tasks are in the table');

-- ---------- who, where, what ----------

SELECT unnest(ARRAY[is(pg_temp.find(m, '//ActiveParticipant[1]/@UserID'), 'ann', 'who'),
       is(pg_temp.find(m, '//ActiveParticipant[1]/@NetworkAccessPointID'), '192.0.2.1', 'from where'),
       is(pg_temp.find(m, '//AuditSourceIdentification/@AuditSourceID'), 'gateway', 'where'),
       is(pg_temp.find(m, '//EventIdentification/@EventDateTime'), '2026-11-25T14:00:00.000000Z', 'when'),
       is(convert_from(decode(pg_temp.find(m, '//ParticipantObjectDetail[@type="details"]/@value'), 'base64'), 'UTF8'), '{"n": 1}', 'with what')])
FROM pg_temp.message('retry', 'job 1', '{"n": 1}') m;
SELECT is(pg_temp.find(pg_temp.message('failed login', 'user bob', '{}', '(nobody)'), '//ActiveParticipant[1]/@UserID'), 'bob',
          'who could not sign in is who was said to be');
SELECT is(pg_temp.find(pg_temp.message('view', 'study 1.2.3'), '//ParticipantObjectIdentification/@ParticipantObjectID'), '1.2.3', 'a study by its UID');

-- ---------- hostile text ----------

SELECT lives_ok(format('SELECT pg_temp.message(%1$L, %1$L, jsonb_build_object(%1$L, %1$L), %1$L, %1$L)', t), 'still XML: ' || left(n, 40))
FROM (VALUES ('markup', '<a b="c">&''"]]></AuditMessage><!--'), ('an entity', '&#0;&lol;<!DOCTYPE x [<!ENTITY lol "lol">]>'), ('long', repeat('<', 100000)),
             ('white space', E' \t\r\n '), ('empty', ''), ('a processing instruction', '<?xml version="1.0"?>'),
             ('wide', repeat(chr(128512), 20000))) AS h(n, t);
SELECT is_empty($$
    SELECT c FROM (SELECT generate_series(1, 55295) UNION ALL SELECT generate_series(57344, 66000) UNION ALL SELECT generate_series(66000, 1114111, 997)
                   UNION ALL SELECT 1114111) AS t(c)
    WHERE NOT xml_is_well_formed_document('<a>' || xmlelement(NAME x, dicomgw._audit_text(chr(c)))::text || '</a>') $$, 'every character goes, or is replaced');
SELECT is(pg_temp.find(pg_temp.message('retry', '<job> & "1"'), '//ParticipantObjectName/text()'), '&lt;job&gt; &amp; "1"', 'markup is text');
SELECT ok(octet_length(pg_temp.message('retry', repeat(chr(128512), 20000), jsonb_build_object('x', repeat(chr(128512), 20000)), repeat(chr(128512), 2000),
                                       repeat(chr(128512), 20000))::text) < 180000, 'a message has an upper bound');

-- ---------- the repository ----------

SELECT throws_ok($$ INSERT INTO dicomgw.audit_repository (name, host, tls) VALUES ('a', 'h', 'off') $$, '23514', NULL, 'no patient data without TLS');
INSERT INTO dicomgw.audit_repository (id, name, host) VALUES (71, 'arr', 'arr.example');
SET CONSTRAINTS ALL IMMEDIATE;
SELECT results_eq($$ SELECT v_position, v_priority FROM dicomgw._audit_records(71, 0) $$, $$ VALUES (1::bigint, 85) $$, 'its own entry is the first to be sent');
SELECT dicomgw._audit_failed(71, 'no');
SELECT dicomgw._audit_failed(71, 'still no');
SELECT is((SELECT (connected, waiting, failures, next_attempt_at - now(), last_error)::text FROM dicomgw.audit_export_status), '(f,1,2,00:00:02,"still no")', 'failed attempts');
SELECT dicomgw._audit_delivered(71, 1);
SELECT is((SELECT (connected, waiting, failures, next_attempt_at, last_id)::text FROM dicomgw.audit_export_status), '(t,0,0,,1)', 'and a success');
SELECT is_empty('SELECT dicomgw._audit_delivered(72, 1) FROM dicomgw.audit_export WHERE repository = 72', 'one that was deleted meanwhile');

SELECT * FROM finish();
ROLLBACK;
