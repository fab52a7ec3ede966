/*
 * Tasks as the page asks for them.
 */
import { api, type Row } from '@/api/client'
import { containing } from '@/lib/pattern'

export type Task = Row<'task'>

export const KINDS = ['replay', 'retry', 'cancel', 'set_priority', 'move', 'check_storage'] as const
export const TASK_FILTERS = ['state', 'kind', 'started_by'] as const
export type TaskFilters = Record<(typeof TASK_FILTERS)[number], string>

export function queryTasks(filters: TaskFilters) {
  let query = api.from('task').select()
  for (const name of ['state', 'kind'] as const) {
    if (filters[name] !== '') query = query.eq(name, filters[name])
  }
  if (filters.started_by !== '') query = query.ilike('started_by', containing(filters.started_by))
  return query
}
