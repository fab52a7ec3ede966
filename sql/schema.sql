/*
 * The schema, and the types that the tables share.
 */
\echo Use "CREATE EXTENSION dicomgw" to load this file. \quit

-- DICOM headers are kept as UTF-8; a database that can't hold them all would have to alter some.
DO $$
BEGIN
    IF current_setting('server_encoding') <> 'UTF8' THEN
        RAISE EXCEPTION 'dicomgw needs a database with encoding UTF8'
            USING ERRCODE = 'feature_not_supported',
                  DETAIL = format('This database has encoding %s.', current_setting('server_encoding')),
                  HINT = 'Create one with CREATE DATABASE ... ENCODING ''UTF8'' TEMPLATE template0.';
    END IF;
END
$$;

CREATE SCHEMA dicomgw;
COMMENT ON SCHEMA dicomgw IS
    'DICOM store-and-forward gateway: configuration, queue, and the functions a person uses from psql';

-- VR AE (PS3.5 6.2): default character repertoire without backslash and control characters;
-- spaces around it do not count, so it is kept without them.
CREATE DOMAIN dicomgw.ae_title AS text
    CONSTRAINT ae_title_has_1_to_16_characters
        CHECK (length(VALUE) BETWEEN 1 AND 16)
    CONSTRAINT ae_title_is_printable_ascii_without_backslash
        CHECK (VALUE ~ '^[\x20-\x5b\x5d-\x7e]*$')
    CONSTRAINT ae_title_has_no_space_around_it
        CHECK (VALUE = btrim(VALUE));
COMMENT ON DOMAIN dicomgw.ae_title IS
    'Application Entity title: 1 to 16 printable ASCII characters, no backslash, no space around it (PS3.5 6.2, VR AE)';

-- VR UI (PS3.5 9.1), as far as it can be checked without the standard's list.
CREATE DOMAIN dicomgw.uid AS text
    CONSTRAINT uid_has_1_to_64_digits_and_dots CHECK (VALUE ~ '^[0-9.]{1,64}$');
COMMENT ON DOMAIN dicomgw.uid IS 'Unique identifier: 1 to 64 digits and dots (PS3.5 9.1)';

CREATE DOMAIN dicomgw.tcp_port AS integer
    CONSTRAINT port_must_be_between_1_and_65535 CHECK (VALUE BETWEEN 1 AND 65535);
COMMENT ON DOMAIN dicomgw.tcp_port IS 'TCP port, 1 to 65535';

CREATE DOMAIN dicomgw.pdu_size AS integer
    CONSTRAINT pdu_size_must_be_between_4096_and_131072 CHECK (VALUE BETWEEN 4096 AND 131072);
COMMENT ON DOMAIN dicomgw.pdu_size IS 'Maximum length of a P-DATA-TF PDU that we offer to receive, in bytes (PS3.8 D.1)';

CREATE DOMAIN dicomgw.timeout AS interval
    CONSTRAINT timeout_must_be_between_1_second_and_1_day
        CHECK (VALUE BETWEEN interval '1 second' AND interval '1 day');
COMMENT ON DOMAIN dicomgw.timeout IS 'A time to wait for a peer, 1 second to 1 day';

-- Ten levels, so that the head of a queue can be found level by level.
CREATE DOMAIN dicomgw.job_priority AS smallint
    CONSTRAINT priority_must_be_between_0_and_9 CHECK (VALUE BETWEEN 0 AND 9);
COMMENT ON DOMAIN dicomgw.job_priority IS 'Priority of a job, 0 to 9: higher ones are sent first';
