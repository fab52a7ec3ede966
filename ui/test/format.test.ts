import { describe, expect, it } from 'vitest'
import { ago, bytes, duration, intervalSeconds, localTimes, dateTime } from '@/lib/format'

describe('sizes', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1 kB'],
    [1_500_000, '1.5 MB'],
    [999_960, '1 MB'],
    [3e15, '3 PB'],
  ])('%d is %s', (value, text) => expect(bytes(value)).toBe(text))
})

describe('how long', () => {
  it.each([
    [0.045, '45 ms'],
    [1.23, '1.2 s'],
    [59, '59 s'],
    [3600, '1 h'],
    [3725, '1 h 2 min'],
    [90061, '1 d 1 h'],
    [86400 + 5, '1 d'],
  ])('%d s is %s', (value, text) => expect(duration(value)).toBe(text))
  it.each([
    ['00:00:01.5', 1.5],
    ['1 day 02:03:04', 93784],
    ['-00:00:02', -2],
    ['7 days', 604800],
    ['1 mon', 2592000],
  ])('PostgreSQL writes %s for %d s', (text, value) => expect(intervalSeconds(text)).toBe(value))
})

it('says how long ago', () => {
  expect(ago(0, 5000)).toBe('5 seconds ago')
  expect(ago(0, 3 * 3600e3)).toBe('3 hours ago')
  expect(ago(20000, 0)).toBe('in 20 seconds')
})

it('says the times of the server as all others', () => {
  const at = (iso: string) => dateTime(new Date(iso))
  expect(localTimes('down since 2026-11-25 18:26:13+00: refused; next probe at 2026-11-25 19:26:13.5+05:30')).toBe(
    `down since ${at('2026-11-25T18:26:13Z')}: refused; next probe at ${at('2026-11-25T13:56:13.5Z')}`,
  )
  expect(localTimes('since 2026-99-25 18:26:13+00, port 104')).toBe('since 2026-99-25 18:26:13+00, port 104')
})
