/*
 * How the states of jobs, destinations and alerts look: tone, icon, word.
 */
import type { Tone } from '@/components/StatusBadge.vue'
import {
  iconAdd, iconCancelled, iconClosed, iconCritical, iconDelete, iconEdit, iconFailed, iconOk, iconPaused, iconProbing, iconSending, iconUnknown, iconWaiting, iconWarning,
} from '@/icons'
import { t } from '@/i18n'

export interface Look {
  tone: Tone
  icon: string
  label: string
}

/** A word that the server has and we do not know (a newer server): as it is. */
function unknown(word: string | null): Look {
  return { tone: 'neutral', icon: iconUnknown, label: word ?? t('states.unknown') }
}

export function jobLook(state: string | null): Look {
  switch (state) {
    case 'waiting': return { tone: 'info', icon: iconWaiting, label: t('states.waiting') }
    case 'sending': return { tone: 'ok', icon: iconSending, label: t('states.sending') }
    case 'failed': return { tone: 'critical', icon: iconFailed, label: t('states.failed') }
    case 'sent': return { tone: 'ok', icon: iconOk, label: t('states.sent') }
    case 'cancelled': return { tone: 'neutral', icon: iconCancelled, label: t('states.cancelled') }
    default: return unknown(state)
  }
}

export const REASON_CODES = ['sending', 'queue', 'backoff', 'down', 'paused', 'window', 'rate', 'forwarder', 'failed'] as const

/** What a job waits for, in words. */
export function reasonName(code: string): string {
  const known = REASON_CODES.find((name) => name === code)
  return known === undefined ? code : t(`queue.reasons.${known}`)
}

export function destinationLook(state: string | null): Look {
  switch (state) {
    case 'up': return { tone: 'ok', icon: iconOk, label: t('states.up') }
    case 'down': return { tone: 'critical', icon: iconCritical, label: t('states.down') }
    case 'probing': return { tone: 'warning', icon: iconProbing, label: t('states.probing') }
    case 'paused': return { tone: 'warning', icon: iconPaused, label: t('states.paused') }
    case 'closed': return { tone: 'neutral', icon: iconClosed, label: t('states.closed') }
    case 'unknown': return { tone: 'neutral', icon: iconUnknown, label: t('states.untried') }
    default: return unknown(state)
  }
}

export function severityLook(severity: string | null): Look {
  return severity === 'critical'
    ? { tone: 'critical', icon: iconCritical, label: t('states.critical') }
    : { tone: 'warning', icon: iconWarning, label: t('states.warning') }
}

export function runningLook(running: boolean | null): Look {
  return running === true
    ? { tone: 'ok', icon: iconOk, label: t('states.running') }
    : { tone: 'critical', icon: iconCritical, label: t('states.stopped') }
}

/** What was done to a row of the configuration. */
export function operationLook(operation: string): Look {
  switch (operation) {
    case 'insert': return { tone: 'info', icon: iconAdd, label: t('versions.operations.insert') }
    case 'update': return { tone: 'info', icon: iconEdit, label: t('versions.operations.update') }
    case 'delete': return { tone: 'warning', icon: iconDelete, label: t('versions.operations.delete') }
    case 'found': return { tone: 'neutral', icon: iconUnknown, label: t('versions.operations.found') }
    default: return unknown(operation)
  }
}

export const TASK_STATES = ['waiting', 'running', 'done', 'failed', 'cancelled'] as const

export function taskLook(state: string): Look {
  switch (state) {
    case 'waiting': return { tone: 'info', icon: iconWaiting, label: t('task.waiting') }
    case 'running': return { tone: 'info', icon: iconSending, label: t('task.running') }
    case 'done': return { tone: 'ok', icon: iconOk, label: t('task.done') }
    case 'failed': return { tone: 'critical', icon: iconFailed, label: t('task.failed') }
    case 'cancelled': return { tone: 'neutral', icon: iconCancelled, label: t('task.cancelled') }
    default: return unknown(state)
  }
}
