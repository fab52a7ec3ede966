/*
 * Before the first test: the stack, a session for each user (signing in is limited to one a second), and an address
 * for each page.  What it returns ends the stack after the last one.
 */
import { chromium, request, type FullConfig } from '@playwright/test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findAddresses } from './addresses'
import { FILE_VARIABLE, USERS, type Gateway, type User } from './gateway'
import { startStack, type Stack } from './stack'

async function signIn(url: string, username: string, password: string, file: string): Promise<void> {
  const context = await request.newContext({ baseURL: url, ignoreHTTPSErrors: true })
  const response = await context.post('/api/rpc/login', { data: { username, password } })
  if (!response.ok()) throw new Error(`${username} could not sign in: ${await response.text()}`)
  await context.storageState({ path: file })
  await context.dispose()
}

async function prepare({ values }: Stack, config: FullConfig, folder: string): Promise<Gateway> {
  const { URL: url = '', PASSWORD: password = '', DICOM_PORT = '', SOCKET: socket = '', SCRATCH: scratch = '' } = values
  const sessions = Object.fromEntries(USERS.map((user) => [user, join(folder, `${user}.json`)])) as Record<User, string>
  for (const user of USERS) await signIn(url, user, password, sessions[user])

  const browser = await chromium.launch(config.projects[0]?.use.launchOptions)
  const context = await browser.newContext({ baseURL: url, ignoreHTTPSErrors: true, storageState: sessions.admin })
  const addresses = await findAddresses(await context.newPage())
  await browser.close()
  return { url, password, dicomPort: Number(DICOM_PORT), socket, scratch, sessions, addresses }
}

export default async function setup(config: FullConfig): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'dicomgw-browser.'))
  let stack: Stack | undefined
  const finish = async () => {
    await stack?.stop()
    rmSync(folder, { recursive: true })
  }
  try {
    stack = await startStack(folder)
    const file = join(folder, 'gateway.json')
    writeFileSync(file, JSON.stringify(await prepare(stack, config, folder)))
    process.env[FILE_VARIABLE] = file
  } catch (error) {
    await finish()
    throw error
  }
  return finish
}
