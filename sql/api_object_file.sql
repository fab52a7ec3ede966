/*
 * HTTP: one object, as a file, as a picture, as text.
 *
 * The functions that give bytes say themselves of what kind they are, so that
 * whatever a browser accepts is accepted; that is what the name of the domain tells
 * PostgREST.  A part of a file is asked for as HTTP has it (RFC 9110, 14), for PostgREST
 * itself knows ranges of rows only.
 */
CREATE DOMAIN dicomgw_api."*/*" AS bytea;
COMMENT ON DOMAIN dicomgw_api."*/*" IS 'Bytes of a media type that the function says';

CREATE FUNCTION dicomgw._byte_range(p_range text, p_size bigint, OUT first_byte bigint, OUT last_byte bigint, OUT satisfiable boolean)
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_part CONSTANT text[] := regexp_match(p_range, '^\s*bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*$', 'i');
    v_from CONSTANT bigint := nullif(v_part[1], '');
    v_to   CONSTANT bigint := nullif(v_part[2], '');
BEGIN
    IF v_part IS NULL OR num_nulls(v_from, v_to) = 2 OR v_to < v_from THEN
        RETURN;
    END IF;
    first_byte := coalesce(v_from, greatest(p_size - v_to, 0));
    last_byte := CASE WHEN v_from IS NULL THEN p_size - 1 ELSE least(coalesce(v_to, p_size - 1), p_size - 1) END;
    satisfiable := first_byte <= last_byte;
END
$$;
COMMENT ON FUNCTION dicomgw._byte_range(text, bigint) IS
    'Called by instance_file(): the part that a Range header asks for of so many bytes; NULL if it is none, or several parts, and the whole is to be sent';

CREATE FUNCTION dicomgw._etag(VARIADIC p_parts text[]) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
RETURN '"' || left(encode(sha256(convert_to(to_json(p_parts)::text, 'UTF8')), 'hex'), 32) || '"';
COMMENT ON FUNCTION dicomgw._etag(text[]) IS 'Called by what shows an object over HTTP: an entity tag for what these parts determine';

-- True if the client has it already: then the answer is that.
CREATE FUNCTION dicomgw._not_modified(p_etag text) RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_have CONSTANT text := dicomgw._request_header('if-none-match');
BEGIN
    IF v_have IS NULL OR NOT (btrim(v_have) = '*' OR p_etag = ANY (regexp_split_to_array(btrim(v_have), '\s*,\s*(W/)?|^W/'))) THEN
        RETURN false;
    END IF;
    PERFORM set_config('response.status', '304', true);
    RETURN true;
END
$$;
COMMENT ON FUNCTION dicomgw._not_modified(text) IS 'Called by what shows an object over HTTP: whether the client has this version of it (If-None-Match)';

CREATE FUNCTION dicomgw._set_response_headers(p_headers jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM set_config('response.headers', (SELECT jsonb_agg(jsonb_build_object(h.key, h.value)) FROM jsonb_each_text(p_headers) h)::text, true);
END
$$;
COMMENT ON FUNCTION dicomgw._set_response_headers(jsonb) IS 'Called by what shows an object over HTTP: the headers of the answer';

CREATE FUNCTION dicomgw_api.instance_file(instance_id bigint) RETURNS dicomgw_api."*/*"
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    c_most   CONSTANT bigint := 32 * 1024 * 1024; -- a longer part is cut
    v_object record;
    v_part   record;
    v_etag   text;
    v_header jsonb;
    v_if     CONSTANT text := dicomgw._request_header('if-range');
BEGIN
    SELECT * INTO v_object FROM dicomgw._object_file(instance_id, 'export');
    v_etag := dicomgw._etag(instance_id::text, v_object.sha256::text);
    v_header := jsonb_build_object(
        'Content-Type', 'application/dicom', 'Accept-Ranges', 'bytes', 'ETag', v_etag,
        'Cache-Control', 'private, no-cache', 'Vary', 'Authorization, Cookie', 'X-Content-Type-Options', 'nosniff',
        'Content-Disposition', format('attachment; filename="%s.dcm"', regexp_replace(v_object.sop_instance_uid, '[^0-9A-Za-z.]', '_', 'g')));
    PERFORM dicomgw._set_response_headers(v_header);
    IF dicomgw._not_modified(v_etag) THEN
        RETURN ''::bytea;
    END IF;
    SELECT * INTO v_part
    FROM dicomgw._byte_range(CASE WHEN v_if IS NULL OR v_if = v_etag THEN dicomgw._request_header('range') END, v_object.file_size);
    IF NOT v_part.satisfiable THEN
        RAISE SQLSTATE 'PGRST' USING
            MESSAGE = json_build_object('code', 'PT416', 'message', format('the file of object %s has %s bytes', instance_id, v_object.file_size),
                                        'details', NULL, 'hint', 'Ask for a part that it has.')::text,
            DETAIL = json_build_object('status', 416, 'headers', json_build_object('Content-Range', 'bytes */' || v_object.file_size))::text;
    END IF;
    IF v_part.first_byte IS NULL THEN
        RETURN dicomgw.instance_file(instance_id);
    END IF;
    v_part.last_byte := least(v_part.last_byte, v_part.first_byte + c_most - 1);
    PERFORM dicomgw._set_response_headers(v_header || jsonb_build_object(
        'Content-Range', format('bytes %s-%s/%s', v_part.first_byte, v_part.last_byte, v_object.file_size)));
    PERFORM set_config('response.status', '206', true);
    RETURN dicomgw.instance_file(instance_id, v_part.first_byte, v_part.last_byte - v_part.first_byte + 1);
END
$$;
COMMENT ON FUNCTION dicomgw_api.instance_file(bigint) IS
    'The Part 10 file of an object (application/dicom), or the part that a Range header asks for (206; 32 MiB at most). 404 there is none, 410 its file was removed, 413 more than 32 MiB without a Range, 416 it has no such part, 503 its file is missing or damaged';

CREATE FUNCTION dicomgw_api.preview(instance_id bigint, frame integer DEFAULT 1, width integer DEFAULT NULL, height integer DEFAULT NULL,
    window_center double precision DEFAULT NULL, window_width double precision DEFAULT NULL) RETURNS dicomgw_api."*/*"
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_object record;
    v_etag   text;
BEGIN
    SELECT * INTO v_object FROM dicomgw._object_file(instance_id, 'view');
    v_etag := dicomgw._etag(instance_id::text, v_object.sha256::text, frame::text, width::text, height::text, window_center::text, window_width::text);
    PERFORM dicomgw._set_response_headers(jsonb_build_object(
        'Content-Type', 'image/png', 'ETag', v_etag, 'Cache-Control', 'private, max-age=300', 'Vary', 'Authorization, Cookie',
        'X-Content-Type-Options', 'nosniff'));
    IF dicomgw._not_modified(v_etag) THEN
        RETURN ''::bytea;
    END IF;
    RETURN dicomgw.preview(instance_id, frame, width, height, window_center, window_width);
END
$$;
COMMENT ON FUNCTION dicomgw_api.preview(bigint, integer, integer, integer, double precision, double precision) IS
    'A frame of an image as image/png, fitted into width and height (4096 at most); with this window, else the object''s own, else the range of its values. 404 there is no such object or frame, 410 its file was removed, 422 it cannot be shown (the message says why), 503 its file is missing or damaged';

CREATE FUNCTION dicomgw_api.header(instance_id bigint) RETURNS jsonb
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN dicomgw.header(instance_id);
END
$$;
COMMENT ON FUNCTION dicomgw_api.header(bigint) IS
    'Header of an object as DICOM JSON (PS3.18 F.2), without bulk data. 404 there is no such object, 410 neither its header nor its file is kept';

CREATE FUNCTION dicomgw_api.instance_image_info(instance_id bigint) RETURNS jsonb
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN dicomgw.instance_image_info(instance_id);
END
$$;
COMMENT ON FUNCTION dicomgw_api.instance_image_info(bigint) IS
    '{rows, columns, frames, samples_per_pixel, bits_stored, photometric_interpretation, window_center, window_width, pixel_min, pixel_max, displayable, reason}; null: not known. 404 there is no such object';
