/*
 * One object as a person asks for it: its file, its header, a picture of it.
 *
 * With the caller's rights; that he looks is noted before he sees anything.
 * SQLSTATE PTnnn is the status nnn over HTTP: PT404 there is no such object for
 * him (or no such frame), PT410 its file was removed, PT413 it is too large to be
 * sent at once, PT422 it cannot be shown, PT503 its file is missing or damaged.
 */
CREATE FUNCTION dicomgw._object_file(p_instance_id bigint, p_action text, OUT sop_instance_uid text, OUT sha256 bytea, OUT file_size bigint)
LANGUAGE c STRICT VOLATILE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'dgw_object_file';
COMMENT ON FUNCTION dicomgw._object_file(bigint, text) IS
    'Called by what shows an object over HTTP: its SOP Instance UID, the SHA-256 of its dataset and the length of its file, if the caller may see it; notes the look in the audit log';

CREATE FUNCTION dicomgw.instance_file(instance_id bigint, first_byte bigint DEFAULT 0, bytes bigint DEFAULT 9223372036854775807) RETURNS bytea
LANGUAGE c STRICT VOLATILE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'dgw_instance_file';
COMMENT ON FUNCTION dicomgw.instance_file(bigint, bigint, bigint) IS
    'An object''s Part 10 file as it is stored, or a part of it: from this byte on (the first one is 0), so many bytes; at most 32 MiB at once';

CREATE FUNCTION dicomgw.preview(instance_id bigint, frame integer DEFAULT 1, width integer DEFAULT NULL, height integer DEFAULT NULL,
    window_center double precision DEFAULT NULL, window_width double precision DEFAULT NULL) RETURNS bytea
LANGUAGE c VOLATILE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'dgw_preview';
COMMENT ON FUNCTION dicomgw.preview(bigint, integer, integer, integer, double precision, double precision) IS
    'A frame of an image as PNG, fitted into width and height; with this window, else the object''s own, else the range of its values';

CREATE FUNCTION dicomgw._image_info(p_instance_id bigint,
    OUT "rows" integer, OUT "columns" integer, OUT frames integer, OUT samples_per_pixel integer, OUT bits_stored integer,
    OUT photometric_interpretation text, OUT window_center double precision, OUT window_width double precision,
    OUT pixel_min double precision, OUT pixel_max double precision, OUT reason text)
LANGUAGE c STRICT VOLATILE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'dgw_image_info';
COMMENT ON FUNCTION dicomgw._image_info(bigint) IS 'Called by instance_image_info(): what the object''s file says, and why it cannot be shown';

CREATE FUNCTION dicomgw._header_from_file(p_instance_id bigint) RETURNS text
LANGUAGE c STRICT VOLATILE
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'dgw_header_from_file';
COMMENT ON FUNCTION dicomgw._header_from_file(bigint) IS 'Called by header() for an object whose header is not kept as a row: reads it anew';

CREATE FUNCTION dicomgw._kept_header(p_instance_id bigint, OUT sop_instance_uid text, OUT header jsonb)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_received_at timestamptz;
BEGIN
    SELECT o.sop_instance_uid, o.received_at INTO sop_instance_uid, v_received_at
    FROM (SELECT i.id, i.sop_instance_uid, i.received_at FROM dicomgw.instance i
          UNION ALL
          SELECT g.id, g.sop_instance_uid, g.received_at FROM dicomgw.ingest g) o
    WHERE o.id = p_instance_id LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no object %', p_instance_id USING ERRCODE = 'PT404';
    END IF;
    PERFORM dicomgw.note_view('object ' || left(sop_instance_uid, 64));
    SELECT h.header INTO header FROM dicomgw.instance_header h WHERE h.instance_id = p_instance_id AND h.received_at = v_received_at;
END
$$;
COMMENT ON FUNCTION dicomgw._kept_header(bigint) IS
    'Called by header() and instance_image_info(): the object''s header, NULL if it is not kept as a row; notes the look in the audit log';

CREATE FUNCTION dicomgw.header(instance_id bigint) RETURNS jsonb
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_header jsonb := (dicomgw._kept_header(instance_id)).header;
BEGIN
    RETURN coalesce(v_header, dicomgw._header_from_file(instance_id)::jsonb);
END
$$;
COMMENT ON FUNCTION dicomgw.header(bigint) IS
    'Header of an object as DICOM JSON (PS3.18 F.2), without bulk data; read from its file if it is not kept as a row any more';

CREATE FUNCTION dicomgw._declared_image(p_header jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
RETURN jsonb_build_object(
    'rows', p_header #> '{00280010,Value,0}', 'columns', p_header #> '{00280011,Value,0}', 'frames', p_header #> '{00280008,Value,0}',
    'samples_per_pixel', p_header #> '{00280002,Value,0}', 'bits_stored', p_header #> '{00280101,Value,0}',
    'photometric_interpretation', p_header #> '{00280004,Value,0}',
    'window_center', p_header #> '{00281050,Value,0}', 'window_width', p_header #> '{00281051,Value,0}');
COMMENT ON FUNCTION dicomgw._declared_image(jsonb) IS 'Called by instance_image_info() for an object whose file is not there: what its header says of its image';

-- An object whose file is gone is still known by its header.
CREATE FUNCTION dicomgw.instance_image_info(instance_id bigint) RETURNS jsonb
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_header jsonb := (dicomgw._kept_header(instance_id)).header;
    v_info   record;
    v_reason text;
    v_known  jsonb := '{}';
BEGIN
    BEGIN
        SELECT * INTO v_info FROM dicomgw._image_info(instance_id);
        v_reason := v_info.reason;
        v_known := jsonb_strip_nulls(to_jsonb(v_info) - 'reason');
    EXCEPTION WHEN SQLSTATE 'PT410' OR SQLSTATE 'PT503' THEN
        v_reason := SQLERRM;
        v_known := jsonb_strip_nulls(dicomgw._declared_image(v_header));
    END;
    RETURN (SELECT jsonb_object_agg(f.name, coalesce(v_known -> f.name, CASE f.name WHEN 'frames' THEN '1'::jsonb END, 'null'))
            FROM unnest('{rows,columns,frames,samples_per_pixel,bits_stored,photometric_interpretation,window_center,window_width,pixel_min,pixel_max}'::text[]) AS f(name))
           || jsonb_build_object('displayable', v_reason IS NULL, 'reason', v_reason);
END
$$;
COMMENT ON FUNCTION dicomgw.instance_image_info(bigint) IS
    'What a viewer has to know of an image: {rows, columns, frames, samples_per_pixel, bits_stored, photometric_interpretation, window_center, window_width, pixel_min, pixel_max (of its first frame, rescaled), displayable, reason why not}; null: not known';
