/*
 * Whether the server answers.  While it does not, it is asked every two seconds, so the page
 * recovers by itself even if nothing on it polls; then what had failed is asked again.
 *
 * A request that takes long may be a large one, or the server hangs: it is asked something easy.
 */
import { readonly, ref } from 'vue'
import { API_PATH, listeners } from '@/api/client'

const PROBE_MS = 2000
/** something easy is not answered in this time by a server that is well */
const PATIENCE_MS = 5000

const awaySince = ref<Date | null>(null)
let probe: ReturnType<typeof setTimeout> | undefined
let recovered = () => {}

async function answers(): Promise<boolean> {
  try {
    const response = await fetch(`${API_PATH}/rpc/live`, { cache: 'no-store', credentials: 'same-origin', signal: AbortSignal.timeout(PATIENCE_MS) })
    return response.ok
  } catch {
    return false
  }
}

async function ask(): Promise<void> {
  if (await answers()) answered()
  else probe = setTimeout(() => void ask(), PROBE_MS)
}

async function doubt(): Promise<void> {
  if (awaySince.value === null && !(await answers())) away()
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
  listeners.slow = () => void doubt()
}

export function useConnection() {
  return { awaySince: readonly(awaySince) }
}
