/*
 * Rows that people put into an order: what is moved is shown there at once, and is saved, one change after the other.
 */
import { computed, ref, shallowRef, type ComputedRef, type Ref } from 'vue'
import { toApiError, type ApiError } from '@/api/error'
import { inOrder, moveTo, withPositions, type Positioned } from '@/lib/ordering'

export interface Ordering<T> {
  ordered: ComputedRef<T[]>
  error: Ref<ApiError | null>
  /** within the group that is shown, from its one place to another */
  move: (group: readonly T[], from: number, to: number) => Promise<void>
}

/**
 * @param save changes one position
 * @param reload asks for the rows anew
 */
export function useOrdering<T extends Positioned>(rows: () => readonly T[], save: (change: Positioned) => Promise<unknown>, reload: () => Promise<unknown>): Ordering<T> {
  /** as it will be, until the server has said so */
  const ahead = shallowRef<T[] | null>(null)
  const error = ref<ApiError | null>(null)
  let last = Promise.resolve()
  let waiting = 0

  async function saveAll(changes: readonly Positioned[]): Promise<void> {
    try {
      for (const change of changes) await save(change)
      error.value = null
    } catch (caught) {
      error.value = toApiError(caught)
    }
    if (waiting === 1 || error.value !== null) {
      await reload()
      ahead.value = null
    }
    waiting--
  }

  function move(group: readonly T[], from: number, to: number): Promise<void> {
    const changes = moveTo(group, from, to)
    if (changes.length === 0) return Promise.resolve()
    ahead.value = withPositions(ahead.value ?? rows(), changes)
    waiting++
    last = last.then(() => saveAll(changes))
    return last
  }

  return { ordered: computed(() => ahead.value ?? inOrder(rows())), error, move }
}
