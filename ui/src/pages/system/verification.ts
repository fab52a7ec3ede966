/*
 * What verify() found of the copies of an object, in words.
 */
import type { Returns } from '@/api/client'
import { t } from '@/i18n'

export function verdict(copies: Returns<'verify'>): string {
  const wrong = copies.filter(({ ok }) => ok === false)
  if (wrong.length > 0) return t('system.problem.still', { problems: wrong.map(({ place, problem }) => `${place}: ${problem}`).join('; ') })
  return copies.every(({ ok }) => ok === null) ? t('system.problem.gone') : t('system.problem.well')
}
