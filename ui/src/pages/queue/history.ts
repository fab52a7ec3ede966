/*
 * Jobs that have ended, as the page of the history asks for them: by what is found by index, however long it is.
 */
import { api, type Row } from '@/api/client'
import { momentOf } from '@/lib/localTime'

export type EndedJob = Row<'forward_history'>

export const HISTORY_FILTERS = ['outcome', 'destination', 'patient_id', 'study_instance_uid', 'from', 'until'] as const
export type HistoryFilterName = (typeof HISTORY_FILTERS)[number]
export type HistoryFilters = Record<HistoryFilterName, string>

export const OUTCOMES = ['sent', 'cancelled'] as const

export function queryHistory(filters: HistoryFilters) {
  let query = api.from('forward_history').select()
  for (const name of ['outcome', 'destination', 'patient_id', 'study_instance_uid'] as const) {
    if (filters[name] !== '') query = query.eq(name, filters[name])
  }
  const [from, until] = [momentOf(filters.from), momentOf(filters.until)]
  if (from !== null) query = query.gte('ended_at', from)
  if (until !== null) query = query.lt('ended_at', until)
  return query
}
