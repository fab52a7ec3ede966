/*
 * Audit repositories: how one stands, and its row as a form has it.
 */
import type { Filled, Row } from '@/api/client'
import { iconCancelled, iconCritical, iconOk, iconUnknown } from '@/icons'
import { t } from '@/i18n'
import type { FormShape } from '@/lib/formErrors'
import { filled, intervalOf, numberOf, secondsOf, textOf } from '@/lib/formValues'
import type { Look } from '@/lib/states'

export type Repository = Row<'audit_repository'>
export type ExportStatus = Filled<Row<'audit_export_status'>, 'connected' | 'waiting' | 'failures'>

export function repositoryLook(status: Pick<ExportStatus, 'enabled' | 'connected' | 'since'>): Look {
  if (!status.enabled) return { tone: 'neutral', icon: iconCancelled, label: t('audit.repositories.states.off') }
  if (status.connected) return { tone: 'ok', icon: iconOk, label: t('audit.repositories.states.connected') }
  if (status.since === null) return { tone: 'neutral', icon: iconUnknown, label: t('audit.repositories.states.untried') }
  return { tone: 'critical', icon: iconCritical, label: t('audit.repositories.states.failing') }
}

// ---------- the form ----------

export const TLS_MODES = ['verify-full', 'verify-ca', 'require', 'off'] as const
export type TlsMode = (typeof TLS_MODES)[number]

export interface RepositoryDraft {
  name: string
  enabled: boolean
  host: string
  port: string
  tls: TlsMode
  tls_ca: string
  tls_certificate: string
  tls_key: string
  tls_server_name: string
  needs_close_notify: boolean
  connect_timeout: string
  response_timeout: string
  source: string
  enterprise_site: string
  patient_data: boolean
}

const NEW: RepositoryDraft = {
  name: '', enabled: true, host: '', port: '6514',
  tls: 'verify-full', tls_ca: '', tls_certificate: '', tls_key: '', tls_server_name: '', needs_close_notify: true,
  connect_timeout: '10', response_timeout: '30',
  source: 'dicomgw', enterprise_site: '', patient_data: true,
}

export function draftOf(row: Repository | null): RepositoryDraft {
  if (row === null) return { ...NEW }
  return {
    name: row.name, enabled: row.enabled, host: row.host, port: textOf(row.port),
    tls: row.tls as TlsMode, tls_ca: textOf(row.tls_ca), tls_certificate: textOf(row.tls_certificate), tls_key: textOf(row.tls_key),
    tls_server_name: textOf(row.tls_server_name), needs_close_notify: row.needs_close_notify,
    connect_timeout: secondsOf(row.connect_timeout), response_timeout: secondsOf(row.response_timeout),
    source: row.source, enterprise_site: textOf(row.enterprise_site), patient_data: row.patient_data,
  }
}

/** The columns, as the server takes them. */
export function columnsOf(draft: RepositoryDraft) {
  return {
    name: filled(draft.name) ?? '', enabled: draft.enabled, host: filled(draft.host) ?? '', port: numberOf(draft.port),
    tls: draft.tls, tls_ca: filled(draft.tls_ca), tls_certificate: filled(draft.tls_certificate), tls_key: filled(draft.tls_key),
    tls_server_name: filled(draft.tls_server_name), needs_close_notify: draft.needs_close_notify,
    connect_timeout: intervalOf(draft.connect_timeout), response_timeout: intervalOf(draft.response_timeout),
    source: filled(draft.source) ?? '', enterprise_site: filled(draft.enterprise_site),
    // without TLS there are none
    patient_data: draft.patient_data && draft.tls !== 'off',
  }
}

/** A timeout that the server refuses does not say which of the two it is. */
export function shapeOf(draft: RepositoryDraft): FormShape {
  return {
    relation: 'audit_repository',
    fields: Object.keys(NEW),
    about: {
      tcp_port: 'port',
      audit_repository_tls_files_are_absolute_paths: 'tls_ca',
      timeout: isTimeout(draft.connect_timeout) ? 'response_timeout' : 'connect_timeout',
    },
  }
}

function isTimeout(seconds: string): boolean {
  return Number(seconds) >= 1 && Number(seconds) <= 86400
}
