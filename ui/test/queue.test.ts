import { describe, expect, it, vi } from 'vitest'
import { countOf, FILTERS, numbersOf, queryJobs, select, selectorOf, type Filters } from '@/pages/queue/jobs'

const none = Object.fromEntries(FILTERS.map((name) => [name, ''])) as Filters

function urlOf(query: unknown): string {
  return decodeURIComponent((query as { url: URL }).url.search)
}

describe('which jobs are meant', () => {
  it('those that are ticked, whatever the filter', async () => {
    expect(await select(new Set([3, 4]), { ...none, state: 'failed' })).toEqual({ job_ids: [3, 4] })
  })
  it('all of a destination or a study, which the verbs know themselves', () => {
    expect(selectorOf({ ...none, destination: 'pacs', study_instance_uid: '1.2' })).toEqual({ destination: 'pacs', study_instance_uid: '1.2' })
  })
  it('never everything, by mistake', async () => {
    expect(selectorOf(none)).toBeNull()
    expect(selectorOf({ ...none, destination: 'pacs', state: 'failed' })).toBeNull()
    expect(await countOf({ job_ids: [] })).toBe(0)
  })
  it('else by their numbers, a page after the other', async () => {
    const pages = [Array.from({ length: 1000 }, (_, i) => ({ job_id: i + 1 })), [{ job_id: 2000 }]]
    const fake = vi.fn<(input: URL | string) => Promise<Response>>(() => Promise.resolve(new Response(JSON.stringify(pages.shift()), { status: 200 })))
    vi.stubGlobal('fetch', fake)
    expect(await numbersOf({ ...none, state: 'failed' })).toHaveLength(1001)
    expect(decodeURIComponent(String(fake.mock.calls[1]?.[0]))).toContain('or=(job_id.gt.1000)')
  })
})

describe('the filter of patients', () => {
  it('finds the text in name or number, and means what is typed', () => {
    expect(urlOf(queryJobs({ ...none, patient: 'Doe' }))).toContain('or=(patient_id.ilike."%Doe%",patient_name.ilike."%Doe%")')
    expect(urlOf(queryJobs({ ...none, patient: 'a,b)"%' }))).toContain('ilike."%a,b)\\"\\\\%%"')
  })
})
