import { flushPromises, mount } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import SessionBanner from '@/components/SessionBanner.vue'
import { forgetSession, useSession } from '@/composables/useSession'
import { minutesLeft } from '@/composables/useSessionEnd'

const START = Date.parse('2026-11-25T12:00:00Z')
const MINUTE = 60000

/** A server whose sessions end so many minutes after START: answers me() and login(). */
const server = { ends: 60, logins: [] as string[], answers: true }

beforeEach(() => {
  vi.useFakeTimers({ now: START })
  Object.assign(server, { ends: 60, logins: [], answers: true })
  vi.stubGlobal('fetch', vi.fn((url: URL | string, init?: RequestInit) => {
    if (!server.answers) return Promise.reject(new TypeError('Failed to fetch'))
    if (String(url).endsWith('/rpc/login')) {
      server.logins.push(init?.body as string)
      server.ends = 720
      return Promise.resolve(new Response('{}', { status: 200 }))
    }
    const me = {
      username: 'olga', role: 'operator', scope: null, must_change_password: false,
      expires_at: new Date(START + server.ends * MINUTE).toISOString(), database_time: new Date().toISOString(),
    }
    return Promise.resolve(new Response(JSON.stringify(me), { status: 200 }))
  }))
})
afterEach(() => {
  forgetSession()
  vi.useRealTimers()
})

async function open() {
  await useSession().load()
  const banner = mount(SessionBanner, { attachTo: document.body })
  await flushPromises()
  return banner
}

async function pass(minutes: number): Promise<void> {
  vi.advanceTimersByTime(minutes * MINUTE)
  await flushPromises()
}

describe('the minutes of a session', () => {
  it('count when they are few', () => {
    const at = (minutes: number) => new Date(START + minutes * MINUTE).toISOString()
    expect(minutesLeft(at(60), START)).toBeNull()
    expect(minutesLeft(at(10), START)).toBe(10)
    expect(minutesLeft(at(0.5), START)).toBe(1)
    expect(minutesLeft(at(-1), START)).toBe(0)
    expect(minutesLeft(undefined, START)).toBeNull()
    expect(minutesLeft('', START)).toBeNull()
  })
})

describe('before a session ends', () => {
  it('it is said, and counted down', async () => {
    const banner = await open()
    expect(banner.text()).toBe('')
    await pass(49)
    expect(banner.text()).toBe('')
    await pass(1.1)
    expect(banner.text()).toContain('ends in 10 minutes')
    await pass(8)
    expect(banner.text()).toContain('ends in 2 minutes')
    await pass(1)
    expect(banner.text()).toContain('ends in less than a minute')
    banner.unmount()
  })
  it('it is not, if one has signed in again in another tab', async () => {
    const banner = await open()
    server.ends = 720
    await pass(55)
    expect(banner.find('[data-test=session-ends]').exists()).toBe(false)
    banner.unmount()
  })
  it('it is said, too, while the server is away', async () => {
    const banner = await open()
    server.answers = false
    await pass(55)
    expect(banner.text()).toContain('ends in 5 minutes')
    banner.unmount()
  })
  it('one can sign in again from there', async () => {
    const banner = await open()
    await pass(55)
    await banner.find('button').trigger('click')
    await flushPromises()
    const field = document.querySelector<HTMLInputElement>('input[type=password]')
    expect(field).not.toBeNull()
    if (field) field.value = 'secret words'
    field?.dispatchEvent(new Event('input'))
    document.querySelector('form')?.dispatchEvent(new Event('submit', { cancelable: true }))
    await flushPromises()
    expect(server.logins).toEqual(['{"username":"olga","password":"secret words"}'])
    expect(banner.find('[data-test=session-ends]').exists()).toBe(false)
    banner.unmount()
  })
})
