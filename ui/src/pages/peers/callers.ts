/*
 * Who may call (remote_ae), and who has called (caller): how the two belong together.
 */
import { api, rows, type Row } from '@/api/client'
import { iconFailed, iconOk, iconUnknown } from '@/icons'
import { t } from '@/i18n'
import { byAddress } from '@/lib/addressFilter'
import { filled, numberOf, textOf } from '@/lib/formValues'
import type { FormShape } from '@/lib/formErrors'
import { after, type Order } from '@/lib/keyset'
import { contains, parseNetwork } from '@/lib/network'
import { containing, quotedPattern } from '@/lib/pattern'
import type { Look } from '@/lib/states'

export type RemoteAe = Row<'remote_ae'>
export type Caller = Row<'caller'>

// ---------- who may call ----------

export const KNOWN_FILTERS = ['ae', 'enabled'] as const
export type KnownFilters = Record<(typeof KNOWN_FILTERS)[number], string>

export function queryKnown(filters: KnownFilters) {
  let query = api.from('remote_ae').select()
  if (filters.ae !== '') {
    const pattern = quotedPattern(filters.ae)
    query = query.or(`ae_title.ilike.${pattern},description.ilike.${pattern}`)
  }
  if (filters.enabled !== '') query = query.eq('enabled', filters.enabled === 'yes')
  return query
}

const PAGE = 1000
const BY_NUMBER: readonly Order[] = [{ column: 'id', descending: false }]

export async function allKnown(signal: AbortSignal): Promise<RemoteAe[]> {
  const known: RemoteAe[] = []
  for (;;) {
    let query = api.from('remote_ae').select()
    const last = known.at(-1)
    if (last !== undefined) query = query.or(after(BY_NUMBER, [last.id]))
    const page = await rows(query.order('id').limit(PAGE).abortSignal(signal))
    known.push(...page)
    if (page.length < PAGE) return known
  }
}

/** The row that counts for a caller, as the gateway finds it: of those for its AE title the one with the smallest network. */
export function knownAs(caller: Pick<Caller, 'calling_ae' | 'peer_address'>, known: readonly RemoteAe[]): RemoteAe | null {
  const address = parseNetwork(caller.peer_address)
  let best: { row: RemoteAe; prefix: number } | null = null
  for (const row of known) {
    if (row.ae_title !== caller.calling_ae) continue
    const network = row.network === null ? null : parseNetwork(row.network)
    const fits = row.network === null || (network !== null && address !== null && contains(network, address))
    const prefix = network?.prefix ?? -1
    if (fits && (best === null || prefix > best.prefix)) best = { row, prefix }
  }
  return best?.row ?? null
}

export function callerLook(row: Pick<RemoteAe, 'enabled'> | null): Look {
  if (row === null) return { tone: 'neutral', icon: iconUnknown, label: t('peers.caller.states.unknown') }
  return row.enabled
    ? { tone: 'ok', icon: iconOk, label: t('peers.caller.states.allowed') }
    : { tone: 'critical', icon: iconFailed, label: t('peers.caller.states.off') }
}

// ---------- who has called ----------

export const CALLED_FILTERS = ['calling_ae', 'address', 'refused'] as const
export type CalledFilters = Record<(typeof CALLED_FILTERS)[number], string>

export function queryCalled(filters: CalledFilters) {
  let query = api.from('caller').select()
  if (filters.calling_ae !== '') query = query.ilike('calling_ae', containing(filters.calling_ae))
  if (filters.address !== '') query = byAddress(query, 'peer_address', filters.address)
  if (filters.refused !== '') query = filters.refused === 'yes' ? query.gt('refused', 0) : query.eq('refused', 0)
  return query
}

/** One that never said its AE title, and the sum of those that are too many to be told apart, cannot be let in by name. */
export function isNamed({ calling_ae: ae }: Pick<Caller, 'calling_ae'>): boolean {
  return ae !== '' && ae !== '(others)'
}

/** The last thing that we did with it was to refuse it. */
export function lastRefused({ last_refused_at: refused, last_seen_at: seen }: Pick<Caller, 'last_refused_at' | 'last_seen_at'>): boolean {
  return refused !== null && Date.parse(refused) >= Date.parse(seen)
}

// ---------- the form ----------

export interface CallerDraft {
  ae_title: string
  network: string
  description: string
  enabled: boolean
  may_store: boolean
  may_echo: boolean
  max_associations: string
  username: string
  /** a new one; empty: as it is */
  passcode: string
  removePasscode: boolean
}

export function draftOf(row: RemoteAe | null, caller: Pick<Caller, 'calling_ae' | 'peer_address'> | null): CallerDraft {
  return {
    ae_title: row?.ae_title ?? caller?.calling_ae ?? '',
    network: textOf(row === null ? (caller?.peer_address ?? null) : row.network),
    description: textOf(row?.description ?? null),
    enabled: row?.enabled ?? true,
    may_store: row?.may_store ?? true,
    may_echo: row?.may_echo ?? true,
    max_associations: textOf(row?.max_associations ?? null),
    username: textOf(row?.username ?? null),
    passcode: '',
    removePasscode: false,
  }
}

/** The columns, as the server takes them; without the passcode, if it stays as it is. */
export function columnsOf(draft: CallerDraft) {
  return {
    ae_title: filled(draft.ae_title) ?? '', network: filled(draft.network), description: filled(draft.description),
    enabled: draft.enabled, may_store: draft.may_store, may_echo: draft.may_echo,
    max_associations: numberOf(draft.max_associations), username: filled(draft.username),
    ...(draft.removePasscode ? { passcode: null } : draft.passcode === '' ? {} : { passcode: draft.passcode }),
  }
}

export const SHAPE: FormShape = {
  relation: 'remote_ae',
  fields: ['ae_title', 'network', 'description', 'max_associations', 'username', 'passcode'],
  about: { cidr: 'network' },
}
