/*
 * Which field of a form an error is about.  Constraints of dicomgw are named as sentences, after their table:
 * destination_max_associations_must_be_between_1_and_64; so they say both, where and what.
 */
import { toApiError, type ApiError } from '@/api/error'
import { t } from '@/i18n'

export interface FieldError {
  /** null: none of the fields, or nobody knows which */
  field: string | null
  message: string
}

const QUOTED = /"([^"]+)"/g

export interface FormShape {
  /** table or view that is written to, without schema */
  relation?: string
  /** names of the fields, as columns or arguments are called */
  fields: readonly string[]
  /** constraints, domains or words of a message that are about a field which they don't name */
  about?: Readonly<Record<string, string>>
}

/** destination_https_has_tls of destination: https has tls */
export function sentence(constraint: string, relation = ''): string {
  const rest = constraint.startsWith(`${relation}_`) ? constraint.slice(relation.length + 1) : constraint
  return rest.replaceAll('_', ' ')
}

/** The longest field whose name begins the text. */
function leading(text: string, fields: readonly string[]): string | null {
  const found = fields.filter((field) => text === field || text.startsWith(`${field}_`))
  return found.sort((a, b) => b.length - a.length)[0] ?? null
}

function byConstraint(error: ApiError, constraint: string, shape: FormShape): FieldError {
  const own = shape.relation !== undefined && constraint.startsWith(`${shape.relation}_`)
  const rest = own ? constraint.slice((shape.relation ?? '').length + 1) : constraint
  const field = shape.about?.[constraint] ?? leading(rest, shape.fields)
  // PostgreSQL's own names are no sentences; those of check constraints end with _check, of keys their details tell more
  const said = error.code === '23514' && (own || error.message.startsWith('value for domain')) && !constraint.endsWith('_check')
  return { field, message: said ? sentence(constraint, shape.relation) : explained(error) }
}

function explained(error: ApiError): string {
  if (error.code === '23505' || error.code === '23503') return [error.details ?? error.message, error.hint].filter(Boolean).join(' ')
  // of what a constraint refuses, the details show the whole row
  const details = error.details?.startsWith('Failing row') ? null : error.details
  return [error.message, details, error.hint].filter(Boolean).map((part, i, all) => (i < all.length - 1 && !/[.:!?]$/.test(part ?? '') ? `${part}.` : part)).join(' ')
}

/** Waits for what is about one field: an error of it is shown there, whatever its words. */
export async function atField<T>(field: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (caught) {
    const error = toApiError(caught)
    error.field = field
    throw error
  }
}

export function fieldError(error: ApiError, shape: FormShape): FieldError {
  if (error.field !== null && error.kind === 'refused') return { field: error.field, message: explained(error) }
  const column = /column "([^"]+)"/.exec(error.message)?.[1]
  if (column !== undefined && shape.fields.includes(column)) return { field: column, message: error.code === '23502' ? t('errors.needed') : explained(error) }
  const keyColumns = /^Key \(([^)]+)\)/.exec(error.details ?? '')?.[1]?.split(', ') ?? []
  const keyField = keyColumns.find((name) => shape.fields.includes(name))
  if (keyField !== undefined) return { field: keyField, message: explained(error) }
  const constraint = /constraint "([^"]+)"/.exec(error.message)?.[1]
  if (constraint !== undefined) {
    const found = byConstraint(error, constraint, shape)
    if (found.field !== null) return found
    const domain = /domain (?:[\w]+\.)?"?(\w+)"?/.exec(error.message)?.[1]
    return { field: (domain !== undefined ? shape.about?.[domain] : undefined) ?? null, message: found.message }
  }
  for (const [words, field] of Object.entries(shape.about ?? {})) {
    if (error.message.includes(words)) return { field, message: explained(error) }
  }
  const named = [...error.message.matchAll(QUOTED)].map((match) => match[1] ?? '').find((name) => shape.fields.includes(name))
  return { field: named ?? null, message: explained(error) }
}
