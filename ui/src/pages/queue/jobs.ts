/*
 * Jobs as the pages ask for them: the view with its filters, which jobs a person means by "these", and what is done to them.
 */
import { api, call, only, rows, type Args, type Filled, type Row } from '@/api/client'
import type { Counts } from '@/lib/tasks'
import { quotedPattern } from '@/lib/pattern'

export type Job = Filled<Row<'job'>, 'job_id' | 'state' | 'destination' | 'sop_instance_uid' | 'reason_code' | 'reason' | 'since' | 'priority' | 'attempts' | 'instance_id'>

export const FILTERS = ['state', 'destination', 'reason_code', 'calling_ae', 'modality', 'patient', 'study_instance_uid'] as const
export type FilterName = (typeof FILTERS)[number]
export type Filters = Record<FilterName, string>
export const NO_FILTERS = Object.fromEntries(FILTERS.map((name) => [name, ''])) as Filters

export function queryJobs(filters: Filters, columns = '*') {
  let query = api.from('job').select(columns as '*')
  for (const name of ['state', 'destination', 'reason_code', 'calling_ae', 'modality', 'study_instance_uid'] as const) {
    if (filters[name] !== '') query = query.eq(name, filters[name])
  }
  if (filters.patient !== '') {
    const pattern = quotedPattern(filters.patient)
    query = query.or(`patient_id.ilike.${pattern},patient_name.ilike.${pattern}`)
  }
  return query
}

// ---------- which jobs ----------

/** What count_jobs and start_verb call "these jobs": numbers, or what the list is filtered by, by the same names. */
export type Selector = Pick<Args<'count_jobs'>, FilterName | 'job_ids'>

export interface Choice {
  count: number
  jobs: Selector
  /** they are too many to wait for: a task does it */
  background: boolean
}

/** As many as a portion of a task: these are done while one looks on. */
export const AT_ONCE = 500

/** Null: no filter is in use, and nobody means all there are by that. */
export function selectorOf(filters: Filters): Selector | null {
  const used = FILTERS.filter((name) => filters[name] !== '')
  return used.length === 0 ? null : Object.fromEntries(used.map((name) => [name, filters[name]]))
}

async function numbersOf(filters: Filters): Promise<number[]> {
  const found = (await rows(queryJobs(filters, 'job_id').order('job_id').limit(AT_ONCE))) as unknown as { job_id: number }[]
  return found.map(({ job_id }) => job_id)
}

/** What is meant: the jobs that are ticked, or, if none is, all that the filters let through. */
export async function choose(ticked: ReadonlySet<number>, filters: Filters): Promise<Choice> {
  const selector = ticked.size > 0 ? { job_ids: [...ticked] } : selectorOf(filters)
  if (selector === null) return { count: 0, jobs: { job_ids: [] }, background: false }
  const count = await call('count_jobs', selector)
  if (count > AT_ONCE || ticked.size > 0) return { count, jobs: selector, background: count > AT_ONCE }
  const numbers = await numbersOf(filters)
  return { count: numbers.length, jobs: { job_ids: numbers }, background: false }
}

// ---------- what is done to them ----------

export const VERBS = ['retry', 'cancel', 'set_priority', 'move'] as const
export type Verb = (typeof VERBS)[number]
/** What a verb has to be told: set_priority the priority, move where to. */
export type Told = Pick<Args<'start_verb'>, 'priority' | 'to_destination'>

/** At once; answers the counts as a task's result has them. */
export async function doNow(verb: Verb, { job_ids }: Selector, told: Told): Promise<Counts> {
  switch (verb) {
    case 'retry': return only(await call('retry', { job_ids }))
    case 'cancel': return { cancelled: await call('cancel', { job_ids }) }
    case 'set_priority': return { changed: await call('set_priority', { job_ids, priority: told.priority ?? 5 }) }
    case 'move': return only(await call('move', { job_ids, to_destination: told.to_destination ?? '' }))
  }
}

/** In the background; answers the number of the task. */
export async function startTask(verb: Verb, jobs: Selector, told: Told): Promise<number> {
  return call('start_verb', { verb, ...jobs, ...told })
}
