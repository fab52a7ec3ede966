/*
 * Paging by key: the next page begins after the last row of this one, however many rows have come or gone
 * before it, and the database needs not count those that it skips.
 *
 * An order ends with a column that is unique, so that each row has its place.  Rows without a value come last, if
 * it does not say otherwise.
 */
export interface Order {
  readonly column: string
  readonly descending: boolean
  /** rows without a value come first, as in an index that is read backwards */
  readonly nullsFirst?: boolean
}
export type Key = readonly (string | number | boolean | null)[]

/** A value inside or=(...): quoted, as it may hold commas and parentheses. */
export function quoted(value: string | number | boolean): string {
  return typeof value === 'string' ? `"${value.replace(/[\\"]/g, '\\$&')}"` : String(value)
}

export function keyOf(row: Readonly<Record<string, unknown>>, order: readonly Order[]): Key {
  return order.map(({ column }) => (row[column] ?? null) as Key[number])
}

/**
 * An index has its rows without a value at the end, so it is of use to a descending order only if they come first.  The
 * last column has no such rows, so there it costs nothing.
 */
export function nullsFirst(order: readonly Order[], i: number): boolean {
  const { nullsFirst = false, descending = false } = order[i] ?? {}
  return i === order.length - 1 ? descending : nullsFirst
}

/** The rows behind (or, for the other side, up to and with) a key, as PostgREST's or=(...) has it. */
export function after(order: readonly Order[], key: Key): string {
  return alternatives(order, key, true)
}

export function upTo(order: readonly Order[], key: Key): string {
  const before = alternatives(order, key, false)
  const same = order.map(({ column }, i) => equal(column, key[i] ?? null))
  return `${before},${all(same)}`
}

function equal(column: string, value: Key[number]): string {
  return value === null ? `${column}.is.null` : `${column}.eq.${quoted(value)}`
}

function all(conditions: string[]): string {
  return conditions.length === 1 ? (conditions[0] as string) : `and(${conditions.join(',')})`
}

function alternatives(order: readonly Order[], key: Key, behind: boolean): string {
  const either: string[] = []
  order.forEach((o, i) => {
    const same = order.slice(0, i).map(({ column }, n) => equal(column, key[n] ?? null))
    const value = key[i] ?? null
    if (value !== null) either.push(all([...same, `${o.column}.${o.descending === behind ? 'lt' : 'gt'}.${quoted(value)}`]))
    const last = i === order.length - 1
    const nullsThere = behind !== nullsFirst(order, i)
    if (!last && value !== null && nullsThere) either.push(all([...same, `${o.column}.is.null`]))
    if (!last && value === null && !nullsThere) either.push(all([...same, `${o.column}.not.is.null`]))
  })
  return either.join(',')
}
