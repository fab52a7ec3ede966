/*
 * A destination while it is edited: texts, as people type them; and what of it is sent, and about which field
 * the server speaks if it refuses that.
 */
import { applies, DEFAULTS, editedText, FIELDS, type Destination, type FieldName } from './fields'
import { intervalSeconds } from '@/lib/format'
import type { FormShape } from '@/lib/formErrors'

export type Draft = Record<FieldName, string>

export function draftOf(row: Destination | null): Draft {
  return Object.fromEntries(FIELDS.map((field) => [field.name, row === null ? (DEFAULTS[field.name] ?? '') : editedText(field, row[field.name])])) as Draft
}

/** What differs from how it was: nobody overwrites what somebody else has changed meanwhile in another field. */
export function changedValues(draft: Draft, initial: Draft): Partial<Record<FieldName, string | null>> {
  const changed: Partial<Record<FieldName, string | null>> = {}
  for (const field of FIELDS) {
    const { name } = field
    // what a kind does not have goes back to its default when the kind is changed
    const unused = draft.kind === initial.kind ? initial[name] : (DEFAULTS[name] ?? '')
    const value = applies(field, draft.kind) ? draft[name].trim() : unused
    if (value !== initial[name]) changed[name] = value === '' ? null : value
  }
  return changed
}

/** A URL says whether there is TLS: https can't be without, http not with. */
export function tlsFor(url: string, tls: string): string {
  if (/^https:/i.test(url)) return tls === 'off' ? 'verify-full' : tls
  return /^http:/i.test(url) ? 'off' : tls
}

const AE_TITLE = /^(?!\s*$)[ -[\]-~]{1,16}$/
const DAY = 86400

function isTimeout(text: string): boolean {
  const seconds = intervalSeconds(text) || secondsTyped(text)
  return seconds >= 1 && seconds <= DAY
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { ms: 0.001, mon: 30 * DAY, s: 1, m: 60, h: 3600, d: DAY, w: 7 * DAY }

/** As far as it takes to say which of several is too short or too long. */
function secondsTyped(text: string): number {
  return [...text.toLowerCase().matchAll(/(\d+(?:\.\d+)?)\s*(mon|ms|[smhdw])/g)].reduce((sum, [, n, unit = '']) => sum + Number(n) * (UNIT_SECONDS[unit] ?? 0), 0)
}

/**
 * Which field is meant where the server does not name it: a domain is that of several columns, and a text that is no
 * number or interval is all that it repeats.
 */
export function shapeOf(draft: Draft, initial: Draft): FormShape {
  const changed = changedValues(draft, initial)
  const typed = FIELDS.filter(({ name }) => typeof changed[name] === 'string')
  const about: Record<string, string> = {
    destination_dimse_needs_host_and_ae_title: draft.host.trim() === '' ? 'host' : 'ae_title',
    destination_dicomweb_needs_url: 'url',
    destination_https_has_tls: 'tls',
    destination_dicomweb_converts_nothing: 'kind',
    destination_tls_certificate_has_a_key: draft.tls_key === '' ? 'tls_key' : 'tls_certificate',
    destination_tls_files_are_absolute_paths: (['tls_ca', 'tls_certificate', 'tls_key'] as const).find((name) => /^[^/]/.test(draft[name])) ?? 'tls_ca',
    pdu_size: 'max_pdu',
  }
  for (const { name, control } of typed) {
    const text = changed[name] ?? ''
    if (control !== undefined) about[`"${text}"`] = name
    if (control === 'interval' && name !== 'give_up_after' && !isTimeout(text)) about.timeout = name
    if ((name === 'ae_title' || name === 'calling_ae_title') && !AE_TITLE.test(text)) {
      about.ae_title_has_1_to_16_characters = name
      about.ae_title_is_printable_ascii_without_backslash = name
    }
  }
  return { relation: 'destination', fields: FIELDS.map(({ name }) => name), about }
}
