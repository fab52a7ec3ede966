/*
 * What is wrong with the gateway just now, the worst first; the banner and the dashboard share one request.
 */
import { computed } from 'vue'
import { useLive } from './useLive'
import { api, rows, type Filled, type Row } from '@/api/client'

export type Alert = Filled<Row<'alert'>, 'severity' | 'kind' | 'message'>

export function useAlerts() {
  const query = useLive(['alert'], (signal) => rows(api.from('alert').select().abortSignal(signal)), { interval: 5000 })
  const alerts = computed(() =>
    [...((query.data.value ?? []) as Alert[])].sort(
      (a, b) => Number(b.severity === 'critical') - Number(a.severity === 'critical') || (a.since ?? '').localeCompare(b.since ?? ''),
    ),
  )
  return { alerts, error: query.error, loaded: computed(() => query.data.value !== undefined) }
}
