/*
 * What schema dicomgw_api has.  Made by tools/ui-types ("make ui-types") from the database's catalog; not to be edited.
 */
export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[]

export type Database = {
  dicomgw_api: {
    Tables: Record<never, never>
    Views: {
      /** What somebody should look at now: one row a trouble, gone when it is over */
      alert: {
        Row: {
          /** critical: objects are refused, lost or stand still; warning: that may come of it */
          severity: string | null
          /** worker_down, listener_down, certificate_expires, storage_low, storage_problem, destination_down, queue_old, dead_letter, unrouted, audit_export_stuck */
          kind: string | null
          /** worker, listener, place of storage, destination or audit repository that it is about */
          subject: string | null
          /** what, since when, what to do */
          message: string | null
          /** since when; NULL: it is not known */
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
          /** he sees objects from these calling AE titles only; NULL: from any */
          scope_calling_aes: string[] | null
          /** he sees objects with these Institution Names only; NULL: with any, or none */
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
      /** Associations, open (ended_at IS NULL) and ended: who, how much, how fast, how it ended */
      association: {
        Row: {
          /** number of the association, for abort_association() */
          id: number | null
          /** connected (has not asked for an association yet), open, or how it ended */
          state: string | null
          /** listener that was called */
          listener: string | null
          /** network address of the caller */
          peer_address: string | null
          /** its TCP port */
          peer_port: number | null
          /** AE title of the caller */
          calling_ae: string | null
          /** AE title that it called */
          called_ae: string | null
          /** user name that it presented */
          username: string | null
          /** Implementation Class UID of the caller's software */
          implementation_class_uid: string | null
          /** Implementation Version Name of the caller's software */
          implementation_version: string | null
          /** TLS version; NULL: not encrypted */
          tls_version: string | null
          /** TLS cipher suite */
          tls_cipher: string | null
          /** subject of the caller's certificate */
          tls_subject: string | null
          /** when the connection was accepted */
          started_at: string | null
          /** when its last object was received, or it was opened */
          last_active_at: string | null
          /** when it ended; NULL: it has not */
          ended_at: string | null
          /** objects answered with success */
          objects: number | null
          /** bytes of their datasets; of an ended one, those of refused objects included */
          bytes: number | null
          /** bytes by the time it lasted */
          bytes_per_second: number | null
          /** more about how it ended, in words */
          reason: string | null
        }
        Relationships: []
      }
      /** Data dictionary (PS3.6): keyword and tag of each standard attribute; taken from DCMTK's dictionary when dicomgw was built */
      attribute: {
        Row: {
          /** PatientID */
          keyword: string
          /** eight hexadecimal digits, as in DICOM JSON: 00100020 */
          tag: string
          /** value representation */
          vr: string
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
      /** One row an audit repository: does it get the audit log, and what is it still to get */
      audit_export_status: {
        Row: {
          /** name of the repository */
          repository: string
          /** false: nothing is sent */
          enabled: boolean
          /** true: the last connection ended as it should; false: it failed, or there was none yet */
          connected: boolean | null
          /** since when that is so; NULL: nothing was tried yet */
          since: string | null
          /** entry of audit_log that was sent last */
          last_id: number | null
          /** when */
          last_sent_at: string | null
          /** entries that it has not, as far as we know */
          waiting: number | null
          /** when the first of them was written */
          oldest_waiting_since: string | null
          /** failed attempts since the last success */
          failures: number | null
          /** not tried before; NULL: as soon as there is something to send */
          next_attempt_at: string | null
          /** why the last failed attempt failed */
          last_error: string | null
          /** when */
          last_error_at: string | null
        }
        Relationships: []
      }
      /** Syslog receivers that get each entry of the audit log as a DICOM audit message */
      audit_repository: {
        Row: {
          /** number of the repository */
          id: number
          /** what people call it */
          name: string
          /** false: nothing is sent; what is not sent waits */
          enabled: boolean
          /** host name, IPv4 or IPv6 address */
          host: string
          /** TCP port */
          port: number
          /** TLS 1.2 or 1.3 after BCP 195: verify-full (a CA that we trust has signed its certificate, for the name that we connect to), verify-ca, require (the certificate is not looked at); off: for tests, plain TCP with the same framing (RFC 6587) */
          tls: string
          /** PEM file of the CA certificates that we trust there; NULL: those that the system trusts */
          tls_ca: string | null
          /** PEM file of our own certificate and its chain (IHE ITI-19 wants one); NULL: we show none */
          tls_certificate: string | null
          /** PEM file of its private key, without a passphrase */
          tls_key: string | null
          /** name that the server's certificate must have (verify-full), and that is sent as SNI; NULL: host */
          tls_server_name: string | null
          /** true: a batch counts as delivered only if the receiver ends the connection with a close_notify of its own, as RFC 5425 says it must; false: an end in order by TCP will do (for rsyslog with GnuTLS); without TLS it means nothing */
          needs_close_notify: boolean
          /** time for name resolution and the TCP connection */
          connect_timeout: string
          /** time for the TLS handshake, for taking more, and for the end of the connection */
          response_timeout: string
          /** AuditSourceID: what we call ourselves there */
          source: string
          /** AuditEnterpriseSiteID; NULL: none */
          enterprise_site: string | null
          /** true: messages about a study name its patient (ID and name), as DICOM wants it; the audit log itself has UIDs only */
          patient_data: boolean
        }
        Insert: {
          id?: number
          name: string
          enabled?: boolean
          host: string
          port?: number
          tls?: string
          tls_ca?: string | null
          tls_certificate?: string | null
          tls_key?: string | null
          tls_server_name?: string | null
          needs_close_notify?: boolean
          connect_timeout?: string
          response_timeout?: string
          source?: string
          enterprise_site?: string | null
          patient_data?: boolean
        }
        Update: {
          id?: number
          name?: string
          enabled?: boolean
          host?: string
          port?: number
          tls?: string
          tls_ca?: string | null
          tls_certificate?: string | null
          tls_key?: string | null
          tls_server_name?: string | null
          needs_close_notify?: boolean
          connect_timeout?: string
          response_timeout?: string
          source?: string
          enterprise_site?: string | null
          patient_data?: boolean
        }
        Relationships: []
      }
      /** Counters of each caller, of its associations that have ended; at most 10,000 callers are told apart, the rest is counted as calling AE title (others) */
      caller: {
        Row: {
          /** AE title of the caller; empty: it never said */
          calling_ae: string
          /** its network address */
          peer_address: string
          /** associations that were accepted */
          associations: number
          /** associations and connections that were not */
          refused: number
          /** objects answered with success */
          objects: number
          /** bytes of datasets that came */
          bytes: number
          /** when it first called */
          first_seen_at: string
          /** when its last association ended */
          last_seen_at: string
          /** when it was last refused */
          last_refused_at: string | null
          /** and why */
          last_refusal: string | null
        }
        Relationships: []
      }
      /** What was changed in the configuration, by whom and when: one row a version, ORDER BY at DESC shows the last ones first */
      configuration_change: {
        Row: {
          /** when: the first change of the transaction */
          at: string
          /** who: the role that logged in; NULL: it is not known */
          changed_by: string | null
          /** the role that it acted as (SET ROLE); NULL: as itself */
          changed_as: string | null
          /** with which program, as it calls itself */
          application: string | null
          /** true: the change came by logical replication */
          replicated: boolean
          /** table in schema dicomgw */
          table_name: string
          /** what people call the row */
          name: string
          /** number of the version; for dicomgw.revert() */
          version: number
          /** insert, update, delete; found: how a row was that came in unnoticed */
          operation: string
          /** what was changed, to be read: column: old → new; all that is not NULL of a row that is new or gone */
          change: string | null
          /** the columns that differ, with their values before; NULL: the row is new */
          before: Json | null
          /** the columns that differ, with their values after; NULL: the row is gone */
          after: Json | null
          /** the transaction: what has the same one was changed together */
          transaction_id: string
        }
        Relationships: []
      }
      /** Every version of every row of the configuration; see dicomgw.configuration_change for what was changed in each */
      configuration_history: {
        Row: {
          /** table in schema dicomgw */
          table_name: string
          /** the row: its primary key */
          row_key: string
          /** what people call the row in this version */
          name: string
          /** the how manieth version of the row it is, from 1 */
          version: number
          /** insert, update; delete: the row is gone from here on; found: as it was when it was first changed, of a row that came in while triggers were disabled */
          operation: string
          /** since when: the first change of the transaction, so that all it changes has one time; in force from its COMMIT */
          valid_from: string
          /** who: the role that logged in; NULL: it is not known */
          changed_by: string | null
          /** the role that it acted as (SET ROLE); NULL: as itself */
          changed_as: string | null
          /** with which program, as it calls itself */
          application: string | null
          /** true: the change came by logical replication */
          replicated: boolean
          /** the transaction: what has the same one was changed together */
          transaction_id: string
          /** the row in this version (delete: the last one), without its secrets */
          contents: Json
          /** secret columns: the version in which each got its present value, or null if it has none */
          secrets: Json
        }
        Relationships: []
      }
      /** Table E.1-1 of PS3.15, as data/ps3.15-e.1-1.csv of the source has it (it names its edition): what happens to each attribute */
      deidentification_rule: {
        Row: {
          /** eight hexadecimal digits; x stands for any of them: 60xx3000 */
          tag: string
          /** action of the basic profile: X remove, Z zero length, D dummy value, U replace the UID; X/Z and the like: the first that the object's IOD permits */
          basic: string
          /** instead, with the option Retain UIDs: K keep */
          retain_uids: string | null
          /** instead, with the option Retain Device Identity */
          retain_device_identity: string | null
          /** instead, with the option Retain Institution Identity */
          retain_institution_identity: string | null
          /** instead, with the option Retain Patient Characteristics; C: clean */
          retain_patient_characteristics: string | null
          /** instead, with the option Retain Longitudinal Temporal Information with Full Dates */
          retain_full_dates: string | null
          /** instead, with the option Retain Longitudinal Temporal Information with Modified Dates: C, moved by some days */
          retain_modified_dates: string | null
          /** instead, with the option Clean Descriptors: C, clean */
          clean_descriptors: string | null
          /** with the option Clean Structured Content, which dicomgw does not offer */
          clean_structured_content: string | null
          /** with the option Clean Graphics, which dicomgw does not offer */
          clean_graphics: string | null
          /** of the attribute */
          name: string
        }
        Relationships: []
      }
      /** Where objects are forwarded to: application entities (C-STORE SCU) and DICOMweb servers (STOW-RS) */
      destination: {
        Row: {
          /** number of the destination */
          id: number
          /** what routes and people call it */
          name: string
          /** dimse (C-STORE) or dicomweb (STOW-RS, PS3.18 10.5) */
          kind: string
          /** dimse: host name, IPv4 or IPv6 address */
          host: string | null
          /** dimse: TCP port */
          port: number
          /** dimse: AE title that we call */
          ae_title: string | null
          /** AE title that we call ourselves there */
          calling_ae_title: string
          /** dimse: longest PDU that we offer to receive, in bytes; what we send keeps to the peer's limit */
          max_pdu: number
          /** dicomweb: base URL of the service, e.g. https://pacs.example/dicom-web; objects are posted to its /studies. Credentials: dicomgw.set_credentials() */
          url: string | null
          /** dicomweb: URL of an HTTP proxy; NULL: none */
          proxy: string | null
          /** dicomweb: most instances in one request */
          batch: number
          /** off, or TLS 1.2 or 1.3 after BCP 195: require (the certificate is not looked at), verify-ca (a CA that we trust has signed it), verify-full (and for the name that we connect to) */
          tls: string
          /** PEM file of the CA certificates that we trust there; NULL: those that the system trusts */
          tls_ca: string | null
          /** PEM file of our own certificate and its chain; NULL: we show none */
          tls_certificate: string | null
          /** PEM file of its private key, without a passphrase */
          tls_key: string | null
          /** name that the server's certificate must have (verify-full), and that is sent as SNI; NULL: host */
          tls_server_name: string | null
          /** dimse: what is done if the peer does not accept an object's own transfer syntax: none; uncompressed (between the uncompressed ones); decompress (to an uncompressed one, too) */
          conversion: string
          /** dimse: uncompressed objects are sent as jpeg-lossless, jpeg-ls-lossless or rle-lossless if the peer accepts that; NULL: as they are */
          compression: string | null
          /** associations (HTTP: connections) open to it at the same time, at most */
          max_associations: number
          /** time for name resolution and the TCP connection */
          connect_timeout: string
          /** time for TLS and the answer to our A-ASSOCIATE-RQ */
          association_timeout: string
          /** time for the answer to a C-STORE-RQ, C-ECHO-RQ or HTTP request */
          response_timeout: string
          /** how often an object is offered that the peer refuses for the moment, before it becomes a dead letter */
          max_attempts: number
          /** how often an object is offered that the peer refuses for good (A9xx, Cxxx, 0122H, no accepted presentation context) */
          permanent_attempts: number
          /** an object that is refused becomes a dead letter if it was first refused so long ago; the time while the destination was down counts, too, but it takes an answer to give up */
          give_up_after: string
          /** wait after the first refusal, and before the first probe of a destination that does not answer */
          retry_first_delay: string
          /** each further wait is so many times the one before */
          retry_factor: number
          /** longest wait of an object that was refused */
          retry_max_delay: string
          /** waits are longer or shorter by up to this share, at random: 0.25 is a quarter */
          retry_jitter: number
          /** longest wait between two probes of a destination that is down */
          probe_interval: string
          /** objects sent a second, at most; NULL: no limit */
          max_objects_per_second: number | null
          /** bytes of datasets sent a second, at most; NULL: no limit */
          max_bytes_per_second: number | null
          /** true: jobs wait, nothing is sent; see dicomgw.pause() and dicomgw.resume() */
          paused: boolean
          /** why it is paused */
          pause_reason: string | null
          /** who paused it */
          paused_by: string | null
          /** when */
          paused_at: string | null
        }
        Insert: {
          id?: number
          name: string
          kind?: string
          host?: string | null
          port?: number
          ae_title?: string | null
          calling_ae_title?: string
          max_pdu?: number
          url?: string | null
          proxy?: string | null
          batch?: number
          tls?: string
          tls_ca?: string | null
          tls_certificate?: string | null
          tls_key?: string | null
          tls_server_name?: string | null
          conversion?: string
          compression?: string | null
          max_associations?: number
          connect_timeout?: string
          association_timeout?: string
          response_timeout?: string
          max_attempts?: number
          permanent_attempts?: number
          give_up_after?: string
          retry_first_delay?: string
          retry_factor?: number
          retry_max_delay?: string
          retry_jitter?: number
          probe_interval?: string
          max_objects_per_second?: number | null
          max_bytes_per_second?: number | null
          paused?: boolean
          pause_reason?: string | null
          paused_by?: string | null
          paused_at?: string | null
        }
        Update: {
          id?: number
          name?: string
          kind?: string
          host?: string | null
          port?: number
          ae_title?: string | null
          calling_ae_title?: string
          max_pdu?: number
          url?: string | null
          proxy?: string | null
          batch?: number
          tls?: string
          tls_ca?: string | null
          tls_certificate?: string | null
          tls_key?: string | null
          tls_server_name?: string | null
          conversion?: string
          compression?: string | null
          max_associations?: number
          connect_timeout?: string
          association_timeout?: string
          response_timeout?: string
          max_attempts?: number
          permanent_attempts?: number
          give_up_after?: string
          retry_first_delay?: string
          retry_factor?: number
          retry_max_delay?: string
          retry_jitter?: number
          probe_interval?: string
          max_objects_per_second?: number | null
          max_bytes_per_second?: number | null
          paused?: boolean
          pause_reason?: string | null
          paused_by?: string | null
          paused_at?: string | null
        }
        Relationships: []
      }
      /** Several destinations of which one gets an object */
      destination_group: {
        Row: {
          /** number of the group */
          id: number
          /** what routes and people call it */
          name: string
          /** failover: the first member that can take jobs; balance: studies are spread over all of them */
          kind: string
        }
        Insert: {
          id?: number
          name: string
          kind?: string
        }
        Update: {
          id?: number
          name?: string
          kind?: string
        }
        Relationships: []
      }
      /** Which destinations a group has */
      destination_group_member: {
        Row: {
          /** name of the group */
          destination_group: string
          /** name of the destination */
          destination: string
          /** failover: lower ones come first */
          position: number
        }
        Insert: {
          destination_group: string
          destination: string
          position?: number
        }
        Update: {
          destination_group?: string
          destination?: string
          position?: number
        }
        Relationships: []
      }
      /** One row a destination: does it answer, may it be sent to, and what waits for it */
      destination_status: {
        Row: {
          /** its name */
          destination: string
          /** up, down, probing, paused, closed (outside its windows), or unknown (nothing was sent there yet) */
          state: string | null
          /** why it is down or paused */
          reason: string | null
          /** since when it is so */
          since: string | null
          /** when it is asked again */
          next_probe_at: string | null
          /** who paused it */
          paused_by: string | null
          /** when its window opens or closes; NULL: it has none */
          window_changes_at: string | null
          /** associations open to it, as of a second ago */
          associations: number | null
          /** associations that it may have now */
          concurrency: number | null
          /** and at most */
          max_associations: number
          /** jobs that wait */
          waiting: number | null
          /** jobs that are being sent */
          sending: number | null
          /** dead letters */
          failed: number | null
          /** when the oldest job was put into the queue */
          oldest: string | null
        }
        Relationships: []
      }
      /** Times in which objects may be sent to a destination; one without any may always be sent to */
      destination_window: {
        Row: {
          /** number of the window */
          id: number
          /** name of the destination */
          destination: string
          /** days of the week on which it opens, 1 Monday to 7 Sunday (ISO 8601) */
          days: number[]
          /** local time at which it opens */
          opens_at: string
          /** local time at which it closes; if that is before opens_at, on the next day; 24:00 is midnight */
          closes_at: string
          /** time zone of both, e.g. Europe/Berlin; summer time is minded */
          time_zone: string
        }
        Insert: {
          id?: number
          destination: string
          days?: number[]
          opens_at: string
          closes_at: string
          time_zone?: string
        }
        Update: {
          id?: number
          destination?: string
          days?: number[]
          opens_at?: string
          closes_at?: string
          time_zone?: string
        }
        Relationships: []
      }
      /** The edits of routes as they were when jobs were made with them; a job keeps its own, whatever becomes of the route. Never changed */
      edit_version: {
        Row: {
          /** number of the version; jobs and their history name it */
          id: number
          /** the route */
          route_id: number
          /** when a job was first made with it */
          made_at: string
          /** the edits, in their order */
          edits: Json
        }
        Relationships: []
      }
      /** Attempts that did not succeed; those that did are in forward_history; one partition a day */
      forward_attempt: {
        Row: {
          /** number of the job */
          job_id: number
          /** the object */
          instance_id: number
          /** name of the destination at that time */
          destination: string
          /** when its result was recorded */
          attempted_at: string
          /** the how manieth attempt of the job it was */
          attempt: number
          /** from the C-STORE-RQ to the C-STORE-RSP */
          duration: string | null
          /** DIMSE status of the peer's answer (PS3.7 C); NULL: there was none */
          status: number | null
          /** the reason in words */
          error: string | null
          /** Offending Element (0000,0901) of the answer: tags, separated by commas */
          offending: string | null
          /** SOP Instance UID of the object */
          sop_instance_uid: string | null
          /** number of its study; NULL: its header names none */
          study_id: number | null
          /** Study Instance UID (0020,000D) */
          study_instance_uid: string | null
          /** Patient ID (0010,0020) of the study */
          patient_id: string | null
          /** Patient's Name (0010,0010) of the study */
          patient_name: string | null
          /** Modality (0008,0060) of its series */
          modality: string | null
          /** AE title of the sender */
          calling_ae: string | null
        }
        Relationships: []
      }
      /** Jobs that have ended: sent, or cancelled by a person; one partition a day */
      forward_history: {
        Row: {
          /** number of the job */
          job_id: number
          /** the object */
          instance_id: number
          /** name of the destination at that time */
          destination: string
          /** the route that asked for it; NULL: a person did */
          route_id: number | null
          /** sent: the peer answered 0000H or Bxxx; cancelled: by a person */
          outcome: string
          /** when it was put into the queue */
          created_at: string
          /** when it ended */
          ended_at: string
          /** how often it was offered to the peer, the last time included */
          attempts: number
          /** from the C-STORE-RQ to the C-STORE-RSP */
          duration: string | null
          /** DIMSE status of the peer's answer (PS3.7 C): 0 success, B000H and up warnings */
          status: number | null
          /** Error Comment (0000,0902) of the peer's answer, or who cancelled */
          comment: string | null
          /** Offending Element (0000,0901) of a warning: tags, separated by commas */
          offending: string | null
          /** transfer syntax that it was converted to for sending; NULL: its bytes were sent as they were received */
          sent_transfer_syntax_uid: string | null
          /** the edits that were made on its copy (dicomgw.edit_version); NULL: none, the bytes are untouched */
          edit_version: number | null
          /** SOP Instance UID of the object */
          sop_instance_uid: string | null
          /** number of its study; NULL: its header names none */
          study_id: number | null
          /** Study Instance UID (0020,000D) */
          study_instance_uid: string | null
          /** Patient ID (0010,0020) of the study */
          patient_id: string | null
          /** Patient's Name (0010,0010) of the study */
          patient_name: string | null
          /** Modality (0008,0060) of its series */
          modality: string | null
          /** AE title of the sender */
          calling_ae: string | null
        }
        Relationships: []
      }
      /** What waits until its series or study is complete: since when, until when, and for what */
      gathering_status: {
        Row: {
          /** number of the gathering */
          gathering_id: number
          /** the route that took the objects */
          route: string | null
          /** Study Instance UID */
          study_instance_uid: string | null
          /** Series Instance UID; NULL: all of the study */
          series_instance_uid: string | null
          /** when the first object was taken */
          since: string
          /** when the last object was taken */
          last_at: string
          /** when it is complete, if nothing more comes */
          due_at: string | null
          /** objects that the route has taken */
          instances: number
          /** objects received of the series or study, whichever route took them, repeated ones counted each time */
          received: number | null
          /** instances that it is to have; NULL: not known */
          expected: number | null
          /** wait, complete, routing (switched off), group (without members), disabled or deleted (the route) */
          reason_code: string | null
          /** the same in words */
          reason: string | null
        }
        Relationships: []
      }
      /** Texts that the option Clean Descriptors keeps: what is not here, word by word, is treated as without the option */
      harmless_text: {
        Row: {
          /** the whole value of an attribute, e.g. CHEST PA */
          value: string
        }
        Insert: {
          value: string
        }
        Update: {
          value?: string
        }
        Relationships: []
      }
      /** Objects that are routed; the same SOP Instance UID received twice is two rows with a file each */
      instance: {
        Row: {
          /** number of the object, in the order of receipt */
          id: number
          /** its series; NULL if its header names no study */
          series_id: number | null
          /** when its row was committed (start of that transaction) */
          received_at: string
          /** listener that it came in by */
          listener_id: number | null
          /** AE title of the sender */
          calling_ae: string
          /** AE title that the sender called */
          called_ae: string
          /** network address of the sender */
          peer_address: string | null
          /** SOP Class UID, as in the C-STORE-RQ */
          sop_class_uid: string
          /** SOP Instance UID, as in the C-STORE-RQ */
          sop_instance_uid: string
          /** transfer syntax of the dataset's bytes */
          transfer_syntax_uid: string
          /** its Part 10 file, below dicomgw.storage_path */
          file_path: string
          /** bytes of the dataset, without the file meta group */
          size: number
          /** SHA-256 of the dataset's bytes as they were received */
          sha256: string
          /** what could not be read of its header; NULL if all could */
          header_error: string | null
          /** when retention removed its file; NULL: it is kept */
          removed_at: string | null
          /** Institution Name (0008,0080), which a viewer may be limited to */
          institution_name: string | null
          /** Instance Number (0020,0013): its place in the series, as its sender has it */
          instance_number: number | null
          /** its study */
          study_id: number | null
        }
        Relationships: []
      }
      /** Every job that is not done, with the one reason why: waiting, being sent, or failed for good */
      job: {
        Row: {
          /** number of the job */
          job_id: number | null
          /** waiting, sending or failed */
          state: string | null
          /** where it goes */
          destination: string | null
          /** SOP Instance UID of the object */
          sop_instance_uid: string | null
          /** sending, forwarder (not running), paused, window, down, backoff, rate, queue or failed */
          reason_code: string | null
          /** why it is not done */
          reason: string | null
          /** when that may be over, if it is known */
          waits_until: string | null
          /** when it was put into the queue */
          since: string | null
          /** 0 to 9, higher ones are sent first */
          priority: number | null
          /** how often it was offered to the peer */
          attempts: number | null
          /** the last refusal */
          last_error: string | null
          /** number of the object */
          instance_id: number | null
          /** the route that asked for it; NULL: a person did */
          route_id: number | null
          /** group whose member the destination is; NULL: it was named itself */
          destination_group: string | null
          /** number of its study; NULL: its header names none */
          study_id: number | null
          /** Study Instance UID (0020,000D) */
          study_instance_uid: string | null
          /** Patient ID (0010,0020) of the study */
          patient_id: string | null
          /** Patient's Name (0010,0010) of the study */
          patient_name: string | null
          /** Modality (0008,0060) of its series */
          modality: string | null
          /** AE title of the sender */
          calling_ae: string | null
        }
        Relationships: []
      }
      /** How many jobs are not done, by destination and by the reason why */
      job_summary: {
        Row: {
          /** where it goes */
          destination: string | null
          /** waiting, sending or failed */
          state: string | null
          /** sending, forwarder (not running), paused, window, down, backoff, rate, queue or failed */
          reason_code: string | null
          /** why they are not done; of those that were refused, what was said last */
          reason: string | null
          /** how many */
          jobs: number | null
          /** when the oldest of them was put into the queue */
          oldest: string | null
        }
        Relationships: []
      }
      /** Ports on which associations are accepted; a change takes effect at COMMIT, open associations go on */
      listener: {
        Row: {
          /** number of the listener */
          id: number
          /** what people call it */
          name: string
          /** false: the port is closed */
          enabled: boolean
          /** IPv4 or IPv6 address to listen on; * means every address of this machine */
          bind_address: string
          /** TCP port; 11112 is registered for DICOM, 2762 for DICOM over TLS, 104 needs a privilege */
          port: number
          /** our AE titles here: an association that calls another one is rejected, unless promiscuous */
          ae_titles: string[]
          /** called_ae: who calls one of ae_titles; known_callers: who is in remote_ae, besides; promiscuous: everybody, whatever the AE titles */
          accepts: string
          /** longest PDU that we offer to receive, in bytes */
          max_pdu: number
          /** time for the whole A-ASSOCIATE-RQ to arrive (ARTIM, PS3.8 9.1.5) */
          association_timeout: string
          /** an association on which no whole PDU arrives for so long is aborted */
          idle_timeout: string
          /** associations open here at the same time; more are rejected (local limit exceeded); NULL: only dicomgw.max_associations limits */
          max_associations: number | null
          /** associations open here from one calling AE title; remote_ae.max_associations goes before; NULL: no limit */
          max_associations_per_ae: number | null
          /** bytes of the largest dataset that is taken; a larger one is answered A700H; NULL: no limit */
          max_object_size: number | null
          /** UIDs of transfer syntaxes in the order of preference; the first that a sender proposes is accepted, else the sender's first; empty: always the sender's first */
          transfer_syntaxes: string[]
          /** an object whose SOP Instance UID was received before: keep each version; ignore a byte-identical repeat (success, no new jobs); refuse it (0111H) */
          duplicates: string
          /** SOP Class or Instance UID of command and dataset differ: refuse (A900H), or store and say so in header_error */
          mismatch: string
          /** TLS 1.2 or 1.3 after BCP 195 (PS3.15 B.9) */
          tls: boolean
          /** absolute path of the PEM file with our certificate, and its chain */
          tls_certificate: string | null
          /** absolute path of the PEM file with our private key, without a passphrase */
          tls_key: string | null
          /** none: not asked for; optional: one that is sent must be valid; required: no association without a valid one */
          tls_client_certificate: string
          /** absolute path of the PEM file with the certificates that callers' certificates must lead to */
          tls_ca: string | null
          /** absolute path of the PEM file with the revocation lists of these authorities; NULL: revocation is not checked */
          tls_crl: string | null
        }
        Insert: {
          id?: number
          name: string
          enabled?: boolean
          bind_address?: string
          port?: number
          ae_titles?: string[]
          accepts?: string
          max_pdu?: number
          association_timeout?: string
          idle_timeout?: string
          max_associations?: number | null
          max_associations_per_ae?: number | null
          max_object_size?: number | null
          transfer_syntaxes?: string[]
          duplicates?: string
          mismatch?: string
          tls?: boolean
          tls_certificate?: string | null
          tls_key?: string | null
          tls_client_certificate?: string
          tls_ca?: string | null
          tls_crl?: string | null
        }
        Update: {
          id?: number
          name?: string
          enabled?: boolean
          bind_address?: string
          port?: number
          ae_titles?: string[]
          accepts?: string
          max_pdu?: number
          association_timeout?: string
          idle_timeout?: string
          max_associations?: number | null
          max_associations_per_ae?: number | null
          max_object_size?: number | null
          transfer_syntaxes?: string[]
          duplicates?: string
          mismatch?: string
          tls?: boolean
          tls_certificate?: string | null
          tls_key?: string | null
          tls_client_certificate?: string
          tls_ca?: string | null
          tls_crl?: string | null
        }
        Relationships: []
      }
      /** One row a listener: is it listening, and if not, why */
      listener_status: {
        Row: {
          /** name of the listener */
          name: string
          /** address that it listens on */
          bind_address: string
          /** TCP port */
          port: number
          /** true if connections are accepted */
          listening: boolean | null
          /** what is wrong with it, or its certificate; NULL: nothing */
          problem: string | null
          /** when its certificate expires; NULL: no TLS, or not read yet */
          certificate_expires_at: string | null
          /** associations open here */
          associations: number | null
        }
        Relationships: []
      }
      /** Are objects accepted now? If not, C-STORE is answered A700H, C-ECHO as ever */
      receiving: {
        Row: {
          /** false: the storage is above its high-water mark, or cannot be used */
          accepts_objects: boolean | null
          /** why not */
          reason: string | null
          /** since when that is so */
          since: string | null
        }
        Relationships: []
      }
      /** Application entities that may call, from where and for what; of several rows for an AE title the one with the smallest network counts */
      remote_ae: {
        Row: {
          /** number of the row */
          id: number
          /** its calling AE title */
          ae_title: string
          /** addresses that it calls from, e.g. 10.1.2.0/24; NULL: any */
          network: string | null
          /** what and where it is, for people */
          description: string | null
          /** false: it is rejected (calling AE title not recognised), on every listener */
          enabled: boolean
          /** it may send objects (C-STORE) */
          may_store: boolean
          /** it may verify the connection (C-ECHO) */
          may_echo: boolean
          /** associations open from it at the same time; more are rejected (local limit exceeded); NULL: what the listener says */
          max_associations: number | null
          /** User Identity (PS3.7 D.3.3.7) that it must present; NULL: none is asked for */
          username: string | null
          /** passcode that goes with it: write it, and read asterisks if there is one; asterisks that are written back change nothing, null takes it away */
          passcode: string | null
        }
        Insert: {
          id?: number
          ae_title: string
          network?: string | null
          description?: string | null
          enabled?: boolean
          may_store?: boolean
          may_echo?: boolean
          max_associations?: number | null
          username?: string | null
          passcode?: string | null
        }
        Update: {
          id?: number
          ae_title?: string
          network?: string | null
          description?: string | null
          enabled?: boolean
          may_store?: boolean
          may_echo?: boolean
          max_associations?: number | null
          username?: string | null
          passcode?: string | null
        }
        Relationships: []
      }
      /** What retention removed, by day (UTC) and reason */
      removal_log: {
        Row: {
          /** the day */
          day: string
          /** age: dicomgw.object_retention; space: dicomgw.space_retention */
          reason: string
          /** objects whose files were removed */
          objects: number
          /** bytes of their datasets */
          bytes: number
        }
        Relationships: []
      }
      /** Rules: every received object for which the predicate is true is sent to the destination */
      route: {
        Row: {
          /** number of the route */
          id: number
          /** what people call it */
          name: string
          /** SQL boolean expression over the columns of dicomgw.route_row, e.g. modality = 'CT' AND calling_ae LIKE 'CT%'; tag('PatientID') reads any other attribute */
          predicate: string
          /** name of the destination; or else there is a group */
          destination: string | null
          /** name of the destination group */
          destination_group: string | null
          /** of the jobs it makes, 0 to 9: higher ones are sent first */
          priority: number
          /** false: the route is passed over */
          enabled: boolean
          /** routes are evaluated in this order, then by number */
          position: number
          /** true: an object that this route takes is not offered to those after it */
          stop: boolean
          /** true: only for objects that no other route takes; evaluated after all others */
          is_default: boolean
          /** it is for objects received at this time or later; NULL: whenever */
          valid_from: string | null
          /** it is for objects received before this time; NULL: whenever */
          valid_until: string | null
          /** when objects are sent: instance (each at once), series or study (together, when it is complete) */
          trigger: string
          /** series, study: it is complete when the route took nothing more of it for so long */
          quiet_period: string
          /** series, study: it is complete at once when so many of its instances were received; SQL integer expression over dicomgw.route_row. NULL: Number of Series (0020,1209) or Study (0020,1208) Related Instances, if the header has it */
          expected_instances: string | null
        }
        Insert: {
          id?: number
          name: string
          predicate?: string
          destination?: string | null
          destination_group?: string | null
          priority?: number
          enabled?: boolean
          position?: number
          stop?: boolean
          is_default?: boolean
          valid_from?: string | null
          valid_until?: string | null
          trigger?: string
          quiet_period?: string
          expected_instances?: string | null
        }
        Update: {
          id?: number
          name?: string
          predicate?: string
          destination?: string | null
          destination_group?: string | null
          priority?: number
          enabled?: boolean
          position?: number
          stop?: boolean
          is_default?: boolean
          valid_from?: string | null
          valid_until?: string | null
          trigger?: string
          quiet_period?: string
          expected_instances?: string | null
        }
        Relationships: []
      }
      /** Columns that predicates of routes and expressions of edits are written over */
      route_column: {
        Row: {
          /** name of the column */
          name: string | null
          /** its type */
          type: string | null
          /** what it is */
          comment: string | null
        }
        Relationships: []
      }
      /** Edits on the way out, route by route: made one after the other on each copy that the route sends. What is stored stays as it was received */
      route_edit: {
        Row: {
          /** number of the edit */
          id: number
          /** name of the route */
          route: string
          /** the order in which the edits of a route take effect; the same: by id */
          position: number
          /** set; replace: set, if it is there; remove; keep_only: remove all others; map_uid: replace by a pseudonym, without an attribute all UIDs of instances; remove_private; keep_private: only those of these creators; deidentify: the Basic Application Level Confidentiality Profile of PS3.15 E.1 */
          action: string
          /** keyword (PatientID), tag (0010,0020), path (RequestAttributesSequence/ScheduledProcedureStepID), * / before it: wherever it is; a private one with its creator: 0019,xx10:SIEMENS CT VA0 COAD. keep_only, keep_private: a list, parted by backslashes */
          attribute: string | null
          /** the new value, several of them parted by backslashes; empty: none */
          value: string | null
          /** or a SQL expression over the columns of dicomgw.route_row, evaluated for each object as it was received; NULL: no value */
          expression: string | null
          /** of deidentify: retain_longitudinal_temporal_information_modified_dates, retain_longitudinal_temporal_information_full_dates, retain_uids, retain_patient_characteristics, retain_device_identity, retain_institution_identity, clean_descriptors; allow_burned_in: also objects that say that their pixels have text in them */
          options: string[]
        }
        Insert: {
          id?: number
          route: string
          position?: number
          action: string
          attribute?: string | null
          value?: string | null
          expression?: string | null
          options?: string[]
        }
        Update: {
          id?: number
          route?: string
          position?: number
          action?: string
          attribute?: string | null
          value?: string | null
          expression?: string | null
          options?: string[]
        }
        Relationships: []
      }
      /** What was decided for each object; a further row if it was routed again, or a route let go of it. The newest one says which routes have it. One partition a day */
      routing_decision: {
        Row: {
          /** the object */
          instance_id: number
          /** when */
          decided_at: string
          /** numbers of the routes that took it; empty: none did */
          matched: number[]
          /** those of them that took it to wait for its series or study; NULL: none */
          gathered: number[] | null
          /** routes that failed on it: {"route name": "message"} */
          errors: Json | null
          /** names of the routes that took it */
          routes: string[] | null
          /** SOP Instance UID of the object */
          sop_instance_uid: string | null
          /** number of its study; NULL: its header names none */
          study_id: number | null
          /** Study Instance UID (0020,000D) */
          study_instance_uid: string | null
          /** Patient ID (0010,0020) of the study */
          patient_id: string | null
          /** Patient's Name (0010,0010) of the study */
          patient_name: string | null
          /** Modality (0008,0060) of its series */
          modality: string | null
          /** AE title of the sender */
          calling_ae: string | null
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
          /** bytes of their datasets */
          size: number
          /** when the first of them was received */
          first_received_at: string
          /** when the last of them was received */
          last_received_at: string
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
      /** Settings of the server (dicomgw.*); they are changed in postgresql.conf or with ALTER SYSTEM */
      setting: {
        Row: {
          /** name of the setting */
          name: string | null
          /** its value */
          value: string | null
          /** what it is if nobody sets it */
          default_value: string | null
          /** unit of both; null: none */
          unit: string | null
          /** what it is for */
          description: string | null
          /** where it was set: default, configuration file, and so on */
          source: string | null
          /** true: a change counts when the server is restarted; else when it is reloaded */
          needs_restart: boolean | null
          /** true: it was changed, and the server has to be restarted for that */
          pending_restart: boolean | null
        }
        Relationships: []
      }
      /** Where objects are kept, and how full it is there: the storage, and its mirror if there is one */
      storage: {
        Row: {
          /** storage or mirror */
          place: string | null
          /** its folder */
          path: string | null
          /** bytes of its file system */
          total: number | null
          /** bytes that can still be used */
          available: number | null
          /** percent in use, as df shows it */
          used_percent: number | null
          /** percent at which objects are refused (dicomgw.storage_high_water) */
          high_water: number | null
          /** percent below which they are accepted again (dicomgw.storage_low_water) */
          low_water: number | null
          /** why it cannot be used; NULL: it can */
          problem: string | null
        }
        Relationships: []
      }
      /** Checks of the whole storage of the last 100 days */
      storage_check: {
        Row: {
          /** when it began */
          started_at: string
          /** when it ended */
          ended_at: string
          /** files looked at, in storage and mirror */
          files: number
          /** how many things it found wrong, those removed included */
          problems: number
          /** files without row and temporary files that it removed */
          removed: number
        }
        Relationships: []
      }
      /** What is wrong in the storage, as check_storage and verify found it; what a later one finds well again is taken out */
      storage_problem: {
        Row: {
          /** storage or mirror */
          place: string
          /** the file, below that place */
          file_path: string
          /** the object whose file it is; NULL: no row names it */
          instance_id: number | null
          /** what is wrong with it */
          problem: string
          /** when it was found first */
          found_at: string
          /** when it was found last */
          last_seen_at: string
        }
        Relationships: []
      }
      /** Objects of which storage or mirror lacks a good copy; maintenance makes it from the other one */
      storage_repair: {
        Row: {
          /** the object */
          instance_id: number
          /** its file, below the storage path and the mirror's */
          file_path: string
          /** bytes of the dataset */
          size: number
          /** SHA-256 of the dataset's bytes */
          sha256: string
          /** when it was put here */
          since: string
          /** how often the repair failed */
          attempts: number
          /** when it is tried next */
          next_try_at: string
          /** why it failed last */
          error: string | null
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
          /** values of its objects that contradict it; see study_conflict */
          conflicts: number | null
          /** where its objects have gone, and where they wait: [{destination, sent, waiting, sending, failed, last_sent_at}] */
          delivery: Json | null
        }
        Relationships: []
      }
      /** Values that objects of a study have in place of the study's own, which are those of the object that said them first: merged patients, corrected names, two studies with one UID */
      study_conflict: {
        Row: {
          /** the study */
          study_id: number
          /** column of study that they contradict */
          attribute: string
          /** what they say */
          value: string
          /** the first object that says so */
          instance_id: number
          /** how many do */
          instances: number
        }
        Relationships: []
      }
      /** Long work that people have started, one at a time in the order of their numbers; what has ended is kept for 30 days */
      task: {
        Row: {
          /** number of the task */
          id: number
          /** replay, retry, cancel, set_priority, move or check_storage */
          kind: string
          /** with which arguments it was started */
          arguments: Json
          /** who started it */
          started_by: string
          /** when */
          created_at: string
          /** when its turn came */
          started_at: string | null
          /** when it ended */
          finished_at: string | null
          /** waiting for its turn, running, done, failed (message says why), cancelled by a person */
          state: string
          /** how many objects, jobs or files are done */
          done: number
          /** of how many; of files it is what the rows say */
          total: number | null
          /** what it waits for, or why it failed */
          message: string | null
          /** what was done so far: counts as the verb of this name answers them */
          result: Json
        }
        Relationships: []
      }
      /** How many objects and jobs there are in each state; those of the past are counters that were kept, of objects that are forgotten, too */
      totals: {
        Row: {
          /** objects answered with success */
          received: number | null
          /** of them, not routed yet */
          unrouted: number | null
          /** of them, routed */
          routed: number | null
          /** jobs that wait */
          waiting: number | null
          /** jobs being sent */
          sending: number | null
          /** jobs that ended as sent */
          sent: number | null
          /** dead letters */
          failed: number | null
        }
        Relationships: []
      }
      /** Objects that were received and go nowhere, and why: not routed yet, or taken by no route; dicomgw.route_again() tries those once more */
      unrouted: {
        Row: {
          /** number of the object */
          instance_id: number | null
          /** SOP Instance UID */
          sop_instance_uid: string | null
          /** when it was received */
          received_at: string | null
          /** AE title of the sender */
          calling_ae: string | null
          /** why it goes nowhere */
          reason: string | null
          /** when that was decided; NULL: it is not routed yet */
          decided_at: string | null
        }
        Relationships: []
      }
      /** What is running */
      version: {
        Row: {
          /** version of the extension */
          dicomgw: string | null
          /** version of the server */
          postgresql: string | null
          /** version of DCMTK that it was built with */
          dcmtk: string | null
        }
        Relationships: []
      }
      /** One row a background worker: is it running, and what did it do last */
      worker: {
        Row: {
          /** launcher, receiver, router, forwarder, maintenance or audit */
          worker: string | null
          /** true while the worker's process is alive */
          running: boolean | null
          /** process ID, as in pg_stat_activity; NULL when not running */
          pid: number | null
          /** when it was started, or when it ended */
          since: string | null
          /** what it did last */
          last_action: string | null
          /** when it did that */
          last_action_at: string | null
          /** its last error, also of the programs it looks after; or why it is not running */
          last_error: string | null
          /** when that error happened */
          last_error_at: string | null
          /** how often it was started anew after an error, since the server started */
          restarts: number | null
        }
        Relationships: []
      }
    }
    Functions: {
      /** Ends an open association with A-ABORT, at once; what was acknowledged is kept. False: it is not open (any more) */
      abort_association: {
        Args: { association_id: number }
        Returns: boolean
      }
      /** Ends waiting jobs and dead letters unsent. An object that is just being sent may arrive all the same. Answers how many */
      cancel: {
        Args: { job_id?: number | null; destination?: string | null; study_instance_uid?: string | null; route?: string | null; job_ids?: number[] | null }
        Returns: number
      }
      /** Ends a task; what it has done stays done. False: it had ended */
      cancel_task: {
        Args: { task_id: number }
        Returns: boolean
      }
      /** Changes one's own password; all other sessions end. 400 if it is not good enough, 401 if the old one is wrong */
      change_password: {
        Args: { old: string; new: string }
        Returns: Json
      }
      /** 204, or an error that says why this is not an expression over the columns of route_column that an edit may have; details: at which character */
      check_edit_expression: {
        Args: { expression: string }
        Returns: null
      }
      /** 204, or an error that says why this is not an integer expression over the columns of route_column that a route may have; details: at which character */
      check_expected_instances: {
        Args: { expected_instances: string }
        Returns: null
      }
      /** 204, or an error that says why this is not a boolean expression over the columns of route_column that a route may have; details: at which character */
      check_predicate: {
        Args: { predicate: string }
        Returns: null
      }
      /** Compares files and rows, in storage and mirror, and answers what does not match, when it has looked at everything. Files without row and temporary files are removed when they are old enough, unless remove_orphans is false; also_older: also those from before the installation or the last recovery, which may have been acknowledged. Rows are never dropped */
      check_storage: {
        Args: { remove_orphans?: boolean | null; also_older?: boolean | null }
        Returns: { problem: string | null; place: string | null; file_path: string | null; instance_id: number | null; size: number | null; action: string | null }[]
      }
      /** Takes a study as complete now, for all routes that wait for it. Answers how many waits that ends, and how many jobs it makes */
      complete_study: {
        Args: { study_instance_uid: string }
        Returns: { completed: number | null; jobs: number | null }
      }
      /** The versions of the rows of a table of the configuration that were in force at this time; none of what was deleted before */
      configuration_as_of: {
        Args: { table_name: string; at?: string | null }
        Returns: Database['dicomgw_api']['Views']['configuration_history']['Row'][]
      }
      /** How many jobs and dead letters start_verb, retry, cancel, set_priority and move would concern; what is named narrows the choice, and something has to be named. start_verb alone knows state, reason_code (both as in view job), calling_ae, modality and patient (found anywhere in Patient ID or name) */
      count_jobs: {
        Args: { job_id?: number | null; destination?: string | null; study_instance_uid?: string | null; route?: string | null; job_ids?: number[] | null; state?: string | null; reason_code?: string | null; calling_ae?: string | null; modality?: string | null; patient?: string | null }
        Returns: number
      }
      /** How many objects start_replay would send, given the same */
      count_replay: {
        Args: { instance_ids?: number[] | null; study_instance_uids?: string[] | null; calling_ae?: string | null; received_since?: string | null; received_until?: string | null }
        Returns: number
      }
      /** Adds a user: viewer, operator, admin or metrics; a viewer may be limited to objects of some calling AE titles, or with some Institution Names. Answers a password that he has to change when he signs in */
      create_user: {
        Args: { username: string; role: string; scope_calling_aes?: string[] | null; scope_institutions?: string[] | null; db_role?: string | null }
        Returns: string
      }
      /** Deletes a destination that no route and no group names; with cancel its jobs and dead letters are cancelled first. Answers how many were */
      delete_destination: {
        Args: { destination: string; cancel?: boolean | null }
        Returns: number
      }
      /** C-ECHO to a destination, now: whether it answers, what it is, and how long it took; if not, why, and what was learnt so far */
      echo: {
        Args: { destination: string }
        Returns: { ok: boolean | null; message: string | null; status: string | null; associate_time: string | null; round_trip_time: string | null; peer_max_pdu: number | null; peer_implementation: string | null; tls_version: string | null; tls_cipher: string | null; tls_subject: string | null }
      }
      /** C-ECHO to any application entity, before it is made a destination; tls: off, require, verify-ca or verify-full, with the authorities that the system trusts */
      echo_address: {
        Args: { host: string; port: number; called_ae: string; calling_ae?: string | null; tls?: string | null }
        Returns: { ok: boolean | null; message: string | null; status: string | null; associate_time: string | null; round_trip_time: string | null; peer_max_pdu: number | null; peer_implementation: string | null; tls_version: string | null; tls_cipher: string | null; tls_subject: string | null }
      }
      /** What a predicate comes to on an object that was received: as a whole (term 0), then each term that its outermost AND or OR joins; decides: it is for this term that the whole is what it is */
      explain_predicate: {
        Args: { predicate: string; instance_id: number }
        Returns: { term: number | null; connective: string | null; text: string | null; value: boolean | null; error: string | null; decides: boolean | null }[]
      }
      /** Why an object went where it went: each route as it was in force then, what became of it, which part of its predicate that hung on, and its jobs. 404: it was not received, or is not routed yet */
      explain_routing: {
        Args: { instance_id: number }
        Returns: { route: string | null; version: number | null; in_force: boolean | null; outcome: string | null; predicate: string | null; terms: Json | null; jobs: Json | null; remark: string | null }[]
      }
      /** Header of an object as DICOM JSON (PS3.18 F.2), without bulk data. 404 there is no such object, 410 neither its header nor its file is kept */
      header: {
        Args: { instance_id: number }
        Returns: Json
      }
      /** The Part 10 file of an object (application/dicom), or the part that a Range header asks for (206; 32 MiB at most). 404 there is none, 410 its file was removed, 413 more than 32 MiB without a Range, 416 it has no such part, 503 its file is missing or damaged */
      instance_file: {
        Args: { instance_id: number }
        Returns: string
      }
      /** {rows, columns, frames, samples_per_pixel, bits_stored, photometric_interpretation, window_center, window_width, pixel_min, pixel_max, displayable, reason}; null: not known. 404 there is no such object */
      instance_image_info: {
        Args: { instance_id: number }
        Returns: Json
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
      /** Metrics in Prometheus' text exposition format (Accept: text/plain) */
      metrics: {
        Args: Record<PropertyKey, never>
        Returns: string
      }
      /** Sends jobs and dead letters to another destination instead, with fresh attempts. Those that are just being sent stay: answers how many it moved, and how many of these there were */
      move: {
        Args: { to_destination: string; job_id?: number | null; destination?: string | null; study_instance_uid?: string | null; route?: string | null; job_ids?: number[] | null }
        Returns: { moved: number | null; being_sent: number | null }
      }
      /** Stops sending to a destination: its jobs wait, the reason is shown with each; the object that is on its way is finished. False: it was paused already */
      pause: {
        Args: { destination: string; reason?: string | null }
        Returns: boolean
      }
      /** A frame of an image as image/png, fitted into width and height (4096 at most); with this window, else the object's own, else the range of its values. 404 there is no such object or frame, 410 its file was removed, 422 it cannot be shown (the message says why), 503 its file is missing or damaged */
      preview: {
        Args: { instance_id: number; frame?: number | null; width?: number | null; height?: number | null; window_center?: number | null; window_width?: number | null }
        Returns: string
      }
      /** What the edits of a route would make of an object, element by element, without sending it: action is null where nothing changes; items of sequences stand as 00400275[1]/00400009 */
      preview_edits: {
        Args: { instance_id: number; route: string }
        Returns: { tag: string | null; keyword: string | null; before: string | null; after: string | null; action: string | null }[]
      }
      /** Whether objects are received, routed and forwarded here; 503 if not */
      ready: {
        Args: Record<PropertyKey, never>
        Returns: Json
      }
      /** Sends these objects to a destination, whatever was sent before: as they were received, or with the edits of a route. Answers how many jobs that makes, and how many were skipped because retention has removed their files */
      replay: {
        Args: { instance_ids: number[]; destination: string; priority?: number | null; edits_of_route?: string | null }
        Returns: { jobs: number | null; skipped: number | null }
      }
      /** Sends every object received of a study to a destination, whatever was sent before; see replay */
      replay_study: {
        Args: { study_instance_uid: string; destination: string; priority?: number | null; edits_of_route?: string | null }
        Returns: { jobs: number | null; skipped: number | null }
      }
      /** Gives a user a new password that he has to change when he signs in; his sessions end. Answers the password */
      reset_password: {
        Args: { username: string }
        Returns: string
      }
      /** Sends to a destination again. False: it was not paused */
      resume: {
        Args: { destination: string }
        Returns: boolean
      }
      /** Puts dead letters back into the queue with fresh attempts (revived), makes jobs due at once that wait after a refusal (hastened), and has their destinations probed at once if they are down */
      retry: {
        Args: { job_id?: number | null; destination?: string | null; study_instance_uid?: string | null; route?: string | null; job_ids?: number[] | null }
        Returns: { revived: number | null; hastened: number | null }
      }
      /** Puts a row of the configuration back to a version of it (see configuration_change), one that was deleted, too; secrets stay as they are. Answers the number of the version that this makes, or of the present one if nothing differs */
      revert: {
        Args: { table_name: string; name: string; version: number }
        Returns: number
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
      /** Evaluates the routes of now over these objects, for routes that have not taken them yet. Answers how many objects, jobs made, objects that wait for their study, objects that no route has taken, and how many were skipped: not routed yet, or their file is removed */
      route_again: {
        Args: { instance_ids: number[] }
        Returns: { objects: number | null; jobs: number | null; gathered: number | null; unmatched: number | null; skipped: number | null }
      }
      /** What a predicate would take of what was received: in total, by modality, calling AE title and study, and where it fails. Of evaluated objects it takes objects; newly: were not taken then, by this route, or, without one, by any; no_longer: were taken by this route, and would not be */
      route_dry_run: {
        Args: { predicate: string; since?: string | null; until?: string | null; route?: string | null; samples?: number | null }
        Returns: { grouped_by: string | null; value: string | null; evaluated: number | null; objects: number | null; studies: number | null; bytes: number | null; newly: number | null; no_longer: number | null; sample_ids: number[] | null }[]
      }
      /** Sets the HTTP credentials of a DICOMweb destination: user name and password, or a bearer token; none of them removes what there is. They are never shown */
      set_credentials: {
        Args: { destination: string; username?: string | null; password?: string | null; bearer_token?: string | null }
        Returns: null
      }
      /** Gives jobs that are not done another priority, 0 to 9: higher ones are sent first. Answers how many it changed */
      set_priority: {
        Args: { priority: number; job_id?: number | null; destination?: string | null; study_instance_uid?: string | null; route?: string | null; job_ids?: number[] | null }
        Returns: number
      }
      /** Compares files and rows in the background; what does not match is in storage_problem then. Answers the number of the task; 409 if a check is under way */
      start_check_storage: {
        Args: { remove_orphans?: boolean | null; also_older?: boolean | null }
        Returns: number
      }
      /** Sends objects to a destination, whatever was sent before, in the background: these numbers, these studies, from this calling AE title, received in this time; what is named narrows the choice, and something has to be named. Answers the number of the task */
      start_replay: {
        Args: { destination: string; instance_ids?: number[] | null; study_instance_uids?: string[] | null; calling_ae?: string | null; received_since?: string | null; received_until?: string | null; priority?: number | null; edits_of_route?: string | null }
        Returns: number
      }
      /** Does retry, cancel, set_priority (with priority) or move (with to_destination) in the background, with the jobs that are chosen now, as count_jobs chooses them. Answers the number of the task */
      start_verb: {
        Args: { verb: string; job_id?: number | null; destination?: string | null; study_instance_uid?: string | null; route?: string | null; job_ids?: number[] | null; priority?: number | null; to_destination?: string | null; state?: string | null; reason_code?: string | null; calling_ae?: string | null; modality?: string | null; patient?: string | null }
        Returns: number
      }
      /** What was received, sent and failed, a row for each step (whole minutes; UTC), also where there was nothing; at most 5000. Of one destination: received is null. Minutes are kept for 30 days, hours (steps of whole hours) for two years. 403 for a limited viewer */
      time_series: {
        Args: { since: string; until?: string | null; step?: string | null; destination?: string | null }
        Returns: { at: string | null; received: number | null; received_bytes: number | null; sent: number | null; sent_bytes: number | null; failed: number | null }[]
      }
      /** What became of an object: received, routed, queued, each attempt, sent or not, and what it waits for now; all versions of it, if it was received more than once. 404: it was not */
      timeline: {
        Args: { sop_instance_uid: string }
        Returns: { at: string | null; instance_id: number | null; event: string | null; job_id: number | null; destination: string | null; status: string | null; duration: string | null; detail: string | null }[]
      }
      /** Changes a user; what is not given stays. unlimited takes his limits away, but those that are given. Disabled, or with another role, his sessions end at once */
      update_user: {
        Args: { username: string; role?: string | null; disabled?: boolean | null; scope_calling_aes?: string[] | null; scope_institutions?: string[] | null; unlimited?: boolean | null; db_role?: string | null }
        Returns: null
      }
      /** Reads the file of an object, or those of a study, again, in storage and mirror, and compares size and SHA-256 with what was received; what is wrong is noted in storage_problem, and repaired if the other copy is good. ok is null if retention has removed it */
      verify: {
        Args: { instance_id?: number | null; study_instance_uid?: string | null }
        Returns: { instance_id: number | null; place: string | null; file_path: string | null; ok: boolean | null; problem: string | null }[]
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
