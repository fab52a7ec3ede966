/*
 * The server goes away and comes back, in each way it can; and a tab that nobody looks at asks for nothing.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { gateway } from './harness/gateway'
import { open } from './harness/screen'
import { expect, test } from './harness/test'

test.use({ expected: /ERR_INTERNET_DISCONNECTED|status of 502/ })

const banner = (page: Page) => page.getByText(/The server has been away since/)

/** Breaks the connection, sees that the page says so and keeps what it shows, repairs it, sees that it goes on by itself. */
async function awayAndBack(page: Page, breakIt: () => unknown, repair: () => unknown): Promise<void> {
  await open(page, '/queue')
  const first = page.getByRole('row').nth(1)
  await expect(first).toBeVisible()
  try {
    await breakIt()
    await expect(banner(page)).toBeVisible({ timeout: 20_000 })
    await expect(first).toBeVisible()
  } finally {
    await repair()
  }
  await expect(banner(page)).toHaveCount(0)
  await page.waitForResponse((response) => response.url().includes('/api/job?') && response.ok())
  await expect(page.getByRole('alert')).toHaveCount(0)
}

test('the network is gone', async ({ page, context }) => {
  await awayAndBack(page, () => context.setOffline(true), () => context.setOffline(false))
})

test('PostgREST does not run', async ({ page }) => {
  // nginx finds nobody at its socket
  const socket = join(gateway().scratch, 'web/postgrest.sock')
  await awayAndBack(page, () => renameSync(socket, `${socket}.away`), () => renameSync(`${socket}.away`, socket))
})

test('the server hangs', async ({ page }) => {
  const master = readFileSync(join(gateway().scratch, 'web/nginx.pid'), 'utf8').trim()
  const workers = execFileSync('pgrep', ['-P', master], { encoding: 'utf8' }).trim().split('\n')
  const all = (signal: NodeJS.Signals) => workers.forEach((pid) => process.kill(Number(pid), signal))
  await awayAndBack(page, () => all('SIGSTOP'), () => all('SIGCONT'))
})

test('a hidden tab asks for nothing, and goes on when it is seen', async ({ page }) => {
  await open(page, '/')
  const show = (state: DocumentVisibilityState) => page.evaluate((to) => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => to })
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => to === 'hidden' })
    document.dispatchEvent(new Event('visibilitychange'))
  }, state)
  let requests = 0
  page.on('request', () => requests++)

  await show('hidden')
  await page.waitForLoadState('networkidle')
  requests = 0
  // that nothing happens takes its time: three of the intervals at which it would
  await page.waitForTimeout(6000)
  expect(requests).toBe(0)
  await show('visible')
  await expect.poll(() => requests).toBeGreaterThan(0)
})
