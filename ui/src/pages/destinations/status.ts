/*
 * What is known of destinations just now.
 */
import type { Filled, Row } from '@/api/client'
import type { Destination } from './fields'

export type Status = Filled<Row<'destination_status'>, 'state' | 'associations' | 'concurrency' | 'waiting' | 'sending' | 'failed'>

export function addressOf({ kind, host, port, url, ae_title }: Pick<Destination, 'kind' | 'host' | 'port' | 'url' | 'ae_title'>): string {
  if (kind === 'dicomweb') return url ?? ''
  const bracketed = host?.includes(':') ? `[${host}]` : (host ?? '')
  return `${ae_title ?? ''}@${bracketed}:${port}`
}

interface Point {
  at: string | null
  sent: number | null
}

/** Objects sent in a minute, over the last whole minutes; null: not known. */
export function perMinute(points: readonly Point[], now: number, over = 5): number | null {
  const whole = points.filter(({ at }) => at !== null && Date.parse(at) + 60000 <= now).slice(-over)
  if (whole.length === 0) return null
  return whole.reduce((sum, { sent }) => sum + (sent ?? 0), 0) / whole.length
}
