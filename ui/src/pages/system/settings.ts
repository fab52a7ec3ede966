/*
 * Settings of the server as the page asks for them, and as people read their values.
 */
import { api, type Filled, type Row } from '@/api/client'
import { t } from '@/i18n'
import { quotedPattern } from '@/lib/pattern'

export type Setting = Filled<Row<'setting'>, 'name' | 'value' | 'source' | 'needs_restart' | 'pending_restart'>

export const FILTERS = ['text', 'only'] as const
export type Filters = Record<(typeof FILTERS)[number], string>

export function querySettings(filters: Filters) {
  let query = api.from('setting').select()
  if (filters.text !== '') {
    const pattern = quotedPattern(filters.text)
    query = query.or(`name.ilike.${pattern},description.ilike.${pattern}`)
  }
  if (filters.only === 'changed') query = query.neq('source', 'default')
  if (filters.only === 'pending') query = query.is('pending_restart', true)
  return query
}

/** 720 min; PostgreSQL's units of blocks (8kB) are factors. */
export function written(value: string | null, unit: string | null): string {
  if (value === null || value === '') return t('system.setting.none')
  if (unit === null) return value
  return /^\d/.test(unit) ? `${value} × ${unit}` : `${value} ${unit}`
}

export function isChanged(setting: Pick<Setting, 'value' | 'default_value'>): boolean {
  return setting.value !== (setting.default_value ?? '')
}
