/*
 * Objects by number, as they are chosen and named where routes are tried.
 */
import { api, rows, type Row } from '@/api/client'
import { dateTime } from '@/lib/format'
import { sopClassName } from '@/lib/uids'

type Known = Pick<Row<'instance'>, 'id' | 'calling_ae' | 'sop_class_uid' | 'received_at'>
export interface NamedObject {
  id: number
  name: string
}

const COLUMNS = 'id,calling_ae,sop_class_uid,received_at'
const MOST = 20

/** 12 · CT Image Storage · CT1 · 11/25/2026, 02:15:08 PM */
export function nameOf({ id, calling_ae, sop_class_uid, received_at }: Known): NamedObject {
  return { id, name: [id, sopClassName(sop_class_uid), calling_ae, dateTime(new Date(received_at))].join(' · ') }
}

export async function objectsByNumber(ids: readonly number[], signal: AbortSignal): Promise<NamedObject[]> {
  const found = await rows(api.from('instance').select(COLUMNS).in('id', [...ids]).order('id').abortSignal(signal))
  return (found as Known[]).map(nameOf)
}

/** What is typed is a number, a SOP Instance UID, or nothing: the newest. */
export async function findObjects(typed: string, signal: AbortSignal): Promise<NamedObject[]> {
  let query = api.from('instance').select(COLUMNS)
  if (/^\d{1,18}$/.test(typed)) query = query.eq('id', Number(typed))
  else if (typed !== '') query = query.eq('sop_instance_uid', typed)
  return ((await rows(query.order('id', { ascending: false }).limit(MOST).abortSignal(signal))) as Known[]).map(nameOf)
}
