/*
 * Writing rows of the configuration by number.
 */
import { api, rows } from './client'
import { ApiError } from './error'
import { t } from '@/i18n'

/** Views with a number for each row. */
export type Writable = 'audit_repository' | 'listener' | 'remote_ae'

// which of the views it is makes no difference to how they are written
function view(name: Writable) {
  return api.from(name as 'listener')
}

/** A change of a row that is not there any more would be answered with success. */
function found(changed: readonly unknown[]): void {
  if (changed.length === 0) throw new ApiError({ message: t('errors.gone'), status: 404 })
}

/** Without a number: a new row. */
export async function saveRow(name: Writable, id: number | null, values: object): Promise<void> {
  if (id === null) await rows(view(name).insert(values as never))
  else if (Object.keys(values).length > 0) found(await rows(view(name).update(values).eq('id', id).select('id')))
}

export async function deleteRow(name: Writable, id: number): Promise<void> {
  found(await rows(view(name).delete().eq('id', id).select('id')))
}
