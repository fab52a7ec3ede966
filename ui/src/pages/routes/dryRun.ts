/*
 * What a predicate would have taken of what was received.
 */
import { api, rows, type Filled, type Returns } from '@/api/client'
import { databaseNow } from '@/composables/useSession'

export type Share = Filled<Returns<'route_dry_run'>[number], 'grouped_by' | 'evaluated' | 'objects' | 'studies' | 'bytes' | 'sample_ids'>

export interface DryRunResult {
  total: Share
  modalities: Share[]
  callers: Share[]
  /** on how many objects it fails, by message */
  errors: Share[]
  /** objects whose header is not kept, of which it sees nothing */
  noHeader: Share | null
}

export const DAYS = [1, 7, 30, 90] as const
const SAMPLES = 20
const MOST_STUDIES = 100

export interface Trial {
  predicate: string
  days: number
  /** it is compared with what this one took; null: with what any took */
  route: string | null
}

function ask({ predicate, days, route }: Trial, samples: number) {
  return api.rpc('route_dry_run', { predicate, since: new Date(databaseNow() - days * 86400_000).toISOString(), route, samples })
}

/** Without studies, of which there may be more than an answer holds. */
export async function dryRun(trial: Trial, signal: AbortSignal): Promise<DryRunResult> {
  const shares = (await rows(ask(trial, SAMPLES).neq('grouped_by', 'study').abortSignal(signal))) as Share[]
  return sorted(shares)
}

export async function dryRunStudies(trial: Trial, signal: AbortSignal): Promise<Share[]> {
  return (await rows(ask(trial, 1).eq('grouped_by', 'study').limit(MOST_STUDIES).abortSignal(signal))) as Share[]
}

const NOTHING: Share = { grouped_by: 'total', value: null, evaluated: 0, objects: 0, studies: 0, bytes: 0, newly: 0, no_longer: null, sample_ids: [] }

export function sorted(shares: readonly Share[]): DryRunResult {
  const of = (group: string) => shares.filter(({ grouped_by }) => grouped_by === group)
  return { total: of('total')[0] ?? NOTHING, modalities: of('modality'), callers: of('calling_ae'), errors: of('error'), noHeader: of('no header')[0] ?? null }
}
