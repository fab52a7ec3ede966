import { QueryClient, VueQueryPlugin } from '@tanstack/vue-query'
import { flushPromises, mount } from '@vue/test-utils'
import { afterEach, expect, it, vi } from 'vitest'
import { defineComponent, h } from 'vue'
import { pauseAfter, useLive } from '@/composables/useLive'

afterEach(() => vi.useRealTimers())

it('asks every two seconds, keeps what it has when the server fails, and goes on', async () => {
  vi.useFakeTimers()
  const answers = [() => Promise.resolve('a'), () => Promise.reject(new Error('away')), () => Promise.resolve('b')]
  const ask = vi.fn(() => (answers.shift() ?? (() => Promise.resolve('c')))())
  const page = mount(defineComponent({
    setup() {
      const { data, error } = useLive(['x'], ask)
      return () => h('p', `${data.value ?? ''} ${error.value ? 'failed' : ''}`)
    },
  }), { global: { plugins: [[VueQueryPlugin, { queryClient: new QueryClient({ defaultOptions: { queries: { retry: false, networkMode: 'always' } } }) }]] } })
  await vi.advanceTimersByTimeAsync(10)
  await flushPromises()
  expect(page.text()).toBe('a')
  await vi.advanceTimersByTimeAsync(2010)
  expect(page.text()).toBe('a failed')
  await vi.advanceTimersByTimeAsync(2010)
  expect(page.text()).toBe('b')
  expect(ask).toHaveBeenCalledTimes(3)
  page.unmount()
})

it('leaves a slow server time for other things', () => {
  expect(pauseAfter(50)).toBe(2000)
  expect(pauseAfter(3000)).toBe(12000)
  expect(pauseAfter(50, 10000)).toBe(10000)
  // the server was away for two minutes
  expect(pauseAfter(120_000)).toBe(30_000)
  expect(pauseAfter(120_000, 60_000)).toBe(60_000)
})
