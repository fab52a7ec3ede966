import { beforeEach, describe, expect, it, vi } from 'vitest'
import { HISTORY_FILTERS, queryHistory, type HistoryFilters } from '@/pages/queue/history'
import { AT_ONCE, choose, doNow, NO_FILTERS, queryJobs, selectorOf, startTask } from '@/pages/queue/jobs'

function urlOf(query: unknown): string {
  return decodeURIComponent((query as { url: URL }).url.search)
}

const numbers = (n: number) => Array.from({ length: n }, (_, i) => i + 1)

/** Answers lists of jobs and calls of functions; remembers what was asked. */
let asked: { path: string; body: unknown }[]
function answering(jobs: number, answer: unknown): void {
  vi.stubGlobal('fetch', (input: URL | string, init?: RequestInit) => {
    const { pathname } = new URL(String(input))
    asked.push({ path: pathname.replace('/api/', ''), body: init?.body ? (JSON.parse(String(init.body as string)) as unknown) : null })
    const body = pathname.endsWith('/job') ? numbers(jobs).map((job_id) => ({ job_id })) : answer
    return Promise.resolve(new Response(JSON.stringify(body), { status: 200 }))
  })
}
beforeEach(() => {
  asked = []
})

describe('which jobs are meant', () => {
  it('those that are ticked, whatever the filter', async () => {
    answering(0, 2)
    expect(await choose(new Set([3, 4]), { ...NO_FILTERS, state: 'failed' })).toEqual({ count: 2, jobs: { job_ids: [3, 4] }, background: false })
  })
  it('of a filter that lets few through, just these', async () => {
    answering(3, 3)
    expect(await choose(new Set(), { ...NO_FILTERS, state: 'failed' })).toEqual({ count: 3, jobs: { job_ids: [1, 2, 3] }, background: false })
  })
  it('of many those that the server finds by the same filter, in the background', async () => {
    answering(0, 100000)
    const filter = { ...NO_FILTERS, destination: 'pacs', reason_code: 'down', patient: 'Doe' }
    expect(await choose(new Set(), filter)).toEqual({ count: 100000, jobs: { destination: 'pacs', reason_code: 'down', patient: 'Doe' }, background: true })
    expect(asked).toEqual([{ path: 'rpc/count_jobs', body: { destination: 'pacs', reason_code: 'down', patient: 'Doe' } }])
  })
  it('many that are ticked are done in the background, too', async () => {
    answering(0, AT_ONCE + 1)
    expect(await choose(new Set(numbers(AT_ONCE + 1)), NO_FILTERS)).toMatchObject({ background: true })
  })
  it('never everything, by mistake', async () => {
    answering(3, 3)
    expect(selectorOf(NO_FILTERS)).toBeNull()
    expect(await choose(new Set(), NO_FILTERS)).toMatchObject({ count: 0, jobs: { job_ids: [] } })
    expect(asked).toEqual([])
  })
})

describe('what is done to them', () => {
  it('is told as a task tells it', async () => {
    answering(0, 7)
    expect(await doNow('cancel', { job_ids: [1] }, {})).toEqual({ cancelled: 7 })
    expect(await doNow('set_priority', { job_ids: [1] }, { priority: 0 })).toEqual({ changed: 7 })
    expect(asked.at(-1)).toEqual({ path: 'rpc/set_priority', body: { job_ids: [1], priority: 0 } })
  })
  it('or started with what the verb has to be told', async () => {
    answering(0, 17)
    expect(await startTask('move', { state: 'failed' }, { to_destination: 'archive' })).toBe(17)
    expect(asked).toEqual([{ path: 'rpc/start_verb', body: { verb: 'move', state: 'failed', to_destination: 'archive' } }])
  })
})

describe('the filter of patients', () => {
  it('finds the text in name or number, and means what is typed', () => {
    expect(urlOf(queryJobs({ ...NO_FILTERS, patient: 'Doe' }))).toContain('or=(patient_id.ilike."%Doe%",patient_name.ilike."%Doe%")')
    expect(urlOf(queryJobs({ ...NO_FILTERS, patient: 'a,b)"%' }))).toContain('ilike."%a,b)\\"\\\\%%"')
  })
})

describe('the filter of the history', () => {
  const none = Object.fromEntries(HISTORY_FILTERS.map((name) => [name, ''])) as HistoryFilters

  it('takes times in the zone of the browser', () => {
    const local = '2026-11-25T18:30'
    expect(urlOf(queryHistory({ ...none, from: local, until: local }))).toBe(
      `?select=*&ended_at=gte.${new Date(local).toISOString()}&ended_at=lt.${new Date(local).toISOString()}`,
    )
  })
  it('is not narrowed by what is no time', () => expect(urlOf(queryHistory({ ...none, from: 'soon' }))).toBe('?select=*'))
})
