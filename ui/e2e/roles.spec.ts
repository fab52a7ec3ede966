/*
 * What a role cannot do is not offered to it, and what it opens nevertheless says so.
 */
import type { Role } from '../src/composables/useSession'
import type { User } from './harness/gateway'
import { hasParameters, routes, shellRoutes } from './harness/pages'
import { open } from './harness/screen'
import { menuPaths } from './harness/shell'
import { expect, test } from './harness/test'

const RANK: Record<Role, number> = { metrics: 0, viewer: 1, operator: 2, admin: 3 }
const ROLE_OF: Partial<Record<User, Role>> = { victor: 'viewer', olga: 'operator', admin: 'admin' }

for (const [user, role] of Object.entries(ROLE_OF) as [User, Role][]) {
  const may = (needed: Role | 'anyone' = 'viewer') => needed !== 'anyone' && RANK[role] >= RANK[needed]

  test.describe(`as ${role}`, () => {
    // a page of another role asks for nothing, so the browser has nothing to complain of
    test.use({ user })

    test('the menu has the pages of this role, and no other', async ({ page }) => {
      await open(page, '/')
      const offered = routes.filter((route) => route.menu && may(route.role)).map(({ path }) => path)
      expect((await menuPaths(page)).sort()).toEqual(offered.sort())
    })

    // that all of them open for an admin is seen by pages.spec.ts
    if (role === 'admin') return
    test('pages open, or say which role they are for', async ({ page }) => {
      for (const route of shellRoutes.filter((r) => !hasParameters(r))) {
        await open(page, route.path)
        const refusal = page.getByText(`This page is for the role ${route.role}`)
        await expect(refusal, route.path).toHaveCount(may(route.role) ? 0 : 1)
        await expect(page.getByText('Your role does not allow this'), route.path).toHaveCount(0)
      }
    })
  })
}

test.describe('what changes something', () => {
  const JOB_VERBS = ['Retry', 'Cancel jobs', 'Set priority', 'Move']

  test.describe('for a viewer', () => {
    test.use({ user: 'victor' })
    test('is not offered', async ({ page }) => {
      await open(page, '/queue')
      await expect(page.getByRole('row').nth(1)).toBeVisible()
      for (const name of JOB_VERBS) await expect(page.getByRole('button', { name })).toHaveCount(0)
      await expect(page.getByRole('checkbox')).toHaveCount(0)
      await open(page, '/studies')
      await expect(page.getByRole('row').nth(1)).toBeVisible()
      await expect(page.getByRole('button', { name: 'Send again' })).toHaveCount(0)
    })
  })

  test.describe('for an operator', () => {
    test.use({ user: 'olga' })
    test('is offered', async ({ page }) => {
      await open(page, '/queue')
      for (const name of JOB_VERBS) await expect(page.getByRole('button', { name })).toBeVisible()
      await open(page, '/studies')
      await expect(page.getByRole('button', { name: 'Send again' })).toBeVisible()
    })
  })
})

test.describe('who may see the objects of one modality', () => {
  test.use({ user: 'cara' })
  test('sees no others', async ({ page }) => {
    await open(page, '/studies')
    const callers = page.getByRole('row').locator('[data-label="Calling AE"]')
    await expect(callers.first()).toBeVisible()
    expect(new Set(await callers.allInnerTexts())).toEqual(new Set(['CT1']))
  })
})
