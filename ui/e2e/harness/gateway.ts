/*
 * The gateway that the tests talk to: where it is, and what is done to it other than by its pages.  setup.ts writes
 * down where, as each test file may run in another process.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const USERS = ['admin', 'olga', 'victor', 'cara'] as const
export type User = (typeof USERS)[number]

export interface Gateway {
  url: string
  password: string
  dicomPort: number
  /** folder of the database server's socket */
  socket: string
  /** folder of everything that the stack writes */
  scratch: string
  /** who has signed in: file of his cookie */
  sessions: Record<User, string>
  /** by path as the router has it: an address of that page that shows something */
  addresses: Record<string, string>
}

/** Names the file, from setup.ts to the tests. */
export const FILE_VARIABLE = 'DGW_E2E_GATEWAY'

let known: Gateway | undefined

export function gateway(): Gateway {
  known ??= JSON.parse(readFileSync(process.env[FILE_VARIABLE] ?? '', 'utf8')) as Gateway
  return known
}

/** What psql prints: columns apart by "|". */
export function sql(statement: string): string {
  const { socket } = gateway()
  return execFileSync('psql', ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-h', socket, '-U', 'postgres', '-d', 'dicomgw', '-c', statement], { encoding: 'utf8' }).trim()
}

/** Sends objects of a new study, as a modality does; see new_study.py. */
export function sendNewStudy(callingAe: string, count: number, values: Readonly<Record<string, string>> = {}): void {
  const folder = mkdtempSync(join(tmpdir(), 'dicomgw-study.'))
  try {
    const script = join(import.meta.dirname, '..', 'new_study.py')
    execFileSync('/usr/bin/python3', [script, folder, String(count), ...Object.entries(values).map((value) => value.join('='))], { stdio: 'pipe' })
    execFileSync('dcmsend', ['-nh', '-nuc', '+sd', '-aet', callingAe, '-aec', 'DICOMGW', '127.0.0.1', String(gateway().dicomPort), folder], { stdio: 'pipe' })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** A TCP port that nobody has. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

/** A PACS that takes everything and keeps nothing; it listens.  It goes with the stack, whose folder it runs in. */
export async function startPacs(aeTitle: string, port: number): Promise<ChildProcess> {
  const child = spawn('storescp', ['--ignore', '+xa', '-aet', aeTitle, String(port)], { cwd: gateway().scratch, stdio: 'ignore' })
  while (!(await listens(port))) {
    if (child.exitCode !== null) throw new Error(`storescp ended with status ${child.exitCode}`)
  }
  return child
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

export async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  await new Promise((resolve) => {
    child.once('exit', resolve)
    child.kill('SIGKILL')
  })
}
