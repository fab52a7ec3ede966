/*
 * An address for each page: those of the menu are known; the others are found as a person finds them, by the links
 * of pages that are known.  So a page to which no link leads is found out, too.
 */
import type { Page } from '@playwright/test'
import { hasParameters, patternOf, shellRoutes } from './pages'
import { open } from './screen'

async function linksOf(page: Page): Promise<string[]> {
  return page.locator('main a[href^="/"]').evaluateAll((links) => links.map((link) => link.getAttribute('href') ?? ''))
}

/** Opens one of each; visit: what is done there. */
export async function findAddresses(page: Page, visit: (address: string) => Promise<void> = () => Promise.resolve()): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  const queue: string[] = []
  const take = (path: string, address: string) => {
    found[path] = address
    queue.push(address)
  }
  for (const route of shellRoutes) if (route.menu) take(route.path, route.path)
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    await open(page, next)
    await visit(next)
    for (const link of await linksOf(page)) {
      const path = link.replace(/[?#].*/s, '')
      const route = shellRoutes.find((r) => patternOf(r).test(path))
      if (route && !(route.path in found)) take(route.path, link)
    }
  }
  // of itself it shows the page, if nothing leads there
  for (const route of shellRoutes) if (!hasParameters(route)) found[route.path] ??= route.path
  return found
}
