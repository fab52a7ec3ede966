/*
 * Intervals to be edited: as PostgreSQL writes them ("1 day 00:02:00") they are hard to read, as people write them
 * ("1 d 2 min") PostgreSQL reads them, too.
 */
const UNITS = [
  [/(-?\d+) years?/, 'y'],
  [/(-?\d+) mons?/, 'mon'],
  [/(-?\d+) days?/, 'd'],
] as const
const CLOCK = /(-?)(\d+):(\d+):(\d+(?:\.\d+)?)/

/** Nothing is rounded: "7 days" is 7 d, "00:01:30.5" 1 min 30.5 s. */
export function intervalText(interval: string): string {
  const parts: string[] = []
  for (const [pattern, unit] of UNITS) {
    const n = Number(pattern.exec(interval)?.[1] ?? 0)
    if (n !== 0) parts.push(`${n} ${unit}`)
  }
  const [, sign = '', hours, minutes, seconds] = CLOCK.exec(interval) ?? []
  for (const [value, unit] of [[hours, 'h'], [minutes, 'min'], [seconds, 's']] as const) {
    const n = Number(value ?? 0)
    if (n !== 0) parts.push(`${sign}${n} ${unit}`)
  }
  return parts.join(' ') || '0 s'
}
