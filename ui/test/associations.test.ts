import { describe, expect, it } from 'vitest'
import { associationLook, FILTERS, lasted, queryAssociations, STATES, type Filters } from '@/pages/associations/associations'

const none = Object.fromEntries(FILTERS.map((name) => [name, ''])) as Filters

function search(filters: Partial<Filters>): string {
  return decodeURIComponent((queryAssociations({ ...none, ...filters }) as unknown as { url: URL }).url.search.replaceAll('+', ' '))
}

describe('associations', () => {
  it('that are open are asked for without those that have ended', () => {
    expect(search({ state: 'open' })).toContain('ended_at=is.null')
    expect(search({ state: 'aborted by the peer' })).toBe('?select=*&state=eq.aborted by the peer')
  })
  it('of a time are those that were open then', () => {
    const asked = search({ from: '2026-11-25T10:00', until: '2026-11-25T11:00' })
    const at = (local: string) => new Date(local).toISOString()
    expect(asked).toContain(`or=(ended_at.is.null,ended_at.gte."${at('2026-11-25T10:00')}")`)
    expect(asked).toContain(`started_at=lte.${at('2026-11-25T11:00')}`)
    expect(search({ from: 'yesterday' })).toBe('?select=*')
  })
  it('from an address, or from a network', () => {
    expect(search({ peer_address: '10.1' })).toContain('peer_address=gte.10.1.0.0&peer_address=lte.10.1.255.255')
    expect(search({ peer_address: 'pacs' })).toContain('peer_address=eq.pacs')
  })
  it('last until they end', () => {
    expect(lasted({ started_at: '2026-11-25T10:00:00Z', ended_at: '2026-11-25T10:01:30.5Z' })).toBe(90.5)
    expect(lasted({ started_at: '2026-11-25T10:00:00Z', ended_at: null })).toBeNull()
  })
  it('have a look for each state that there is, and for one that we do not know', () => {
    const unknown = associationLook('sublimated')
    expect(unknown.label).toBe('sublimated')
    expect(STATES.filter((state) => associationLook(state).icon === unknown.icon)).toEqual([])
  })
})
