/*
 * Pseudonyms: what stands for a UID or a patient in edited copies, always the
 * same for the same one, on every route and at any time.
 */
CREATE TABLE dicomgw.pseudonym (
    kind      text NOT NULL,
    original  text NOT NULL,
    pseudonym text NOT NULL,
    made_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (kind, original),
    CONSTRAINT pseudonym_kind_is_known CHECK (kind IN ('uid', 'patient_id', 'date_shift'))
);
CREATE UNIQUE INDEX pseudonym_pseudonym_idx ON dicomgw.pseudonym (kind, pseudonym) WHERE kind <> 'date_shift';
COMMENT ON TABLE dicomgw.pseudonym IS
    'What stands for what in edited copies. Whoever may read this can undo a de-identification: nobody may but the owner of the extension and those whom he grants it';
COMMENT ON COLUMN dicomgw.pseudonym.kind IS 'uid; patient_id; date_shift: days by which the dates of a patient are moved';
COMMENT ON COLUMN dicomgw.pseudonym.original IS 'the UID; Patient ID and its issuer, parted by a backslash, or the Study Instance UID of a study without a Patient ID';
COMMENT ON COLUMN dicomgw.pseudonym.pseudonym IS 'what stands for it: random, nothing of the original is in it';
COMMENT ON COLUMN dicomgw.pseudonym.made_at IS 'when it was first needed';

-- 2.25. and a UUID as a decimal number: PS3.5 B.2.
CREATE FUNCTION dicomgw._uid_of_uuid(p_uuid uuid) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
RETURN '2.25.' || (
    SELECT sum((h.half + CASE WHEN h.half < 0 THEN 18446744073709551616 ELSE 0 END) * h.weight)
    FROM (SELECT ('x' || substr(replace(p_uuid::text, '-', ''), v.start, 16))::bit(64)::bigint::numeric AS half, v.weight
          FROM (VALUES (1, 18446744073709551616), (17, 1)) AS v(start, weight)) h);
COMMENT ON FUNCTION dicomgw._uid_of_uuid(uuid) IS 'Edits: a UID made of a UUID (PS3.5 B.2)';

CREATE FUNCTION dicomgw._new_pseudonym(p_kind text) RETURNS text
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
RETURN CASE p_kind
    WHEN 'uid' THEN dicomgw._uid_of_uuid(gen_random_uuid())
    WHEN 'patient_id' THEN 'ANON' || upper(substr(replace(gen_random_uuid()::text, '-', ''), 1, 12))
    WHEN 'date_shift' THEN (-1 - floor(random() * 3650))::integer::text
END;
COMMENT ON FUNCTION dicomgw._new_pseudonym(text) IS 'Edits: a random pseudonym of this kind';

-- Two sessions that need the same one at once agree: the second waits for the first, and reads what it has written.
CREATE FUNCTION dicomgw._pseudonyms(p_kind text, p_originals text[]) RETURNS jsonb
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO dicomgw.pseudonym AS p (kind, original, pseudonym)
    SELECT p_kind, o.original, dicomgw._new_pseudonym(p_kind)
    FROM (SELECT DISTINCT u.original FROM unnest(p_originals) AS u(original)
          WHERE NOT EXISTS (SELECT FROM dicomgw.pseudonym k WHERE k.kind = p_kind AND k.original = u.original)
          ORDER BY 1) o
    ON CONFLICT (kind, original) DO NOTHING;
    IF FOUND THEN
        -- Once it is sent it must be known, whatever happens: the forwarder's transactions wait for no disk but this one.
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
    RETURN (SELECT coalesce(jsonb_object_agg(p.original, p.pseudonym), '{}')
            FROM dicomgw.pseudonym p WHERE p.kind = p_kind AND p.original = ANY (p_originals));
END
$$;
COMMENT ON FUNCTION dicomgw._pseudonyms(text, text[]) IS 'Edits: the pseudonyms of these, made now if there are none: {"original": "pseudonym"}';

CREATE FUNCTION dicomgw._patient_key(p_header jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
RETURN coalesce(
    nullif(dicomgw.tag_value(p_header, '00100020'), '') || '\' || coalesce(dicomgw.tag_value(p_header, '00100021'), ''),
    'study ' || nullif(dicomgw.tag_value(p_header, '0020000D'), ''),
    'object ' || dicomgw.tag_value(p_header, '00080018'));
COMMENT ON FUNCTION dicomgw._patient_key(jsonb) IS 'Edits: whose object it is: what the pseudonym of the patient belongs to';
