--
-- Reading headers: DICOM JSON (PS3.18 F.2) as jsonb.  What a sender wrote there is
-- never a reason for an error: it has a value, or none.
--
SET client_min_messages = error;
CREATE EXTENSION dicomgw;
RESET client_min_messages;
SET datestyle = 'ISO, YMD';
\pset null '<NULL>'
\set SHOW_CONTEXT never

-- ---------- tag_of() ----------

SELECT a AS attribute, dicomgw.tag_of(a) AS tag
FROM unnest(ARRAY['PatientID', '0010,0020', '(0010,0020)', '00100020', '7fe0,0010', 'SOPInstanceUID', '0009,1001', NULL]) AS a;
SELECT dicomgw.tag_of('patientid');
SELECT dicomgw.tag_of('Patient Name');
SELECT dicomgw.tag_of('0010-0020');
SELECT dicomgw.tag_of('0010,0020,');
SELECT dicomgw.tag_of('');
SELECT dicomgw.tag_of('%');

-- ---------- tag_value(): the first value as text ----------

SELECT what, dicomgw.tag_value(header, '00100010') AS value
FROM (VALUES
    (1, 'a text', '{"00100010": {"vr": "LO", "Value": ["x"]}}'),
    (2, 'the first of several', '{"00100010": {"vr": "LO", "Value": ["x", "y"]}}'),
    (3, 'a person name', '{"00100010": {"vr": "PN", "Value": [{"Alphabetic": "Yamada^Tarou"}]}}'),
    (4, 'in all three representations', '{"00100010": {"vr": "PN", "Value": [{"Alphabetic": "Yamada^Tarou", "Ideographic": "山田^太郎", "Phonetic": "やまだ^たろう"}]}}'),
    (5, 'beyond ASCII', '{"00100010": {"vr": "PN", "Value": [{"Alphabetic": "Äneas^Rüdiger"}]}}'),
    (6, 'without an alphabetic one', '{"00100010": {"vr": "PN", "Value": [{"Ideographic": "山田^太郎"}]}}'),
    (7, 'a number', '{"00100010": {"vr": "US", "Value": [512]}}'),
    (8, 'a decimal number', '{"00100010": {"vr": "DS", "Value": [0.50]}}'),
    (9, 'a large number', '{"00100010": {"vr": "UV", "Value": [18446744073709551615]}}'),
    (10, 'a boolean, which DICOM has not', '{"00100010": {"vr": "XX", "Value": [true]}}'),
    (11, 'an empty text', '{"00100010": {"vr": "LO", "Value": [""]}}'),
    (12, 'null', '{"00100010": {"vr": "LO", "Value": [null]}}'),
    (13, 'null before a value', '{"00100010": {"vr": "LO", "Value": [null, "y"]}}'),
    (14, 'no value', '{"00100010": {"vr": "LO"}}'),
    (15, 'an empty list', '{"00100010": {"vr": "LO", "Value": []}}'),
    (16, 'missing', '{"00100020": {"vr": "LO", "Value": ["x"]}}'),
    (17, 'an empty header', '{}'),
    (18, 'Value is no list', '{"00100010": {"vr": "LO", "Value": "x"}}'),
    (19, 'Value is an object', '{"00100010": {"vr": "LO", "Value": {"0": "x"}}}'),
    (20, 'a list in the list', '{"00100010": {"vr": "LO", "Value": [["x"]]}}'),
    (21, 'a sequence', '{"00100010": {"vr": "SQ", "Value": [{"00100020": {"vr": "LO", "Value": ["x"]}}]}}'),
    (22, 'Alphabetic is an object', '{"00100010": {"vr": "PN", "Value": [{"Alphabetic": {}}]}}'),
    (23, 'the attribute is a text', '{"00100010": "x"}'),
    (24, 'the attribute is null', '{"00100010": null}'),
    (25, 'the attribute is a list', '{"00100010": ["Value"]}'),
    (26, 'the header is a list', '["00100010"]'),
    (27, 'the header is a list of objects', '[{"00100010": {"Value": ["x"]}}]'),
    (28, 'the header is a text', '"00100010"'),
    (29, 'the header is null', 'null'),
    (30, 'no header', NULL)
) AS h(n, what, json) CROSS JOIN LATERAL (SELECT json::jsonb AS header) j
ORDER BY n;

SELECT dicomgw.tag_value('{"0020000D": {"Value": ["1.2.3"]}}', '0020000D') AS upper_case,
       dicomgw.tag_value('{"0020000D": {"Value": ["1.2.3"]}}', '0020000d') AS lower_case,
       dicomgw.tag_value('{"0020000D": {"Value": ["1.2.3"]}}', '') AS no_tag,
       dicomgw.tag_value('{"0020000D": {"Value": ["1.2.3"]}}', NULL) AS null_tag;
-- one that is long enough to be compressed and moved out of line
CREATE TEMPORARY TABLE long (header jsonb);
INSERT INTO long SELECT jsonb_build_object('00100020', '{"vr": "LO", "Value": ["4711"]}'::jsonb,
    '00104000', jsonb_build_object('vr', 'LT', 'Value', jsonb_build_array(string_agg(md5(i::text), ''))))
FROM generate_series(1, 500) i;
SELECT dicomgw.tag_value(header, '00100020') AS id, length(dicomgw.tag_value(header, '00104000')) AS length,
       (dicomgw.header_attributes(header)).patient_id FROM long;

-- ---------- tag() ----------

SELECT dicomgw.tag('{"00100020": {"Value": ["4711"]}}', 'PatientID') AS keyword,
       dicomgw.tag('{"00100020": {"Value": ["4711"]}}', '0010,0020') AS tag,
       dicomgw.tag(NULL, 'PatientID') AS no_header, dicomgw.tag('{}', 'PatientID') AS missing;
SELECT dicomgw.tag('{}', 'PatientId');
SELECT dicomgw.tag('{}', 'PatientWeigth');
SELECT dicomgw.tag('{}', repeat('Patient', 100));

-- ---------- paths, several values, and what is like what ----------

CREATE TEMPORARY TABLE nested AS SELECT '{
    "00080008": {"vr": "CS", "Value": ["ORIGINAL", null, "PRIMARY ", " Axial"]},
    "00081030": {"vr": "LO", "Value": ["CT Thorax Ä"]},
    "00400275": {"vr": "SQ", "Value": [
        {"00400007": {"vr": "LO", "Value": ["first"]}},
        {},
        {"00400007": {"vr": "LO", "Value": ["third"]}, "00400009": {"vr": "SH", "Value": ["STEP 3", "STEP 4"]},
         "00400008": {"vr": "SQ", "Value": [{"00080100": {"vr": "SH", "Value": ["CODE"]}}]}}]}}'::jsonb AS header;
SELECT a AS attribute, dicomgw.tag_path(a) AS path, dicomgw.tag(header, a) AS tag, dicomgw.tags(header, a) AS tags
FROM nested, unnest(ARRAY['ImageType', 'RequestAttributesSequence', 'RequestAttributesSequence/ScheduledProcedureStepDescription',
    'RequestAttributesSequence[3]/ScheduledProcedureStepDescription', 'RequestAttributesSequence[2]/ScheduledProcedureStepDescription',
    'RequestAttributesSequence[4]/ScheduledProcedureStepDescription', '0040,0275/0040,0009',
    'RequestAttributesSequence/ScheduledProtocolCodeSequence/CodeValue', '0009,1001/0009,1002', 'ImageType[3]', 'PatientID'])
    WITH ORDINALITY AS p(a, n) ORDER BY n;
SELECT dicomgw.tag_path('StudyDescription/PatientID');
SELECT dicomgw.tag_path('RequestAttributesSequence/');
SELECT dicomgw.tag_path('/PatientID');
SELECT dicomgw.tag_path('RequestAttributesSequence[0]/PatientID');
SELECT dicomgw.tag_has(header, 'ImageType', 'primary') AS has, dicomgw.tag_has(header, 'ImageType', 'AXIAL ') AS spaces,
       dicomgw.tag_has(header, 'ImageType', 'PRIM') AS part, dicomgw.tag_has(header, 'ImageType', '') AS nothing,
       dicomgw.tag_has(header, 'PatientID', '1') AS missing, dicomgw.tag_has(NULL, 'PatientID', '1') AS no_header,
       dicomgw.tag_has(header, 'StudyDescription', 'ct thorax Ä') AS beyond_ascii
FROM nested;
SELECT dicomgw.tag_like(header, 'StudyDescription', '%thorax%') AS is_like, dicomgw.tag_like(header, 'ImageType', 'ori%') AS first,
       dicomgw.tag_like(header, 'ImageType', '%ax_al') AS last, dicomgw.tag_like(header, 'ImageType', 'x%') AS none,
       dicomgw.tag_like(header, 'RequestAttributesSequence/ScheduledProcedureStepID', '%4') AS nested
FROM nested;
-- paths that nobody looks up: nowhere, not beyond the end
SELECT path, dicomgw.tag_values(header, path) AS values
FROM nested, unnest(ARRAY['', '/', '0040', '00400275/', '00400275//00400007', '00400275[', '00400275[1', '00400275[]/00400007', '00400275[99999999999]/00400007',
    '00400275[1]', '00400275[1]/00400007[1]', '00080008[2]', '00080008[4]/']) AS path;

-- ---------- header_attributes() ----------

SELECT a.* FROM dicomgw.header_attributes('{
    "00080020": {"vr": "DA", "Value": ["20201231"]},
    "00080050": {"vr": "SH", "Value": ["A-1"]},
    "00080060": {"vr": "CS", "Value": ["CT"]},
    "00080070": {"vr": "LO", "Value": ["a manufacturer"]},
    "00080080": {"vr": "LO", "Value": ["an institution"]},
    "00080090": {"vr": "PN", "Value": [{"Alphabetic": "Doctor^Who"}]},
    "00081010": {"vr": "SH", "Value": ["a station"]},
    "00081030": {"vr": "LO", "Value": ["a study"]},
    "0008103E": {"vr": "LO", "Value": ["a series"]},
    "00100010": {"vr": "PN", "Value": [{"Alphabetic": "Doe^Jane"}]},
    "00100020": {"vr": "LO", "Value": ["4711"]},
    "00100030": {"vr": "DA", "Value": ["19700101"]},
    "00100040": {"vr": "CS", "Value": ["F"]},
    "00180015": {"vr": "CS", "Value": ["HEAD"]},
    "00181030": {"vr": "LO", "Value": ["a protocol"]},
    "0020000D": {"vr": "UI", "Value": ["1.2.3"]},
    "0020000E": {"vr": "UI", "Value": ["1.2.3.4"]},
    "00200011": {"vr": "IS", "Value": [5]},
    "00200013": {"vr": "IS", "Value": ["6"]}
}') a \gx
-- not one column is NULL: each has its attribute above
SELECT count(*) AS columns FROM pg_attribute WHERE attrelid = 'dicomgw.header_attributes'::regclass AND attnum > 0;

-- dates: VR DA (PS3.5 6.2), and the form that it had before DICOM
SELECT quote_literal(value) AS value, a.study_date
FROM unnest(ARRAY['20200229', '2020.02.29', '00010101', '99991231', '20190229', '20200230', '20201301', '20200001',
                  '20200100', '00000101', '2020', '202001', '2020-02-29', '20200229 ', ' 20200229', '202002290',
                  '2020.2.29', '2020 229', '2020 1 1', '+2021231', '-2021231', '2020022x', '20200101-20201231', '', 'today', 'infinity'])
     WITH ORDINALITY AS v(value, n),
     dicomgw.header_attributes(jsonb_build_object('00080020', jsonb_build_object('Value', jsonb_build_array(value)))) a
ORDER BY n;
SELECT json, a.study_date
FROM unnest(ARRAY['{}', '{"00080020": {"Value": [20200229]}}', '{"00080020": {"Value": [null]}}', '{"00080020": 20200229}']) AS json,
     dicomgw.header_attributes(json::jsonb) a;

-- numbers: VR IS, as text or as a number
SELECT quote_literal(value) AS value, a.series_number
FROM unnest(ARRAY['0', '12', '+12', '-12', ' 12', '12 ', '012', '2147483647', '2147483648', '-2147483648', '-2147483649',
                  '99999999999999999999999', '1.5', '1e3', '0x10', '12a', '1 2', '', ' ', '-'])
     WITH ORDINALITY AS v(value, n),
     dicomgw.header_attributes(jsonb_build_object('00200011', jsonb_build_object('Value', jsonb_build_array(value)))) a
ORDER BY n;
SELECT value, a.series_number
FROM unnest(ARRAY['12', '-1', '2147483648', '1.5', '1e3', '1e1000', 'null', 'true', '"7"', '{}', '[]'])
     WITH ORDINALITY AS v(value, n),
     dicomgw.header_attributes(format('{"00200011": {"Value": [%s]}}', value)::jsonb) a
ORDER BY n;

-- no header, and what is none
SELECT json, a.* IS NULL AS all_null
FROM unnest(ARRAY[NULL, '{}', '[]', '[{"00100020": {"Value": ["x"]}}]', '"x"', '5', 'null']) AS json,
     dicomgw.header_attributes(json::jsonb) a;
