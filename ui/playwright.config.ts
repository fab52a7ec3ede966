/*
 * Tests in a browser, against a whole gateway (e2e/stack): npm run e2e; and the pictures of docs/ui: npm run screenshots.
 *
 * One at a time: they share the gateway, which some of them break, and some measure.  The browser is Debian's;
 * none is ever downloaded.
 */
import { defineConfig, devices } from '@playwright/test'

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results',
  globalSetup: './e2e/harness/setup.ts',
  workers: 1,
  forbidOnly: true,
  timeout: 40_000,
  expect: { timeout: 10_000 },
  reporter: process.env.DGW_TAP ? './e2e/harness/tapReporter.ts' : 'list',
  use: {
    ...devices['Desktop Chrome'],
    viewport: { width: 1360, height: 900 },
    locale: 'en-GB',
    ignoreHTTPSErrors: true,
    contextOptions: { reducedMotion: 'reduce' }, // colours on their way from light to dark have the contrast of neither
    screenshot: 'only-on-failure',
    launchOptions: { executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] },
  },
  projects: [
    { name: 'tests', testMatch: '*.spec.ts' },
    { name: 'screenshots', testMatch: 'screenshots.ts' },
  ],
})
