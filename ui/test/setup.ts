/*
 * Quasar for every component that is mounted, and a clean desk before each test.
 */
import { config } from '@vue/test-utils'
import { Dark, Notify, Quasar } from 'quasar'
import { beforeEach } from 'vitest'

config.global.plugins.push([Quasar, { plugins: { Dark, Notify } }])

beforeEach(() => {
  localStorage.clear()
  document.body.innerHTML = ''
})
