/*
 * Who has signed in, and what he may.  The router asks before each page (router/index.ts); pages ask
 * can('operator') to show what is of use only.  It is no protection: the database refuses by itself.
 */
import { computed, readonly, ref } from 'vue'
import { call } from '@/api/client'
import { ApiError } from '@/api/error'

export type Role = 'viewer' | 'operator' | 'admin' | 'metrics'

export interface Me {
  username: string
  role: Role
  scope: { calling_aes: string[] | null; institutions: string[] | null } | null
  must_change_password: boolean
  expires_at: string
  database_time: string
}

const RANK: Record<Role, number> = { metrics: 0, viewer: 1, operator: 2, admin: 3 }

const me = ref<Me | null>(null)
/** milliseconds that the clock of the database is ahead of the browser's */
const clockOffset = ref(0)

/** Asks the server who this is; null: nobody. */
async function load(): Promise<Me | null> {
  const asked = Date.now()
  try {
    const answer = (await call('me')) as unknown as Me | null
    if (answer !== null) {
      const answered = Date.now()
      clockOffset.value = Date.parse(answer.database_time) - (asked + answered) / 2
    }
    me.value = answer
  } catch (error) {
    // anonymous may not even ask (42501); PostgREST makes that 401
    if (error instanceof ApiError && (error.kind === 'signed-out' || error.kind === 'forbidden')) me.value = null
    else throw error
  }
  return me.value
}

/** An ApiError if it is not to be: 401 wrong, 429 too many failures, 503 too many at the same time. */
async function signIn(username: string, password: string): Promise<Me | null> {
  await call('login', { username, password })
  return load()
}

async function signOut(): Promise<void> {
  try {
    await call('logout')
  } finally {
    me.value = null
  }
}

async function changePassword(old: string, replacement: string): Promise<void> {
  await call('change_password', { old, new: replacement })
  await load()
}

/** The session is over, as an answer has said. */
export function forgetSession(): void {
  me.value = null
}

export function can(role: Role): boolean {
  return me.value !== null && RANK[me.value.role] >= RANK[role]
}

/** The database's time, as far as the browser knows it: what "5 minutes ago" counts from. */
export function databaseNow(): number {
  return Date.now() + clockOffset.value
}

export function useSession() {
  return {
    me: readonly(me),
    signedIn: computed(() => me.value !== null),
    can,
    load,
    signIn,
    signOut,
    changePassword,
  }
}
