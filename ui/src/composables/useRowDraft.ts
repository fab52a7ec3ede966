/*
 * A row of the configuration in a form: what stands in its fields, what of that differs from the row, and saving no more
 * than that; of a new row all of it.
 */
import { computed, ref, type ComputedRef, type Ref } from 'vue'
import { saveRow, type Writable } from '@/api/rows'
import { changesOf } from '@/lib/formValues'

export function useRowDraft<D extends object, C extends Readonly<Record<string, unknown>>>(
  view: Writable,
  row: { readonly id: number } | null,
  drafted: () => D,
  columnsOf: (draft: D) => C,
): { draft: Ref<D>; changes: ComputedRef<Partial<C>>; save: () => Promise<void> } {
  const before = columnsOf(drafted())
  const draft = ref(drafted()) as Ref<D>
  const changes = computed(() => changesOf(before, columnsOf(draft.value)))
  return { draft, changes, save: () => saveRow(view, row?.id ?? null, row === null ? columnsOf(draft.value) : changes.value) }
}
