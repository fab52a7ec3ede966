/*
 * Whether the server answers.  While it does not, it is asked every two seconds, so the page
 * recovers by itself even if nothing on it polls; then what had failed is asked again.
 */
import { readonly, ref } from 'vue'
import { API_PATH, listeners } from '@/api/client'

const PROBE_MS = 2000

const awaySince = ref<Date | null>(null)
let probe: ReturnType<typeof setTimeout> | undefined
let recovered = () => {}

async function ask(): Promise<void> {
  try {
    const response = await fetch(`${API_PATH}/rpc/live`, { cache: 'no-store', credentials: 'same-origin' })
    if (response.ok) {
      answered()
      return
    }
  } catch {
    // still away
  }
  probe = setTimeout(() => void ask(), PROBE_MS)
}

function away(): void {
  if (awaySince.value !== null) return
  awaySince.value = new Date()
  probe = setTimeout(() => void ask(), PROBE_MS)
}

function answered(): void {
  if (awaySince.value === null) return
  clearTimeout(probe)
  awaySince.value = null
  recovered()
}

/** Called once, by main.ts. */
export function watchConnection(onRecovery: () => void): void {
  recovered = onRecovery
  listeners.away = away
  listeners.answered = answered
}

export function useConnection() {
  return { awaySince: readonly(awaySince) }
}
