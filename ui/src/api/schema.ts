/*
 * What schema dicomgw_api has.  Made by tools/ui-types ("make ui-types") from the database's catalog; not to be edited.
 */
export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[]

export type Database = {
  dicomgw_api: {
    Tables: Record<never, never>
    Views: {
      alert: {
        Row: {
          severity: string | null
          kind: string | null
          subject: string | null
          message: string | null
          since: string | null
        }
        Relationships: []
      }
      /** Users */
      app_user: {
        Row: {
          /** what he signs in with */
          username: string
          /** viewer, operator, admin or metrics */
          role: string
          /** he sees objects from these calling AE titles only; null: from any */
          scope_calling_aes: string[] | null
          /** he sees objects with these Institution Names only; null: with any, or none */
          scope_institutions: string[] | null
          /** true: he cannot sign in */
          disabled: boolean
          /** true: before anything else he has to choose a password */
          must_change_password: boolean
          /** database role that he logs in with by psql */
          db_role: string | null
          /** when his password was set */
          password_changed_at: string
          /** when he was added */
          created_at: string
          /** when he last signed in */
          last_login_at: string | null
          /** failed sign-ins since */
          failed_logins: number | null
          /** until when no password of his is looked at */
          locked_until: string | null
        }
        Relationships: []
      }
      association: {
        Row: {
          id: number | null
          state: string | null
          listener: string | null
          peer_address: string | null
          peer_port: number | null
          calling_ae: string | null
          called_ae: string | null
          username: string | null
          implementation_class_uid: string | null
          implementation_version: string | null
          tls_version: string | null
          tls_cipher: string | null
          tls_subject: string | null
          started_at: string | null
          last_active_at: string | null
          ended_at: string | null
          objects: number | null
          bytes: number | null
          bytes_per_second: number | null
          reason: string | null
        }
        Relationships: []
      }
      /** Who did what, and looked at what */
      audit: {
        Row: {
          /** number of the entry; newest first is order=id.desc */
          id: number
          /** when */
          at: string
          /** who */
          actor: string
          /** in which session; null: by psql */
          session_id: string | null
          /** from where */
          address: string | null
          /** with which program, as it calls itself */
          application: string | null
          /** what: a verb, insert, update, delete of configuration, login, failed login, logout, change_password, view, export */
          action: string
          /** to what */
          target: string | null
          /** with which arguments, what was changed */
          details: Json
        }
        Relationships: []
      }
      caller: {
        Row: {
          calling_ae: string
          peer_address: string
          associations: number
          refused: number
          objects: number
          bytes: number
          first_seen_at: string
          last_seen_at: string
          last_refused_at: string | null
          last_refusal: string | null
        }
        Relationships: []
      }
      destination: {
        Row: {
          id: number
          name: string
          kind: string
          host: string | null
          port: number
          ae_title: string | null
          calling_ae_title: string
          max_pdu: number
          url: string | null
          proxy: string | null
          batch: number
          tls: string
          tls_ca: string | null
          tls_certificate: string | null
          tls_key: string | null
          tls_server_name: string | null
          conversion: string
          compression: string | null
          max_associations: number
          connect_timeout: string
          association_timeout: string
          response_timeout: string
          max_attempts: number
          permanent_attempts: number
          give_up_after: string
          retry_first_delay: string
          retry_factor: number
          retry_max_delay: string
          retry_jitter: number
          probe_interval: string
          max_objects_per_second: number | null
          max_bytes_per_second: number | null
          paused: boolean
          pause_reason: string | null
          paused_by: string | null
          paused_at: string | null
        }
        Relationships: []
      }
      destination_group: {
        Row: {
          id: number
          name: string
          kind: string
        }
        Relationships: []
      }
      destination_group_member: {
        Row: {
          destination_group: string
          destination: string
          position: number
        }
        Relationships: []
      }
      destination_status: {
        Row: {
          destination: string
          state: string | null
          reason: string | null
          since: string | null
          next_probe_at: string | null
          paused_by: string | null
          window_changes_at: string | null
          associations: number | null
          concurrency: number | null
          max_associations: number
          waiting: number | null
          sending: number | null
          failed: number | null
          oldest: string | null
        }
        Relationships: []
      }
      destination_window: {
        Row: {
          id: number
          destination: string
          days: number[]
          opens_at: string
          closes_at: string
          time_zone: string
        }
        Relationships: []
      }
      /** Objects that were received and routed */
      instance: {
        Row: {
          /** number of the object, in the order of receipt */
          id: number
          /** its series; null: its header names no study */
          series_id: number | null
          /** when it was received */
          received_at: string
          /** listener that it came in by */
          listener_id: number | null
          /** AE title of the sender */
          calling_ae: string
          /** AE title that the sender called */
          called_ae: string
          /** network address of the sender */
          peer_address: string | null
          /** SOP Class UID */
          sop_class_uid: string
          /** SOP Instance UID */
          sop_instance_uid: string
          /** transfer syntax */
          transfer_syntax_uid: string
          /** its Part 10 file, below the storage path */
          file_path: string
          /** bytes of the dataset */
          size: number
          /** SHA-256 of the dataset */
          sha256: string
          /** what could not be read of its header */
          header_error: string | null
          /** when retention removed its file; null: it is kept */
          removed_at: string | null
          /** Institution Name (0008,0080) */
          institution_name: string | null
          /** its study */
          study_id: number | null
        }
        Relationships: []
      }
      job: {
        Row: {
          job_id: number | null
          state: string | null
          destination: string | null
          sop_instance_uid: string | null
          reason_code: string | null
          reason: string | null
          waits_until: string | null
          since: string | null
          priority: number | null
          attempts: number | null
          last_error: string | null
          instance_id: number | null
          route_id: number | null
          destination_group: string | null
          study_id: number | null
          study_instance_uid: string | null
          patient_id: string | null
          patient_name: string | null
          modality: string | null
          calling_ae: string | null
        }
        Relationships: []
      }
      job_summary: {
        Row: {
          destination: string | null
          state: string | null
          reason_code: string | null
          reason: string | null
          jobs: number | null
          oldest: string | null
        }
        Relationships: []
      }
      listener: {
        Row: {
          id: number
          name: string
          enabled: boolean
          bind_address: string
          port: number
          ae_titles: string[]
          accepts: string
          max_pdu: number
          association_timeout: string
          idle_timeout: string
          max_associations: number | null
          max_associations_per_ae: number | null
          max_object_size: number | null
          transfer_syntaxes: string[]
          duplicates: string
          mismatch: string
          tls: boolean
          tls_certificate: string | null
          tls_key: string | null
          tls_client_certificate: string
          tls_ca: string | null
          tls_crl: string | null
        }
        Relationships: []
      }
      listener_status: {
        Row: {
          name: string
          bind_address: string
          port: number
          listening: boolean | null
          problem: string | null
          certificate_expires_at: string | null
          associations: number | null
        }
        Relationships: []
      }
      receiving: {
        Row: {
          accepts_objects: boolean | null
          reason: string | null
          since: string | null
        }
        Relationships: []
      }
      route: {
        Row: {
          id: number
          name: string
          predicate: string
          destination: string | null
          destination_group: string | null
          priority: number
          enabled: boolean
          position: number
          stop: boolean
          is_default: boolean
          valid_from: string | null
          valid_until: string | null
          trigger: string
          quiet_period: string
          expected_instances: string | null
        }
        Relationships: []
      }
      route_edit: {
        Row: {
          id: number
          route: string
          position: number
          action: string
          attribute: string | null
          value: string | null
          expression: string | null
          options: string[]
        }
        Relationships: []
      }
      /** Series of which at least one object was received */
      series: {
        Row: {
          /** number of the series */
          id: number
          /** its study */
          study_id: number
          /** Series Instance UID (0020,000E); empty: of the objects that name none */
          series_instance_uid: string
          /** Modality (0008,0060) */
          modality: string | null
          /** Series Number (0020,0011) */
          series_number: number | null
          /** Series Description (0008,103E) */
          series_description: string | null
          /** objects received, repeated ones counted each time */
          instances: number
        }
        Relationships: []
      }
      /** Sessions that are open */
      session: {
        Row: {
          /** for revoke_session */
          id: string
          /** whose it is */
          username: string
          /** when he signed in */
          created_at: string
          /** when it was last used, to a minute */
          last_seen_at: string
          /** when it ends */
          expires_at: string
          /** true: the token of a program */
          may_idle: boolean
          /** from where he signed in */
          address: string | null
          /** with what, as it calls itself */
          user_agent: string | null
        }
        Relationships: []
      }
      storage: {
        Row: {
          place: string | null
          path: string | null
          total: number | null
          available: number | null
          used_percent: number | null
          high_water: number | null
          low_water: number | null
          problem: string | null
        }
        Relationships: []
      }
      /** Studies of which at least one object was received */
      study: {
        Row: {
          /** number of the study */
          id: number
          /** Study Instance UID (0020,000D) */
          study_instance_uid: string
          /** Patient ID (0010,0020), of the first object received */
          patient_id: string | null
          /** Patient's Name (0010,0010), of the first object received */
          patient_name: string | null
          /** Study Date (0008,0020) */
          study_date: string | null
          /** Study Description (0008,1030) */
          study_description: string | null
          /** Accession Number (0008,0050) */
          accession_number: string | null
          /** objects received, repeated ones counted each time */
          instances: number
          /** bytes of their datasets */
          size: number
          /** when the first object was received */
          first_received_at: string
          /** when the last object was received */
          last_received_at: string
          /** Modality (0008,0060) of its series */
          modalities: string[] | null
          /** AE titles that sent its objects */
          calling_aes: string[] | null
          /** number of its series */
          series: number | null
        }
        Relationships: []
      }
      task: {
        Row: {
          id: number
          kind: string
          started_by: string | null
          created_at: string
          started_at: string | null
          finished_at: string | null
          state: string
          done: number
          total: number | null
          message: string | null
          result: Json | null
        }
        Relationships: []
      }
      totals: {
        Row: {
          received: number | null
          unrouted: number | null
          routed: number | null
          waiting: number | null
          sending: number | null
          sent: number | null
          failed: number | null
        }
        Relationships: []
      }
      worker: {
        Row: {
          worker: string | null
          running: boolean | null
          pid: number | null
          since: string | null
          last_action: string | null
          last_action_at: string | null
          last_error: string | null
          last_error_at: string | null
          restarts: number | null
        }
        Relationships: []
      }
    }
    Functions: {
      cancel: {
        Args: { job_id?: number | null; destination?: string | null; study_instance_uid?: string | null; route?: string | null; job_ids?: number[] | null }
        Returns: { cancelled: number | null }
      }
      cancel_task: {
        Args: { id: number }
        Returns: boolean
      }
      /** Changes one's own password; all other sessions end. 400 if it is not good enough, 401 if the old one is wrong */
      change_password: {
        Args: { old: string; new: string }
        Returns: Json
      }
      count_jobs: {
        Args: { job_id?: number | null; destination?: string | null; study_instance_uid?: string | null; route?: string | null; job_ids?: number[] | null }
        Returns: number
      }
      /** Adds a user: viewer, operator, admin or metrics; a viewer may be limited to objects of some calling AE titles, or with some Institution Names. Answers a password that he has to change when he signs in */
      create_user: {
        Args: { username: string; role: string; scope_calling_aes?: string[] | null; scope_institutions?: string[] | null; db_role?: string | null }
        Returns: string
      }
      /** A token for a program that fetches metrics; it is listed among the sessions, and can be revoked there */
      issue_token: {
        Args: { username: string; valid_for?: string | null }
        Returns: string
      }
      /** Answers: the way to the database is open */
      live: {
        Args: Record<PropertyKey, never>
        Returns: Json
      }
      /** Signs in: {token, username, role, expires_at, must_change_password}, and the token as cookie __Host-dicomgw; 401 if name or password are wrong, 429 after too many failures, 503 if too many sign in at the same time */
      login: {
        Args: { username: string; password: string }
        Returns: Json
      }
      /** Ends the session of this request, and takes its cookie away */
      logout: {
        Args: Record<PropertyKey, never>
        Returns: boolean
      }
      /** {username, role, scope, must_change_password, expires_at, database_time}; scope is null for who sees everything */
      me: {
        Args: Record<PropertyKey, never>
        Returns: Json
      }
      move: {
        Args: { to_destination: string; job_id?: number | null; destination?: string | null; study_instance_uid?: string | null; route?: string | null; job_ids?: number[] | null }
        Returns: { moved: number | null; being_sent: number | null }
      }
      /** Whether objects are received, routed and forwarded here; 503 if not */
      ready: {
        Args: Record<PropertyKey, never>
        Returns: Json
      }
      /** Gives a user a new password that he has to change when he signs in; his sessions end. Answers the password */
      reset_password: {
        Args: { username: string }
        Returns: string
      }
      retry: {
        Args: { job_id?: number | null; destination?: string | null; study_instance_uid?: string | null; route?: string | null; job_ids?: number[] | null }
        Returns: { revived: number | null; hastened: number | null }
      }
      /** Ends a session at once; false if there is none, or it has been ended before */
      revoke_session: {
        Args: { id: string }
        Returns: boolean
      }
      /** Ends all sessions of a user at once; answers how many */
      revoke_sessions: {
        Args: { username: string }
        Returns: number
      }
      /** A new secret for tokens: all that were signed with the old one are worth nothing any more, and all sessions end; answers how many */
      rotate_secret: {
        Args: Record<PropertyKey, never>
        Returns: number
      }
      set_priority: {
        Args: { priority: number; job_id?: number | null; destination?: string | null; study_instance_uid?: string | null; route?: string | null; job_ids?: number[] | null }
        Returns: { changed: number | null }
      }
      time_series: {
        Args: { since: string; until?: string | null; step?: string | null; destination?: string | null }
        Returns: { at: string | null; received: number | null; received_bytes: number | null; sent: number | null; sent_bytes: number | null; failed: number | null }[]
      }
      /** Changes a user; what is not given stays. unlimited takes his limits away. Disabled, or with another role, his sessions end at once */
      update_user: {
        Args: { username: string; role?: string | null; disabled?: boolean | null; scope_calling_aes?: string[] | null; scope_institutions?: string[] | null; unlimited?: boolean | null; db_role?: string | null }
        Returns: null
      }
      /** Goes through the audit log and its chain of hashes: number of entries, the first one that was tampered with (null: none) and how, and the newest link, to be kept elsewhere */
      verify_audit: {
        Args: Record<PropertyKey, never>
        Returns: { entries: number | null; first_broken: number | null; problem: string | null; head: string | null }
      }
    }
    Enums: Record<never, never>
    CompositeTypes: Record<never, never>
  }
}
