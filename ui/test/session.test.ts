import { flushPromises } from '@vue/test-utils'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory } from 'vue-router'
import { forgetSession, useSession, type Me } from '@/composables/useSession'
import { makeRouter, pages, returnPath } from '@/router'

const olga: Me = { username: 'olga', role: 'operator', scope: null, must_change_password: false, expires_at: '', database_time: new Date().toISOString() }

function server(answer: { status: number; body: unknown }): void {
  vi.stubGlobal('fetch', vi.fn(() => Promise.resolve(new Response(JSON.stringify(answer.body), { status: answer.status, headers: { 'Content-Type': 'application/json' } }))))
}

beforeEach(() => forgetSession())

describe('roles', () => {
  it('an operator may what a viewer may, and not what an admin may', async () => {
    server({ status: 200, body: olga })
    const { load, can } = useSession()
    expect(can('viewer')).toBe(false)
    await load()
    expect([can('viewer'), can('operator'), can('admin')]).toEqual([true, true, false])
  })
})

describe('ways', () => {
  async function go(path: string): Promise<string> {
    const router = makeRouter(createMemoryHistory())
    await router.push(path)
    await flushPromises()
    return router.currentRoute.value.fullPath
  }
  it('nobody gets in without signing in, and goes on where he was', async () => {
    server({ status: 401, body: { code: '42501', message: 'permission denied for function me' } })
    expect(await go('/queue?state=failed')).toBe('/login?to=/queue?state=failed')
    expect(await go('/')).toBe('/login')
  })
  it('a password that has to be changed comes first', async () => {
    server({ status: 200, body: { ...olga, must_change_password: true } })
    expect(await go('/queue')).toBe('/password?to=/queue')
  })
  it('who has signed in gets there', async () => {
    server({ status: 200, body: olga })
    expect(await go('/queue?state=failed')).toBe('/queue?state=failed')
  })
  it('lead to our own pages only', () => {
    expect(returnPath('/queue?state=failed')).toBe('/queue?state=failed')
    for (const elsewhere of ['https://evil.example/', '//evil.example', '/\\evil.example', 'javascript:alert(1)', undefined]) expect(returnPath(elsewhere)).toBe('/')
  })
  it('have names and paths of their own', () => {
    for (const key of ['name', 'path'] as const) expect(new Set(pages.map((page) => page[key])).size).toBe(pages.length)
  })
})
