/*
 * What an action of the audit log is in the words of DICOM (PS3.15 A.5.3,
 * codes of PS3.16 CID 400, 401, 402): data, so that it can be looked at, and so that
 * a test can find an action that was forgotten.
 */
CREATE TABLE dicomgw.audit_code (
    code    text PRIMARY KEY,
    meaning text NOT NULL
);
COMMENT ON TABLE dicomgw.audit_code IS 'The codes of DICOM (coding scheme DCM) that audit messages use';
COMMENT ON COLUMN dicomgw.audit_code.code IS 'code value';
COMMENT ON COLUMN dicomgw.audit_code.meaning IS 'code meaning, as in PS3.16 D';

INSERT INTO dicomgw.audit_code (code, meaning) VALUES
    ('110100', 'Application Activity'), ('110101', 'Audit Log Used'), ('110103', 'DICOM Instances Accessed'),
    ('110106', 'Export'), ('110112', 'Query'), ('110113', 'Security Alert'), ('110114', 'User Authentication'),
    ('110120', 'Application Start'), ('110122', 'Login'), ('110123', 'Logout'),
    ('110128', 'Network Configuration'), ('110129', 'Security Configuration'), ('110131', 'Software Configuration'),
    ('110132', 'Use of Restricted Function'), ('110137', 'User security Attributes Changed'),
    ('110150', 'Application'), ('110151', 'Application Launcher'), ('110152', 'Destination Role ID'), ('110153', 'Source Role ID'),
    ('110180', 'Study Instance UID');

CREATE TABLE dicomgw.audit_event (
    action       text,
    subject      text DEFAULT '',
    event        text NOT NULL REFERENCES dicomgw.audit_code,
    event_type   text REFERENCES dicomgw.audit_code,
    action_code  text NOT NULL,
    outcome      smallint NOT NULL DEFAULT 0,
    actor_role   text REFERENCES dicomgw.audit_code,
    gateway_role text NOT NULL DEFAULT '110150' REFERENCES dicomgw.audit_code,
    object       text NOT NULL,
    PRIMARY KEY (action, subject),
    CONSTRAINT audit_event_action_code_is_c_r_u_d_or_e CHECK (action_code IN ('C', 'R', 'U', 'D', 'E')),
    CONSTRAINT audit_event_outcome_is_0_4_8_or_12 CHECK (outcome IN (0, 4, 8, 12)),
    CONSTRAINT audit_event_object_is_user_resource_query_or_study CHECK (object IN ('user', 'resource', 'query', 'study'))
);
COMMENT ON TABLE dicomgw.audit_event IS
    'Which DICOM audit message an entry of audit_log becomes: the row of its action whose subject is the longest with which its target begins; without any, the row of action *';
COMMENT ON COLUMN dicomgw.audit_event.action IS 'audit_log.action; * stands for one that is not listed';
COMMENT ON COLUMN dicomgw.audit_event.subject IS 'with what audit_log.target begins; empty: with anything';
COMMENT ON COLUMN dicomgw.audit_event.event IS 'EventID (PS3.16 CID 400)';
COMMENT ON COLUMN dicomgw.audit_event.event_type IS 'EventTypeCode (PS3.16 CID 401); NULL: none';
COMMENT ON COLUMN dicomgw.audit_event.action_code IS 'EventActionCode: C create, R read, U update, D delete, E execute';
COMMENT ON COLUMN dicomgw.audit_event.outcome IS 'EventOutcomeIndicator: 0 success, 4 minor failure, 8 serious failure, 12 major failure';
COMMENT ON COLUMN dicomgw.audit_event.actor_role IS 'RoleIDCode (PS3.16 CID 402) of who did it; NULL: none';
COMMENT ON COLUMN dicomgw.audit_event.gateway_role IS 'RoleIDCode of the gateway';
COMMENT ON COLUMN dicomgw.audit_event.object IS
    'what the target is: a user, a resource of the gateway, a query (a list that was looked at), or a study; a study or object that the target names by its UID is in the message in any case';

INSERT INTO dicomgw.audit_event (action, subject, event, event_type, action_code, outcome, actor_role, gateway_role, object)
SELECT a.action, s.subject, g.event, g.event_type, g.action_code, g.outcome, g.actor_role, coalesce(g.gateway_role, '110150'), g.object
FROM (VALUES
    -- ---------- the gateway itself ----------
    ('start', '', '110100', '110120', 'E', 0, '110151', NULL, 'resource'),

    -- ---------- signing in, users, sessions ----------
    ('login', '', '110114', '110122', 'E', 0, NULL, NULL, 'user'),
    ('failed login', '', '110114', '110122', 'E', 4, NULL, NULL, 'user'),
    ('logout', '', '110114', '110123', 'E', 0, NULL, NULL, 'user'),
    ('change_password|reset_password|issue_token|revoke_session|revoke_sessions', '', '110113', '110137', 'U', 0, NULL, NULL, 'user'),
    ('failed change_password', '', '110113', '110137', 'U', 4, NULL, NULL, 'user'),
    ('rotate_secret', '', '110113', '110129', 'U', 0, NULL, NULL, 'resource'),
    ('insert', 'app user', '110113', '110137', 'C', 0, NULL, NULL, 'user'),
    ('update', 'app user', '110113', '110137', 'U', 0, NULL, NULL, 'user'),
    ('delete|truncate', 'app user', '110113', '110137', 'D', 0, NULL, NULL, 'user'),

    -- ---------- the configuration: of the network, of who may do what, of what is done ----------
    ('insert', 'listener|destination', '110113', '110128', 'C', 0, NULL, NULL, 'resource'),
    ('update', 'listener|destination', '110113', '110128', 'U', 0, NULL, NULL, 'resource'),
    ('delete|truncate', 'listener|destination', '110113', '110128', 'D', 0, NULL, NULL, 'resource'),
    ('insert', 'remote ae|destination secret|audit repository', '110113', '110129', 'C', 0, NULL, NULL, 'resource'),
    ('update', 'remote ae|destination secret|audit repository', '110113', '110129', 'U', 0, NULL, NULL, 'resource'),
    ('delete|truncate', 'remote ae|destination secret|audit repository', '110113', '110129', 'D', 0, NULL, NULL, 'resource'),
    ('insert', '', '110113', '110131', 'C', 0, NULL, NULL, 'resource'),
    ('update', '', '110113', '110131', 'U', 0, NULL, NULL, 'resource'),
    ('delete|truncate', '', '110113', '110131', 'D', 0, NULL, NULL, 'resource'),
    ('revert', '', '110113', '110131', 'U', 0, NULL, NULL, 'resource'),
    ('pause|resume', '', '110113', '110128', 'U', 0, NULL, NULL, 'resource'),
    ('delete_destination', '', '110113', '110128', 'D', 0, NULL, NULL, 'resource'),
    ('set_credentials', '', '110113', '110129', 'U', 0, NULL, NULL, 'resource'),

    -- ---------- the queue ----------
    ('retry|cancel|set_priority|move|replay|complete_study|route_again|abort_association|start replay|start retry|start cancel|start set_priority|start move|cancel task|start check_storage', '', '110113', '110132', 'E', 0, NULL, NULL, 'resource'),

    -- ---------- patients' data ----------
    ('view', '', '110103', NULL, 'R', 0, '110152', '110153', 'study'),
    ('view', 'list', '110112', NULL, 'E', 0, '110153', '110152', 'query'),
    ('view', 'audit', '110101', NULL, 'R', 0, NULL, NULL, 'resource'),
    ('export', '', '110106', NULL, 'R', 0, '110152', '110153', 'study'),

    ('*', '', '110113', '110132', 'E', 0, NULL, NULL, 'resource')
) AS g(actions, subjects, event, event_type, action_code, outcome, actor_role, gateway_role, object)
CROSS JOIN regexp_split_to_table(g.actions, '\|') AS a(action)
CROSS JOIN regexp_split_to_table(g.subjects, '\|') AS s(subject);
