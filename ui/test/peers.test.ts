import { afterEach, describe, expect, it, vi } from 'vitest'
import { allKnown, columnsOf as callerColumns, draftOf as callerDraft, isNamed, knownAs, lastRefused, queryCalled, type RemoteAe } from '@/pages/peers/callers'
import { columnsOf, draftOf, listenerLook, shapeOf, type Listener } from '@/pages/peers/listeners'
import { ApiError } from '@/api/error'
import { saveRow } from '@/api/rows'
import { fieldError } from '@/lib/formErrors'
import { changesOf } from '@/lib/formValues'

afterEach(() => vi.unstubAllGlobals())

const row = (id: number, ae_title: string, network: string | null): RemoteAe => ({
  id, ae_title, network, description: null, enabled: true, may_store: true, may_echo: true, max_associations: null, username: null, passcode: null,
})

describe('who has called is known', () => {
  const known = [row(1, 'CT1', null), row(2, 'CT1', '10.1.0.0/16'), row(3, 'CT1', '10.1.2.0/24'), row(4, 'MR1', '10.9.0.0/16')]
  const as = (calling_ae: string, peer_address: string) => knownAs({ calling_ae, peer_address }, known)?.id ?? null

  it('by the smallest network that it is in', () => {
    expect(as('CT1', '10.1.2.3')).toBe(3)
    expect(as('CT1', '10.1.9.9')).toBe(2)
    expect(as('CT1', '192.168.0.1')).toBe(1)
    expect(as('CT1', 'fe80::1')).toBe(1)
  })
  it('not at another address, not by another name', () => {
    expect(as('MR1', '10.8.0.1')).toBeNull()
    expect(as('ct1', '10.1.2.3')).toBeNull()
  })
  it('cannot be let in without a name', () => expect(['', '(others)', 'CT1'].map((calling_ae) => isNamed({ calling_ae }))).toEqual([false, false, true]))
  it('was refused last, or has been let in since', () => {
    expect(lastRefused({ last_refused_at: '2026-11-25T10:00:00Z', last_seen_at: '2026-11-25T10:00:00+00:00' })).toBe(true)
    expect(lastRefused({ last_refused_at: '2026-11-25T10:00:00Z', last_seen_at: '2026-11-25T10:00:01Z' })).toBe(false)
    expect(lastRefused({ last_refused_at: null, last_seen_at: '2026-11-25T10:00:01Z' })).toBe(false)
  })
  it('by all rows that there are, not by the first thousand', async () => {
    const pages = [Array.from({ length: 1000 }, (_, i) => row(i + 1, 'A', null)), [row(2000, 'B', null)]]
    const fake = vi.fn<(input: URL | string) => Promise<Response>>(() => Promise.resolve(new Response(JSON.stringify(pages.shift()), { status: 200 })))
    vi.stubGlobal('fetch', fake)
    expect(await allKnown(new AbortController().signal)).toHaveLength(1001)
    expect(decodeURIComponent(String(fake.mock.calls[1]?.[0]))).toContain('or=(id.gt.1000)')
  })
  it('is found among the refused', () => {
    const search = (refused: string) => (queryCalled({ calling_ae: '', address: '', refused }) as unknown as { url: URL }).url.search
    expect(search('yes')).toContain('refused=gt.0')
    expect(search('no')).toContain('refused=eq.0')
  })
})

describe('the form of a caller', () => {
  it('lets one in as it has called', () => {
    const draft = callerDraft(null, { calling_ae: 'NEW', peer_address: '10.1.2.3' })
    expect(callerColumns(draft)).toMatchObject({ ae_title: 'NEW', network: '10.1.2.3', enabled: true, may_store: true })
  })
  it('of a row has that one’s network, not the caller’s address', () => {
    expect(callerDraft(row(1, 'CT1', null), { calling_ae: 'CT1', peer_address: '10.1.2.3' }).network).toBe('')
  })
  it('leaves the passcode alone, sets another, or takes it away', () => {
    const draft = callerDraft({ ...row(1, 'CT1', null), username: 'u', passcode: '********' }, null)
    const before = callerColumns(draft)
    expect(changesOf(before, callerColumns(draft))).toEqual({})
    expect(changesOf(before, callerColumns({ ...draft, passcode: 'new' }))).toEqual({ passcode: 'new' })
    expect(changesOf(before, callerColumns({ ...draft, removePasscode: true }))).toEqual({ passcode: null })
  })
})

const listener: Listener = {
  id: 1, name: 'default', enabled: true, bind_address: '*', port: 11112, ae_titles: ['A', 'B'], accepts: 'called_ae', max_pdu: 131072,
  association_timeout: '00:00:30', idle_timeout: '00:05:00', max_associations: null, max_associations_per_ae: 4, max_object_size: null, transfer_syntaxes: ['1.2'],
  duplicates: 'keep', mismatch: 'refuse', tls: false, tls_certificate: null, tls_key: null, tls_client_certificate: 'none', tls_ca: null, tls_crl: null,
}

describe('the form of a listener', () => {
  it('gives back what it was given', () => {
    expect({ id: 1, ...columnsOf(draftOf(listener)) }).toEqual({ ...listener, association_timeout: '30 seconds', idle_timeout: '300 seconds' })
  })
  it('sends what was changed, and nothing else', () => {
    const draft = draftOf(listener)
    expect(changesOf(columnsOf(draft), columnsOf({ ...draft, ae_titles: 'A\n\n C ', max_associations_per_ae: '' }))).toEqual({ ae_titles: ['A', 'C'], max_associations_per_ae: null })
  })
  it('shows what does not name a field at the one that is meant', () => {
    const at = (draft: object, message: string) => fieldError(new ApiError({ code: '23514', message, status: 400 }), shapeOf({ ...draftOf(listener), ...draft })).field
    const domain = 'value for domain dicomgw.timeout violates check constraint "timeout_must_be_between_1_second_and_1_day"'
    const row = (name: string) => `new row for relation "listener" violates check constraint "listener_${name}"`
    expect(at({ idle_timeout: '0' }, domain)).toBe('idle_timeout')
    expect(at({ association_timeout: '100000' }, domain)).toBe('association_timeout')
    expect(at({}, row('tls_needs_certificate_and_key'))).toBe('tls_certificate')
    expect(at({ tls_certificate: '/x' }, row('tls_needs_certificate_and_key'))).toBe('tls_key')
    expect(at({ tls_certificate: '/x', tls_ca: 'ca.pem' }, row('tls_files_are_absolute_paths'))).toBe('tls_ca')
  })
})

describe('a listener', () => {
  it('listens, does not, is off, or has a problem with its certificate', () => {
    const look = (enabled: boolean, listening: boolean, problem: string | null) => listenerLook(enabled, { listening, problem }).label
    expect([look(true, true, null), look(true, false, 'in use'), look(false, false, null), look(true, true, 'expired')]).toEqual(['listening', 'not listening', 'switched off', 'listening, with a problem'])
  })
})

describe('a row', () => {
  const answers = (body: unknown, status = 200) => {
    const fake = vi.fn<(input: URL | string, init?: RequestInit) => Promise<Response>>(() => Promise.resolve(new Response(JSON.stringify(body), { status })))
    vi.stubGlobal('fetch', fake)
    return fake
  }
  it('that has been deleted meanwhile is not changed in silence', async () => {
    answers([])
    await expect(saveRow('listener', 1, { port: 104 })).rejects.toThrow('not there any more')
  })
  it('of which nothing was changed is not written', async () => {
    const fake = answers([])
    await saveRow('listener', 1, {})
    expect(fake).not.toHaveBeenCalled()
  })
})
