/*
 * Windows of a week as a picture has them: by day, from minute to minute; one that goes past midnight is in two days.
 */
import type { Row } from '@/api/client'
import { t } from '@/i18n'

export type Window = Row<'destination_window'>

export const DAYS = [1, 2, 3, 4, 5, 6, 7] as const
export type Day = (typeof DAYS)[number]
export const DAY_MINUTES = 1440

export interface Span {
  day: Day
  from: number
  to: number
}

/** "18:30:00" is 1110; "24:00:00" is 1440 */
export function minutes(time: string): number {
  const [hours = 0, mins = 0] = time.split(':').map(Number)
  return hours * 60 + mins
}

/** "18:30:00" is 18:30 */
export function clock(time: string): string {
  return time.slice(0, 5)
}

function nextDay(day: Day): Day {
  return day === 7 ? 1 : ((day + 1) as Day)
}

export function spansOf(windows: readonly Pick<Window, 'days' | 'opens_at' | 'closes_at'>[]): Span[] {
  return windows.flatMap(({ days, opens_at, closes_at }) => {
    const from = minutes(opens_at)
    const to = minutes(closes_at)
    return (days as Day[]).flatMap((day) => {
      if (from < to) return [{ day, from, to }]
      const evening: Span[] = [{ day, from, to: DAY_MINUTES }]
      return to === 0 ? evening : [...evening, { day: nextDay(day), from: 0, to }]
    })
  })
}

/** Spans of one day that touch are one. */
export function spansOfDay(spans: readonly Span[], day: Day): Span[] {
  const merged: Span[] = []
  for (const span of spans.filter((s) => s.day === day).sort((a, b) => a.from - b.from)) {
    const last = merged.at(-1)
    if (last !== undefined && span.from <= last.to) last.to = Math.max(last.to, span.to)
    else merged.push({ ...span })
  }
  return merged
}

/** 95 is 01:35 */
export function clockOf(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`
}

/** Day and minute in a time zone; null: the browser does not know it (PostgreSQL knows more). */
export function localMinute(at: Date, timeZone: string): { day: Day; minute: number } | null {
  try {
    const parts = new Intl.DateTimeFormat('en-GB', { timeZone, weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).formatToParts(at)
    const part = (type: string) => parts.find((p) => p.type === type)?.value ?? ''
    const day = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'].indexOf(part('weekday')) + 1
    return { day: day as Day, minute: Number(part('hour')) * 60 + Number(part('minute')) }
  } catch {
    return null
  }
}

/** By time zone: a week has one. */
export function byZone(windows: readonly Window[]): Map<string, Window[]> {
  const zones = new Map<string, Window[]>()
  for (const window of windows) zones.set(window.time_zone, [...(zones.get(window.time_zone) ?? []), window])
  return zones
}

const DAY_KEYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const

export function dayName(day: Day): string {
  return t(`destinations.windows.shortDays.${DAY_KEYS[day - 1] ?? 'mon'}`)
}

/** 1, 2, 3, 5 is Mon–Wed, Fri */
export function daysText(days: readonly number[]): string {
  const sorted = DAYS.filter((day) => days.includes(day))
  if (sorted.length === DAYS.length) return t('destinations.windows.everyDay')
  const runs: Day[][] = []
  for (const day of sorted) {
    const run = runs.at(-1)
    if (run?.at(-1) === day - 1) run?.push(day)
    else runs.push([day])
  }
  return runs.map((run) => [run[0], ...(run.length > 1 ? [run.at(-1)] : [])].map((day) => dayName(day as Day)).join(run.length > 2 ? '–' : ', ')).join(', ')
}

export function windowText({ days, opens_at, closes_at }: Pick<Window, 'days' | 'opens_at' | 'closes_at'>): string {
  return t('destinations.windows.span', { days: daysText(days), from: clock(opens_at), to: clock(closes_at) })
}
