import { VueQueryPlugin } from '@tanstack/vue-query'
import { flushPromises, mount } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { nextTick } from 'vue'
import ExpressionEditor from '@/components/ExpressionEditor.vue'
import { accept, suggest } from '@/lib/suggestions'

const COLUMNS = [{ name: 'modality', type: 'text', comment: 'Modality (0008,0060)' }]
const ATTRIBUTES = [{ keyword: 'ModalitiesInStudy', tag: '00080061', vr: 'CS' }]

/** What check_predicate answers; null: it is fine. */
let refusal: object | null = null

beforeEach(() => {
  vi.useFakeTimers()
  refusal = null
  vi.stubGlobal('fetch', (input: URL | string) => {
    const url = String(input)
    if (url.includes('/rpc/')) return Promise.resolve(refusal ? new Response(JSON.stringify(refusal), { status: 400 }) : new Response(null, { status: 204 }))
    return Promise.resolve(new Response(JSON.stringify(url.includes('route_column') ? COLUMNS : ATTRIBUTES), { status: 200 }))
  })
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

function editor(modelValue = '') {
  const mounted = mount(ExpressionEditor, {
    props: { modelValue, label: 'Condition', kind: 'predicate' as const, 'onUpdate:modelValue': (text: string) => mounted.setProps({ modelValue: text }) },
    global: { plugins: [VueQueryPlugin] },
    attachTo: document.body,
  })
  return mounted
}

async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(500)
  await flushPromises()
}

async function type(mounted: ReturnType<typeof editor>, text: string): Promise<void> {
  const field = mounted.find('textarea')
  field.element.value = text
  field.element.setSelectionRange(text.length, text.length)
  await field.trigger('input')
  await settle()
}

describe('the field for expressions', () => {
  it('suggests columns and attributes; none is chosen by itself', async () => {
    const mounted = editor()
    await type(mounted, 'moda')
    expect(mounted.findAll('[role=option]').map((option) => option.find('b').text())).toEqual(['modality', 'ModalitiesInStudy'])
    const field = mounted.find('textarea')
    expect(field.attributes('aria-activedescendant')).toBeUndefined()
    const enter = new KeyboardEvent('keydown', { key: 'Enter', cancelable: true })
    field.element.dispatchEvent(enter)
    expect(enter.defaultPrevented).toBe(false)
    mounted.unmount()
  })
  it('takes the one that is chosen by keyboard', async () => {
    const mounted = editor()
    await type(mounted, 'moda')
    const field = mounted.find('textarea')
    await field.trigger('keydown', { key: 'ArrowDown' })
    await field.trigger('keydown', { key: 'ArrowDown' })
    await nextTick()
    expect(document.getElementById(field.attributes('aria-activedescendant') ?? '')?.textContent).toContain('ModalitiesInStudy')
    await field.trigger('keydown', { key: 'Tab' })
    await settle()
    expect(field.element.value).toBe("tag('ModalitiesInStudy') ")
    expect(mounted.find('[role=listbox]').exists()).toBe(false)
    mounted.unmount()
  })
  it('Escape sends suggestions away, and no dialog', async () => {
    const mounted = editor()
    await type(mounted, 'moda')
    const heard = vi.fn()
    document.body.addEventListener('keydown', heard)
    await mounted.find('textarea').trigger('keydown', { key: 'Escape' })
    expect(mounted.find('[role=listbox]').exists()).toBe(false)
    expect(heard).not.toHaveBeenCalled()
    await mounted.find('textarea').trigger('keydown', { key: 'Escape' })
    expect(heard).toHaveBeenCalledOnce()
    document.body.removeEventListener('keydown', heard)
    mounted.unmount()
  })
  it('marks the spot, and says where it is', async () => {
    refusal = { code: '42703', message: 'column "ct" does not exist', details: 'At character 12.', hint: null }
    const mounted = editor('modality = CT')
    await settle()
    expect(mounted.find('.sql-wrong').text()).toBe('CT')
    expect(mounted.text()).toContain('Line 1, column 12: column "ct" does not exist')
    expect(mounted.find('textarea').attributes('aria-invalid')).toBe('true')
    refusal = null
    await type(mounted, "modality = 'CT'")
    expect(mounted.find('.sql-wrong').exists()).toBe(false)
    expect(mounted.text()).toContain('The gateway takes this.')
    mounted.unmount()
  })
  it('what a form was told is about the text of then', async () => {
    const mounted = editor('true')
    await mounted.setProps({ error: 'not this' })
    expect(mounted.text()).toContain('not this')
    await type(mounted, 'false')
    expect(mounted.text()).not.toContain('not this')
    mounted.unmount()
  })
})

describe('a suggestion', () => {
  const word = { kind: 'name' as const, start: 0, end: 4, typed: 'moda' }
  it('that begins with what was typed comes first', () => {
    const known = [{ label: 'x_moda', detail: '', insert: '' }]
    expect(suggest(word, known, [{ name: 'modality', detail: '' }], [], 'moda').map(({ label }) => label)).toEqual(['modality', 'x_moda'])
  })
  it('takes the place of the word, with the caret where one goes on', () => {
    expect(accept('moda AND', word, 'modality ')).toEqual({ text: 'modality AND', caret: 8 })
    expect(accept('moda', word, "tag('|')")).toEqual({ text: "tag('')", caret: 5 })
  })
  it('closes the quotes that are open', () => {
    const open = { kind: 'attribute' as const, start: 5, end: 8, typed: 'Pat' }
    const attributes = [{ keyword: 'PatientID', tag: '00100020', vr: 'LO' }]
    expect(suggest(open, [], [], attributes, "tag('Pat")[0]?.insert).toBe("PatientID')")
    expect(suggest(open, [], [], attributes, "tag('Pat')")[0]?.insert).toBe('PatientID')
    expect(accept("tag('Pat')", open, 'PatientID')).toEqual({ text: "tag('PatientID')", caret: 16 })
  })
})
