/*
 * The queue by destination, state and reason: what the dashboard and the queue's page show above the jobs.
 */
import { computed } from 'vue'
import { useLive } from './useLive'
import { api, rows, type Filled, type Row } from '@/api/client'

export type JobState = 'waiting' | 'sending' | 'failed'
export type SummaryRow = Filled<Row<'job_summary'>, 'destination' | 'state' | 'jobs'>

/** Jobs in each state. */
export function countStates(summary: readonly SummaryRow[]): Record<JobState, number> {
  const counts = { waiting: 0, sending: 0, failed: 0 }
  for (const { state, jobs } of summary) {
    if (state in counts) counts[state as JobState] += jobs
  }
  return counts
}

export function useQueueSummary() {
  const query = useLive(['job_summary'], (signal) => rows(api.from('job_summary').select().abortSignal(signal)))
  const summary = computed(() => (query.data.value ?? []) as SummaryRow[])
  return { summary, states: computed(() => countStates(summary.value)), loaded: computed(() => query.data.value !== undefined), error: query.error, refetch: query.refetch }
}
