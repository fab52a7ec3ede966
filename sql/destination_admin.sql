/*
 * What a person does to destinations: pause, resume, delete, credentials.
 */
CREATE FUNCTION dicomgw._note_pause() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NEW.paused AND TG_OP = 'INSERT' THEN -- a restored dump knows who it was
        NEW.paused_by := coalesce(NEW.paused_by, dicomgw.actor());
        NEW.paused_at := coalesce(NEW.paused_at, now());
    ELSIF NEW.paused AND NOT OLD.paused THEN
        NEW.paused_by := dicomgw.actor();
        NEW.paused_at := now();
    ELSIF NOT NEW.paused THEN
        NEW.paused_by := NULL;
        NEW.paused_at := NULL;
        NEW.pause_reason := NULL;
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION dicomgw._note_pause() IS 'Trigger of destination: who paused it, and when';
CREATE TRIGGER note_pause BEFORE INSERT OR UPDATE OF paused ON dicomgw.destination
    FOR EACH ROW EXECUTE FUNCTION dicomgw._note_pause();

CREATE FUNCTION dicomgw.pause(destination text, reason text DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_id      integer := dicomgw._destination_id(destination);
    v_changed boolean;
BEGIN
    SELECT NOT d.paused INTO v_changed FROM dicomgw.destination d WHERE d.id = v_id FOR NO KEY UPDATE;
    UPDATE dicomgw.destination d SET paused = true, pause_reason = reason WHERE d.id = v_id;
    PERFORM dicomgw._audit('pause', format('destination %s', destination), jsonb_build_object('reason', reason));
    RETURN v_changed;
END
$$;
COMMENT ON FUNCTION dicomgw.pause(text, text) IS
    'Stops sending to a destination: its jobs wait, the reason is shown with each; the object that is on its way is finished. False: it was paused already';

CREATE FUNCTION dicomgw.resume(destination text) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_id      integer := dicomgw._destination_id(destination);
    v_changed boolean;
BEGIN
    SELECT d.paused INTO v_changed FROM dicomgw.destination d WHERE d.id = v_id FOR NO KEY UPDATE;
    UPDATE dicomgw.destination d SET paused = false WHERE d.id = v_id;
    PERFORM dicomgw._audit('resume', format('destination %s', destination), '{}');
    RETURN v_changed;
END
$$;
COMMENT ON FUNCTION dicomgw.resume(text) IS 'Sends to a destination again. False: it was not paused';

CREATE FUNCTION dicomgw._guard_destination() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_waiting bigint;
    v_failed  bigint;
BEGIN
    SELECT count(*) INTO v_waiting FROM dicomgw.forward_job j WHERE j.destination_id = OLD.id;
    SELECT count(*) INTO v_failed FROM dicomgw.dead_letter l WHERE l.destination_id = OLD.id;
    IF v_waiting + v_failed > 0 THEN
        RAISE EXCEPTION 'destination "%" still has % waiting job(s) and % dead letter(s)', OLD.name, v_waiting, v_failed
            USING ERRCODE = 'dependent_objects_still_exist',
                  HINT = format('SELECT * FROM dicomgw.delete_destination(%L, cancel => true) cancels them, SELECT * FROM dicomgw.move(''...'', destination => %L) sends them elsewhere.',
                                OLD.name, OLD.name);
    END IF;
    RETURN OLD;
END
$$;
COMMENT ON FUNCTION dicomgw._guard_destination() IS 'Trigger of destination: none is deleted while jobs need it';
CREATE TRIGGER guard BEFORE DELETE ON dicomgw.destination
    FOR EACH ROW EXECUTE FUNCTION dicomgw._guard_destination();

CREATE FUNCTION dicomgw.delete_destination(destination text, cancel boolean DEFAULT false, OUT cancelled bigint)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_id    integer := dicomgw._destination_id(destination);
    v_users text;
BEGIN
    SELECT string_agg(u.name, ', ') INTO v_users
    FROM (SELECT format('route "%s"', r.name) AS name FROM dicomgw.route r WHERE r.destination = delete_destination.destination
          UNION ALL
          SELECT format('group "%s"', m.destination_group) FROM dicomgw.destination_group_member m
          WHERE m.destination = delete_destination.destination) u;
    IF v_users IS NOT NULL THEN
        RAISE EXCEPTION 'destination "%" is still in use', destination
            USING ERRCODE = 'dependent_objects_still_exist', DETAIL = format('It is named by %s.', v_users),
                  HINT = 'Change or delete these first.';
    END IF;
    cancelled := 0;
    IF cancel THEN
        SELECT c.cancelled INTO cancelled FROM dicomgw.cancel(destination => destination) c;
    END IF;
    DELETE FROM dicomgw.destination d WHERE d.id = v_id;
    PERFORM dicomgw._audit('delete_destination', format('destination %s', destination), jsonb_build_object('cancelled', cancelled));
END
$$;
COMMENT ON FUNCTION dicomgw.delete_destination(text, boolean) IS
    'Deletes a destination that no route and no group names; with cancel its jobs and dead letters are cancelled first. Returns how many were';

CREATE FUNCTION dicomgw.set_credentials(destination text, username text DEFAULT NULL, password text DEFAULT NULL, bearer_token text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_id integer := dicomgw._destination_id(destination);
BEGIN
    IF (SELECT d.kind FROM dicomgw.destination d WHERE d.id = v_id) <> 'dicomweb' THEN
        RAISE EXCEPTION 'destination "%" is not a DICOMweb destination', destination USING ERRCODE = 'invalid_parameter_value';
    END IF;
    DELETE FROM dicomgw.destination_secret s WHERE s.destination = set_credentials.destination;
    IF num_nonnulls(username, password, bearer_token) > 0 THEN
        INSERT INTO dicomgw.destination_secret (destination, username, password, bearer_token)
        VALUES (destination, username, password, bearer_token);
    END IF;
    DELETE FROM dicomgw.destination_state s WHERE s.destination_id = v_id; -- they are tried at once
    PERFORM dicomgw._audit('set_credentials', format('destination %s', destination),
                           jsonb_build_object('kind', CASE WHEN bearer_token IS NOT NULL THEN 'bearer'
                                                           WHEN username IS NOT NULL THEN 'basic' ELSE 'none' END));
END
$$;
COMMENT ON FUNCTION dicomgw.set_credentials(text, text, text, text) IS
    'Sets the HTTP credentials of a DICOMweb destination: user name and password, or a bearer token; none of them removes what there is';
