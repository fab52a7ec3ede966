/*
 * What a column of DataTable is.
 */
export interface Column<R> {
  name: string
  label: string
  /** its text; a slot "cell-<name>" can show it otherwise */
  value: (row: R) => string | number | null | undefined
  /** the view's column to order by; none: it cannot be ordered by */
  orderBy?: string
  align?: 'right'
  /** CSS width; none: as its content needs */
  width?: string
  /** hidden until somebody wants it */
  optional?: boolean
  /** the row's heading: cannot be hidden, and names its row to a screen reader */
  heading?: boolean
}
