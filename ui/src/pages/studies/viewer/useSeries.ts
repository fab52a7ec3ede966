/*
 * The objects that the viewer goes through: all of a series, or the one that is in none; and what is known of the
 * image of each, asked for once.
 */
import { computed, reactive, ref, shallowRef, watch } from 'vue'
import { IN_SERIES, imageInfoOf, type ImageInfo } from '../studies'
import { api, rows } from '@/api/client'
import { toApiError, type ApiError } from '@/api/error'
import { after, keyOf, type Key } from '@/lib/keyset'

const PAGE = 1000

/** Numbers of all its objects whose file is kept, in the order of the series. */
export async function objectsOf(series: number): Promise<number[]> {
  const ids: number[] = []
  let key: Key | null = null
  for (;;) {
    let query = api.from('instance').select('id,instance_number').eq('series_id', series).is('removed_at', null)
    if (key !== null) query = query.or(after(IN_SERIES, key))
    for (const { column, descending } of IN_SERIES) query = query.order(column, { ascending: !descending, nullsFirst: false })
    const page = await rows(query.limit(PAGE))
    ids.push(...page.map(({ id }) => id))
    const last = page.at(-1)
    if (last === undefined || page.length < PAGE) return ids
    key = keyOf(last, IN_SERIES)
  }
}

export function useSeries(series: () => number | null, object: () => number | null) {
  const ids = shallowRef<number[]>([])
  const ready = ref(false)
  const error = shallowRef<ApiError | null>(null)

  async function load(): Promise<void> {
    const asked = series()
    ready.value = false
    error.value = null
    try {
      const alone = object()
      const found = asked === null ? (alone === null ? [] : [alone]) : await objectsOf(asked)
      if (asked !== series()) return
      ids.value = found
      ready.value = true
    } catch (caught) {
      if (asked === series()) error.value = toApiError(caught)
    }
  }
  watch(series, () => void load(), { immediate: true })

  const infos = reactive(new Map<number, ImageInfo>())
  /** why nothing is known of it */
  const unknown = reactive(new Map<number, ApiError>())
  const asking = new Set<number>()

  /** Asks what is known of its image, if nobody has. */
  async function know(id: number): Promise<void> {
    if (infos.has(id) || unknown.has(id) || asking.has(id)) return
    asking.add(id)
    try {
      infos.set(id, await imageInfoOf(id))
    } catch (caught) {
      unknown.set(id, toApiError(caught))
    }
    asking.delete(id)
  }

  return { ids: computed(() => ids.value), ready, error, infos, unknown, know, load }
}
