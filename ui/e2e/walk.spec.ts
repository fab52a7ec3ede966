/*
 * One morning of who looks after a gateway, from beginning to end, by what the pages say: a new destination, a route
 * to it, a study that comes and goes there; then the destination breaks, and is repaired.
 */
import type { ChildProcess } from 'node:child_process'
import type { Locator, Page } from '@playwright/test'
import { freePort, gateway, sendNewStudy, sql, startPacs, stopped } from './harness/gateway'
import { goTo, signIn } from './harness/shell'
import { expect, test } from './harness/test'

const NAME = 'walk'
/** another one each time: nothing was received from it */
const AE = `WALK${Date.now() % 1e9}`
const ROUTE = 'walk: all of its CT'

let pacs: ChildProcess | undefined
let port = 0

test.use({ user: null, expected: /status of 401/ })
test.setTimeout(120_000)

test.beforeAll(async () => {
  port = await freePort()
  pacs = await startPacs('WALK', port)
})

test.afterAll(async () => {
  if (pacs) await stopped(pacs)
  sql(`DELETE FROM dicomgw.route WHERE name = '${ROUTE}';
       SELECT dicomgw.delete_destination(name, cancel => true) FROM dicomgw.destination WHERE name = '${NAME}'`)
})

async function choose(field: Locator, option: string): Promise<void> {
  await field.click()
  await field.page().getByRole('option', { name: option, exact: true }).click()
}

async function addDestination(page: Page): Promise<void> {
  await goTo(page, 'Destinations')
  await page.getByRole('button', { name: 'Add destination' }).click()
  const form = page.getByRole('dialog', { name: 'New destination' })
  await form.getByLabel('Name', { exact: true }).fill(NAME)
  await form.getByLabel('Host', { exact: true }).fill('127.0.0.1')
  await form.getByLabel('Port', { exact: true }).fill(String(port))
  await form.getByLabel('AE title there', { exact: true }).fill('WALK')
  await form.getByRole('button', { name: 'Test this address' }).click()
  const echo = page.getByRole('dialog', { name: /^Test of/ })
  await expect(echo.getByText('It answers.')).toBeVisible()
  await echo.getByRole('button', { name: 'Close' }).click()
  await form.getByRole('button', { name: 'Add', exact: true }).click()
  await expect(page.getByRole('heading', { level: 1, name: NAME })).toBeVisible()
}

async function addRoute(page: Page): Promise<void> {
  await goTo(page, 'Routes')
  await page.getByRole('button', { name: 'New route' }).click()
  const form = page.getByRole('dialog', { name: 'New route' })
  await form.getByLabel('Name', { exact: true }).fill(ROUTE)
  await choose(form.getByLabel('Goes to'), NAME)
  await form.getByLabel('Objects for which this is true').fill(`calling_ae = 'CT1' AND modality = 'CT'`)
  await form.getByRole('button', { name: 'Try it on what was received' }).click()
  await form.getByRole('button', { name: 'Try', exact: true }).click()
  await expect(form.getByRole('definition').first()).toHaveText(/[1-9]/)
  await expect(form.getByText('CT1').first()).toBeVisible()
  // what was tried on the past is meant for another sender
  await form.getByLabel('Objects for which this is true').fill(`calling_ae = '${AE}' AND modality = 'CT'`)
  await form.getByRole('button', { name: 'Add', exact: true }).click()
  await expect(page.getByRole('heading', { level: 1, name: ROUTE })).toBeVisible()
}

async function studyIsDelivered(page: Page): Promise<void> {
  await goTo(page, 'Studies')
  await page.getByLabel('Calling AE').fill(AE)
  await expect(page.getByText('No studies')).toBeVisible()
  // the page sees by itself that it comes, and where it goes
  sendNewStudy(AE, 1)
  await expect(page.getByRole('row').filter({ hasText: `${NAME}: all 1 sent` })).toBeVisible({ timeout: 20_000 })
}

async function lookAtImage(page: Page): Promise<void> {
  await page.getByRole('row').nth(1).getByRole('link').first().click()
  await page.getByRole('link', { name: 'View', exact: true }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Viewer' })).toBeVisible()
  const image = page.getByRole('main').locator('img').first()
  await expect(image).toBeVisible()
  await expect.poll(() => image.evaluate((element) => (element as HTMLImageElement).naturalWidth)).toBeGreaterThan(0)
}

async function queueSaysWhy(page: Page): Promise<void> {
  if (pacs) await stopped(pacs)
  sendNewStudy(AE, 1)
  await goTo(page, 'Queue')
  const row = page.getByRole('row').filter({ hasText: NAME })
  await expect(row).toContainText('waiting')
  await expect(row).toContainText(/Connection refused/, { timeout: 20_000 })
  await row.press('Enter')
  const job = page.getByRole('dialog', { name: /^Job / })
  await expect(job.getByText(/Connection refused/).first()).toBeVisible()
  await page.keyboard.press('Escape')
  await goTo(page, 'Destinations')
  await expect(page.getByRole('row').filter({ hasText: NAME })).toContainText('down')
}

async function repairAndRetry(page: Page): Promise<void> {
  await goTo(page, 'Queue')
  const row = page.getByRole('row').filter({ hasText: NAME })
  await row.getByRole('checkbox').click()
  await page.getByRole('button', { name: 'Retry', exact: true }).click()
  const dialog = page.getByRole('dialog', { name: 'Retry', exact: true })
  await expect(dialog.getByText(/^1 job will be tried again/)).toBeVisible()
  // only now: once it is there the gateway finds out by itself, too
  pacs = await startPacs('WALK', port)
  await dialog.getByRole('button', { name: 'Retry', exact: true }).click()
  await dialog.getByRole('button', { name: 'Close' }).click()
  await expect(row).toHaveCount(0, { timeout: 20_000 })
  await goTo(page, 'Destinations')
  await expect(page.getByRole('row').filter({ hasText: NAME })).toContainText('up')
}

async function auditTellsIt(page: Page): Promise<void> {
  await goTo(page, 'Audit log')
  await page.getByLabel('Who', { exact: true }).fill('admin')
  for (const [action, target] of [['retry', ''], ['insert', ROUTE], ['insert', NAME]] as const) {
    await expect(page.getByRole('row').filter({ hasText: action }).filter({ hasText: target }).first(), `${action} ${target}`).toBeVisible()
  }
}

test('a destination, a route, a study, a failure and its repair', async ({ page }) => {
  await page.goto('/')
  await signIn(page, 'admin', gateway().password)
  await test.step('add a destination, and test it', () => addDestination(page))
  await test.step('add a route, with a dry run', () => addRoute(page))
  await test.step('see a study come and go there', () => studyIsDelivered(page))
  await test.step('look at an image', () => lookAtImage(page))
  await test.step('the destination breaks; the queue says why it waits', () => queueSaysWhy(page))
  await test.step('repair it, and try again', () => repairAndRetry(page))
  await test.step('the audit log tells all of it', () => auditTellsIt(page))
})
