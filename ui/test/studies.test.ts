import { describe, expect, it } from 'vitest'
import { writtenName } from '@/lib/personName'
import { sopClassName } from '@/lib/uids'
import { deliveries, deliveryCounts, deliveryLook } from '@/pages/studies/delivery'
import { fileAddress, FILTERS, pictureAddress, queryStudies, type Filters } from '@/pages/studies/studies'
import { eventLook, otherVersions } from '@/pages/studies/timeline'

const none = Object.fromEntries(FILTERS.map((name) => [name, ''])) as Filters

function urlOf(query: unknown): string {
  return decodeURIComponent((query as { url: URL }).url.search).replace(/\+/g, ' ')
}

describe('the search for studies', () => {
  it('asks for nothing that is not typed', () => expect(urlOf(queryStudies(none))).toBe('?select=*'))
  it('finds a patient by name or number', () => {
    expect(urlOf(queryStudies({ ...none, patient: 'Doe^J' }))).toContain('or=(patient_id.ilike."%Doe^J%",patient_name.ilike."%Doe^J%")')
  })
  it('has both ends of the dates in it', () => {
    const url = urlOf(queryStudies({ ...none, from: '2026-01-01', until: '2026-01-31' }))
    expect(url).toContain('study_date=gte.2026-01-01')
    expect(url).toContain('study_date=lte.2026-01-31')
  })
  it('looks for modality and sender among several, whatever is typed', () => {
    expect(urlOf(queryStudies({ ...none, modality: 'ct' }))).toContain('modalities=cs.{"CT"}')
    expect(urlOf(queryStudies({ ...none, calling_ae: 'A,B}"\\' }))).toContain('calling_aes=cs.{"A,B}\\"\\\\"}')
  })
})

describe('where a study has gone', () => {
  const at = (counts: object) => deliveries([{ destination: 'pacs', sent: 0, waiting: 0, sending: 0, failed: 0, ...counts }]).map(deliveryLook)[0]
  it('is the worst that is to be said', () => {
    expect(at({ sent: 9, waiting: 3, sending: 1, failed: 2 })).toMatchObject({ tone: 'critical', label: 'pacs: 2 failed' })
    expect(at({ sent: 9, waiting: 3, sending: 1 })).toMatchObject({ tone: 'info', label: 'pacs: 1 being sent' })
    expect(at({ sent: 9, waiting: 3 })).toMatchObject({ tone: 'info', label: 'pacs: 3 waiting' })
    expect(at({ sent: 9 })).toMatchObject({ tone: 'ok', label: 'pacs: all 9 sent' })
    expect(at({})).toMatchObject({ tone: 'neutral' })
  })
  it('has all counts', () => {
    expect(deliveryCounts({ destination: 'x', sent: 1, waiting: 2, sending: 3, failed: 4 })).toBe('1 sent, 2 waiting, 3 being sent, 4 failed')
  })
  it('is nowhere, if the column is empty or nonsense', () => {
    expect(deliveries(null)).toEqual([])
    expect(deliveries('nonsense')).toEqual([])
    expect(deliveries([null, 5, { sent: 3 }, { destination: 'a', sent: '2' }])).toEqual([{ destination: 'a', sent: 2, waiting: 0, sending: 0, failed: 0 }])
  })
})

describe('a person’s name', () => {
  it('has components and groups', () => {
    expect(writtenName('Yamada^Tarou=山田^太郎=やまだ^たろう')).toEqual({ main: 'Yamada, Tarou', others: ['山田, 太郎', 'やまだ, たろう'] })
    expect(writtenName('Doe^Jane^^Dr')).toEqual({ main: 'Doe, Jane, Dr', others: [] })
  })
  it('may begin with an empty group, or be none', () => {
    expect(writtenName('=山田^太郎')).toEqual({ main: '山田, 太郎', others: [] })
    expect(writtenName('^^^^')).toEqual({ main: '', others: [] })
    expect(writtenName(null)).toEqual({ main: '', others: [] })
  })
})

describe('addresses', () => {
  it('name what is given, and nothing else', () => {
    expect(pictureAddress({ instance_id: 5, frame: 2, width: undefined })).toBe('/api/rpc/preview?instance_id=5&frame=2')
    expect(pictureAddress({ instance_id: 5, window_center: -600, window_width: 0.5 })).toBe('/api/rpc/preview?instance_id=5&window_center=-600&window_width=0.5')
    expect(fileAddress(7)).toBe('/api/rpc/instance_file?instance_id=7')
  })
})

describe('a timeline of several versions', () => {
  const events = (...ids: (number | null)[]) => ids.map((instance_id) => ({ instance_id }))
  it('says where another one begins, not on every line', () => {
    expect(otherVersions(events(5, 5, 8, 8, 5, 8), 5)).toEqual([null, null, 8, null, null, 8])
    expect(otherVersions(events(5, 5, 8), 8)).toEqual([5, null, null])
  })
  it('of one says nothing', () => expect(otherVersions(events(5, 5), 5)).toEqual([null, null]))
})

describe('words of the server', () => {
  it('that are known have a look, others are shown as they are', () => {
    expect(eventLook('attempt failed')).toMatchObject({ tone: 'warning', label: 'attempt failed' })
    expect(eventLook('teleported')).toMatchObject({ tone: 'neutral', label: 'teleported' })
    expect(sopClassName('1.2.840.10008.5.1.4.1.1.2')).toBe('CT Image')
    expect(sopClassName('1.2.3')).toBe('1.2.3')
  })
})
