/*
 * How the UI is built: hashed assets, each page a chunk of its own, everything that compresses
 * also as .gz for nginx's gzip_static; and how it is tested.
 *
 * "npm run dev" takes the API from the gateway that DICOMGW_URL names.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, URL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { quasar } from '@quasar/vite-plugin'
import vue from '@vitejs/plugin-vue'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'
import { licences } from './build/licences.ts'

const gateway = process.env.DICOMGW_URL ?? 'https://127.0.0.1:8443'

function precompress(): Plugin {
  return {
    name: 'precompress',
    apply: 'build',
    writeBundle({ dir }) {
      if (dir === undefined) return
      for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
        if (!/\.(js|css|html|svg|json)$/.test(name)) continue
        const path = join(dir, name)
        writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }))
      }
    },
  }
}

/** That of the extension in this tree, with the commit if there is one to be known. */
function version(): string {
  const released = /default_version = '([^']+)'/.exec(readFileSync(fileURLToPath(new URL('../dicomgw.control', import.meta.url)), 'utf8'))?.[1]
  if (released === undefined) throw new Error('dicomgw.control names no version')
  try {
    return `${released} (${execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()})`
  } catch {
    return released // no repository, or no git
  }
}

export default defineConfig({
  plugins: [vue(), quasar(), licences(fileURLToPath(new URL('.', import.meta.url))), precompress()],
  define: { UI_VERSION: JSON.stringify(version()) },
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  build: { target: 'es2022', assetsInlineLimit: 0, chunkSizeWarningLimit: 700 },
  server: { proxy: { '/api': { target: gateway, secure: false } } },
  test: {
    environment: 'happy-dom',
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/setup.ts'],
    restoreMocks: true,
    testTimeout: 30_000, // the first to load a page has it compiled, on a machine that may be busy
  },
})
