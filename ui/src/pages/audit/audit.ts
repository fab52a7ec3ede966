/*
 * The audit log as the page asks for it, and what its entries say.
 */
import { api, type Row } from '@/api/client'
import { byAddress } from '@/lib/addressFilter'
import type { Order } from '@/lib/keyset'
import { momentOf } from '@/lib/localTime'
import { containing } from '@/lib/pattern'

export type Entry = Row<'audit'>

export const FILTERS = ['from', 'until', 'actor', 'kind', 'action', 'target', 'address', 'outcome'] as const
export type FilterName = (typeof FILTERS)[number]
export type Filters = Record<FilterName, string>

/** Actions by what they are about; one that is in none is found by its name. */
export const KINDS = {
  access: ['login', 'failed login', 'logout', 'change_password', 'failed change_password', 'reset_password', 'issue_token', 'revoke_session', 'revoke_sessions', 'rotate_secret'],
  configuration: ['insert', 'update', 'delete', 'truncate', 'revert', 'pause', 'resume', 'delete_destination', 'set_credentials'],
  work: [
    'retry', 'cancel', 'set_priority', 'move', 'replay', 'complete_study', 'route_again', 'abort_association', 'start retry', 'start cancel', 'start set_priority',
    'start move', 'start replay', 'start check_storage', 'cancel task',
  ],
  patients: ['view', 'export'],
} as const
export type Kind = keyof typeof KINDS

const FAILED = 'failed '

export function queryAudit(filters: Filters) {
  let query = api.from('audit').select()
  const from = momentOf(filters.from)
  const until = momentOf(filters.until)
  if (from !== null) query = query.gte('at', from)
  if (until !== null) query = query.lte('at', until)
  for (const name of ['actor', 'action', 'target'] as const) {
    if (filters[name] !== '') query = query.ilike(name, containing(filters[name]))
  }
  if (filters.kind in KINDS) query = query.in('action', [...KINDS[filters.kind as Kind]])
  if (filters.address !== '') query = byAddress(query, 'address', filters.address)
  if (filters.outcome === 'failed') query = query.like('action', `${FAILED}%`)
  return query
}

const BY_NUMBER: readonly Order[] = [{ column: 'id', descending: true }]
const BY_TIME: readonly Order[] = [{ column: 'at', descending: true, nullsFirst: true }, ...BY_NUMBER]

/** The same order, but by the index that finds where a time is. */
export function orderOf(filters: Filters): readonly Order[] {
  return filters.until === '' ? BY_NUMBER : BY_TIME
}

export function hasFailed(action: string): boolean {
  return action.startsWith(FAILED)
}

// ---------- details ----------

export interface Change {
  column: string
  /** null: there was, or is, none */
  before: string | null
  after: string | null
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function written(value: unknown): string | null {
  if (value === null || value === undefined) return null
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function change(action: string, column: string, value: unknown): Change {
  // what a secret was is not there, so it is no pair
  if (action === 'update' && Array.isArray(value)) return { column, before: written(value[0]), after: written(value[1]) }
  if (action === 'delete') return { column, before: written(value), after: null }
  return { column, before: null, after: written(value) }
}

/** What became of which column, if it is a change of the configuration (sql/configuration_audit.sql). */
export function changesIn({ action, details }: Pick<Entry, 'action' | 'details'>): Change[] {
  if (!isObject(details) || !isObject(details.columns)) return []
  return Object.entries(details.columns).map(([column, value]) => change(action, column, value))
}

/** With what it was done, if it is anything else. */
export function argumentsIn({ details }: Pick<Entry, 'details'>): [name: string, value: string][] {
  if (!isObject(details) || 'columns' in details) return []
  return Object.entries(details).flatMap(([name, value]) => {
    const text = written(value)
    return text === null ? [] : [[name, text] as [string, string]]
  })
}

/** In a line: which columns were changed, or with which arguments it was done; null: there is nothing to say. */
export function summary(entry: Pick<Entry, 'action' | 'details'>): string | null {
  const parts = entry.action === 'update' ? changesIn(entry).map(({ column }) => column) : argumentsIn(entry).map(([name, value]) => `${name}: ${value}`)
  return parts.length === 0 ? null : parts.join(', ')
}
