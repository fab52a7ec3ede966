/*
 * Where a study's objects have gone: column "delivery" of view study, and how each destination of it looks.
 */
import { iconFailed, iconOk, iconSending, iconUnknown, iconWaiting } from '@/icons'
import { t } from '@/i18n'
import type { Look } from '@/lib/states'

export interface Delivery {
  destination: string
  sent: number
  waiting: number
  sending: number
  failed: number
}

/** What the column holds; an entry that is none is left out. */
export function deliveries(column: unknown): Delivery[] {
  if (!Array.isArray(column)) return []
  return column.flatMap((entry: unknown) => {
    if (entry === null || typeof entry !== 'object' || !('destination' in entry) || typeof entry.destination !== 'string') return []
    const counts = entry as Record<string, unknown>
    const number = (name: string) => Number(counts[name] ?? 0)
    return [{ destination: entry.destination, sent: number('sent'), waiting: number('waiting'), sending: number('sending'), failed: number('failed') }]
  })
}

/** The worst that is to be said of a destination: what failed, else what is under way, else what waits. */
export function deliveryLook({ destination, sent, waiting, sending, failed }: Delivery): Look {
  if (failed > 0) return { tone: 'critical', icon: iconFailed, label: t('studies.delivered.failed', { destination, n: failed }) }
  if (sending > 0) return { tone: 'info', icon: iconSending, label: t('studies.delivered.sending', { destination, n: sending }) }
  if (waiting > 0) return { tone: 'info', icon: iconWaiting, label: t('studies.delivered.waiting', { destination, n: waiting }) }
  if (sent > 0) return { tone: 'ok', icon: iconOk, label: t('studies.delivered.sent', { destination, n: sent }) }
  return { tone: 'neutral', icon: iconUnknown, label: t('studies.delivered.nothing', { destination }) }
}

export function deliveryCounts({ sent, waiting, sending, failed }: Delivery): string {
  return t('studies.delivered.counts', { sent, waiting, sending, failed })
}
