import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ApiError } from '@/api/error'
import { fieldError } from '@/lib/formErrors'
import { intervalText } from '@/lib/interval'
import { changedValues, draftOf, shapeOf, tlsFor, type Draft } from '@/pages/destinations/draft'
import { stepsOf, type EchoResult } from '@/pages/destinations/echo'
import { columnLabel, DEFAULTS, FIELDS, OTHERS, readText, type Destination, type FieldName } from '@/pages/destinations/fields'
import { moved } from '@/pages/destinations/groups'
import { addressOf, perMinute } from '@/pages/destinations/status'
import { daysText, localMinute, spansOf, spansOfDay } from '@/pages/destinations/week'

/** What the table says: each column with its default. */
function tableColumns(): Map<string, string | undefined> {
  const sql = readFileSync('../sql/destination.sql', 'utf8')
  const body = /CREATE TABLE dicomgw\.destination \(\n(.*?)\n {4}CONSTRAINT/s.exec(sql)?.[1] ?? ''
  return new Map(body.split('\n').map((line) => [/^\s*(\w+)/.exec(line)?.[1] ?? '', /DEFAULT '?([^',]*)'?/.exec(line)?.[1]]))
}

describe('the form', () => {
  it('has all columns that are not written by verbs', () => {
    expect([...FIELDS.map(({ name }) => name), ...OTHERS].sort()).toEqual([...tableColumns().keys()].sort())
  })
  it('shows the defaults that the table has', () => {
    const columns = tableColumns()
    for (const { name, control } of FIELDS) {
      const theirs = columns.get(name)
      const inSeconds = (text: string) => text.replace('seconds', 's').replace(/minutes?/, 'min').replace('days', 'd')
      expect([name, DEFAULTS[name]]).toEqual([name, control === 'interval' && theirs ? inSeconds(theirs) : theirs])
    }
  })
})

const fresh = draftOf(null)
const pacs = { ...fresh, name: 'pacs', host: '10.0.0.7', ae_title: 'PACS' }

describe('what is sent', () => {
  it('is what was changed, and nothing else', () => {
    expect(changedValues(pacs, fresh)).toEqual({ name: 'pacs', host: '10.0.0.7', ae_title: 'PACS' })
    expect(changedValues({ ...pacs, port: ' 11112 ' }, pacs)).toEqual({ port: '11112' })
    expect(changedValues(pacs, pacs)).toEqual({})
  })
  it('what is emptied has no value', () => {
    expect(changedValues({ ...pacs, tls_ca: '' }, { ...pacs, tls_ca: '/etc/ca.pem' })).toEqual({ tls_ca: null })
  })
  it('what the new kind does not have goes back to its default', () => {
    const before = { ...pacs, port: '11112', conversion: 'decompress' }
    const after: Draft = { ...before, kind: 'dicomweb', url: 'https://pacs.example/rs', tls: 'verify-full' }
    expect(changedValues(after, before)).toEqual({ kind: 'dicomweb', url: 'https://pacs.example/rs', tls: 'verify-full', host: null, ae_title: null, port: '104', conversion: 'none' })
  })
  it('what was typed for another kind is not sent', () => {
    expect(changedValues({ ...pacs, url: 'https://left.over' }, fresh)).not.toHaveProperty('url')
  })
  it('TLS goes with the URL', () => {
    expect([tlsFor('https://a', 'off'), tlsFor('https://a', 'require'), tlsFor('http://a', 'verify-full'), tlsFor('htt', 'off')]).toEqual(['verify-full', 'require', 'off', 'off'])
  })
})

describe('a refusal is shown at its field', () => {
  const at = (draft: Draft, message: string, code = '23514') => fieldError(new ApiError({ code, message, status: 400 }), shapeOf(draft, pacs)).field
  const timeout = 'value for domain dicomgw.timeout violates check constraint "timeout_must_be_between_1_second_and_1_day"'

  it('a domain of several columns: the one whose value cannot be', () => {
    expect(at({ ...pacs, connect_timeout: '20 s', response_timeout: '2 d' }, timeout)).toBe('response_timeout')
    expect(at({ ...pacs, connect_timeout: '500 ms', response_timeout: '5 min' }, timeout)).toBe('connect_timeout')
    expect(at({ ...pacs, give_up_after: '3 d', probe_interval: '2 days' }, timeout)).toBe('probe_interval')
    expect(at({ ...pacs, calling_ae_title: 'SEVENTEEN_LETTERS' }, 'value for domain dicomgw.ae_title violates check constraint "ae_title_has_1_to_16_characters"')).toBe('calling_ae_title')
  })
  it('what is no number or interval: where it was typed', () => {
    expect(at({ ...pacs, port: '1x' }, 'invalid input syntax for type integer: "1x"', '22P02')).toBe('port')
    expect(at({ ...pacs, probe_interval: 'soon' }, 'invalid input syntax for type interval: "soon"', '22007')).toBe('probe_interval')
  })
  it('what is missing', () => {
    const message = 'new row for relation "destination" violates check constraint "destination_dimse_needs_host_and_ae_title"'
    expect(at({ ...pacs, host: '' }, message)).toBe('host')
    expect(at({ ...pacs, ae_title: '' }, message)).toBe('ae_title')
    expect(at({ ...pacs, tls_certificate: '/c.pem' }, 'new row for relation "destination" violates check constraint "destination_tls_certificate_has_a_key"')).toBe('tls_key')
    expect(at({ ...pacs, tls_ca: '/ca', tls_key: 'k.pem' }, 'new row for relation "destination" violates check constraint "destination_tls_files_are_absolute_paths"')).toBe('tls_key')
  })
})

describe('intervals', () => {
  it.each([
    ['00:00:10', '10 s'], ['00:02:00', '2 min'], ['7 days', '7 d'], ['1 day 02:00:30', '1 d 2 h 30 s'], ['1 year 2 mons', '1 y 2 mon'], ['00:00:01.5', '1.5 s'], ['00:00:00', '0 s'],
  ])('%s is %s', (theirs, ours) => expect(intervalText(theirs)).toBe(ours))
})

describe('values as they are read', () => {
  const field = (name: FieldName) => FIELDS.find((f) => f.name === name) as (typeof FIELDS)[number]
  it('say units and words', () => {
    expect(readText(field('max_bytes_per_second'), 2500000)).toBe('2.5 MB/s')
    expect(readText(field('compression'), null)).toBeNull()
    expect(readText(field('port'), 11112)).toBe('11112')
    expect(readText(field('tls'), 'off')).toBe('off')
  })
  it('columns of a newer server keep their name', () => {
    expect([columnLabel('ae_title'), columnLabel('paused'), columnLabel('colour')]).toEqual(['AE title there', 'Paused', 'colour'])
  })
  it('an address', () => {
    const row = { kind: 'dimse', host: '::1', port: 104, url: null, ae_title: 'PACS' } as Destination
    expect(addressOf(row)).toBe('PACS@[::1]:104')
    expect(addressOf({ ...row, kind: 'dicomweb', url: 'https://a/rs' })).toBe('https://a/rs')
  })
})

describe('the speed', () => {
  const minute = (n: number, sent: number) => ({ at: new Date(n * 60e3).toISOString(), sent })
  it('is that of whole minutes: the present one is not over', () => {
    expect(perMinute([minute(0, 100), minute(1, 4), minute(2, 8), minute(3, 99)], 3.5 * 60e3, 2)).toBe(6)
    expect(perMinute([], 0)).toBeNull()
  })
})

describe('a test of an address', () => {
  const nothing: EchoResult = {
    ok: false, message: 'refused', status: null, associate_time: null, round_trip_time: null, peer_max_pdu: null, peer_implementation: null, tls_version: null, tls_cipher: null, tls_subject: null,
  }
  const steps = (result: Partial<EchoResult>) => stepsOf({ ...nothing, ...result }).map(({ name, ok }) => [name, ok])

  it('says how far it came', () => {
    expect(steps({})).toEqual([['associate', false], ['answer', null]])
    expect(steps({ associate_time: '00:00:00.01' })).toEqual([['associate', true], ['answer', false]])
    expect(steps({ associate_time: '00:00:00.01', round_trip_time: '00:00:00.01', status: '0122H' })).toEqual([['associate', true], ['answer', false]])
    expect(steps({ ok: true, associate_time: '00:00:00.01', round_trip_time: '00:00:00.01', tls_version: 'TLSv1.3' })).toEqual([['associate', true], ['tls', true], ['answer', true]])
  })
})

describe('a week', () => {
  const night = { days: [1, 7], opens_at: '20:00:00', closes_at: '06:00:00' }
  it('has a window that goes past midnight in two days', () => {
    expect(spansOf([night])).toEqual([
      { day: 1, from: 1200, to: 1440 }, { day: 2, from: 0, to: 360 }, { day: 7, from: 1200, to: 1440 }, { day: 1, from: 0, to: 360 },
    ])
    expect(spansOf([{ days: [3], opens_at: '00:00:00', closes_at: '24:00:00' }])).toEqual([{ day: 3, from: 0, to: 1440 }])
    expect(spansOf([{ days: [3], opens_at: '22:00:00', closes_at: '00:00:00' }])).toEqual([{ day: 3, from: 1320, to: 1440 }])
  })
  it('windows that touch are one', () => {
    const spans = spansOf([{ days: [1], opens_at: '08:00', closes_at: '12:00' }, { days: [1], opens_at: '11:00', closes_at: '14:00' }, { days: [1], opens_at: '15:00', closes_at: '16:00' }])
    expect(spansOfDay(spans, 1)).toEqual([{ day: 1, from: 480, to: 840 }, { day: 1, from: 900, to: 960 }])
  })
  it('days in words', () => {
    expect([daysText([5, 1, 2, 3]), daysText([6, 7]), daysText([1, 2, 3, 4, 5, 6, 7]), daysText([2])]).toEqual(['Mon–Wed, Fri', 'Sat, Sun', 'daily', 'Tue'])
  })
  it('now, where the window is', () => {
    const at = new Date('2026-11-25T23:30:00Z')
    expect(localMinute(at, 'Europe/Berlin')).toEqual({ day: 4, minute: 30 })
    expect(localMinute(at, 'Nowhere/At_All')).toBeNull()
  })
})

describe('the order of a group', () => {
  it('is changed by moving one', () => {
    expect(moved(['a', 'b', 'c'], 2, 1)).toEqual(['a', 'c', 'b'])
    expect(moved(['a', 'b', 'c'], 0, 1)).toEqual(['b', 'a', 'c'])
  })
})
