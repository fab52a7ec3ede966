/*
 * What can go wrong with a request, in one shape: PostgREST's {code, message, details, hint}, the
 * status of the answer, and which of four kinds it is, as each is met differently.
 */
export type ErrorKind =
  /** no answer, or one of the proxy that there is none: the server is away */
  | 'away'
  /** the session is over, or there was none */
  | 'signed-out'
  /** the role does not allow it */
  | 'forbidden'
  /** refused: the message says why */
  | 'refused'

export class ApiError extends Error {
  readonly code: string
  readonly details: string | null
  readonly hint: string | null
  /** HTTP status; 0: there was no answer */
  readonly status: number
  /** of a form, which field it is about, where the caller knows (lib/formErrors.ts) */
  field: string | null = null

  constructor(parts: { code?: string; message: string; details?: string | null; hint?: string | null; status: number }) {
    super(parts.message)
    this.name = 'ApiError'
    this.code = parts.code ?? ''
    this.details = parts.details || null
    this.hint = parts.hint || null
    this.status = parts.status
  }

  get kind(): ErrorKind {
    if (isAway(this.status, this.code)) return 'away'
    if (this.status === 401) return 'signed-out'
    if (this.status === 403) return 'forbidden'
    return 'refused'
  }
}

/** nginx answers 502 and 504, PostgREST 503 with a code PGRST0.. or of connections, when the database is away */
export function isAway(status: number, code: string): boolean {
  if (status === 0 || status === 502 || status === 504) return true
  return status === 503 && (code === '' || /^(PGRST00|57P0|08)/.test(code))
}

export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error
  if (error instanceof Error) return new ApiError({ message: error.message, status: 0 })
  return new ApiError({ message: String(error), status: 0 })
}
