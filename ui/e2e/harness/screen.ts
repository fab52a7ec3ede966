/*
 * Looking at a page as a whole.
 */
import { expect, type Page } from '@playwright/test'

/** Its heading is there, and nothing says that it is still loading. */
export async function settled(page: Page): Promise<void> {
  await expect(page.locator('h1')).toBeVisible()
  await page.waitForLoadState('networkidle')
  await expect(page.locator('.q-spinner, .q-inner-loading')).toHaveCount(0)
}

export async function open(page: Page, address: string): Promise<void> {
  await page.goto(address)
  await settled(page)
}

/** What is wider than the window, and where: nothing should be. */
export async function overflow(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const root = document.documentElement
    if (root.scrollWidth <= root.clientWidth) return []
    const wide = [...document.querySelectorAll('body *')].filter((element) => element.getBoundingClientRect().right > root.clientWidth + 1)
    return [`the page is ${root.scrollWidth} px wide`, ...wide.slice(0, 5).map((element) => `${element.tagName}.${[...element.classList].join('.')}`)]
  })
}
