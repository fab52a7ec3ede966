/*
 * Every page that the application has: reachable, accessible in light and dark, as wide as a phone, without a complaint
 * of the browser's.  A page that is added is tested by being there.
 */
import { violations } from './harness/accessibility'
import { gateway } from './harness/gateway'
import { shellRoutes } from './harness/pages'
import { open, overflow, settled } from './harness/screen'
import { expect, test } from './harness/test'

for (const { path } of shellRoutes) {
  test(`page ${path}`, async ({ page }) => {
    const address = gateway().addresses[path]
    expect(address, 'no link leads to this page').toBeDefined()

    await open(page, address ?? '')
    expect(await violations(page), 'accessibility, light').toEqual([])
    await page.emulateMedia({ colorScheme: 'dark' })
    await expect(page.locator('body')).toHaveClass(/body--dark/)
    expect(await violations(page), 'accessibility, dark').toEqual([])

    await page.setViewportSize({ width: 360, height: 740 })
    await settled(page)
    expect(await overflow(page), 'at 360 px').toEqual([])
    expect(await violations(page), 'accessibility at 360 px').toEqual([])
  })
}

test('a page that there is not', async ({ page }) => {
  await open(page, '/no/such/page')
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('No such page')
  expect(await violations(page)).toEqual([])
})
