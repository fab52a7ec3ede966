/*
 * Text from outside is text, wherever it is shown: what a modality sends, what somebody configured.
 */
import type { Page } from '@playwright/test'
import { findAddresses } from './harness/addresses'
import { sendNewStudy, sql } from './harness/gateway'
import { open } from './harness/screen'
import { expect, test } from './harness/test'

/** As an element it would be found.  It has room in the shortest attribute (SH, 16 characters), and in an AE title. */
const HOSTILE = '<u id=injected>'
const ATTRIBUTES = [
  'PatientID', 'SeriesDescription', 'InstitutionName', 'AccessionNumber', 'StudyID', 'PatientComments', 'ImageComments', 'ReferringPhysicianName',
  'Manufacturer', 'ProtocolName', 'StationName',
]

test.afterAll(() => {
  sql(`DELETE FROM dicomgw.route WHERE name = '${HOSTILE}';
       DELETE FROM dicomgw.remote_ae WHERE ae_title = '${HOSTILE}';
       SELECT dicomgw.delete_destination('${HOSTILE}', cancel => true)`)
})

async function showsAsText(page: Page, address: string): Promise<void> {
  await open(page, address)
  await expect(page.locator('main').getByText(HOSTILE).first(), address).toBeVisible()
  await expect(page.locator('#injected'), address).toHaveCount(0)
}

test.setTimeout(120_000)

test('text from objects and of the configuration is shown as it is', async ({ page }) => {
  sql(`INSERT INTO dicomgw.remote_ae (ae_title, description) VALUES ('${HOSTILE}', '${HOSTILE}');
       INSERT INTO dicomgw.destination (name, host, port, ae_title) VALUES ('${HOSTILE}', '127.0.0.1', 9, '${HOSTILE}');
       INSERT INTO dicomgw.route (name, position, predicate, destination) VALUES ('${HOSTILE}', 90, $$ calling_ae = '${HOSTILE}' $$, '${HOSTILE}');
       SELECT dicomgw.pause('${HOSTILE}', '${HOSTILE}')`)
  // the second object contradicts the first, which is shown, too
  sendNewStudy(HOSTILE, 2, { PatientName: `${HOSTILE}^${HOSTILE}`, StudyDescription: `${HOSTILE}{n}`, ...Object.fromEntries(ATTRIBUTES.map((keyword) => [keyword, HOSTILE])) })
  const jobs = `FROM dicomgw_api.job WHERE destination = '${HOSTILE}'`
  await expect.poll(() => sql(`SELECT count(*) ${jobs}`)).toBe('2')

  await showsAsText(page, '/queue')
  await page.getByRole('row').filter({ hasText: HOSTILE }).first().press('Enter')
  await expect(page.getByRole('dialog').getByText(HOSTILE).first()).toBeVisible()
  await showsAsText(page, '/studies')
  await showsAsText(page, `/studies/${sql(`SELECT min(study_id) ${jobs}`)}`)
  await showsAsText(page, `/objects/${sql(`SELECT min(instance_id) ${jobs}`)}`)
  await page.getByLabel('Search tag, name or value').fill('injected')
  await expect(page.getByText(/\d+ attributes/)).toBeVisible()

  // and wherever else
  await findAddresses(page, (address) => expect(page.locator('#injected'), address).toHaveCount(0))
})
