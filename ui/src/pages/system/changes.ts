/*
 * Changes of the configuration as the page asks for them.
 */
import { api, rows, type Row } from '@/api/client'
import { t } from '@/i18n'
import type { Order } from '@/lib/keyset'
import { momentOf } from '@/lib/localTime'
import { containing } from '@/lib/pattern'

export type Change = Row<'configuration_change'>

export const TABLES = ['destination', 'destination_group', 'destination_group_member', 'destination_window', 'listener', 'remote_ae', 'route', 'route_edit'] as const
export type TableName = (typeof TABLES)[number]
export const OPERATIONS = ['insert', 'update', 'delete', 'found'] as const
export const FILTERS = ['table_name', 'name', 'operation', 'changed_by', 'from', 'until'] as const
export type Filters = Record<(typeof FILTERS)[number], string>

/** What has one time was changed together; name and version tell them apart. */
export const ORDER: readonly Order[] = [
  { column: 'at', descending: true },
  { column: 'table_name', descending: false },
  { column: 'name', descending: false },
  { column: 'version', descending: true },
]

export function tableLabel(name: string): string {
  const known = TABLES.find((table) => table === name)
  return known === undefined ? name.replaceAll('_', ' ') : t(`system.change.tables.${known}`)
}

export function queryChanges(filters: Filters) {
  let query = api.from('configuration_change').select()
  for (const name of ['table_name', 'operation'] as const) {
    if (filters[name] !== '') query = query.eq(name, filters[name])
  }
  for (const name of ['name', 'changed_by'] as const) {
    if (filters[name] !== '') query = query.ilike(name, containing(filters[name]))
  }
  const from = momentOf(filters.from)
  const until = momentOf(filters.until)
  if (from !== null) query = query.gte('at', from)
  if (until !== null) query = query.lte('at', until)
  return query
}

/** The primary key of the row that was changed: names may have been given to several, one after the other. */
export async function rowKeyOf(change: Change, signal: AbortSignal): Promise<string | null> {
  const { table_name, name, version, transaction_id } = change
  const found = await rows(api.from('configuration_history').select('row_key').match({ table_name, name, version, transaction_id }).limit(1).abortSignal(signal))
  return found[0]?.row_key ?? null
}
