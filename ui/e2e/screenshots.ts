/*
 * The pictures of docs/ui: every page in light and dark, some as on a phone.  Not a test: make ui-screenshots.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { gateway, sql } from './harness/gateway'
import { routes, shellRoutes } from './harness/pages'
import { open } from './harness/screen'
import { expect, test } from './harness/test'

const folder = join(import.meta.dirname, '../../docs/ui')
const PHONE = ['dashboard', 'queue', 'studies', 'study']

/** What shows more of a page than the first address that was found. */
const BETTER: Readonly<Record<string, () => string>> = {
  study: () => `/studies/${sql("SELECT id FROM dicomgw_api.study WHERE modalities @> '{MR}' ORDER BY instances DESC, id LIMIT 1")}`,
  object: () => `/objects/${sql("SELECT min(i.id) FROM dicomgw_api.instance i JOIN dicomgw_api.series s ON s.id = i.series_id WHERE s.modality = 'CT'")}`,
  viewer: () => `/viewer?series=${sql("SELECT min(id) FROM dicomgw_api.series WHERE modality = 'MR'")}`,
}

async function picture(page: Page, name: string): Promise<void> {
  const file = join(folder, `${name}.png`)
  await page.screenshot({ path: file, animations: 'disabled', caret: 'hide' })
  execFileSync('pngquant', ['--force', '--ext', '.png', '--speed', '1', '--strip', '256', file])
}

test.beforeAll(() => {
  mkdirSync(folder, { recursive: true })
})

for (const { name, path } of shellRoutes) {
  test(`picture of ${name}`, async ({ page }) => {
    const address = BETTER[name]?.() ?? gateway().addresses[path] ?? path
    for (const [colorScheme, suffix] of [['light', ''], ['dark', '-dark']] as const) {
      await page.emulateMedia({ colorScheme })
      await open(page, address)
      await picture(page, `${name}${suffix}`)
    }
    if (!PHONE.includes(name)) return
    await page.emulateMedia({ colorScheme: 'light' })
    await page.setViewportSize({ width: 360, height: 740 })
    await open(page, address)
    await picture(page, `${name}-phone`)
  })
}

test.describe('before signing in', () => {
  test.use({ user: null })
  test('picture of login', async ({ page }) => {
    for (const [colorScheme, suffix] of [['light', ''], ['dark', '-dark']] as const) {
      await page.emulateMedia({ colorScheme })
      await open(page, '/login')
      await picture(page, `login${suffix}`)
    }
  })
})

test('docs/ui/README.md shows each of them', () => {
  const readme = readFileSync(join(folder, 'README.md'), 'utf8')
  const missing = routes.filter(({ name }) => name !== 'password' && !readme.includes(`](${name}.png)`))
  expect(missing.map(({ name }) => name)).toEqual([])
})
