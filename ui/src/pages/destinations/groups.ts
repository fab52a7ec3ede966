/*
 * Groups of destinations, and how a changed one is written: by several requests, which can be repeated if one of them fails.
 */
import { api, changedRow, rows, type Row } from '@/api/client'

export type Group = Row<'destination_group'>
export const KINDS = ['failover', 'balance'] as const
export type GroupKind = (typeof KINDS)[number]

export function isKind(kind: string): kind is GroupKind {
  return (KINDS as readonly string[]).includes(kind)
}

/** What was at this place is there where it was moved to; the others keep their order. */
export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const rest = list.filter((_, i) => i !== from)
  return [...rest.slice(0, to), list[from] as T, ...rest.slice(to)]
}

export async function addGroup(values: { name: string; kind: string }): Promise<Group> {
  return changedRow(api.from('destination_group').insert(values).select())
}

export async function changeGroup(group: Group, values: { name: string; kind: string }): Promise<void> {
  if (values.name !== group.name || values.kind !== group.kind) await changedRow(api.from('destination_group').update(values).eq('id', group.id).select('id'))
}

/** These members, in this order. */
export async function setMembers(group: string, members: readonly string[], before: readonly string[]): Promise<void> {
  const gone = before.filter((name) => !members.includes(name))
  if (members.length > 0) {
    const list = members.map((destination, i) => ({ destination_group: group, destination, position: i + 1 }))
    await rows(api.from('destination_group_member').upsert(list, { onConflict: 'destination_group,destination' }))
  }
  for (const destination of gone) await rows(api.from('destination_group_member').delete().eq('destination_group', group).eq('destination', destination))
}
