/*
 * Studies, series and objects as the pages ask for them.
 */
import { addressOf, api, call, type Filled, type Row } from '@/api/client'
import type { Order } from '@/lib/keyset'
import { quotedPattern } from '@/lib/pattern'

export type Study = Filled<Row<'study'>, 'id' | 'study_instance_uid' | 'instances' | 'size'>
export type Series = Filled<Row<'series'>, 'id' | 'study_id' | 'instances'>
export type DicomObject = Filled<Row<'instance'>, 'id' | 'sop_instance_uid' | 'size'>

export const FILTERS = ['patient', 'accession_number', 'from', 'until', 'modality', 'calling_ae', 'study_instance_uid'] as const
export type FilterName = (typeof FILTERS)[number]
export type Filters = Record<FilterName, string>

/** An element of an array, inside cs.{…}: quoted, as it may hold commas and braces. */
function element(text: string): string {
  return `{"${text.replace(/[\\"]/g, '\\$&')}"}`
}

export function queryStudies(filters: Filters) {
  let query = api.from('study').select()
  if (filters.patient !== '') {
    const pattern = quotedPattern(filters.patient)
    query = query.or(`patient_id.ilike.${pattern},patient_name.ilike.${pattern}`)
  }
  if (filters.accession_number !== '') query = query.eq('accession_number', filters.accession_number)
  if (filters.study_instance_uid !== '') query = query.eq('study_instance_uid', filters.study_instance_uid)
  if (filters.from !== '') query = query.gte('study_date', filters.from)
  if (filters.until !== '') query = query.lte('study_date', filters.until)
  if (filters.modality !== '') query = query.contains('modalities', element(filters.modality.toUpperCase()))
  if (filters.calling_ae !== '') query = query.contains('calling_aes', element(filters.calling_ae))
  return query
}

/** The objects of a series as its sender has numbered them; those without a number last, in the order of receipt. */
export const IN_SERIES: readonly Order[] = [{ column: 'instance_number', descending: false }, { column: 'id', descending: false }]

// ---------- one object ----------

export interface ImageInfo {
  rows: number | null
  columns: number | null
  frames: number
  samples_per_pixel: number | null
  bits_stored: number | null
  photometric_interpretation: string | null
  window_center: number | null
  window_width: number | null
  pixel_min: number | null
  pixel_max: number | null
  displayable: boolean
  reason: string | null
}

/** What is sent again: objects by number, or whole studies. */
export type ReplaySelector = { instance_ids: number[] } | { study_instance_uids: string[] }

export async function headerOf(instance: number): Promise<Record<string, unknown>> {
  return (await call('header', { instance_id: instance })) as Record<string, unknown>
}

export async function imageInfoOf(instance: number): Promise<ImageInfo> {
  return (await call('instance_image_info', { instance_id: instance })) as unknown as ImageInfo
}

export async function countReplay(selector: ReplaySelector): Promise<number> {
  return call('count_replay', selector)
}

/** Answers the number of the task. */
export async function startReplay(selector: ReplaySelector, destination: string, priority: number): Promise<number> {
  return call('start_replay', { ...selector, destination, priority })
}

export interface PictureRequest {
  instance_id: number
  frame?: number
  width?: number
  height?: number
  window_center?: number
  window_width?: number
}

export function pictureAddress(request: PictureRequest): string {
  return addressOf('preview', { ...request })
}

export function fileAddress(instance: number): string {
  return addressOf('instance_file', { instance_id: instance })
}
