/*
 * Under which licences the product is: licences.json, which the page System shows, and which has to go with whatever
 * is handed on.  Of the pages it is found in the packages whose modules are in the bundle, whatever package.json
 * says; of the libraries that the server is linked with, in ../licences.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Plugin } from 'vite'

export interface Licence {
  part: 'product' | 'pages' | 'server'
  name: string
  /** of what is in the bundle; null: that of the server, which is whatever is installed there */
  version: string | null
  /** its short name (SPDX) */
  licence: string
  texts: string[]
}

const FILE = 'licences.json'
const IS_TEXT = /^(licen[cs]e|notice|copying)([-.].*)?(?<!\.[cm]?[jt]s)$/i
const IN_PACKAGE = /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/

const SERVER = [
  { name: 'PostgreSQL', licence: 'PostgreSQL', files: ['postgresql'] },
  { name: 'DCMTK', licence: 'BSD-3-Clause', files: ['dcmtk'] },
  { name: 'libcurl', licence: 'curl', files: ['curl'] },
  { name: 'OpenSSL', licence: 'Apache-2.0', files: ['apache-2.0'] },
  { name: 'libargon2', licence: 'CC0-1.0 OR Apache-2.0', files: ['argon2', 'apache-2.0'] },
] as const

/** The folder of the package that a module is of; null: it is ours, or none of a file. */
export function packageOf(module: string): string | null {
  return module.startsWith('\0') ? null : (IN_PACKAGE.exec(module)?.[0] ?? null)
}

/** Licences and notices from a module's own folder up to its package's: a part may have one of its own. */
export function textFiles(module: string, home: string): string[] {
  const found: string[] = []
  for (let folder = dirname(module.replace(/\?.*$/, '')); folder.startsWith(home); folder = dirname(folder)) {
    for (const at of [folder, join(folder, 'licenses')]) {
      if (existsSync(at)) found.push(...readdirSync(at).filter((name) => IS_TEXT.test(name)).map((name) => join(at, name)))
    }
  }
  return found
}

function read(file: string): string {
  return readFileSync(file, 'utf8').trim()
}

export function licencesOf(modules: Iterable<string>): Licence[] {
  const packages = new Map<string, Set<string>>()
  for (const module of modules) {
    const home = packageOf(module)
    if (home === null) continue
    const files = packages.get(home) ?? new Set()
    for (const file of textFiles(module, home)) files.add(file)
    packages.set(home, files)
  }
  // one may be there twice, in different folders
  const found = [...packages].map(([home, files]) => pageLicence(home, files)).map((licence) => [`${licence.name} ${licence.version}`, licence] as const)
  return [...new Map(found).values()].sort((a, b) => a.name.localeCompare(b.name))
}

function pageLicence(home: string, files: ReadonlySet<string>): Licence {
  const { name, version, license } = JSON.parse(read(join(home, 'package.json'))) as { name: string; version: string; license?: string }
  if (license === undefined || files.size === 0) throw new Error(`package ${name} does not say under which licence it is`)
  return { part: 'pages', name, version, licence: license, texts: [...new Set([...files].map(read))] }
}

function allLicences(root: string, modules: Iterable<string>): Licence[] {
  return [
    { part: 'product', name: 'dicomgw', version: null, licence: 'PostgreSQL', texts: [read(join(root, '../LICENSE'))] },
    ...licencesOf(modules),
    ...SERVER.map(({ name, licence, files }): Licence => ({ part: 'server', name, version: null, licence, texts: files.map((file) => read(join(root, 'licences', `${file}.txt`))) })),
  ]
}

/** Without a bundle, as in "npm run dev": the packages that are asked for. */
function dependencies(root: string): string[] {
  const { dependencies: named } = JSON.parse(read(join(root, 'package.json'))) as { dependencies: Record<string, string> }
  return Object.keys(named).map((name) => join(root, 'node_modules', name, 'package.json'))
}

/** @param root the folder of package.json */
export function licences(root: string): Plugin {
  return {
    name: 'licences',
    generateBundle(_, bundle) {
      const modules = Object.values(bundle).flatMap((part) => (part.type === 'chunk' ? part.moduleIds : []))
      this.emitFile({ type: 'asset', fileName: FILE, source: JSON.stringify(allLicences(root, modules)) })
    },
    configureServer(server) {
      server.middlewares.use(`/${FILE}`, (_, response) => {
        response.setHeader('Content-Type', 'application/json')
        response.end(JSON.stringify(allLicences(root, dependencies(root))))
      })
    },
  }
}
