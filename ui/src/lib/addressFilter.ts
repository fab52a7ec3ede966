/*
 * A filter of an inet column by what people type: an address, a network, or the beginning of an address.
 */
import { addressRange } from './network'

interface Comparable {
  eq(column: string, value: string): this
  gte(column: string, value: string): this
  lte(column: string, value: string): this
}

/** What is no address goes to the server as it is, which says so. */
export function byAddress<Q extends Comparable>(query: Q, column: string, text: string): Q {
  const range = addressRange(text)
  return range === null ? query.eq(column, text) : query.gte(column, range.from).lte(column, range.to)
}
