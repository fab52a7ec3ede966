import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { licencesOf, packageOf } from '../build/licences.ts'

let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'licences-'))
})
afterEach(() => rmSync(root, { recursive: true }))

/** A package below root with these files. */
function put(name: string, files: Record<string, string>): string {
  const home = join(root, 'node_modules', name)
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(join(home, file, '..'), { recursive: true })
    writeFileSync(join(home, file), text)
  }
  return home
}
const named = (name: string) => JSON.stringify({ name, version: '1.0.0', license: 'MIT' })

describe('the package of a module', () => {
  it('is the innermost', () => {
    expect(packageOf('/x/node_modules/vue/dist/vue.js')).toBe('/x/node_modules/vue')
    expect(packageOf('/x/node_modules/@vue/shared/index.js')).toBe('/x/node_modules/@vue/shared')
    expect(packageOf('/x/node_modules/echarts/node_modules/tslib/tslib.js')).toBe('/x/node_modules/echarts/node_modules/tslib')
  })
  it('may be none', () => {
    expect(packageOf('/x/src/main.ts')).toBeNull()
    expect(packageOf('\0plugin-vue:export-helper')).toBeNull()
  })
})

describe('licences', () => {
  it('are those of the packages in the bundle, each once', () => {
    const a = put('a', { 'package.json': named('a'), LICENSE: 'text of a', 'x.js': '', 'y.js': '' })
    put('b', { 'package.json': named('b'), LICENSE: 'text of b' })
    const again = put('c/node_modules/a', { 'package.json': named('a'), LICENSE: 'text of a', 'x.js': '' })
    expect(licencesOf([join(a, 'x.js'), join(a, 'y.js?vue&type=style'), join(again, 'x.js'), '/elsewhere/main.ts'])).toEqual([
      { part: 'pages', name: 'a', version: '1.0.0', licence: 'MIT', texts: ['text of a'] },
    ])
  })
  it('are also those of parts, and notices, of the parts that are used', () => {
    const home = put('icons', { 'package.json': named('icons'), LICENSE: 'of all', NOTICE: 'notice', 'licenses/LICENSE-d3': 'of d3', 'mdi/license.md': 'of mdi', 'mdi/index.js': '', 'fa/LICENSE': 'of fa', 'licence-check.js': '' })
    const texts = licencesOf([join(home, 'mdi/index.js')])[0]?.texts
    expect(new Set(texts)).toEqual(new Set(['of mdi', 'of all', 'notice', 'of d3']))
  })
  it('must be there', () => {
    const home = put('secretive', { 'package.json': named('secretive'), 'x.js': '' })
    expect(() => licencesOf([join(home, 'x.js')])).toThrow('package secretive does not say')
  })
})
