/*
 * The columns of a destination: in which groups they are shown and edited, as what, and for which kind.
 */
import type { Row } from '@/api/client'
import { t } from '@/i18n'
import { bytes, count } from '@/lib/format'
import { intervalText } from '@/lib/interval'

export type Destination = Row<'destination'>
export type Kind = 'dimse' | 'dicomweb'

/** Columns that verbs write, not the form. */
export const OTHERS = ['id', 'paused', 'pause_reason', 'paused_by', 'paused_at'] as const

export type FieldName = Exclude<keyof Destination, (typeof OTHERS)[number]>

export const OPTIONS = {
  kind: ['dimse', 'dicomweb'],
  tls: ['off', 'require', 'verify-ca', 'verify-full'],
  conversion: ['none', 'uncompressed', 'decompress'],
  compression: ['jpeg-lossless', 'jpeg-ls-lossless', 'rle-lossless'],
} as const
export type ChoiceName = keyof typeof OPTIONS

export type Control = 'text' | 'number' | 'interval'
export interface Field {
  name: FieldName
  /** text */
  control?: Control
  /** of this kind only */
  only?: Kind
}

export const GROUP_NAMES = ['address', 'tls', 'conversion', 'limits', 'retries', 'timeouts'] as const
export type GroupName = (typeof GROUP_NAMES)[number]

export const GROUPS: Readonly<Record<GroupName, readonly Field[]>> = {
  address: [
    { name: 'name' },
    { name: 'kind' },
    { name: 'host', only: 'dimse' },
    { name: 'port', control: 'number', only: 'dimse' },
    { name: 'ae_title', only: 'dimse' },
    { name: 'calling_ae_title', only: 'dimse' },
    { name: 'url', only: 'dicomweb' },
    { name: 'proxy', only: 'dicomweb' },
  ],
  tls: [{ name: 'tls' }, { name: 'tls_server_name' }, { name: 'tls_ca' }, { name: 'tls_certificate' }, { name: 'tls_key' }],
  conversion: [{ name: 'conversion', only: 'dimse' }, { name: 'compression', only: 'dimse' }],
  limits: [
    { name: 'max_associations', control: 'number' },
    { name: 'batch', control: 'number', only: 'dicomweb' },
    { name: 'max_objects_per_second', control: 'number' },
    { name: 'max_bytes_per_second', control: 'number' },
    { name: 'max_pdu', control: 'number', only: 'dimse' },
  ],
  retries: [
    { name: 'max_attempts', control: 'number' },
    { name: 'permanent_attempts', control: 'number' },
    { name: 'give_up_after', control: 'interval' },
    { name: 'retry_first_delay', control: 'interval' },
    { name: 'retry_factor', control: 'number' },
    { name: 'retry_max_delay', control: 'interval' },
    { name: 'retry_jitter', control: 'number' },
    { name: 'probe_interval', control: 'interval' },
  ],
  timeouts: [
    { name: 'connect_timeout', control: 'interval' },
    { name: 'association_timeout', control: 'interval', only: 'dimse' },
    { name: 'response_timeout', control: 'interval' },
  ],
}

export const FIELDS: readonly Field[] = GROUP_NAMES.flatMap((group) => GROUPS[group])

/** What the table gives a column that is left out; without one there is none.  test/destinations.test.ts compares. */
export const DEFAULTS: Partial<Record<FieldName, string>> = {
  kind: 'dimse', port: '104', calling_ae_title: 'DICOMGW', max_pdu: '131072', batch: '20', tls: 'off', conversion: 'none', max_associations: '4',
  connect_timeout: '10 s', association_timeout: '30 s', response_timeout: '2 min', max_attempts: '500', permanent_attempts: '1', give_up_after: '7 d',
  retry_first_delay: '10 s', retry_factor: '2', retry_max_delay: '30 min', retry_jitter: '0.25', probe_interval: '1 min',
}

export function applies(field: Field, kind: string): boolean {
  return field.only === undefined || field.only === kind
}

export function isChoice(name: FieldName): name is ChoiceName {
  return name in OPTIONS
}

export function optionLabel(name: ChoiceName, value: string): string {
  const known = (OPTIONS[name] as readonly string[]).includes(value)
  return known ? t(`destinationFields.options.${value as (typeof OPTIONS)[ChoiceName][number]}`) : value
}

/** As it is edited; empty: no value. */
export function editedText(field: Field, value: string | number | null): string {
  if (value === null) return ''
  return field.control === 'interval' ? intervalText(String(value)) : String(value)
}

/** As it is read; null: it has no value. */
export function readText({ name, control }: Field, value: string | number | null): string | null {
  if (value === null) return null
  if (name === 'max_bytes_per_second') return t('destinationFields.perSecond', { size: bytes(Number(value)) })
  if (isChoice(name)) return optionLabel(name, String(value))
  if (control === 'interval') return intervalText(String(value))
  return typeof value === 'number' && name !== 'port' ? count(value) : String(value)
}

/** What people call a column, in the history too; one that we do not know keeps its name. */
export function columnLabel(column: string): string {
  const field = FIELDS.find(({ name }) => name === column)
  if (field !== undefined) return t(`destinationFields.labels.${field.name}`)
  const other = OTHERS.find((name) => name === column)
  return other === undefined ? column : t(`destinationFields.others.${other}`)
}
