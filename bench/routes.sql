-- :routes routes to ten paused destinations, of the kinds that people write: columns, tag(), LIKE,
-- regular expressions, dates, sequences; most match few objects, as in life.
INSERT INTO dicomgw.destination (name, host, ae_title, paused)
SELECT 'd' || i, 'localhost', 'D' || i, true FROM generate_series(0, 9) i;
INSERT INTO dicomgw.route (name, destination, predicate)
SELECT 'route ' || i, 'd' || i % 10, format(
    (ARRAY[
        $$modality = 'CT' AND calling_ae LIKE 'CT%1$s%%'$$,
        $$tag('StationName') = 'ROOM%1$s' OR tag('0008,1010') ILIKE '%%room %1$s%%'$$,
        $$study_description ~* '\m(thorax|chest|abdomen) %1$s\M'$$,
        $$study_date BETWEEN date '2001-01-%2$s' AND date '2001-01-%2$s' + 3 AND modality IN ('CT', 'MR')$$,
        $$peer_address <<= inet '10.%2$s.0.0/16' AND size > 100$$,
        $$tag('Manufacturer') ILIKE '%%ge%%' AND tag('SliceThickness')::numeric > %1$s$$,
        $$modality = 'MR' AND tag('PatientID') LIKE '%%%1$s' AND coalesce(series_description, '') !~* 'localizer'$$,
        $$header @> '{"00080060": {"Value": ["XA"]}}' AND instance_number = %1$s$$
    ])[i % 8 + 1], i, lpad((i % 28 + 1)::text, 2, '0'))
FROM generate_series(1, :routes) i;
