/*
 * The test of this project: signed in as somebody, and failing if the browser found anything wrong meanwhile.
 */
import { test as base, expect } from '@playwright/test'
import { gateway, type User } from './gateway'
import { track } from './screen'
import { watch } from './watch'

interface Options {
  /** who has signed in; null: nobody */
  user: User | null
  /** what the browser may complain of, as the test brings it about */
  expected: RegExp | null
}

export const test = base.extend<Options>({
  user: ['admin', { option: true }],
  expected: [null, { option: true }],
  // Playwright wants the pattern, though it is empty
  // eslint-disable-next-line no-empty-pattern
  baseURL: async ({}, use) => use(gateway().url),
  storageState: async ({ user }, use) => use(user === null ? undefined : gateway().sessions[user]),
  context: async ({ context, expected }, use) => {
    const found = await watch(context)
    context.on('page', track)
    await use(context)
    expect(found.filter((line) => !expected?.test(line)), 'what the browser complains of').toEqual([])
  },
})
export { expect }
