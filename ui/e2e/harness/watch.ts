/*
 * What a browser finds wrong while a page is used: errors and warnings on its console, exceptions, violations of the
 * Content-Security-Policy, requests to another host.
 */
import type { BrowserContext } from '@playwright/test'
import { gateway } from './gateway'

/** Begins to collect, in this context's pages. */
export async function watch(context: BrowserContext): Promise<string[]> {
  const { origin } = new URL(gateway().url)
  const found: string[] = []

  await context.addInitScript(() => {
    addEventListener('securitypolicyviolation', (event) => {
      // eslint-disable-next-line no-console -- what listens to the console hears it
      console.error(`CSP: ${event.effectiveDirective} forbids ${event.blockedURI} (${event.sourceFile}:${event.lineNumber})`)
    })
  })
  context.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) found.push(`${message.type()}: ${message.text()} (${message.location().url})`)
  })
  context.on('weberror', (error) => found.push(`exception: ${String(error.error())}`))
  context.on('request', (request) => {
    const url = new URL(request.url())
    if (!['data:', 'blob:'].includes(url.protocol) && url.origin !== origin) found.push(`request to ${url.origin}`)
  })
  return found
}
