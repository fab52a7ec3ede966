/*
 * The one way to the API: postgrest-js with the generated types, the session's cookie, and every
 * failure thrown as an ApiError.
 *
 *	rows(api.from('study').select())		the rows
 *	call('retry', { job_id: 5 })			what a function answers
 *
 * It also tells who wants to know whether the server answers (composables/useConnection.ts) and that
 * the session is over (composables/useSession.ts).
 */
import { PostgrestClient } from '@supabase/postgrest-js'
import { ApiError, isAway } from './error'
import type { Database } from './schema'

type Schema = Database['dicomgw_api']
export type ViewName = keyof Schema['Views']
export type FunctionName = keyof Schema['Functions']
export type Row<V extends ViewName> = Schema['Views'][V]['Row']
export type Args<F extends FunctionName> = Schema['Functions'][F]['Args']
export type Returns<F extends FunctionName> = Schema['Functions'][F]['Returns']

/** A row whose named columns are known to be filled, which views cannot promise (see schema.ts). */
export type Filled<T, K extends keyof T> = Omit<T, K> & { [P in K]-?: NonNullable<T[P]> }

export const API_PATH = '/api'

/** What the rest of the program wants to hear of requests. */
export const listeners = {
  answered: () => {},
  away: () => {},
  slow: () => {},
  signedOut: () => {},
}

/** Longer than an answer takes, but that of a few functions. */
const SLOW_MS = 8000

async function watchedFetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const slow = setTimeout(() => listeners.slow(), SLOW_MS)
  let response: Response
  try {
    response = await fetch(input, { ...init, credentials: 'same-origin' })
  } catch (error) {
    // a request that was given up says nothing about the server
    if (!(error instanceof DOMException && error.name === 'AbortError')) listeners.away()
    throw error
  } finally {
    clearTimeout(slow)
  }
  if (isAway(response.status, response.status === 503 ? await codeOf(response) : '')) listeners.away()
  else listeners.answered()
  return response
}

async function codeOf(response: Response): Promise<string> {
  const body: unknown = await response.clone().json().catch(() => null)
  return body !== null && typeof body === 'object' && 'code' in body ? String(body.code) : ''
}

export const api = new PostgrestClient<Database, { PostgrestVersion: '12' }, 'dicomgw_api'>(new URL(API_PATH, location.origin).href, {
  schema: 'dicomgw_api',
  fetch: watchedFetch,
  retry: false,
})

interface Answer<T> {
  data: T | null
  error: { code?: string; message: string; details?: string | null; hint?: string | null } | null
  status: number
  count?: number | null
}

/** Functions that look at a password: their 401 is about that one, not about the session. */
const ABOUT_PASSWORDS: readonly string[] = ['login', 'change_password']

function checked<T>(answer: Answer<T>, of?: string): T {
  if (answer.error !== null) {
    const error = new ApiError({ ...answer.error, status: answer.status })
    if (error.kind === 'signed-out' && !ABOUT_PASSWORDS.includes(of ?? '')) listeners.signedOut()
    throw error
  }
  return answer.data as T
}

/** The rows of a query, or an ApiError. */
export async function rows<T>(query: PromiseLike<Answer<T>>): Promise<T> {
  return checked(await query)
}

/** The rows of a query that asked for a count, and the count. */
export async function rowsAndCount<T>(query: PromiseLike<Answer<T>>): Promise<{ rows: T; count: number | null }> {
  const answer = await query
  return { rows: checked(answer), count: answer.count ?? null }
}

/** Calls a function, by POST. */
export async function call<F extends FunctionName>(name: F, ...args: Record<string, never> extends Args<F> ? [args?: Args<F>] : [args: Args<F>]): Promise<Returns<F>> {
  // the builder's type depends on F in ways that it cannot resolve here; what comes back is what schema.ts says
  const builder = api.rpc(name, (args[0] ?? {}) as never) as unknown as PromiseLike<Answer<Returns<F>>>
  return checked(await builder, name)
}

/** The one row that a function with OUT parameters answers, in PostgREST an object or a list of one. */
export function only<T>(answer: T | T[]): T {
  if (!Array.isArray(answer)) return answer
  const first: T | undefined = answer[0]
  if (first === undefined) throw new ApiError({ message: 'the answer is empty', status: 200 })
  return first
}

/** What a function answers that is not JSON, as an address: for img, and for links that download. */
export function addressOf(name: string, args: Readonly<Record<string, string | number | null | undefined>>): string {
  const given = Object.entries(args).filter(([, value]) => value !== null && value !== undefined)
  return `${API_PATH}/rpc/${name}?${new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString()}`
}

/** The bytes at such an address, or an ApiError. */
export async function bytesAt(address: string, signal: AbortSignal): Promise<Blob> {
  const response = await watchedFetch(address, { signal })
  if (response.ok) return response.blob()
  const body = (await response.json().catch(() => null)) as Answer<never>['error']
  return checked<never>({ data: null, error: body ?? { message: response.statusText }, status: response.status })
}
