/*
 * Users as the page shows them: what state one is in, and what is sent when one is changed.
 */
import { api, rowsAndCount, type Args, type Row } from '@/api/client'
import type { Role } from '@/composables/useSession'
import { iconCancelled, iconOk, iconPassword, iconWaiting } from '@/icons'
import { t } from '@/i18n'
import type { Look } from '@/lib/states'

export type User = Row<'app_user'>

export const ROLES = ['viewer', 'operator', 'admin', 'metrics'] as const satisfies readonly Role[]

export function roleLabel(role: string): string {
  return ROLES.some((known) => known === role) ? t(`roles.${role as Role}`) : role
}

/** The one thing about a user that counts most. */
export function userLook(user: Pick<User, 'disabled' | 'locked_until' | 'must_change_password'>): Look {
  if (user.disabled) return { tone: 'neutral', icon: iconCancelled, label: t('users.states.disabled') }
  if (user.locked_until !== null) return { tone: 'warning', icon: iconWaiting, label: t('users.states.locked') }
  if (user.must_change_password) return { tone: 'info', icon: iconPassword, label: t('users.states.fresh') }
  return { tone: 'ok', icon: iconOk, label: t('users.states.active') }
}

export function limitsOf(user: Pick<User, 'scope_calling_aes' | 'scope_institutions'>): string[] {
  return [...(user.scope_calling_aes ?? []), ...(user.scope_institutions ?? [])]
}

/** What a form about a user holds. */
export interface UserDraft {
  username: string
  role: Role
  scope_calling_aes: string[]
  scope_institutions: string[]
  db_role: string
}

export function draftOf(user: User | null): UserDraft {
  return {
    username: user?.username ?? '',
    role: (user?.role as Role | undefined) ?? 'viewer',
    scope_calling_aes: [...(user?.scope_calling_aes ?? [])],
    scope_institutions: [...(user?.scope_institutions ?? [])],
    db_role: user?.db_role ?? '',
  }
}

/** What create_user is given; only a viewer has limits, and an empty list is none. */
export function createArgs(draft: UserDraft): Args<'create_user'> {
  const limits = (words: readonly string[]) => (draft.role === 'viewer' && words.length > 0 ? [...words] : null)
  return {
    username: draft.username,
    role: draft.role,
    scope_calling_aes: limits(draft.scope_calling_aes),
    scope_institutions: limits(draft.scope_institutions),
    db_role: draft.db_role.trim() === '' ? null : draft.db_role.trim(),
  }
}

/** The same for update_user: the limits are those of the form, and no others. */
export function updateArgs(draft: UserDraft): Args<'update_user'> {
  return { ...createArgs(draft), unlimited: true }
}

/** How many sessions of a user are open; null: of all users together. */
export async function countSessions(username: string | null): Promise<number> {
  let query = api.from('session').select('id', { count: 'exact', head: true })
  if (username !== null) query = query.eq('username', username)
  return (await rowsAndCount(query)).count ?? 0
}
