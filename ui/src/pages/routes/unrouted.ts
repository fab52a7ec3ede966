/*
 * Objects that went nowhere, and another try.
 */
import { api, call, only, rows, type Filled, type Row } from '@/api/client'
import { ApiError } from '@/api/error'
import { t } from '@/i18n'
import { after, type Order } from '@/lib/keyset'

export type Unrouted = Filled<Row<'unrouted'>, 'instance_id' | 'sop_instance_uid' | 'received_at' | 'calling_ae' | 'reason'>

export const FILTERS = ['calling_ae', 'state', 'sop_instance_uid'] as const
export type Filters = Record<(typeof FILTERS)[number], string>

/** decided: no route took it; waiting: not routed yet */
export const STATES = ['decided', 'waiting'] as const

export function queryUnrouted(filters: Filters, columns = '*') {
  let query = api.from('unrouted').select(columns as '*')
  if (filters.calling_ae !== '') query = query.eq('calling_ae', filters.calling_ae)
  if (filters.sop_instance_uid !== '') query = query.eq('sop_instance_uid', filters.sop_instance_uid)
  if (filters.state === 'decided') query = query.not('decided_at', 'is', null)
  if (filters.state === 'waiting') query = query.is('decided_at', null)
  return query
}

const PAGE = 1000
/** More at a time than anybody should be asked to confirm without narrowing. */
export const MOST = 50000
const BY_NUMBER: readonly Order[] = [{ column: 'instance_id', descending: false }]

/** What can be tried again: what is ticked, or else all that the filters let through and the router is done with. */
export async function choose(ticked: ReadonlySet<number>, filters: Filters): Promise<number[]> {
  if (ticked.size > 0) return [...ticked]
  if (filters.state === 'waiting') return []
  const numbers: number[] = []
  for (;;) {
    let query = queryUnrouted({ ...filters, state: 'decided' }, 'instance_id')
    const last = numbers.at(-1)
    if (last !== undefined) query = query.or(after(BY_NUMBER, [last]))
    const page = (await rows(query.order('instance_id').limit(PAGE))) as unknown as { instance_id: number }[]
    numbers.push(...page.map(({ instance_id }) => instance_id))
    if (page.length < PAGE) return numbers
    if (numbers.length > MOST) throw new ApiError({ message: t('routes.unrouted.tooMany', { most: MOST }), status: 200 })
  }
}

export async function routeAgain(numbers: readonly number[]): Promise<string> {
  const done = only(await call('route_again', { instance_ids: [...numbers] }))
  return t('routes.unrouted.done', { objects: done.objects ?? 0, jobs: done.jobs ?? 0, gathered: done.gathered ?? 0, unmatched: done.unmatched ?? 0, skipped: done.skipped ?? 0 })
}
