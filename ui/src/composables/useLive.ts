/*
 * What is on the page is at most two seconds old: a query that is asked again and again, but not in a
 * hidden tab, and less often if it takes the server long.  A failure leaves what was there; the next answer takes its place.
 */
import { useQuery, type UseQueryReturnType } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import type { ApiError } from '@/api/error'

export const LIVE_MS = 2000
/** What took minutes, as the server was away, is not left alone for many more. */
const LONGEST_MS = 30000

/** An answer that takes long is not asked for all the time: the server has other things to do, too. */
export function pauseAfter(took: number, interval: number = LIVE_MS): number {
  return Math.max(interval, Math.min(4 * took, LONGEST_MS))
}

export interface LiveOptions {
  /** milliseconds from one request to the next (2,000) */
  interval?: number
  /** false: don't ask now */
  enabled?: MaybeRefOrGetter<boolean>
}

/**
 * @param key what it is, with all that the request depends on: a getter if that changes
 * @param fetcher the request; its signal ends it when nobody waits any more
 */
export function useLive<T>(
  key: MaybeRefOrGetter<readonly unknown[]>,
  fetcher: (signal: AbortSignal) => Promise<T>,
  options: LiveOptions = {},
): UseQueryReturnType<T, ApiError> {
  let took = 0
  async function measured(signal: AbortSignal): Promise<T> {
    const began = performance.now()
    try {
      return await fetcher(signal)
    } finally {
      took = performance.now() - began
    }
  }
  return useQuery<T, ApiError>({
    queryKey: computed(() => [...toValue(key)]),
    queryFn: ({ signal }) => measured(signal),
    refetchInterval: () => pauseAfter(took, options.interval),
    enabled: computed(() => toValue(options.enabled) ?? true),
    // the previous answer stays while another key is asked for: nothing flickers
    placeholderData: (previous: T | undefined) => previous,
  } as Parameters<typeof useQuery<T, ApiError>>[0])
}
