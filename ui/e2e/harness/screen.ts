/*
 * Looking at a page as a whole.
 */
import { expect, type Page, type Request } from '@playwright/test'

const QUIET_MS = 150
const pending = new WeakMap<Page, Set<Request>>()

/** Requests of this page that are not answered yet, from now on. */
export function track(page: Page): Set<Request> {
  const known = pending.get(page)
  if (known) return known
  const requests = new Set<Request>()
  page.on('request', (request) => requests.add(request))
  page.on('requestfinished', (request) => requests.delete(request))
  page.on('requestfailed', (request) => requests.delete(request))
  pending.set(page, requests)
  return requests
}

/**
 * Its heading is there, nothing says that it is still loading, and what it has asked for is answered.  (Playwright's
 * "networkidle" may never come on a slow machine, as pages ask every two seconds.)
 */
export async function settled(page: Page): Promise<void> {
  const requests = track(page)
  await expect(page.locator('h1')).toBeVisible()
  await expect(async () => {
    expect(requests.size).toBe(0)
    // an answer leads to another request, as a study does to its series
    await page.waitForTimeout(QUIET_MS)
    expect(requests.size).toBe(0)
    await expect(page.locator('.q-spinner, .q-inner-loading')).toHaveCount(0, { timeout: 1 })
  }).toPass({ intervals: [20], timeout: 20_000 })
}

export async function open(page: Page, address: string): Promise<void> {
  track(page)
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
