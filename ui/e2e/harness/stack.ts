/*
 * Starts ui/e2e/stack and ends it.  STACK_FILE names that of a stack which runs already: then it is used, and left running.
 */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { join } from 'node:path'

export interface Stack {
  /** what it wrote: URL, PASSWORD, DICOM_PORT, SOCKET, SCRATCH */
  values: Record<string, string>
  stop: () => Promise<void>
}

/** Shell variables, whose values hold nothing that has to be quoted. */
function variables(path: string): Record<string, string> {
  return Object.fromEntries(readFileSync(path, 'utf8').trim().split('\n').map((line) => line.split(/=(.*)/s).slice(0, 2) as [string, string]))
}

/** Without what npm, if that is what has started this, says to other npms, which run as another user. */
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)))
}

export async function startStack(folder: string): Promise<Stack> {
  const running = process.env.STACK_FILE
  if (running !== undefined && existsSync(running)) return { values: variables(running), stop: () => Promise.resolve() }

  const file = join(folder, 'stack.env')
  // told to end if this process dies, however it does
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', join(import.meta.dirname, '..', 'stack')], {
    env: { ...environment(), STACK_FILE: file },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  while (!existsSync(file)) {
    if (child.exitCode !== null) throw new Error(`ui/e2e/stack ended with status ${child.exitCode}`)
    await sleep(200)
  }
  return {
    values: variables(file),
    stop: async () => {
      child.kill('SIGTERM')
      await ended
    },
  }
}
