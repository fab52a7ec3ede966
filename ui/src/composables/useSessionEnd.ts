/*
 * In how many minutes the session ends, when these are few: so that nobody loses what he is just entering.  Before it
 * is said, and each minute from then on, the server is asked: in another tab one may have signed in again, or out.
 */
import { computed, readonly, ref, watch } from 'vue'
import { useNow } from './useNow'
import { useSession } from './useSession'

export const WARN_MINUTES = 10

/** null: long enough, or nobody has signed in */
export function minutesLeft(expiresAt: string | undefined, now: number): number | null {
  const end = Date.parse(expiresAt ?? '')
  if (Number.isNaN(end)) return null
  const minutes = Math.max(0, Math.ceil((end - now) / 60000))
  return minutes > WARN_MINUTES ? null : minutes
}

export function useSessionEnd() {
  const { me, load } = useSession()
  const now = useNow()
  const left = computed(() => minutesLeft(me.value?.expires_at, now.value))
  const endsIn = ref<number | null>(null)

  watch(
    left,
    async (minutes) => {
      // if the server is away another banner says so
      if (minutes !== null) await load().catch(() => undefined)
      endsIn.value = left.value
    },
    { immediate: true },
  )
  return { endsIn: readonly(endsIn) }
}
