/*
 * What LiveChart draws: points in time, and series over them.
 */
export interface Series {
  name: string
  /** a value for each point; null: none */
  values: readonly (number | null)[]
  kind?: 'line' | 'bar'
  /** a colour of styles/tokens.css */
  color: 'received' | 'sent' | 'failed' | 'neutral'
}
