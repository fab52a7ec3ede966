/*
 * A long list over a view: a page at a time by key (lib/keyset.ts), as far as somebody scrolls, and kept up to date
 * where he looks.  Order and filters stand in the URL's query, so a list can be linked to and reloaded.
 *
 * Each page is a range of keys.  What is visible is asked for again every two seconds, range by range, so rows
 * that appear, change or vanish do so in place, and no row is shown twice.
 */
import { computed, onScopeDispose, ref, shallowRef, watch, type ComputedRef, type Ref } from 'vue'
import { rows as rowsOf } from '@/api/client'
import { toApiError, type ApiError } from '@/api/error'
import { after, keyOf, nullsFirst, upTo, type Key, type Order } from '@/lib/keyset'
import { useConnection } from './useConnection'
import { LIVE_MS, pauseAfter } from './useLive'

export type TableRow = Record<string, unknown>

/** What of a postgrest-js builder paging needs; each of its filter builders has it. */
export interface Pageable<R> extends PromiseLike<{ data: R[] | null; error: { message: string } | null; status: number }> {
  or(filters: string): this
  order(column: string, options: { ascending: boolean; nullsFirst: boolean }): this
  limit(count: number): this
  abortSignal(signal: AbortSignal): this
}

export interface KeysetOptions<R extends object> {
  /** the view with its filters: a new builder at each call; what it depends on is watched */
  query: () => Pageable<R>
  /** the order, which ends with a unique column */
  order: () => readonly Order[]
  /** rows in a page */
  pageSize?: number
  /** rows that are kept at most (100,000) */
  most?: number
  /** false: only as it was when it was loaded */
  live?: boolean
}

export interface KeysetTable<R extends object> {
  rows: ComputedRef<R[]>
  /** everything has been loaded */
  complete: Ref<boolean>
  /** no more is loaded, though there is more: who wants to see it has to narrow the list */
  full: ComputedRef<boolean>
  loading: Ref<boolean>
  error: Ref<ApiError | null>
  /** load the next page, if there is one */
  more: () => Promise<void>
  /** ask for all that is visible now */
  refresh: () => Promise<void>
  /** from scratch */
  reset: () => Promise<void>
  /** which rows can be seen; the table says so */
  visible: Ref<{ from: number; to: number }>
}

interface Page<R> {
  /** rows behind this key; null: from the start */
  start: Key | null
  /** up to this one; null: the last page, of which nobody knows the end */
  end: Key | null
  rows: R[]
}

/** More than anybody scrolls through, and some 125 MB. */
const MOST_KEPT = 100_000

/** As much as PostgREST gives at a time (db-max-rows). */
const MOST_ROWS = 1000

export function useKeysetTable<R extends object>(options: KeysetOptions<R>): KeysetTable<R> {
  const size = options.pageSize ?? 200
  const pages = shallowRef<Page<R>[]>([])
  const complete = ref(false)
  const loading = ref(false)
  const error = ref<ApiError | null>(null)
  const visible = ref({ from: 0, to: 0 })
  const rows = computed(() => pages.value.flatMap((page) => page.rows))
  const full = computed(() => !complete.value && rows.value.length >= (options.most ?? MOST_KEPT))
  let controller = new AbortController()

  async function fetchRange(order: readonly Order[], start: Key | null, end: Key | null, limit: number, signal: AbortSignal): Promise<R[]> {
    let query = options.query()
    if (start !== null) query = query.or(after(order, start))
    if (end !== null) query = query.or(upTo(order, end))
    order.forEach(({ column, descending }, i) => {
      query = query.order(column, { ascending: !descending, nullsFirst: nullsFirst(order, i) })
    })
    return rowsOf<R[]>(query.limit(limit).abortSignal(signal))
  }

  /** Runs what asks the server; its result counts only if the question has not changed meanwhile. */
  async function attempt(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { signal } = controller
    try {
      await work(signal)
      if (!signal.aborted) error.value = null
    } catch (caught) {
      if (!signal.aborted) error.value = toApiError(caught)
    }
  }

  async function more(): Promise<void> {
    if (loading.value || complete.value || full.value) return
    loading.value = true
    await attempt(async (signal) => {
      const order = options.order()
      const last = pages.value.at(-1)
      const start = last === undefined ? null : (last.end ?? endOf(last, order))
      const found = await fetchRange(order, start, null, size, signal)
      if (signal.aborted) return
      const before = last === undefined ? [] : [...pages.value.slice(0, -1), { ...last, end: start }]
      pages.value = [...before, { start, end: null, rows: found }]
      complete.value = found.length < size
    })
    loading.value = false
  }

  function endOf(page: Page<R>, order: readonly Order[]): Key | null {
    const last = page.rows.at(-1)
    return last === undefined ? page.start : keyOf(last as TableRow, order)
  }

  async function refreshPage(index: number, signal: AbortSignal): Promise<void> {
    const page = pages.value[index]
    if (page === undefined) return
    const limit = page.end === null ? Math.max(size, page.rows.length) : MOST_ROWS
    const found = await fetchRange(options.order(), page.start, page.end, limit, signal)
    if (signal.aborted) return
    if (page.end !== null && found.length === MOST_ROWS) {
      // more has come than a page holds: begin anew
      await reset()
      return
    }
    pages.value = pages.value.map((p, i) => (i === index ? { ...p, rows: found } : p))
    if (page.end === null) complete.value = found.length < limit
  }

  function visiblePages(): number[] {
    const { from } = visible.value
    // an empty list's table says that it shows the rows 0 to -1
    const to = Math.max(from, visible.value.to)
    const found: number[] = []
    let first = 0
    pages.value.forEach((page, i) => {
      const next = first + page.rows.length
      if (first <= to && next >= from) found.push(i)
      first = next
    })
    // nothing can be seen of an empty list, but what comes belongs there
    return found.length > 0 ? found : [pages.value.length - 1]
  }

  async function refresh(): Promise<void> {
    if (loading.value) return
    if (pages.value.length === 0) {
      await more()
      return
    }
    await attempt(async (signal) => {
      for (const index of visiblePages()) await refreshPage(index, signal)
    })
  }

  async function reset(): Promise<void> {
    controller.abort()
    controller = new AbortController()
    loading.value = false
    pages.value = []
    complete.value = false
    visible.value = { from: 0, to: 0 }
    await more()
  }

  // One after the other, however long an answer takes; none in a hidden tab.
  let timer: ReturnType<typeof setTimeout> | undefined
  let over = false
  async function tick(): Promise<void> {
    const began = performance.now()
    if (!document.hidden) await refresh()
    if (!over) timer = setTimeout(() => void tick(), pauseAfter(performance.now() - began))
  }
  if (options.live !== false) timer = setTimeout(() => void tick(), LIVE_MS)
  onScopeDispose(() => {
    over = true
    clearTimeout(timer)
    controller.abort()
  })

  const { awaySince } = useConnection()
  watch(awaySince, (since) => {
    if (since === null) void refresh()
  })

  watch(() => [urlOf(options.query()), options.order()], () => void reset(), { immediate: true, deep: true })

  return { rows, complete, full, loading, error, more, refresh, reset, visible }
}

/** What a builder asks for: changes if a filter does. */
function urlOf(query: unknown): string {
  const { url } = query as { url?: URL }
  return url?.href ?? ''
}
