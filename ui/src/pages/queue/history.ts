/*
 * Jobs that have ended, as the page of the history asks for them: by what is found by index, however long it is.
 */
import { api, type Row } from '@/api/client'

export type EndedJob = Row<'forward_history'>

export const HISTORY_FILTERS = ['outcome', 'destination', 'patient_id', 'study_instance_uid', 'from', 'until'] as const
export type HistoryFilterName = (typeof HISTORY_FILTERS)[number]
export type HistoryFilters = Record<HistoryFilterName, string>

export const OUTCOMES = ['sent', 'cancelled'] as const

/** A point in time as a field has it, in the browser's zone; half typed ones narrow nothing. */
function instant(local: string): string | null {
  const at = new Date(local)
  return local === '' || Number.isNaN(at.getTime()) ? null : at.toISOString()
}

export function queryHistory(filters: HistoryFilters) {
  let query = api.from('forward_history').select()
  for (const name of ['outcome', 'destination', 'patient_id', 'study_instance_uid'] as const) {
    if (filters[name] !== '') query = query.eq(name, filters[name])
  }
  const [from, until] = [instant(filters.from), instant(filters.until)]
  if (from !== null) query = query.gte('ended_at', from)
  if (until !== null) query = query.lt('ended_at', until)
  return query
}
