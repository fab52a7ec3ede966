/*
 * What a field of FilterBar is; its value is a text, empty if it is not used.
 */
export interface Filter<N extends string> {
  name: N
  label: string
  /** one of these; without: typed text */
  options?: readonly { value: string; label: string }[]
  type?: 'datetime-local' | 'date' | 'number'
}
