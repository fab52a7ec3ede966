/*
 * Routes as the pages need them: the list, and a route as a form has it.
 */
import { api, changedRow, rows, type Row } from '@/api/client'
import { useLive } from '@/composables/useLive'
import { isoTime, localTime } from '@/lib/localTime'
import type { FormShape } from '@/lib/formErrors'

export type Route = Row<'route'>

export function useRoutes() {
  return useLive(['route'], (signal) => rows(api.from('route').select().order('position').order('id').abortSignal(signal)), { interval: 4000 })
}

/** How many edits each route has. */
export function useEditCounts() {
  return useLive(['route_edit', 'routes'], async (signal) => {
    const counts: Record<string, number> = {}
    for (const { route } of await rows(api.from('route_edit').select('route').abortSignal(signal))) counts[route] = (counts[route] ?? 0) + 1
    return counts
  }, { interval: 4000 })
}

export const TRIGGERS = ['instance', 'series', 'study'] as const
export type Trigger = (typeof TRIGGERS)[number]

/** What a form holds: texts, as they are typed. */
export interface Draft {
  name: string
  predicate: string
  /** destination:pacs or group:readers; null: not chosen yet */
  target: string | null
  priority: string | number | null
  position: string | number | null
  enabled: boolean
  stop: boolean
  is_default: boolean
  valid_from: string
  valid_until: string
  trigger: Trigger
  quiet_period: string
  expected_instances: string
}

export const SHAPE: FormShape = {
  relation: 'route',
  fields: ['name', 'predicate', 'destination', 'destination_group', 'priority', 'position', 'valid_from', 'valid_until', 'trigger', 'quiet_period', 'expected_instances'],
  about: {
    route_name_is_not_empty: 'name',
    route_has_a_destination_or_a_group: 'destination',
    route_is_valid_from_before_until: 'valid_until',
    route_expects_instances_of_a_series_or_study: 'expected_instances',
    job_priority: 'priority',
    timeout: 'quiet_period',
    interval: 'quiet_period',
    integer: 'position',
    smallint: 'priority',
  },
}

export function targetOf(route: Pick<Route, 'destination' | 'destination_group'>): string | null {
  if (route.destination !== null) return `destination:${route.destination}`
  return route.destination_group === null ? null : `group:${route.destination_group}`
}

export function draftOf(route: Route): Draft {
  return {
    name: route.name,
    predicate: route.predicate.trim(),
    target: targetOf(route),
    priority: route.priority,
    position: route.position,
    enabled: route.enabled,
    stop: route.stop,
    is_default: route.is_default,
    valid_from: localTime(route.valid_from),
    valid_until: localTime(route.valid_until),
    trigger: route.trigger as Trigger,
    quiet_period: route.quiet_period,
    expected_instances: route.expected_instances?.trim() ?? '',
  }
}

/** Behind all that there are. */
export function newDraft(routes: readonly Route[]): Draft {
  return {
    name: '', predicate: '', target: null, priority: 5, position: Math.max(0, ...routes.map(({ position }) => position)) + 10, enabled: true, stop: false,
    is_default: false, valid_from: '', valid_until: '', trigger: 'instance', quiet_period: '00:01:00', expected_instances: '',
  }
}

type Columns = Omit<Route, 'id'>

/** An empty number is sent as it is: the server says what it thinks of it. */
function number(typed: string | number | null): number {
  return (typed === null || typed === '' ? null : Number(typed)) as number
}

export function columnsOf(draft: Draft): Columns {
  const [kind, ...name] = (draft.target ?? '').split(':')
  const target = name.join(':')
  return {
    name: draft.name.trim(),
    predicate: draft.predicate,
    destination: kind === 'destination' ? target : null,
    destination_group: kind === 'group' ? target : null,
    priority: number(draft.priority),
    position: number(draft.position),
    enabled: draft.enabled,
    stop: draft.stop,
    is_default: draft.is_default,
    valid_from: isoTime(draft.valid_from),
    valid_until: isoTime(draft.valid_until),
    trigger: draft.trigger,
    quiet_period: draft.quiet_period,
    expected_instances: draft.trigger === 'instance' || draft.expected_instances.trim() === '' ? null : draft.expected_instances,
  }
}

/** Only what was changed: what somebody else changes meanwhile stays. */
export function changesOf(draft: Draft, before: Draft): Partial<Columns> {
  const now = columnsOf(draft)
  const then = columnsOf(before)
  return Object.fromEntries(Object.entries(now).filter(([name, value]) => value !== then[name as keyof Columns]))
}

export function createRoute(columns: Columns): Promise<Route> {
  return changedRow(api.from('route').insert(columns).select())
}

export function changeRoute(id: number, columns: Partial<Columns>): Promise<Route> {
  return changedRow(api.from('route').update(columns).eq('id', id).select())
}

export async function deleteRoute(id: number): Promise<void> {
  await changedRow(api.from('route').delete().eq('id', id).select('id'))
}

