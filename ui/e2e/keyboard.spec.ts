/*
 * Everything by keyboard alone; where the focus is, and where it returns to.
 */
import type { Locator, Page } from '@playwright/test'
import { open } from './harness/screen'
import { menu } from './harness/shell'
import { expect, test } from './harness/test'

/** More steps than it takes to any place of a page. */
const MOST_STEPS = 60

/** Tab, or Shift+Tab, until this has the focus. */
async function tabTo(wanted: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  for (let i = 0; i < MOST_STEPS; i++) {
    await wanted.page().keyboard.press(key)
    if (await wanted.evaluate((element) => element === document.activeElement)) return
  }
  throw new Error(`${key} does not lead to ${String(wanted)}`)
}

async function focusedRow(page: Page): Promise<number> {
  return page.evaluate(() => Number(document.activeElement?.closest('tr')?.dataset.index ?? -1))
}

test('the skip link comes first, and leads to the content', async ({ page }) => {
  await open(page, '/queue')
  const skip = page.getByRole('link', { name: 'Skip to content' })
  await tabTo(skip, 'Shift+Tab')
  await expect(skip).toBeInViewport()
  await page.keyboard.press('Shift+Tab')
  expect(await page.evaluate(() => document.activeElement === document.body), 'nothing before it').toBe(true)
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('main')).toBeFocused()
})

test('the menu leads to a page, whose heading gets the focus', async ({ page }) => {
  await open(page, '/')
  await tabTo(menu(page).getByRole('link', { name: 'Studies' }), 'Shift+Tab')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { level: 1, name: 'Studies' })).toBeFocused()
  await expect(menu(page).getByRole('link', { name: 'Studies' })).toHaveAttribute('aria-current', 'page')
})

test('rows of a table are gone through, opened, selected', async ({ page }) => {
  await open(page, '/queue')
  await page.getByRole('row').nth(1).focus()
  expect(await focusedRow(page)).toBe(0)
  await page.keyboard.press('ArrowDown')
  await expect.poll(() => focusedRow(page)).toBe(1)
  await page.keyboard.press('End')
  await expect.poll(() => focusedRow(page)).toBeGreaterThan(1)
  await page.keyboard.press('Home')
  await expect.poll(() => focusedRow(page)).toBe(0)

  await page.keyboard.press('Enter')
  await expect(page.getByRole('dialog', { name: /^Job / })).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(page.getByRole('dialog')).toHaveCount(0)
  await expect.poll(() => focusedRow(page)).toBe(0)

  await page.keyboard.press('Space')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Shift+Space')
  await expect(page.getByText('2 jobs selected')).toBeVisible()
})

test('a dialog keeps the focus, and gives it back', async ({ page }) => {
  await open(page, '/queue?state=failed')
  await tabTo(page.getByRole('button', { name: 'Retry' }))
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog', { name: 'Retry', exact: true })
  await expect(dialog.getByText(/will be tried again at once/)).toBeVisible()
  const inside = () => dialog.evaluate((element) => element.contains(document.activeElement))
  await expect.poll(inside).toBe(true)
  for (let i = 0; i < 6; i++) {
    await page.keyboard.press('Tab')
    // it may go to the browser's own controls, of which the page knows nothing, but not to what is behind
    const own = await page.evaluate(() => document.activeElement === document.body)
    expect(own || (await inside()), `after Tab ${i + 1}`).toBe(true)
  }
  await page.keyboard.press('Escape')
  await expect(dialog).toHaveCount(0)
  await expect(page.getByRole('button', { name: 'Retry', exact: true })).toBeFocused()
})

test('colours are chosen from a menu, and kept', async ({ page }) => {
  await open(page, '/')
  await tabTo(page.getByRole('button', { name: 'Display' }), 'Shift+Tab')
  await page.keyboard.press('Enter')
  const dark = page.getByRole('menuitemradio', { name: 'Dark' })
  await expect(dark).toBeVisible()
  await tabTo(dark)
  await page.keyboard.press('Enter')
  await expect(page.locator('body')).toHaveClass(/body--dark/)
  await expect(page.getByRole('button', { name: 'Display' })).toBeFocused()
  await page.reload()
  await expect(page.locator('body')).toHaveClass(/body--dark/)
})
