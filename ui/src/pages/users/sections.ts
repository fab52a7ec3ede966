/*
 * The pages about users, in the order of their tabs.
 */
import { t } from '@/i18n'

export const USER_SECTIONS = [
  { name: 'users', label: t('users.title') },
  { name: 'sessions', label: t('users.sessions') },
] as const
