/*
 * Over which time the dashboard's charts go, and in what steps: some sixty to hundred points each.
 */
export const RANGES = {
  hour: { seconds: 3600, step: 60 },
  day: { seconds: 86400, step: 900 },
  week: { seconds: 7 * 86400, step: 7200 },
} as const

export type Range = keyof typeof RANGES

export function isRange(value: unknown): value is Range {
  return typeof value === 'string' && value in RANGES
}

/** Where the series begins: at a whole step, so that its points stay the same from one poll to the next. */
export function start(range: Range, now: number): Date {
  const { seconds, step } = RANGES[range]
  return new Date(Math.floor((now / 1000 - seconds) / step) * step * 1000)
}
