/*
 * Writing rows of the configuration by number.
 */
import { api, changedRow, rows } from './client'

/** Views with a number for each row. */
export type Writable = 'audit_repository' | 'listener' | 'remote_ae'

// which of the views it is makes no difference to how they are written
function view(name: Writable) {
  return api.from(name as 'listener')
}

/** Without a number: a new row. */
export async function saveRow(name: Writable, id: number | null, values: object): Promise<void> {
  if (id === null) await rows(view(name).insert(values as never))
  else if (Object.keys(values).length > 0) await changedRow(view(name).update(values).eq('id', id).select('id'))
}

export async function deleteRow(name: Writable, id: number): Promise<void> {
  await changedRow(view(name).delete().eq('id', id).select('id'))
}
