/*
 * Tasks (docs/tasks.md) in words: what they do, with what, and what came of it.  Counts are named as the verbs answer
 * them, so what a verb did at once is told in the same words.
 */
import { t } from '@/i18n'
import { count, dateTime } from '@/lib/format'
import { jobLook, reasonName } from '@/lib/states'

export type Counts = Readonly<Record<string, number | null | undefined>>

function record(value: unknown): Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}

export function taskTitle(kind: string | null): string {
  switch (kind) {
    case 'replay': return t('task.kinds.replay')
    case 'retry': return t('task.kinds.retry')
    case 'cancel': return t('task.kinds.cancel')
    case 'set_priority': return t('task.kinds.set_priority')
    case 'move': return t('task.kinds.move')
    case 'check_storage': return t('task.kinds.check_storage')
    default: return kind ?? t('states.unknown')
  }
}

/** What was done; empty if nothing was yet. */
export function taskOutcome(kind: string | null, result: unknown): string {
  const counts = record(result)
  if (Object.keys(counts).length === 0) return ''
  const n = (name: string) => Number(counts[name] ?? 0)
  switch (kind) {
    case 'replay': return t('task.outcomes.replay', { jobs: n('jobs'), skipped: n('skipped') })
    case 'retry': return t('task.outcomes.retry', { revived: n('revived'), hastened: n('hastened') })
    case 'cancel': return t('task.outcomes.cancel', { n: n('cancelled') })
    case 'set_priority': return t('task.outcomes.set_priority', { n: n('changed') })
    case 'move': return t('task.outcomes.move', { moved: n('moved'), sent: n('being_sent') })
    case 'check_storage': return t('task.outcomes.check_storage', { files: n('files'), problems: n('problems'), removed: n('removed') })
    default: return ''
  }
}

export interface Failure {
  target: string
  error: string
}

/** How many could not be done; and of the first of them which, and why. */
export function taskFailures(result: unknown): { failed: number; told: Failure[] } {
  const { failed, failures } = record(result)
  const told = Array.isArray(failures) ? failures.map(record) : []
  return { failed: Number(failed ?? 0), told: told.map(({ target, error }) => ({ target: String(target), error: String(error) })) }
}

const ARGUMENTS = [
  'destination', 'state', 'reason_code', 'calling_ae', 'modality', 'patient', 'study_instance_uid', 'study_instance_uids', 'route', 'received_since',
  'received_until', 'priority', 'to_destination', 'edits_of_route',
] as const

/** What was named when it was started: "Destination: PACS · State: failed". */
export function taskArguments(given: unknown): string {
  const values = record(given)
  return ARGUMENTS.filter((name) => values[name] !== undefined && values[name] !== null && values[name] !== '')
    .map((name) => `${t(`task.arguments.${name}`)}: ${written(name, values[name])}`)
    .join(' · ')
}

function written(name: (typeof ARGUMENTS)[number], value: unknown): string {
  if (Array.isArray(value)) return value.length > 3 ? count(value.length) : value.join(', ')
  const text = String(value)
  switch (name) {
    case 'state': return jobLook(text).label
    case 'reason_code': return reasonName(text)
    case 'received_since':
    case 'received_until': return dateTime(new Date(text))
    default: return text
  }
}
