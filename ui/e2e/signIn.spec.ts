/*
 * Signing in and out.
 */
import { violations } from './harness/accessibility'
import { gateway, sql } from './harness/gateway'
import { overflow, settled } from './harness/screen'
import { signIn } from './harness/shell'
import { expect, test } from './harness/test'

test.use({ user: null, expected: /status of 401/ })

for (const colorScheme of ['light', 'dark'] as const) {
  test(`the page to sign in is accessible, ${colorScheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme })
    await page.goto('/login')
    await expect(page.getByLabel('User name')).toBeFocused()
    expect(await violations(page)).toEqual([])
    await page.setViewportSize({ width: 360, height: 740 })
    expect(await overflow(page)).toEqual([])
  })
}

test('a wrong password is refused, the right one leads on to where one wanted to', async ({ page }) => {
  await page.goto('/queue?state=failed')
  await expect(page).toHaveURL(/\/login\?to=/)
  await signIn(page, 'olga', 'not this one')
  await expect(page.getByRole('alert')).toContainText('user name or password is wrong')
  await expect(page.getByLabel('Password', { exact: true })).toHaveValue('not this one')

  await signIn(page, 'olga', gateway().password)
  await expect(page).toHaveURL(/\/queue\?state=failed$/)
  await settled(page)
  await expect(page.getByRole('button', { name: 'Account: olga' })).toBeVisible()
})

test('who has signed out has to sign in again, and sees nothing by going back', async ({ page }) => {
  await page.goto('/login')
  await signIn(page, 'olga', gateway().password)
  await expect(page.getByRole('heading', { level: 1, name: 'Dashboard' })).toBeVisible()
  await page.getByRole('button', { name: 'Account: olga' }).click()
  await page.getByText('Sign out').click()
  await expect(page).toHaveURL(/\/login$/)

  await page.goBack()
  await expect(page.getByLabel('User name')).toBeVisible()
  await page.goto('/studies')
  await expect(page).toHaveURL(/\/login\?to=/)
})

test('a session that is over is noticed at the next request', async ({ page }) => {
  await page.goto('/login')
  await signIn(page, 'olga', gateway().password)
  await expect(page.getByRole('heading', { level: 1, name: 'Dashboard' })).toBeVisible()
  await page.context().clearCookies()
  await expect(page).toHaveURL(/\/login/)
  await expect(page.getByLabel('User name')).toBeVisible()
})

test('a password for one time only has to be changed first', async ({ page }) => {
  const chosen = 'Another-Keeper-2026'
  sql(`UPDATE dicomgw.app_user SET password_hash = dicomgw._hash_password('${gateway().password}'), must_change_password = true WHERE username = 'newcomer'`)
  await page.goto('/login?to=/queue')
  await signIn(page, 'newcomer', gateway().password)
  await expect(page.getByRole('heading', { level: 1, name: 'Change password' })).toBeVisible()
  expect(await violations(page)).toEqual([])
  await page.goto('/studies')
  await expect(page).toHaveURL(/\/password/)

  await page.getByLabel('Password you were given').fill(gateway().password)
  await page.getByLabel('New password', { exact: true }).fill(chosen)
  await page.getByLabel('New password again').fill('something else')
  await expect(page.getByText('These two are different.')).toBeVisible()
  await page.getByLabel('New password again').fill(chosen)
  await page.getByRole('button', { name: 'Change password' }).click()
  await expect(page).toHaveURL(/\/studies$/)
})
