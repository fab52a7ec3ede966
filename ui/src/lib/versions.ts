/*
 * What differs between versions of a row of the configuration, as configuration_history keeps them.
 */
import type { Row } from '@/api/client'
import type { Json } from '@/api/schema'
import { t } from '@/i18n'

export type Version = Row<'configuration_history'>

export interface Difference {
  column: string
  /** null: it has no value */
  before: string | null
  after: string | null
}

function shown(value: Json | undefined): string | null {
  if (value === null || value === undefined) return null
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.map((item) => shown(item) ?? '').join(', ')
  return JSON.stringify(value)
}

function secretShown(version: Json | undefined): string | null {
  return version === null || version === undefined ? null : t('versions.secret', { version: String(shown(version)) })
}

/** All that it says, by column: values as texts, and of a secret only which one it is. */
function textsOf(version: Version | undefined): Map<string, string | null> {
  const contents = (version?.contents ?? {}) as Record<string, Json>
  const secrets = (version?.secrets ?? {}) as Record<string, Json>
  return new Map([
    ...Object.entries(contents).map(([column, value]) => [column, shown(value)] as const),
    ...Object.entries(secrets).map(([column, value]) => [column, secretShown(value)] as const),
  ])
}

/** What became of one version in the other; without one before, all that has a value. */
export function differences(before: Version | undefined, after: Version): Difference[] {
  const old = textsOf(before)
  const now = textsOf(after)
  const columns = [...new Set([...old.keys(), ...now.keys()])]
  return columns
    .map((column) => ({ column, before: old.get(column) ?? null, after: now.get(column) ?? null }))
    .filter((difference) => difference.before !== difference.after)
}

export interface Change {
  version: Version
  differences: Difference[]
  /** it begins here: there is nothing that it could differ from */
  first: boolean
}

/** Versions of one row, the last first, each with what it changed; what is deleted has no differences. */
export function changesOf(versions: readonly Version[]): Change[] {
  return versions.map((version, i) => {
    const before = versions[i + 1]
    const first = version.version === 1 || before?.operation === 'delete'
    const gone = version.operation === 'delete'
    return { version, first, differences: gone ? [] : differences(first ? undefined : before, version) }
  })
}

/** revert() knows rows by name: only of the last one that had it can it be said which one is meant. */
export function nameIsTaken(deleted: Version, lastDeleted: readonly Version[], present: readonly Version[]): boolean {
  if (present.some(({ name }) => name === deleted.name)) return true
  const last = lastDeleted.find(({ name }) => name === deleted.name)
  return last !== undefined && last.row_key !== deleted.row_key
}

/** Of deletions, the last first, the last one of each row, if it was not restored since. */
export function stillDeleted(deletions: readonly Version[], present: readonly Version[]): Version[] {
  const there = new Set(present.map(({ row_key }) => row_key))
  const seen = new Set<string>()
  return deletions.filter(({ row_key }) => {
    if (there.has(row_key) || seen.has(row_key)) return false
    seen.add(row_key)
    return true
  })
}
