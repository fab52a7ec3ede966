import { describe, expect, it } from 'vitest'
import { jobsOf } from '@/pages/dashboard/alerts'
import { troubledFirst } from '@/pages/dashboard/destinations'

describe('an alert', () => {
  it('leads to its jobs, if it is about jobs', () => {
    expect(jobsOf({ kind: 'dead_letter', subject: 'pacs' })).toEqual({ destination: 'pacs', state: 'failed' })
    expect(jobsOf({ kind: 'queue_old', subject: 'pacs' })).toEqual({ destination: 'pacs', state: 'waiting' })
    expect(jobsOf({ kind: 'worker_down', subject: 'forwarder' })).toBeNull()
    expect(jobsOf({ kind: 'dead_letter', subject: null })).toBeNull()
  })
})

describe('destinations', () => {
  const of = (name: string, state: string, failed = 0) => ({ name, state, failed })

  it('in trouble come first, the others as they were', () => {
    const all = [of('a', 'up'), of('b', 'paused'), of('c', 'up', 3), of('d', 'probing'), of('e', 'closed'), of('f', 'down', 1)]
    expect(troubledFirst(all).map(({ name }) => name).join('')).toBe('dfcbae')
  })
})
