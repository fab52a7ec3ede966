import { QueryClient, VueQueryPlugin } from '@tanstack/vue-query'
import { DOMWrapper, flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { nextTick, type Component } from 'vue'
import ConfigurationHistory from '@/components/ConfigurationHistory.vue'
import { forgetSession, useSession } from '@/composables/useSession'
import CredentialsDialog from '@/pages/destinations/CredentialsDialog.vue'
import DeleteDialog from '@/pages/destinations/DeleteDialog.vue'
import DestinationForm from '@/pages/destinations/DestinationForm.vue'
import type { Destination } from '@/pages/destinations/fields'

const page = () => new DOMWrapper(document.body)

/** What was asked, as "POST rpc/move {…}"; answers by the end of the path. */
let asked: string[] = []
function server(answers: Record<string, unknown>): void {
  asked = []
  vi.stubGlobal('fetch', vi.fn((input: string | URL, init?: RequestInit) => {
    const path = new URL(String(input), 'http://gateway').pathname.replace('/api/', '')
    if (init?.method !== undefined && init.method !== 'GET') asked.push(`${init.method} ${path} ${typeof init.body === 'string' ? init.body : ''}`)
    const answer = answers[path]
    const refused = answer instanceof Error
    return Promise.resolve(new Response(JSON.stringify(refused ? { code: answer.name, message: answer.message } : (answer ?? [])), { status: refused ? 400 : 200, headers: { 'Content-Type': 'application/json' } }))
  }))
}

async function show(component: Component, props: Record<string, unknown>): Promise<VueWrapper> {
  const queryClient = new QueryClient({ defaultOptions: { queries: { retry: false, networkMode: 'always' } } })
  const wrapper = mount(component, { props, attachTo: document.body, global: { plugins: [[VueQueryPlugin, { queryClient }]] } })
  await flushPromises()
  await flushPromises()
  return wrapper
}

/** A dialog begins when it is opened. */
async function open(component: Component, props: Record<string, unknown>): Promise<VueWrapper> {
  const wrapper = await show(component, { modelValue: false, ...props })
  await wrapper.setProps({ modelValue: true })
  await flushPromises()
  await flushPromises()
  return wrapper
}

async function signIn(role: string): Promise<void> {
  server({ 'rpc/me': { username: 'x', role, scope: null, must_change_password: false, expires_at: '', database_time: new Date().toISOString() } })
  await useSession().load()
}

const click = async (text: string) => {
  await page().findAll('button, [role=radio]').find((found) => found.text().includes(text) || (found.attributes('aria-label') ?? '').includes(text))?.trigger('click')
  await flushPromises()
}
const confirm = () => page().find('[data-test=confirm]')
const status = { state: 'up', reason: null, since: null, next_probe_at: null, paused_by: null, window_changes_at: null, associations: 0, concurrency: 1, max_associations: 4, oldest: null }

beforeEach(() => forgetSession())

describe('deleting a destination', () => {
  const idle = { destination: 'pacs', ...status, waiting: 0, sending: 0, failed: 0 }
  const busy = { destination: 'pacs', ...status, waiting: 2, sending: 0, failed: 1 }

  it('is not offered while something names it', async () => {
    server({ destination_status: [idle], route: [{ name: 'all', destination: 'pacs', destination_group: null }], destination_group_member: [] })
    const dialog = await open(DeleteDialog, { name: 'pacs' })
    expect(page().text()).toContain('route all')
    expect(confirm().attributes('disabled')).toBeDefined()
    dialog.unmount()
  })
  it('needs no decision where nothing waits', async () => {
    server({ destination_status: [idle], 'rpc/delete_destination': 0 })
    const dialog = await open(DeleteDialog, { name: 'pacs' })
    await confirm().trigger('click')
    await flushPromises()
    expect(asked).toEqual(['POST rpc/delete_destination {"destination":"pacs","cancel":false}'])
    expect(page().find('[data-test=outcome]').text()).toBe('pacs is deleted.')
    expect(dialog.emitted('gone')).toHaveLength(1)
    expect(dialog.emitted('left')).toBeUndefined()
    await dialog.setProps({ modelValue: false })
    expect(dialog.emitted('left')).toHaveLength(1)
    dialog.unmount()
  })
  it('says how many jobs there are, and cancels them only if that is chosen', async () => {
    server({ destination_status: [busy], 'rpc/delete_destination': 3 })
    const dialog = await open(DeleteDialog, { name: 'pacs' })
    expect(page().text()).toContain('3 jobs have not been sent')
    expect(page().text()).toContain('1 of them has failed for good')
    expect(confirm().attributes('disabled')).toBeDefined()
    await click('Cancel them')
    await confirm().trigger('click')
    await flushPromises()
    expect(asked).toEqual(['POST rpc/delete_destination {"destination":"pacs","cancel":true}'])
    dialog.unmount()
  })
})

const version = (n: number, name: string, more: object = {}) => ({
  table_name: 'destination', row_key: '1', name, version: n, operation: n === 1 ? 'insert' : 'update', valid_from: '2026-11-25T10:00:00Z', changed_by: 'anna',
  changed_as: null, application: null, replicated: false, transaction_id: '1', contents: { name, port: 100 + n }, secrets: {}, ...more,
})

describe('the history of a row', () => {
  const answers = { configuration_history: [version(2, 'pacs-new'), version(1, 'pacs')], 'rpc/revert': 3 }

  it('can be looked at by everybody, and changed by an admin', async () => {
    await signIn('viewer')
    server(answers)
    const history = await show(ConfigurationHistory, { relation: 'destination', rowKey: 1 })
    expect(history.text()).toContain('anna')
    expect(history.text()).not.toContain('Revert')
    history.unmount()
  })
  it('goes back by the name that the row has now, and says which one it has then', async () => {
    await signIn('admin')
    server(answers)
    const history = await show(ConfigurationHistory, { relation: 'destination', rowKey: 1, columnLabel: (column: string) => (column === 'port' ? 'Port' : column) })
    expect(history.findAll('button').filter((button) => button.text().includes('Revert'))).toHaveLength(1)
    await click('Revert to version 1')
    expect(page().find('.q-dialog').text().replace(/\s+/g, '')).toContain('Port102→101')
    await confirm().trigger('click')
    await flushPromises()
    expect(asked).toEqual(['POST rpc/revert {"table_name":"destination","name":"pacs-new","version":1}'])
    expect(history.emitted('reverted')).toEqual([['pacs']])
    history.unmount()
  })
})

describe('credentials', () => {
  it('are not taken away by saving an empty form', async () => {
    server({})
    const dialog = await open(CredentialsDialog, { destination: 'cloud' })
    await page().find('form').trigger('submit')
    await flushPromises()
    expect(asked).toEqual([])
    expect(page().find('.q-field--error').text()).toContain('This has to be filled in.')
    await click('None')
    await page().find('form').trigger('submit')
    await flushPromises()
    expect(asked).toEqual(['POST rpc/set_credentials {"destination":"cloud"}'])
    dialog.unmount()
  })
})

describe('the form of a destination', () => {
  const row = {
    id: 7, name: 'pacs', kind: 'dimse', host: 'h', port: 104, ae_title: 'PACS', calling_ae_title: 'DICOMGW', max_pdu: 131072, url: null, proxy: null, batch: 20, tls: 'off',
    tls_ca: null, tls_certificate: null, tls_key: null, tls_server_name: null, conversion: 'none', compression: null, max_associations: 4, connect_timeout: '00:00:10',
    association_timeout: '00:00:30', response_timeout: '00:02:00', max_attempts: 500, permanent_attempts: 1, give_up_after: '7 days', retry_first_delay: '00:00:10',
    retry_factor: 2, retry_max_delay: '00:30:00', retry_jitter: 0.25, probe_interval: '00:01:00', max_objects_per_second: null, max_bytes_per_second: null,
    paused: false, pause_reason: null, paused_by: null, paused_at: null,
  } satisfies Destination
  const input = (label: string) => page().find<HTMLInputElement>(`input[aria-label="${label}"]`)

  it('unfolds what the server speaks about, and goes there', async () => {
    const refusal = Object.assign(new Error('value for domain dicomgw.timeout violates check constraint "timeout_must_be_between_1_second_and_1_day"'), { name: '23514' })
    server({ destination: refusal })
    const form = await open(DestinationForm, { row })
    expect(page().findAll('details[open]')).toHaveLength(0)
    await input('For an answer').setValue('2 days')
    await page().find('form').trigger('submit')
    await flushPromises()
    await nextTick()
    expect(asked).toEqual(['PATCH destination {"response_timeout":"2 days"}'])
    expect(page().findAll('details[open]').map((found) => found.find('summary').text())).toEqual([expect.stringContaining('Timeouts')])
    expect(page().find('.q-field--error').text()).toContain('timeout must be between 1 second and 1 day')
    expect(document.activeElement).toBe(input('For an answer').element)
    form.unmount()
  })
  it('says that it was deleted meanwhile', async () => {
    server({ destination: [] })
    const form = await open(DestinationForm, { row })
    await input('Host').setValue('10.0.0.7')
    await page().find('form').trigger('submit')
    await flushPromises()
    expect(form.emitted('saved')).toBeUndefined()
    expect(page().find('.form-error').text()).toContain('not there any more')
    form.unmount()
  })
})
