/*
 * Edits of a route: what each does in a line, and as a form has it.
 */
import { api, changedRow, rows, type Row } from '@/api/client'
import { t } from '@/i18n'
import type { FormShape } from '@/lib/formErrors'

export type Edit = Row<'route_edit'>

export const ACTIONS = ['set', 'replace', 'remove', 'keep_only', 'map_uid', 'remove_private', 'keep_private', 'deidentify'] as const
export type Action = (typeof ACTIONS)[number]

export const OPTIONS = [
  'retain_longitudinal_temporal_information_modified_dates', 'retain_longitudinal_temporal_information_full_dates', 'retain_uids',
  'retain_patient_characteristics', 'retain_device_identity', 'retain_institution_identity', 'clean_descriptors', 'allow_burned_in',
] as const
type Option = (typeof OPTIONS)[number]

export const takesValue = (action: Action): boolean => action === 'set' || action === 'replace'
export const takesAttribute = (action: Action): boolean => action !== 'remove_private' && action !== 'deidentify'
export const takesList = (action: Action): boolean => action === 'keep_only' || action === 'keep_private'

export const SHAPE: FormShape = {
  relation: 'route_edit',
  fields: ['action', 'attribute', 'value', 'expression', 'options'],
  about: {
    route_edit_names_its_attribute: 'attribute',
    route_edit_has_a_value_or_an_expression: 'value',
    'invalid value for': 'value',
    'there is no option': 'options',
    DICOMweb: 'action',
    attribute: 'attribute',
    'cannot be set': 'attribute',
    'cannot be edited': 'attribute',
    'can be replaced': 'attribute',
  },
}

export interface EditDraft {
  action: Action
  /** of a list: parted by backslashes, as the gateway has it */
  attribute: string
  by: 'value' | 'expression'
  value: string
  expression: string
  options: Option[]
}

export function newEdit(): EditDraft {
  return { action: 'set', attribute: '', by: 'value', value: '', expression: '', options: [] }
}

export function draftOfEdit(edit: Edit): EditDraft {
  return {
    action: edit.action as Action,
    attribute: edit.attribute ?? '',
    by: edit.expression === null ? 'value' : 'expression',
    value: edit.value ?? '',
    expression: edit.expression?.trim() ?? '',
    options: edit.options as Option[],
  }
}

type Columns = Pick<Edit, 'action' | 'attribute' | 'value' | 'expression' | 'options'>

/** What another action had typed in is not sent. */
export function columnsOfEdit({ action, attribute, by, value, expression, options }: EditDraft): Columns {
  return {
    action,
    attribute: takesAttribute(action) && !(action === 'map_uid' && attribute.trim() === '') ? attribute.trim() : null,
    value: takesValue(action) && by === 'value' ? value : null,
    expression: takesValue(action) && by === 'expression' ? expression : null,
    options: action === 'deidentify' ? options : [],
  }
}

/** Of an edit, or of one in a version, where what is empty is left out. */
export function summary(edit: { action: string; attribute?: string | null; value?: string | null; options?: readonly string[] | null }): string {
  const attribute = edit.attribute?.replaceAll('\\', ', ') ?? ''
  switch (edit.action) {
    case 'set': return edit.value === '' ? t('routes.edits.summary.empty', { attribute }) : t('routes.edits.summary.set', { attribute, value: edit.value ?? '' })
    case 'replace': return edit.value === '' ? t('routes.edits.summary.replaceEmpty', { attribute }) : t('routes.edits.summary.replace', { attribute, value: edit.value ?? '' })
    case 'remove': return t('routes.edits.summary.remove', { attribute })
    case 'keep_only': return t('routes.edits.summary.keepOnly', { attribute })
    case 'map_uid': return attribute === '' ? t('routes.edits.summary.mapAll') : t('routes.edits.summary.map', { attribute })
    case 'remove_private': return t('routes.edits.summary.removePrivate')
    case 'keep_private': return t('routes.edits.summary.keepPrivate', { attribute })
    case 'deidentify': return [t('routes.edits.summary.deidentify'), ...(edit.options ?? []).map(optionLabel)].join('; ')
    default: return edit.action
  }
}

function optionLabel(option: string): string {
  return OPTIONS.includes(option as Option) ? t(`routes.edits.options.${option as Option}`) : option
}

export function editsOf(route: string, signal: AbortSignal): Promise<Edit[]> {
  return rows(api.from('route_edit').select().eq('route', route).order('position').order('id').abortSignal(signal))
}

export async function addEdit(route: string, position: number, columns: Columns): Promise<void> {
  await rows(api.from('route_edit').insert({ ...columns, route, position }).select('id'))
}

export async function changeEdit(id: number, columns: Partial<Columns & Pick<Edit, 'position'>>): Promise<void> {
  await changedRow(api.from('route_edit').update(columns).eq('id', id).select('id'))
}

export async function deleteEdit(id: number): Promise<void> {
  await changedRow(api.from('route_edit').delete().eq('id', id).select('id'))
}
