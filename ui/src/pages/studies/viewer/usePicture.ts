/*
 * The picture at an address that changes faster than pictures come: while one is on its way no other is asked for,
 * and then the one that is wanted last.  Those that were seen are kept, and their neighbours fetched when there
 * is time.  What the server says when there is no picture is an error to be shown, which img could not.
 */
import { onScopeDispose, ref, shallowRef, watch, type Ref, type ShallowRef } from 'vue'
import { bytesAt } from '@/api/client'
import { toApiError, type ApiError } from '@/api/error'

/** Pictures that are kept; of some 100 kB each. */
const KEPT = 120

export interface Shown {
  /** what it was asked for */
  address: string
  /** blob: address for img */
  url: string
}

export interface Picture {
  shown: ShallowRef<Shown | null>
  loading: Ref<boolean>
  error: ShallowRef<ApiError | null>
  retry: () => void
}

/**
 * @param wanted the address; null: none
 * @param ahead what may be wanted next
 */
export function usePicture(wanted: () => string | null, ahead: () => readonly string[] = () => []): Picture {
  const cache = new Map<string, string>()
  const shown = shallowRef<Shown | null>(null)
  const loading = ref(false)
  const error = shallowRef<ApiError | null>(null)
  const controller = new AbortController()
  let busy = false

  function keep(address: string, blob: Blob): string {
    const url = URL.createObjectURL(blob)
    cache.set(address, url)
    for (const [old, oldUrl] of cache) {
      if (cache.size <= KEPT) break
      if (old === address || old === shown.value?.address) continue
      URL.revokeObjectURL(oldUrl)
      cache.delete(old)
    }
    return url
  }

  /** From the cache, as what was used last. */
  function kept(address: string): string | undefined {
    const url = cache.get(address)
    if (url !== undefined) {
      cache.delete(address)
      cache.set(address, url)
    }
    return url
  }

  /** What to fetch now: what is wanted, else what may be. */
  function next(): { address: string; isWanted: boolean } | null {
    const address = wanted()
    if (address === null) return null
    if (!cache.has(address)) return error.value === null ? { address, isWanted: true } : null
    const other = ahead().find((a) => !cache.has(a) && !failed.has(a))
    return other === undefined ? null : { address: other, isWanted: false }
  }
  const failed = new Set<string>()

  function show(): void {
    const address = wanted()
    const url = address === null ? undefined : kept(address)
    if (address !== null && url !== undefined) {
      shown.value = { address, url }
      error.value = null
    }
    loading.value = address !== null && url === undefined && error.value === null
  }

  async function work(): Promise<void> {
    if (busy) return
    busy = true
    for (let job = next(); job !== null && !controller.signal.aborted; job = next()) {
      try {
        const blob = await bytesAt(job.address, controller.signal)
        if (controller.signal.aborted) break
        keep(job.address, blob)
      } catch (caught) {
        failed.add(job.address)
        if (job.address === wanted()) error.value = toApiError(caught)
      }
      show()
    }
    busy = false
  }

  function change(): void {
    error.value = null
    show()
    void work()
  }

  function retry(): void {
    failed.clear()
    change()
  }

  watch(wanted, change, { immediate: true })
  onScopeDispose(() => {
    controller.abort()
    for (const url of cache.values()) URL.revokeObjectURL(url)
  })
  return { shown, loading, error, retry }
}
