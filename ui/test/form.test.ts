import { mount } from '@vue/test-utils'
import { describe, expect, it } from 'vitest'
import { nextTick } from 'vue'
import { createMemoryHistory, createRouter } from 'vue-router'
import FormGroup from '@/components/FormGroup.vue'
import PageTabs from '@/components/PageTabs.vue'
import { filled, intervalOf, linesOf, numberOf, secondsOf } from '@/lib/formValues'

describe('values of a form', () => {
  it('are null if they are empty', () => {
    expect([filled('  '), numberOf(' '), intervalOf('')]).toEqual([null, null, null])
  })
  it('are numbers, or what the server will complain about', () => {
    expect([numberOf('12'), numberOf('0'), numberOf('1e')]).toEqual([12, 0, '1e'])
  })
  it('are seconds of intervals', () => {
    expect(secondsOf('1 day 00:05:00')).toBe('86700')
    expect(intervalOf('300')).toBe('300 seconds')
  })
  it('are lines, without empty ones', () => expect(linesOf(' A \n\nB\n')).toEqual(['A', 'B']))
})

describe('fields that are folded', () => {
  it('unfold when the server says something about one of them', async () => {
    const group = mount(FormGroup, { props: { title: 'Limits', fields: ['port'], errors: {} } })
    const open = () => (group.find('details').element as HTMLDetailsElement).open
    expect(open()).toBe(false)
    await group.setProps({ errors: { name: 'is empty' } })
    expect(open()).toBe(false)
    await group.setProps({ errors: { port: 'is used' } })
    expect(open()).toBe(true)
  })
})

describe('parts of a page', () => {
  const tabs = [{ name: 'log' as const, label: 'Log' }, { name: 'export' as const, label: 'Export' }]

  async function at(path: string) {
    const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/', component: { template: '' } }] })
    await router.push(path)
    const page = mount(PageTabs<'log' | 'export'>, { global: { plugins: [router] }, props: { label: 'Parts', tabs }, slots: { log: 'the log', export: 'the export' } })
    return { router, page }
  }

  it('stand in the URL, but for the first', async () => {
    expect((await at('/')).page.find('[role=tabpanel]').text()).toBe('the log')
    expect((await at('/?show=nonsense')).page.find('[role=tabpanel]').text()).toBe('the log')
    const { router, page } = await at('/?show=export&actor=anna')
    expect(page.find('[role=tabpanel]').text()).toBe('the export')
    await page.findAll('[role=tab]')[0]?.trigger('click')
    await nextTick()
    await router.isReady()
    await new Promise((resolve) => setTimeout(resolve))
    expect(router.currentRoute.value.fullPath).toBe('/')
    expect(page.find('[role=tabpanel]').text()).toBe('the log')
  })
})
