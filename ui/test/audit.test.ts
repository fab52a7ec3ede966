import { flushPromises, mount, DOMWrapper } from '@vue/test-utils'
import { describe, expect, it, vi } from 'vitest'
import VerifyDialog from '@/pages/audit/VerifyDialog.vue'
import { argumentsIn, changesIn, FILTERS, hasFailed, orderOf, queryAudit, summary, type Filters } from '@/pages/audit/audit'
import { columnsOf, draftOf, repositoryLook, shapeOf } from '@/pages/audit/repositories'

const none = Object.fromEntries(FILTERS.map((name) => [name, ''])) as Filters

function search(filters: Partial<Filters>): string {
  return decodeURIComponent((queryAudit({ ...none, ...filters }) as unknown as { url: URL }).url.search.replaceAll('+', ' '))
}

describe('an entry of the audit log', () => {
  it('says what was before and what is now', () => {
    const entry = { action: 'update', details: { table: 'listener', id: 1, columns: { port: [104, 11112], tls_ca: [null, '/ca.pem'], ae_titles: [['A'], ['A', 'B']] } } }
    expect(changesIn(entry)).toEqual([
      { column: 'port', before: '104', after: '11112' },
      { column: 'tls_ca', before: null, after: '/ca.pem' },
      { column: 'ae_titles', before: '["A"]', after: '["A","B"]' },
    ])
    expect(summary(entry)).toBe('port, tls_ca, ae_titles')
    expect(argumentsIn(entry)).toEqual([])
  })
  it('a secret has no before', () => {
    expect(changesIn({ action: 'update', details: { table: 'remote_ae', columns: { passcode: '(secret)' } } })).toEqual([{ column: 'passcode', before: null, after: '(secret)' }])
  })
  it('of something new, all is new, a list too; of what was deleted all is old', () => {
    const columns = { name: 'x', ae_titles: ['A', 'B'] }
    expect(changesIn({ action: 'insert', details: { columns } }).map(({ before, after }) => [before, after])).toEqual([[null, 'x'], [null, '["A","B"]']])
    expect(changesIn({ action: 'delete', details: { columns } }).map(({ before, after }) => [before, after])).toEqual([['x', null], ['["A","B"]', null]])
    expect(summary({ action: 'insert', details: { columns } })).toBeNull()
  })
  it('of a verb, with what', () => {
    const entry = { action: 'pause', details: { reason: 'new disks', until: null } }
    expect(changesIn(entry)).toEqual([])
    expect(argumentsIn(entry)).toEqual([['reason', 'new disks']])
    expect(summary(entry)).toBe('reason: new disks')
    expect(summary({ action: 'login', details: {} })).toBeNull()
  })
  it('may be of a failure', () => expect([hasFailed('failed login'), hasFailed('login')]).toEqual([true, false]))
})

describe('the filter of the audit log', () => {
  it('finds by kind and outcome', () => {
    expect(search({ kind: 'patients' })).toContain('action=in.(view,export)')
    expect(search({ outcome: 'failed' })).toContain('action=like.failed %')
    expect(search({ kind: 'nonsense' })).toBe('?select=*')
  })
  it('means what is typed', () => expect(search({ target: 'user_1' })).toContain('target=ilike.%user\\_1%'))
  it('goes by time where the list begins in the past', () => {
    expect(orderOf(none).map(({ column }) => column)).toEqual(['id'])
    expect(orderOf({ ...none, until: '2026-01-01T00:00' }).map(({ column }) => column)).toEqual(['at', 'id'])
  })
})

describe('an audit repository', () => {
  it('is sent to, not reached, not tried yet, or off', () => {
    const look = (enabled: boolean, connected: boolean, since: string | null) => repositoryLook({ enabled, connected, since }).label
    expect([look(true, true, 'x'), look(true, false, 'x'), look(true, false, null), look(false, false, 'x')]).toEqual(['connected', 'not reached', 'not tried yet', 'switched off'])
  })
  it('without TLS gets no patient data', () => {
    const draft = draftOf(null)
    expect(columnsOf(draft).patient_data).toBe(true)
    expect(columnsOf({ ...draft, tls: 'off' }).patient_data).toBe(false)
  })
  it('of two timeouts, the one that is wrong is blamed', () => {
    expect(shapeOf({ ...draftOf(null), response_timeout: '0' }).about?.timeout).toBe('response_timeout')
    expect(shapeOf({ ...draftOf(null), connect_timeout: '0' }).about?.timeout).toBe('connect_timeout')
  })
})

describe('the check of the log', () => {
  async function check(answer: object): Promise<DOMWrapper<HTMLElement>> {
    vi.stubGlobal('fetch', () => Promise.resolve(new Response(JSON.stringify(answer), { status: 200 })))
    mount(VerifyDialog)
    await flushPromises()
    return new DOMWrapper(document.body)
  }
  it('says that it is whole, with what is to be kept', async () => {
    const page = await check({ entries: 12, first_broken: null, problem: null, head: '12:abc' })
    expect(page.find('[data-test=whole]').text()).toContain('12 entries')
    expect(page.find('[data-test=head]').text()).toBe('12:abc')
    expect(page.find('[data-test=broken]').exists()).toBe(false)
  })
  it('or where it is broken, and how', async () => {
    const page = await check({ entries: 12, first_broken: 7, problem: 'the entry is missing', head: '12:abc' })
    expect(page.find('[data-test=broken]').text()).toContain('entry 7')
    expect(page.find('[data-test=broken]').text()).toContain('the entry is missing')
    expect(page.find('[data-test=whole]').exists()).toBe(false)
  })
})
