import { describe, expect, it, vi } from 'vitest'
import { FILTERS, queryChanges, rowKeyOf, tableLabel, type Change, type Filters } from '@/pages/system/changes'
import { isChanged, querySettings, written } from '@/pages/system/settings'
import { queryTasks } from '@/pages/system/tasks'
import { verdict } from '@/pages/system/verification'
import { worksTogether } from '@/pages/system/versions'

function urlOf(query: unknown): string {
  return decodeURIComponent((query as { url: URL }).url.search)
}

describe('a setting', () => {
  it('is read with its unit', () => {
    expect(written('720', 'min')).toBe('720 min')
    expect(written('16', '8kB')).toBe('16 × 8kB')
    expect(written('on', null)).toBe('on')
    expect(written('', null)).toBe('(empty)')
    expect(written(null, 's')).toBe('(empty)')
  })
  it('is changed if it is not what it is by default', () => {
    expect(isChanged({ value: '5', default_value: '5' })).toBe(false)
    expect(isChanged({ value: '', default_value: null })).toBe(false)
    expect(isChanged({ value: 'off', default_value: 'on' })).toBe(true)
  })
  it('is found by name or description', () => {
    const url = urlOf(querySettings({ text: 'idle', only: 'changed' }))
    expect(url).toContain('or=(name.ilike."%idle%",description.ilike."%idle%")')
    expect(url).toContain('source=neq.default')
    expect(urlOf(querySettings({ text: '', only: 'pending' }))).toContain('pending_restart=is.true')
  })
})

describe('a change of the configuration', () => {
  const none = Object.fromEntries(FILTERS.map((name) => [name, ''])) as Filters

  it('is found by what, who and when', () => {
    expect(urlOf(queryChanges(none))).toBe('?select=*')
    const from = new Date(2026, 10, 25, 18, 0)
    const url = urlOf(queryChanges({ ...none, table_name: 'route', changed_by: 'a_b', from: '2026-11-25T18:00' }))
    expect(url).toContain('table_name=eq.route')
    expect(url).toContain('changed_by=ilike.%a\\_b%')
    expect(url).toContain(`at=gte.${from.toISOString()}`)
  })
  it('is called as people call it, or as the server does', () => {
    expect(tableLabel('route_edit')).toBe('edit')
    expect(tableLabel('new_thing')).toBe('new thing')
  })
  it('is of the row that had this name in this transaction', async () => {
    const fake = vi.fn<(input: URL | string) => Promise<Response>>(() => Promise.resolve(new Response('[{"row_key":"7"}]', { status: 200 })))
    vi.stubGlobal('fetch', fake)
    expect(await rowKeyOf({ table_name: 'route', name: 'ct', version: 2, transaction_id: '812' } as Change, new AbortController().signal)).toBe('7')
    expect(decodeURIComponent(String(fake.mock.calls[0]?.[0]))).toMatch(/table_name=eq\.route&name=eq\.ct&version=eq\.2&transaction_id=eq\.812/)
  })
})

it('tasks are found by state, kind, and who started them', () => {
  expect(urlOf(queryTasks({ state: 'failed', kind: 'move', started_by: 'ol' }))).toBe('?select=*&state=eq.failed&kind=eq.move&started_by=ilike.%ol%')
})

describe('what was found of the copies of an object', () => {
  const copy = (place: string, ok: boolean | null, problem: string | null = null) => ({ instance_id: 1, place, file_path: 'x', ok, problem })

  it('is bad if one is', () => expect(verdict([copy('storage', true), copy('mirror', false, 'wrong size')])).toContain('mirror: wrong size'))
  it('is good if all are', () => expect(verdict([copy('storage', true)])).toBe('All copies are as they were received.'))
  it('is nothing if retention has removed them', () => expect(verdict([copy('storage', null)])).toContain('removed'))
})

it('pages and extension are of one version, whatever the commit', () => {
  expect(worksTogether('0.1.0 (1193bcc)', '0.1.0')).toBe(true)
  expect(worksTogether('0.1.0', '0.1.1')).toBe(false)
})
