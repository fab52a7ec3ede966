/*
 * Associations as the page asks for them: open ones first, then those that have ended, the newest first.
 */
import { api, type Filled, type Row } from '@/api/client'
import { iconCancelled, iconCritical, iconFailed, iconOk, iconReceived, iconUnknown, iconWaiting, iconWarning } from '@/icons'
import { byAddress } from '@/lib/addressFilter'
import { quoted, type Order } from '@/lib/keyset'
import { momentOf } from '@/lib/localTime'
import type { Look } from '@/lib/states'

export type Association = Filled<Row<'association'>, 'id' | 'state' | 'peer_address' | 'peer_port' | 'started_at' | 'objects' | 'bytes'>

export const FILTERS = ['state', 'listener', 'calling_ae', 'called_ae', 'peer_address', 'from', 'until'] as const
export type FilterName = (typeof FILTERS)[number]
export type Filters = Record<FilterName, string>

const OPEN = ['connected', 'open'] as const
const ENDED = [
  'released', 'aborted by the peer', 'closed by the peer', 'timed out', 'rejected', 'turned away', 'broke the protocol', 'TLS failed', 'aborted by us',
  'failed', 'lost',
] as const
export const STATES = [...OPEN, ...ENDED]

/** As its index has it. */
export const ORDER: readonly Order[] = [
  { column: 'ended_at', descending: true, nullsFirst: true },
  { column: 'id', descending: true },
]

export function queryAssociations(filters: Filters) {
  let query = api.from('association').select()
  for (const name of ['state', 'listener', 'calling_ae', 'called_ae'] as const) {
    if (filters[name] !== '') query = query.eq(name, filters[name])
  }
  if ((OPEN as readonly string[]).includes(filters.state)) query = query.is('ended_at', null)
  if (filters.peer_address !== '') query = byAddress(query, 'peer_address', filters.peer_address)
  // what was open at some time between the two
  const from = momentOf(filters.from)
  const until = momentOf(filters.until)
  if (from !== null) query = query.or(`ended_at.is.null,ended_at.gte.${quoted(from)}`)
  if (until !== null) query = query.lte('started_at', until)
  return query
}

/** One as it is now; it is not looked for among those that had ended before it began. */
export function queryOne({ id, started_at }: Pick<Association, 'id' | 'started_at'>) {
  return api.from('association').select().eq('id', id).or(`ended_at.is.null,ended_at.gte.${quoted(started_at)}`)
}

/** Seconds from its first to its last moment; null: it is open. */
export function lasted(association: Pick<Association, 'started_at' | 'ended_at'>): number | null {
  return association.ended_at === null ? null : (Date.parse(association.ended_at) - Date.parse(association.started_at)) / 1000
}

/** A state is the server's own word for it: it is what one finds in its log, too. */
export function associationLook(state: string): Look {
  switch (state) {
    case 'connected': return { tone: 'info', icon: iconWaiting, label: state }
    case 'open': return { tone: 'info', icon: iconReceived, label: state }
    case 'released': return { tone: 'ok', icon: iconOk, label: state }
    case 'aborted by the peer':
    case 'closed by the peer': return { tone: 'warning', icon: iconWarning, label: state }
    case 'aborted by us': return { tone: 'neutral', icon: iconCancelled, label: state }
    case 'rejected':
    case 'turned away': return { tone: 'critical', icon: iconFailed, label: state }
    case 'timed out':
    case 'broke the protocol':
    case 'TLS failed':
    case 'failed':
    case 'lost': return { tone: 'critical', icon: iconCritical, label: state }
    default: return { tone: 'neutral', icon: iconUnknown, label: state }
  }
}
