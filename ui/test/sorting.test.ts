import { flushPromises, mount } from '@vue/test-utils'
import { describe, expect, it, vi } from 'vitest'
import { effectScope, shallowRef } from 'vue'
import { ApiError } from '@/api/error'
import SortableList from '@/components/SortableList.vue'
import { useOrdering } from '@/composables/useOrdering'
import type { Positioned } from '@/lib/ordering'

interface Item {
  id: number
  name: string
}

describe('a list that can be sorted', () => {
  const items = [{ id: 1, name: 'one' }, { id: 2, name: 'two' }, { id: 3, name: 'three' }]
  const list = (sortable = true) => mount(SortableList<Item>, { props: { label: 'Things', items, itemKey: (i: Item) => i.id, name: (i: Item) => i.name, sortable }, attachTo: document.body })

  it('moves by buttons, says so, and the focus stays', async () => {
    const mounted = list()
    await mounted.find('[aria-label="Move two down"]').trigger('click')
    await flushPromises()
    expect(mounted.emitted('move')).toEqual([[1, 2]])
    expect(mounted.find('[role=status]').text()).toBe('two is number 3 of 3 now')
    expect(document.activeElement?.getAttribute('aria-label')).toBe('Move two down')
    mounted.unmount()
  })
  it('not past its ends', async () => {
    const mounted = list()
    await mounted.find('[aria-label="Move one up"]').trigger('click')
    await mounted.find('[aria-label="Move three down"]').trigger('click')
    expect(mounted.emitted('move')).toBeUndefined()
    expect(mounted.find('[aria-label="Move one up"]').attributes('aria-disabled')).toBe('true')
    mounted.unmount()
  })
  it('by dragging', async () => {
    const mounted = list()
    mounted.findAll('li').forEach((row, i) => {
      row.element.getBoundingClientRect = () => ({ bottom: 100 + 20 * (i + 1) }) as DOMRect
    })
    const handle = mounted.findAll('.sortable-handle')[0]
    Object.assign(handle?.element ?? {}, { setPointerCapture: () => {} })
    await handle?.trigger('pointerdown', { button: 0, pointerId: 1 })
    await handle?.trigger('pointermove', { clientY: 150 })
    expect(mounted.findAll('li')[2]?.classes()).toContain('gap-after')
    await handle?.trigger('pointerup')
    expect(mounted.emitted('move')).toEqual([[0, 2]])
    mounted.unmount()
  })
  it('only shows an order that may not be changed', () => {
    const mounted = list(false)
    expect(mounted.findAll('button')).toHaveLength(0)
    mounted.unmount()
  })
})

describe('putting rows into an order', () => {
  function ordering(save: (change: Positioned) => Promise<unknown>) {
    const server = shallowRef<Positioned[]>([{ id: 1, position: 1 }, { id: 2, position: 1 }, { id: 3, position: 1 }])
    const apply = async (change: Positioned) => {
      await save(change)
      server.value = server.value.map((row) => (row.id === change.id ? change : row))
    }
    const scope = effectScope()
    const made = scope.run(() => useOrdering(() => server.value, apply, () => Promise.resolve()))
    if (made === undefined) throw new Error('no scope')
    return { made, server, scope, ids: () => made.ordered.value.map(({ id }) => id) }
  }

  it('shows it at once, and is as the server has it in the end', async () => {
    const { made, ids, scope } = ordering(() => Promise.resolve())
    const first = made.move(made.ordered.value, 2, 0)
    expect(ids()).toEqual([3, 1, 2])
    const second = made.move(made.ordered.value, 2, 1)
    expect(ids()).toEqual([3, 2, 1])
    await Promise.all([first, second])
    expect(ids()).toEqual([3, 2, 1])
    scope.stop()
  })
  it('is as it was if it is refused, and says so', async () => {
    const save = vi.fn().mockRejectedValue(new ApiError({ message: 'no', status: 403 }))
    const { made, ids, scope } = ordering(save)
    await made.move(made.ordered.value, 2, 0)
    expect(ids()).toEqual([1, 2, 3])
    expect(made.error.value?.message).toBe('no')
    scope.stop()
  })
})
