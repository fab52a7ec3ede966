/*
 * Jobs as the page asks for them: the view with its filters, and which jobs a person means by "these".
 */
import { api, call, rows, type Args, type Filled, type Row } from '@/api/client'
import { ApiError } from '@/api/error'
import { t } from '@/i18n'
import { after, type Order } from '@/lib/keyset'
import { quotedPattern } from '@/lib/pattern'

export type Job = Filled<Row<'job'>, 'job_id' | 'state' | 'destination' | 'sop_instance_uid' | 'reason_code' | 'reason' | 'since' | 'priority' | 'attempts' | 'instance_id'>

export const FILTERS = ['state', 'destination', 'reason_code', 'calling_ae', 'modality', 'patient', 'study_instance_uid'] as const
export type FilterName = (typeof FILTERS)[number]
export type Filters = Record<FilterName, string>

export const REASON_CODES = ['sending', 'queue', 'backoff', 'down', 'paused', 'window', 'rate', 'forwarder', 'failed'] as const

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

/** What retry, cancel, set_priority and move call "these jobs". */
export type Selector = Pick<Args<'count_jobs'>, 'destination' | 'study_instance_uid' | 'job_ids'>

/** More at a time than anybody should be asked to confirm without narrowing. */
export const MOST_JOBS = 50000
const PAGE = 1000
const BY_NUMBER: readonly Order[] = [{ column: 'job_id', descending: false }]

/** The filters that the verbs know themselves; null: they can't say it. */
export function selectorOf(filters: Filters): Selector | null {
  const used = FILTERS.filter((name) => filters[name] !== '')
  if (used.length === 0 || used.some((name) => name !== 'destination' && name !== 'study_instance_uid')) return null
  const selector: Selector = {}
  if (filters.destination !== '') selector.destination = filters.destination
  if (filters.study_instance_uid !== '') selector.study_instance_uid = filters.study_instance_uid
  return selector
}

/** The numbers of all jobs that the filters let through, a page after the other. */
export async function numbersOf(filters: Filters): Promise<number[]> {
  const numbers: number[] = []
  for (;;) {
    let query = queryJobs(filters, 'job_id')
    const last = numbers.at(-1)
    if (last !== undefined) query = query.or(after(BY_NUMBER, [last]))
    const page = (await rows(query.order('job_id').limit(PAGE))) as unknown as { job_id: number }[]
    numbers.push(...page.map(({ job_id }) => job_id))
    if (page.length < PAGE) return numbers
    if (numbers.length > MOST_JOBS) throw new ApiError({ message: t('queue.tooMany', { most: MOST_JOBS }), status: 200 })
  }
}

/** What is meant: the jobs that are ticked, or, if none is, all that the filters let through. */
export async function select(ticked: ReadonlySet<number>, filters: Filters): Promise<Selector> {
  if (ticked.size > 0) return { job_ids: [...ticked] }
  return selectorOf(filters) ?? { job_ids: await numbersOf(filters) }
}

export async function countOf(selector: Selector): Promise<number> {
  return selector.job_ids?.length === 0 ? 0 : await call('count_jobs', selector)
}
