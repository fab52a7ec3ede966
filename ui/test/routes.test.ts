import { beforeEach, describe, expect, it, vi } from 'vitest'
import { sorted, type Share } from '@/pages/routes/dryRun'
import { columnsOfEdit, newEdit, SHAPE as EDIT_SHAPE, summary } from '@/pages/routes/edits'
import { hasTerms } from '@/pages/routes/explain'
import { changeRoute, changesOf, columnsOf, draftOf, newDraft, SHAPE, type Route } from '@/pages/routes/routes'
import { choose, FILTERS, queryUnrouted, type Filters } from '@/pages/routes/unrouted'
import { ApiError } from '@/api/error'
import { fieldError } from '@/lib/formErrors'
import { isoTime, localTime } from '@/lib/localTime'

const route: Route = {
  id: 7, name: 'ct', predicate: " modality = 'CT' ", destination: 'a:b', destination_group: null, priority: 5, enabled: true, position: 30, stop: false, is_default: false,
  valid_from: '2026-11-25T06:23:40.123456+00:00', valid_until: null, trigger: 'study', quiet_period: '00:01:00', expected_instances: ' 2 ',
}

function answers(...bodies: unknown[]) {
  const fake = vi.fn<(input: URL | string, init?: RequestInit) => Promise<Response>>(() => Promise.resolve(new Response(JSON.stringify(bodies.shift()), { status: 200 })))
  vi.stubGlobal('fetch', fake)
  return fake
}
beforeEach(() => {
  vi.unstubAllGlobals()
})

describe('a route in a form', () => {
  it('comes back as it was', () => expect(changesOf(draftOf(route), draftOf(route))).toEqual({}))
  it('only what was changed is sent, be it nothing instead of something', () => {
    expect(changesOf({ ...draftOf(route), valid_from: '', stop: true, priority: '7' }, draftOf(route))).toEqual({ valid_from: null, stop: true, priority: 7 })
  })
  it('goes to a destination or to a group, whatever they are called', () => {
    expect(columnsOf(draftOf(route))).toMatchObject({ destination: 'a:b', destination_group: null })
    expect(columnsOf({ ...draftOf(route), target: 'group:x' })).toMatchObject({ destination: null, destination_group: 'x' })
    expect(columnsOf(newDraft([]))).toMatchObject({ destination: null, destination_group: null })
  })
  it('expects nothing when each object is sent at once', () => {
    expect(columnsOf({ ...draftOf(route), trigger: 'instance' }).expected_instances).toBeNull()
  })
  it('a new one comes behind the others', () => expect(newDraft([route, { ...route, position: 12 }]).position).toBe(40))
  it('an empty number is not zero', () => expect(columnsOf({ ...draftOf(route), priority: '' }).priority).toBeNull())
  it('one that is gone is no success', async () => {
    answers([])
    await expect(changeRoute(7, { enabled: false })).rejects.toThrow(/not there any more/)
  })
  it('what the server says is at its field', () => {
    const field = (message: string) => fieldError(new ApiError({ code: '23514', message, status: 400 }), SHAPE).field
    expect(field('new row for relation "route" violates check constraint "route_has_a_destination_or_a_group"')).toBe('destination')
    expect(field('new row for relation "route" violates check constraint "route_is_valid_from_before_until"')).toBe('valid_until')
    expect(field('value for domain dicomgw.timeout violates check constraint "timeout_must_be_between_1_second_and_1_day"')).toBe('quiet_period')
    expect(field('invalid input syntax for type interval: "x"')).toBe('quiet_period')
  })
})

describe('times in fields', () => {
  it('are of the browser\'s zone, to the second', () => {
    const local = localTime('2026-11-25T06:23:40.123456+00:00')
    expect(local).toMatch(/^2026-11-2\dT\d\d:\d\d:40$/)
    expect(isoTime(local)).toBe('2026-11-25T06:23:40.000Z')
  })
  it('may be none', () => {
    expect(localTime(null)).toBe('')
    expect(isoTime('')).toBeNull()
  })
})

describe('an edit', () => {
  it('takes along only what its action has', () => {
    const typed = { ...newEdit(), attribute: ' PatientID ', value: 'x', expression: 'y', options: ['retain_uids' as const] }
    expect(columnsOfEdit(typed)).toEqual({ action: 'set', attribute: 'PatientID', value: 'x', expression: null, options: [] })
    expect(columnsOfEdit({ ...typed, by: 'expression' })).toMatchObject({ value: null, expression: 'y' })
    expect(columnsOfEdit({ ...typed, action: 'deidentify' })).toEqual({ action: 'deidentify', attribute: null, value: null, expression: null, options: ['retain_uids'] })
    expect(columnsOfEdit({ ...typed, action: 'map_uid', attribute: '' }).attribute).toBeNull()
    expect(columnsOfEdit({ ...typed, action: 'remove', attribute: '' }).attribute).toBe('')
  })
  it('is a line', () => {
    expect(summary({ action: 'set', attribute: 'PatientID', value: '' })).toBe('Set PatientID to no value')
    expect(summary({ action: 'keep_only', attribute: 'PatientID\\Modality' })).toBe('Keep only PatientID, Modality')
    expect(summary({ action: 'deidentify', options: ['retain_uids', 'of_a_newer_server'] })).toBe('De-identify; Keep UIDs; of_a_newer_server')
  })
  it('its refusal is at the value, or at the attribute', () => {
    const field = (message: string) => fieldError(new ApiError({ code: '22023', message, status: 400 }), EDIT_SHAPE).field
    expect(field('invalid value for "StudyDate"')).toBe('value')
    expect(field('"PatientIdd" is neither the keyword nor the tag of a DICOM attribute')).toBe('attribute')
    expect(field('"SOPClassUID" cannot be set: the rest of the object depends on it')).toBe('attribute')
  })
})

describe('a dry run', () => {
  it('that found nothing at all has a total', () => expect(sorted([])).toMatchObject({ total: { evaluated: 0, objects: 0 }, modalities: [], noHeader: null }))
  it('is sorted by what it is about', () => {
    const share = (grouped_by: string, value: string | null) => ({ grouped_by, value }) as Share
    const result = sorted([share('total', null), share('modality', 'CT'), share('calling_ae', 'CT1'), share('error', 'division by zero'), share('no header', '…')])
    expect([result.modalities, result.callers, result.errors].map((group) => group.map(({ value }) => value))).toEqual([['CT'], ['CT1'], ['division by zero']])
    expect(result.noHeader?.value).toBe('…')
  })
})

describe('a term of a predicate', () => {
  it('has terms itself, unless the words are in a text', () => {
    expect(hasTerms("(a = 1 OR b = 'x')")).toBe(true)
    expect(hasTerms("a = 'this or that'")).toBe(false)
  })
})

describe('unrouted objects', () => {
  const none = Object.fromEntries(FILTERS.map((name) => [name, ''])) as Filters

  it('those that are ticked, whatever the filter', async () => {
    expect(await choose(new Set([3]), { ...none, calling_ae: 'X' })).toEqual([3])
  })
  it('all that the filter lets through and the router is done with, a page after the other', async () => {
    const fake = answers(Array.from({ length: 1000 }, (_, i) => ({ instance_id: i + 1 })), [{ instance_id: 2000 }])
    expect(await choose(new Set(), { ...none, calling_ae: 'CT1' })).toHaveLength(1001)
    const [first, second] = fake.mock.calls.map(([url]) => decodeURIComponent(String(url)))
    expect(first).toContain('calling_ae=eq.CT1&decided_at=not.is.null')
    expect(second).toContain('or=(instance_id.gt.1000)')
  })
  it('none that the router has not seen yet', async () => {
    const fake = answers()
    expect(await choose(new Set(), { ...none, state: 'waiting' })).toEqual([])
    expect(fake).not.toHaveBeenCalled()
    expect(decodeURIComponent((queryUnrouted({ ...none, state: 'waiting' }) as unknown as { url: URL }).url.search)).toContain('decided_at=is.null')
  })
})
