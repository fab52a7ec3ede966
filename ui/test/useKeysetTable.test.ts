import { flushPromises } from '@vue/test-utils'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { effectScope, ref, type EffectScope } from 'vue'
import { useKeysetTable, type KeysetTable, type Pageable } from '@/composables/useKeysetTable'

interface Item {
  id: number
  text: string
}

/** A view of a database, as a builder asks it: orders by id, newest first; knows the conditions of such an order. */
class FakeQuery implements Pageable<Item> {
  private conditions: ((item: Item) => boolean)[] = []
  private most = Infinity

  constructor(private readonly server: Item[], readonly url: URL) {}

  or(filters: string): this {
    const either = filters.split(',').map((filter) => {
      const [, operator, value] = filter.split('.')
      return (item: Item) => (operator === 'lt' ? item.id < Number(value) : operator === 'gt' ? item.id > Number(value) : item.id === Number(value))
    })
    this.conditions.push((item) => either.some((holds) => holds(item)))
    return this
  }
  order(): this {
    return this
  }
  limit(count: number): this {
    this.most = count
    return this
  }
  abortSignal(): this {
    return this
  }
  then<A, B>(done?: ((answer: { data: Item[] | null; error: { message: string } | null; status: number }) => A | PromiseLike<A>) | null, failed?: ((reason: unknown) => B | PromiseLike<B>) | null): PromiseLike<A | B> {
    const data = [...this.server].sort((a, b) => b.id - a.id).filter((item) => this.conditions.every((holds) => holds(item))).slice(0, this.most)
    const answer = down.value ? { data: null, error: { message: 'Failed to fetch' }, status: 0 } : { data, error: null, status: 200 }
    return Promise.resolve(answer).then(done, failed)
  }
}

const down = ref(false)
let scope: EffectScope | undefined

function items(count: number): Item[] {
  return Array.from({ length: count }, (_, i) => ({ id: i + 1, text: 'old' }))
}

function table(server: Item[], filter = ref(''), most?: number): KeysetTable<Item> {
  scope = effectScope()
  const made = scope.run(() =>
    useKeysetTable<Item>({ query: () => new FakeQuery(server, new URL(`http://x/?filter=${filter.value}`)), order: () => [{ column: 'id', descending: true }], pageSize: 10, most }),
  )
  return made as KeysetTable<Item>
}

afterEach(() => {
  scope?.stop()
  down.value = false
  vi.useRealTimers()
})

const ids = (t: KeysetTable<Item>) => t.rows.value.map(({ id }) => id)

describe('a list by key', () => {
  it('shows what comes into an empty one, of which its table shows nothing', async () => {
    const server: Item[] = []
    const t = table(server)
    await flushPromises()
    t.visible.value = { from: 0, to: -1 }
    server.push(...items(2))
    await t.refresh()
    expect(ids(t)).toEqual([2, 1])
  })
  it('loads a page, then the next, until there is no more', async () => {
    const t = table(items(25))
    await flushPromises()
    expect(ids(t)).toEqual([25, 24, 23, 22, 21, 20, 19, 18, 17, 16])
    await t.more()
    await t.more()
    expect(t.rows.value).toHaveLength(25)
    expect(t.complete.value).toBe(true)
    await t.more()
    expect(ids(t)).toEqual(items(25).map(({ id }) => id).reverse())
  })

  it('shows what comes, goes and changes where one looks, and no row twice', async () => {
    const server = items(25)
    const t = table(server)
    await flushPromises()
    await t.more()
    t.visible.value = { from: 0, to: 9 }
    server.push({ id: 26, text: 'new' })
    server.splice(19, 1) // number 20
    await t.refresh()
    expect(ids(t).slice(0, 3)).toEqual([26, 25, 24])
    expect(ids(t)).not.toContain(20)
    expect(new Set(ids(t)).size).toBe(ids(t).length)
    await t.more()
    expect(ids(t)).toEqual([...server].map(({ id }) => id).sort((a, b) => b - a))
  })

  it('shows the first row that comes into an empty list', async () => {
    const server: Item[] = []
    const t = table(server)
    await flushPromises()
    // what the scroller says that shows nothing
    t.visible.value = { from: 0, to: -1 }
    server.push({ id: 1, text: 'new' })
    await t.refresh()
    expect(ids(t)).toEqual([1])
  })

  it('asks only for what is visible', async () => {
    const server = items(25)
    const t = table(server)
    await flushPromises()
    await t.more()
    for (const item of server) item.text = 'changed'
    t.visible.value = { from: 12, to: 19 }
    server.push({ id: 26, text: 'new' })
    await t.refresh()
    expect(ids(t)).not.toContain(26)
  })

  it('an empty list shows what comes, though nothing can be seen in it', async () => {
    const server: Item[] = []
    const t = table(server)
    await flushPromises()
    t.visible.value = { from: -1, to: -1 }
    server.push({ id: 1, text: 'new' })
    await t.refresh()
    expect(ids(t)).toEqual([1])
  })

  it('begins anew with another filter', async () => {
    const filter = ref('')
    const t = table(items(25), filter)
    await flushPromises()
    await t.more()
    filter.value = 'x'
    await flushPromises()
    expect(t.rows.value).toHaveLength(10)
  })

  it('keeps its rows when the server goes away, and goes on when it is back', async () => {
    vi.useFakeTimers()
    const server = items(5)
    const t = table(server)
    await vi.advanceTimersByTimeAsync(0)
    down.value = true
    await vi.advanceTimersByTimeAsync(2100)
    expect(t.error.value?.kind).toBe('away')
    expect(t.rows.value).toHaveLength(5)
    down.value = false
    server.push({ id: 6, text: 'new' })
    await vi.advanceTimersByTimeAsync(2100)
    expect(t.error.value).toBeNull()
    expect(ids(t)[0]).toBe(6)
  })

  it('does not poll in a hidden tab', async () => {
    vi.useFakeTimers()
    const server = items(5)
    const t = table(server)
    await vi.advanceTimersByTimeAsync(0)
    const hidden = vi.spyOn(document, 'hidden', 'get').mockReturnValue(true)
    server.push({ id: 6, text: 'new' })
    await vi.advanceTimersByTimeAsync(10000)
    expect(ids(t)).not.toContain(6)
    hidden.mockReturnValue(false)
    await vi.advanceTimersByTimeAsync(2100)
    expect(ids(t)).toContain(6)
  })
})
