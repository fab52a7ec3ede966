/*
 * What is on the page is at most two seconds old: a query that is asked again and again, but not in a
 * hidden tab.  A failure leaves what was there; the next answer takes its place.
 */
import { useQuery, type UseQueryReturnType } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import type { ApiError } from '@/api/error'

export const LIVE_MS = 2000

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
  return useQuery<T, ApiError>({
    queryKey: computed(() => [...toValue(key)]),
    queryFn: ({ signal }) => fetcher(signal),
    refetchInterval: options.interval ?? LIVE_MS,
    enabled: computed(() => toValue(options.enabled) ?? true),
    // the previous answer stays while another key is asked for: nothing flickers
    placeholderData: (previous: T | undefined) => previous,
  } as Parameters<typeof useQuery<T, ApiError>>[0])
}
