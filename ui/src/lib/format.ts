/*
 * Numbers, sizes, times as people read them, in the browser's language and time zone.
 */
const integer = new Intl.NumberFormat()
const short = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 })
const compact = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 })
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' })

export function count(value: number): string {
  return integer.format(value)
}

/** 12.3K: where there is little room */
export function compactCount(value: number): string {
  return compact.format(value)
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']

/** Decimal units, as disks are sold and df -H shows them. */
export function bytes(value: number): string {
  let unit = 0
  while (Math.abs(value) >= 999.95 && unit < UNITS.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 ? integer.format(value) : short.format(value)} ${UNITS[unit]}`
}

const STEPS = [
  ['d', 86400],
  ['h', 3600],
  ['min', 60],
  ['s', 1],
] as const

/** Two units at most: 3 d 4 h, 5 min 2 s, 1.2 s, 45 ms */
export function duration(seconds: number): string {
  if (seconds < 0) return `-${duration(-seconds)}`
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`
  if (seconds < 10) return `${short.format(seconds)} s`
  const parts: string[] = []
  let rest = Math.round(seconds)
  for (const [name, length] of STEPS) {
    const n = Math.floor(rest / length)
    rest -= n * length
    if (n > 0) parts.push(`${n} ${name}`)
    if (parts.length > 0 && (n === 0 || parts.length === 2)) break
  }
  return parts.join(' ')
}

/** Seconds of an interval as PostgreSQL writes it: "1 day 02:03:04.5", "3 mons", "-00:00:01" */
export function intervalSeconds(interval: string): number {
  let seconds = 0
  for (const [, n, unit] of interval.matchAll(/(-?\d+) (year|mon|day)s?/g)) {
    seconds += Number(n) * (unit === 'year' ? 31557600 : unit === 'mon' ? 2592000 : 86400)
  }
  const clock = /(-?)(\d+):(\d+):(\d+(?:\.\d+)?)/.exec(interval)
  if (clock !== null) {
    const [, sign, h, m, s] = clock
    seconds += (sign === '-' ? -1 : 1) * (Number(h) * 3600 + Number(m) * 60 + Number(s))
  }
  return seconds
}

export const zone = Intl.DateTimeFormat().resolvedOptions().timeZone

const absolute = new Intl.DateTimeFormat(undefined, {
  year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit', timeZoneName: 'short',
})
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })
const dayAndClock = new Intl.DateTimeFormat(undefined, { month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' })

/** With the zone: 11/25/2026, 02:15:08 PM GMT+1 */
export function dateTime(at: Date): string {
  return absolute.format(at)
}

/** A sentence of the server, whose times are PostgreSQL's (2026-11-25 18:26:13+00), with times as they are everywhere else. */
export function localTimes(sentence: string): string {
  return sentence.replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?[+-]\d\d(:\d\d)?/g, (written) => {
    const at = new Date(written.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00'))
    return Number.isNaN(at.getTime()) ? written : dateTime(at)
  })
}

/** For axes: hours and minutes, with the day if the span is longer than one */
export function axisTime(at: Date, spanSeconds: number): string {
  return (spanSeconds > 86400 ? dayAndClock : clock).format(at)
}

/** 5 minutes ago, in 20 seconds */
export function ago(at: number, now: number): string {
  const seconds = (at - now) / 1000
  const size = Math.abs(seconds)
  if (size < 60) return relative.format(Math.round(seconds), 'second')
  if (size < 3600) return relative.format(Math.round(seconds / 60), 'minute')
  if (size < 86400) return relative.format(Math.round(seconds / 3600), 'hour')
  return relative.format(Math.round(seconds / 86400), 'day')
}
