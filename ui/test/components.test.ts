import { DOMWrapper, flushPromises, mount } from '@vue/test-utils'
import { describe, expect, it, vi } from 'vitest'
import { computed, nextTick, ref, shallowRef } from 'vue'
import { ApiError } from '@/api/error'
import ConfirmDialog from '@/components/ConfirmDialog.vue'
import DataTable from '@/components/DataTable.vue'
import ErrorPanel from '@/components/ErrorPanel.vue'
import FilterBar from '@/components/FilterBar.vue'
import FormDialog from '@/components/FormDialog.vue'
import StatusBadge from '@/components/StatusBadge.vue'
import TimeStamp from '@/components/TimeStamp.vue'
import type { Column } from '@/components/table'
import type { KeysetTable } from '@/composables/useKeysetTable'

/** Dialogs are in the body, not below their component. */
const page = () => new DOMWrapper(document.body)

describe('a state', () => {
  it('is a word and an icon, not a colour alone', () => {
    const badge = mount(StatusBadge, { props: { tone: 'critical', label: 'down' } })
    expect(badge.text()).toBe('down')
    expect(badge.find('svg').exists()).toBe(true)
    expect(badge.find('[aria-hidden=true]').exists()).toBe(true)
  })
})

describe('a time', () => {
  it('is relative, with the exact one and its zone at hand', () => {
    const stamp = mount(TimeStamp, { props: { at: new Date(Date.now() - 3 * 60e3).toISOString() } })
    expect(stamp.text()).toBe('3 minutes ago')
    expect(stamp.find('time').attributes('title')).toMatch(/UTC|GMT/)
  })
  it('may be none', () => expect(mount(TimeStamp, { props: { at: null } }).text()).toBe('–'))
})

describe('an error', () => {
  it('is shown with hint, and can be tried again', async () => {
    const retry = vi.fn()
    const panel = mount(ErrorPanel, { props: { error: new ApiError({ message: 'no jobs are named', hint: 'Give job_id.', status: 400 }), retry } })
    expect(panel.text()).toContain('no jobs are named')
    expect(panel.text()).toContain('Give job_id.')
    await panel.find('button').trigger('click')
    expect(retry).toHaveBeenCalledOnce()
  })
  it('says that the role does not allow it', () => {
    const panel = mount(ErrorPanel, { props: { error: new ApiError({ message: 'permission denied', status: 403 }), retry: () => {} } })
    expect(panel.text()).toContain('Your role does not allow this')
    expect(panel.find('button').exists()).toBe(false)
  })
  it('leaves it to the banner that the server is away', () => {
    expect(mount(ErrorPanel, { props: { error: new ApiError({ message: 'Failed to fetch', status: 0 }) } }).text()).toBe('')
  })
})

describe('before something is done to many', () => {
  const explain = (n: number | null) => `${n} jobs will be cancelled`
  const base = { modelValue: true, title: 'Cancel jobs', action: 'Cancel them', explain }

  it('it says how many, asks, and shows what came of it', async () => {
    const run = vi.fn(() => Promise.resolve({ text: '12 jobs cancelled' }))
    const dialog = mount(ConfirmDialog, { props: { ...base, count: () => Promise.resolve(12), run } })
    await flushPromises()
    expect(page().find('[data-test=explanation]').text()).toBe('12 jobs will be cancelled')
    expect(run).not.toHaveBeenCalled()
    await page().find('[data-test=confirm]').trigger('click')
    await flushPromises()
    expect(run).toHaveBeenCalledOnce()
    expect(page().find('[data-test=outcome]').text()).toBe('12 jobs cancelled')
    expect(dialog.emitted('done')).toHaveLength(1)
    dialog.unmount()
  })
  it('nothing is done to nothing', async () => {
    const dialog = mount(ConfirmDialog, { props: { ...base, count: () => Promise.resolve(0), run: () => Promise.resolve({ text: '' }) } })
    await flushPromises()
    expect(page().find('[data-test=confirm]').attributes('disabled')).toBeDefined()
    dialog.unmount()
  })
  it('a refusal is shown, and it can be tried again', async () => {
    const run = vi.fn().mockRejectedValueOnce(new ApiError({ message: 'destination "x" does not exist', status: 400 })).mockResolvedValue({ text: 'moved' })
    const dialog = mount(ConfirmDialog, { props: { ...base, count: () => Promise.resolve(1), run } })
    await flushPromises()
    await page().find('[data-test=confirm]').trigger('click')
    await flushPromises()
    expect(page().text()).toContain('destination "x" does not exist')
    await page().find('[data-test=confirm]').trigger('click')
    await flushPromises()
    expect(page().find('[data-test=outcome]').text()).toBe('moved')
    dialog.unmount()
  })
})

describe('a form', () => {
  const props = { modelValue: true, title: 'Destination', action: 'Save', shape: { relation: 'destination', fields: ['name', 'port'] } }
  const slots = { default: '<template #default="{ errors }"><p class="of-name">{{ errors.name }}</p></template>' }

  it('shows what the server says at its field', async () => {
    const save = () => Promise.reject(new ApiError({ code: '23505', message: 'duplicate key value violates unique constraint "destination_name_key"', details: 'Key (name)=(pacs) already exists.', status: 409 }))
    const dialog = mount(FormDialog, { props: { ...props, save }, slots })
    await nextTick()
    await page().find('form').trigger('submit')
    await flushPromises()
    expect(page().find('.of-name').text()).toBe('Key (name)=(pacs) already exists.')
    expect(dialog.emitted('saved')).toBeUndefined()
    dialog.unmount()
  })
  it('closes when it is saved', async () => {
    const dialog = mount(FormDialog, { props: { ...props, save: () => Promise.resolve() }, slots })
    await nextTick()
    await page().find('form').trigger('submit')
    await flushPromises()
    expect(dialog.emitted('saved')).toHaveLength(1)
    expect(dialog.emitted('update:modelValue')?.at(-1)).toEqual([false])
    dialog.unmount()
  })
  it('asks before it forgets what was entered', async () => {
    const dialog = mount(FormDialog, { props: { ...props, dirty: true, save: () => Promise.resolve() }, slots })
    await nextTick()
    const cancel = () => page().findAll('button').find((button) => /Cancel|Discard/.test(button.text()))
    await cancel()?.trigger('click')
    expect(dialog.emitted('update:modelValue')).toBeUndefined()
    expect(page().text()).toContain('Discard what you entered?')
    await cancel()?.trigger('click')
    expect(dialog.emitted('update:modelValue')?.at(-1)).toEqual([false])
    dialog.unmount()
  })
  it('Escape closes it, or asks, and pressed again goes on', async () => {
    const dialog = mount(FormDialog, { props: { ...props, dirty: true, save: () => Promise.resolve() }, slots })
    await nextTick()
    const escape = () => page().find('form').trigger('keydown', { key: 'Escape' })
    await escape()
    expect(page().text()).toContain('Discard what you entered?')
    await escape()
    expect(page().text()).not.toContain('Discard what you entered?')
    expect(dialog.emitted('update:modelValue')).toBeUndefined()
    await dialog.setProps({ dirty: false })
    await escape()
    expect(dialog.emitted('update:modelValue')?.at(-1)).toEqual([false])
    dialog.unmount()
  })
})

interface Item {
  id: number
  name: string
}

function tableOf(rows: Item[]): KeysetTable<Item> {
  const list = shallowRef(rows)
  return {
    rows: list as unknown as KeysetTable<Item>['rows'], complete: ref(true), full: computed(() => false), loading: ref(false), error: ref(null), visible: ref({ from: 0, to: 0 }),
    more: vi.fn(() => Promise.resolve()), refresh: vi.fn(() => Promise.resolve()), reset: vi.fn(() => Promise.resolve()),
  }
}

const columns: Column<Item>[] = [
  { name: 'id', label: 'Number', value: (item) => item.id, heading: true, orderBy: 'id' },
  { name: 'name', label: 'Name', value: (item) => item.name, orderBy: 'name' },
  { name: 'extra', label: 'Extra', value: () => 'x', optional: true },
]

describe('a table', () => {
  const items = Array.from({ length: 5 }, (_, i) => ({ id: i + 1, name: `n${i + 1}` }))
  const open = (more: object = {}) =>
    mount(DataTable<Item>, {
      attachTo: document.body,
      props: { id: 'items', label: 'Items', table: tableOf(items), columns, rowKey: (item: Item) => item.id, emptyTitle: 'None', opens: true, order: { column: 'id', descending: true }, ...more },
    })

  it('says its order, and changes it', async () => {
    const table = open()
    await nextTick()
    expect(table.findAll('thead th').map((th) => th.attributes('aria-sort'))).toEqual(['descending', 'none'])
    await table.findAll('thead button')[1]?.trigger('click')
    await table.findAll('thead button')[0]?.trigger('click')
    expect(table.emitted('update:order')).toEqual([[{ column: 'name', descending: false }], [{ column: 'id', descending: false }]])
    table.unmount()
  })
  it('is used by keyboard: from row to row, Enter opens, Space selects, Shift+Space up to there', async () => {
    const table = open({ selected: new Set([]) })
    await nextTick()
    const rows = () => table.findAll('tbody tr[data-index]')
    expect(rows().map((row) => row.attributes('tabindex'))).toEqual(['0', '-1', '-1', '-1', '-1'])
    await rows()[0]?.trigger('keydown', { key: 'ArrowDown' })
    await nextTick()
    expect(document.activeElement).toBe(rows()[1]?.element)
    await rows()[1]?.trigger('keydown', { key: 'End' })
    await nextTick()
    expect(document.activeElement).toBe(rows()[4]?.element)
    await rows()[4]?.trigger('keydown', { key: 'Enter' })
    expect(table.emitted('open')).toEqual([[items[4]]])
    await rows()[1]?.trigger('keydown', { key: ' ' })
    await rows()[3]?.trigger('keydown', { key: ' ', shiftKey: true })
    expect(table.emitted('update:selected')?.map(([keys]) => [...(keys as Set<number>)])).toEqual([[2], [2, 3, 4]])
    table.unmount()
  })
  it('hides optional columns, and remembers which', async () => {
    const table = open()
    await nextTick()
    expect(table.findAll('thead th')).toHaveLength(2)
    await table.find('button[aria-label=Columns]').trigger('click')
    await flushPromises()
    await page().findAll('[role=menuitemcheckbox]')[1]?.trigger('click')
    expect(table.findAll('thead th')).toHaveLength(3)
    table.unmount()
    const again = open()
    await nextTick()
    expect(again.findAll('thead th')).toHaveLength(3)
    again.unmount()
  })
  it('says that there is nothing', () => {
    const table = mount(DataTable<Item>, { props: { id: 'none', label: 'Items', table: tableOf([]), columns, rowKey: (item: Item) => item.id, emptyTitle: 'Nothing waits' } })
    expect(table.text()).toContain('Nothing waits')
  })
})

describe('filters', () => {
  const filters = [{ name: 'state' as const, label: 'State', options: [{ value: 'failed', label: 'failed' }] }, { name: 'patient' as const, label: 'Patient' }]

  it('wait until one has typed', async () => {
    vi.useFakeTimers()
    const bar = mount(FilterBar<'state' | 'patient'>, { props: { filters, modelValue: { state: '', patient: '' } } })
    await bar.find('input[aria-label=Patient], .q-input input').setValue('Doe')
    expect(bar.emitted('update:modelValue')).toBeUndefined()
    vi.advanceTimersByTime(400)
    expect(bar.emitted('update:modelValue')).toEqual([[{ state: '', patient: 'Doe' }]])
    vi.useRealTimers()
  })
  it('are cleared together', async () => {
    const bar = mount(FilterBar<'state' | 'patient'>, { props: { filters, modelValue: { state: 'failed', patient: 'x' } } })
    await bar.findAll('button').find((button) => button.text().includes('Clear'))?.trigger('click')
    expect(bar.emitted('update:modelValue')).toEqual([[{ state: '', patient: '' }]])
  })
})
