import { expect, it } from 'vitest'
import { t } from '@/i18n'

it('fills in parameters, and chooses by number', () => {
  expect(t('queue.selected', { n: 1 })).toBe('1 job selected')
  expect(t('queue.selected', { n: 1200 })).toBe('1,200 jobs selected')
  expect(t('queue.jobTitle', { id: '1200' })).toBe('Job 1200')
})
