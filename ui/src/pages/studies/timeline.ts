/*
 * How the events of an object's timeline look, and whose they are.
 */
import { iconCancelled, iconDelete, iconFailed, iconOk, iconQueue, iconReceived, iconRoute, iconSending, iconUnknown, iconWaiting, iconWarning } from '@/icons'
import { t } from '@/i18n'
import type { Look } from '@/lib/states'

export function eventLook(event: string | null): Look {
  switch (event) {
    case 'received': return { tone: 'neutral', icon: iconReceived, label: t('studies.events.received') }
    case 'routed': return { tone: 'neutral', icon: iconRoute, label: t('studies.events.routed') }
    case 'queued': return { tone: 'neutral', icon: iconQueue, label: t('studies.events.queued') }
    case 'attempt failed': return { tone: 'warning', icon: iconWarning, label: t('studies.events.attempt failed') }
    case 'sent': return { tone: 'ok', icon: iconOk, label: t('studies.events.sent') }
    case 'cancelled': return { tone: 'neutral', icon: iconCancelled, label: t('studies.events.cancelled') }
    case 'failed': return { tone: 'critical', icon: iconFailed, label: t('studies.events.failed') }
    case 'removed': return { tone: 'neutral', icon: iconDelete, label: t('studies.events.removed') }
    case 'waiting': return { tone: 'info', icon: iconWaiting, label: t('studies.events.waiting') }
    case 'sending': return { tone: 'info', icon: iconSending, label: t('studies.events.sending') }
    default: return { tone: 'neutral', icon: iconUnknown, label: event ?? t('states.unknown') }
  }
}

/** For each event the version of the object that it is of, where that changes and it is not the one that is looked at; else null. */
export function otherVersions(events: readonly { instance_id: number | null }[], own: number): (number | null)[] {
  let before: number | null = own
  return events.map(({ instance_id: id }) => {
    const changes = id !== before
    before = id
    return changes && id !== own ? id : null
  })
}
