-- Windows: open or closed, and until when, in their own time zone.

\set ON_ERROR_STOP 1
SET client_min_messages = error;
CREATE EXTENSION pgtap;
CREATE EXTENSION dicomgw;
BEGIN;
SELECT plan(35);

INSERT INTO dicomgw.destination (name, host, ae_title)
SELECT name, 'pacs.example', 'PACS' FROM unnest('{night,noon,weekend,whole,never,two}'::text[]) AS n(name);
INSERT INTO dicomgw.destination_window (destination, days, opens_at, closes_at, time_zone) VALUES
    ('night', DEFAULT, '22:00', '06:00', 'Europe/Berlin'),
    ('noon', DEFAULT, '12:00', '13:00', 'Asia/Kolkata'),
    ('weekend', '{6,7}', '00:00', '24:00', 'America/New_York'),
    ('whole', DEFAULT, '00:00', '24:00', 'UTC'),
    ('two', DEFAULT, '01:00', '02:00', 'UTC'), ('two', '{1}', '05:00', '06:00', 'UTC');

-- Whatever the session's own time zone is.
CREATE FUNCTION pg_temp.check_windows() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    r record;
BEGIN
    FOR r IN
        SELECT c.destination, c.at, c.open, c.changes_at, w.open AS is_open, w.changes_at AS is_changes_at
        FROM (VALUES
            -- in winter Berlin is an hour ahead of UTC, in summer two
            ('night',   '2026-01-14 20:59:59Z'::timestamptz, false, '2026-01-14 21:00Z'::timestamptz),
            ('night',   '2026-01-14 21:00Z', true,  '2026-01-15 05:00Z'),
            ('night',   '2026-01-15 04:59:59Z', true, '2026-01-15 05:00Z'),
            ('night',   '2026-01-15 05:00Z', false, '2026-01-15 21:00Z'),
            ('night',   '2026-07-14 20:00Z', true,  '2026-07-15 04:00Z'),
            -- the night in which summer time begins is an hour shorter
            ('night',   '2026-03-28 22:00Z', true,  '2026-03-29 04:00Z'),
            ('noon',    '2026-01-14 06:29:59Z', false, '2026-01-14 06:30Z'),
            ('noon',    '2026-01-14 06:30Z', true,  '2026-01-14 07:30Z'),
            ('noon',    '2026-01-14 07:30Z', false, '2026-01-15 06:30Z'),
            -- 2026-01-17 is a Saturday; there it begins five hours after UTC's
            ('weekend', '2026-01-17 04:59:59Z', false, '2026-01-17 05:00Z'),
            ('weekend', '2026-01-17 05:00Z', true,  '2026-01-18 05:00Z'),
            ('weekend', '2026-01-19 04:59:59Z', true, '2026-01-19 05:00Z'),
            ('weekend', '2026-01-19 05:00Z', false, '2026-01-24 05:00Z'),
            ('whole',   '2026-01-14 12:00Z', true,  '2026-01-15 00:00Z'),
            -- Wednesday: only one of the two; Monday: both
            ('two',     '2026-01-14 03:00Z', false, '2026-01-15 01:00Z'),
            ('two',     '2026-01-19 03:00Z', false, '2026-01-19 05:00Z')
        ) AS c(destination, at, open, changes_at)
        CROSS JOIN LATERAL dicomgw._window(c.destination, c.at) w
    LOOP
        RETURN NEXT is((r.is_open, r.is_changes_at), (r.open, r.changes_at),
                       format('%s at %s, seen from %s', r.destination, r.at, current_setting('TimeZone')));
    END LOOP;
END $$;
SET TimeZone = 'UTC';
SELECT pg_temp.check_windows();
SET TimeZone = 'Australia/Sydney';
SELECT pg_temp.check_windows();

SELECT is((SELECT may_send FROM dicomgw.destination_open o JOIN dicomgw.destination d ON d.id = o.destination_id WHERE d.name = 'never'),
          true, 'one without windows may always be sent to');
SELECT throws_ok($$ INSERT INTO dicomgw.destination_window (destination, opens_at, closes_at, time_zone) VALUES ('two', '1:00', '2:00', 'Mars/Base') $$,
                 '22023', NULL, 'a time zone that there is not is refused');
SELECT throws_ok($$ INSERT INTO dicomgw.destination_window (destination, days, opens_at, closes_at) VALUES ('two', '{0}', '1:00', '2:00') $$,
                 '23514', NULL, 'and a day that there is not');
SELECT * FROM finish();
