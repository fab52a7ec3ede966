/*
 * Listeners: how one stands, and its row as a form has it.
 */
import type { Filled, Row } from '@/api/client'
import { iconCancelled, iconCritical, iconOk, iconWarning } from '@/icons'
import { t } from '@/i18n'
import type { FormShape } from '@/lib/formErrors'
import { filled, intervalOf, linesOf, numberOf, secondsOf, textOf } from '@/lib/formValues'
import type { Look } from '@/lib/states'

export type Listener = Row<'listener'>
export type ListenerStatus = Filled<Row<'listener_status'>, 'listening' | 'associations'>

export function listenerLook(enabled: boolean, status: Pick<ListenerStatus, 'listening' | 'problem'> | undefined): Look {
  if (!enabled) return { tone: 'neutral', icon: iconCancelled, label: t('peers.listener.states.off') }
  if (!status?.listening) return { tone: 'critical', icon: iconCritical, label: t('peers.listener.states.closed') }
  // it listens, but its certificate has expired, or another one could not be read
  if (status.problem !== null) return { tone: 'warning', icon: iconWarning, label: t('peers.listener.states.problem') }
  return { tone: 'ok', icon: iconOk, label: t('peers.listener.states.listening') }
}

// ---------- the form ----------

export const ACCEPTS = ['called_ae', 'known_callers', 'promiscuous'] as const
export const DUPLICATES = ['keep', 'ignore', 'refuse'] as const
export const MISMATCHES = ['refuse', 'store'] as const
export const CLIENT_CERTIFICATES = ['none', 'optional', 'required'] as const

export interface ListenerDraft {
  name: string
  enabled: boolean
  bind_address: string
  port: string
  /** one in a line */
  ae_titles: string
  accepts: (typeof ACCEPTS)[number]
  max_pdu: string
  association_timeout: string
  idle_timeout: string
  max_associations: string
  max_associations_per_ae: string
  max_object_size: string
  transfer_syntaxes: string[]
  duplicates: (typeof DUPLICATES)[number]
  mismatch: (typeof MISMATCHES)[number]
  tls: boolean
  tls_certificate: string
  tls_key: string
  tls_client_certificate: (typeof CLIENT_CERTIFICATES)[number]
  tls_ca: string
  tls_crl: string
}

const NEW: ListenerDraft = {
  name: '', enabled: true, bind_address: '*', port: '11112', ae_titles: 'DICOMGW', accepts: 'called_ae',
  max_pdu: '131072', association_timeout: '30', idle_timeout: '300',
  max_associations: '', max_associations_per_ae: '', max_object_size: '',
  transfer_syntaxes: [], duplicates: 'keep', mismatch: 'refuse',
  tls: false, tls_certificate: '', tls_key: '', tls_client_certificate: 'none', tls_ca: '', tls_crl: '',
}

export function draftOf(row: Listener | null): ListenerDraft {
  if (row === null) return { ...NEW }
  return {
    name: row.name, enabled: row.enabled, bind_address: row.bind_address, port: textOf(row.port),
    ae_titles: row.ae_titles.join('\n'), accepts: row.accepts as ListenerDraft['accepts'],
    max_pdu: textOf(row.max_pdu), association_timeout: secondsOf(row.association_timeout), idle_timeout: secondsOf(row.idle_timeout),
    max_associations: textOf(row.max_associations), max_associations_per_ae: textOf(row.max_associations_per_ae),
    max_object_size: textOf(row.max_object_size), transfer_syntaxes: [...row.transfer_syntaxes],
    duplicates: row.duplicates as ListenerDraft['duplicates'], mismatch: row.mismatch as ListenerDraft['mismatch'],
    tls: row.tls, tls_certificate: textOf(row.tls_certificate), tls_key: textOf(row.tls_key),
    tls_client_certificate: row.tls_client_certificate as ListenerDraft['tls_client_certificate'],
    tls_ca: textOf(row.tls_ca), tls_crl: textOf(row.tls_crl),
  }
}

/** The columns, as the server takes them. */
export function columnsOf(draft: ListenerDraft) {
  return {
    name: filled(draft.name) ?? '', enabled: draft.enabled, bind_address: filled(draft.bind_address) ?? '', port: numberOf(draft.port),
    ae_titles: linesOf(draft.ae_titles), accepts: draft.accepts,
    max_pdu: numberOf(draft.max_pdu), association_timeout: intervalOf(draft.association_timeout), idle_timeout: intervalOf(draft.idle_timeout),
    max_associations: numberOf(draft.max_associations), max_associations_per_ae: numberOf(draft.max_associations_per_ae),
    max_object_size: numberOf(draft.max_object_size), transfer_syntaxes: draft.transfer_syntaxes,
    duplicates: draft.duplicates, mismatch: draft.mismatch,
    tls: draft.tls, tls_certificate: filled(draft.tls_certificate), tls_key: filled(draft.tls_key),
    tls_client_certificate: draft.tls_client_certificate, tls_ca: filled(draft.tls_ca), tls_crl: filled(draft.tls_crl),
  }
}

/** What the server says about a kind of value, or about several columns, does not name the one that it means. */
export function shapeOf(draft: ListenerDraft): FormShape {
  const paths = ['tls_certificate', 'tls_key', 'tls_ca', 'tls_crl'] as const
  const wrongPath = paths.find((name) => draft[name].trim() !== '' && !draft[name].trim().startsWith('/'))
  return {
    relation: 'listener',
    fields: Object.keys(NEW),
    about: {
      tcp_port: 'port',
      ae_title: 'ae_titles',
      uid: 'transfer_syntaxes',
      pdu_size: 'max_pdu',
      timeout: isTimeout(draft.association_timeout) ? 'idle_timeout' : 'association_timeout',
      listener_tls_needs_certificate_and_key: draft.tls_certificate.trim() === '' ? 'tls_certificate' : 'tls_key',
      listener_tls_client_certificate_needs_ca: 'tls_ca',
      listener_tls_files_are_absolute_paths: wrongPath ?? 'tls_certificate',
      listener_address_and_port_are_used_once: 'port',
    },
  }
}

function isTimeout(seconds: string): boolean {
  return Number(seconds) >= 1 && Number(seconds) <= 86400
}
