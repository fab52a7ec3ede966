/*
 * What axe finds against WCAG 2.2 AA and good practice, in a form that says where.
 */
import type { Page } from '@playwright/test'
import axe, { type AxeResults } from 'axe-core'

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa', 'best-practice']

export async function violations(page: Page): Promise<string[]> {
  // not by a script element, which the Content-Security-Policy would forbid
  await page.evaluate(axe.source)
  const results: AxeResults = await page.evaluate(
    (values) => (globalThis as unknown as { axe: typeof axe }).axe.run(document, { runOnly: { type: 'tag', values }, resultTypes: ['violations'] }),
    TAGS,
  )
  return results.violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${help}: ${target.join(' ')}: ${failureSummary?.replace(/\s+/g, ' ') ?? ''}`),
  )
}
