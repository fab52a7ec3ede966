import { beforeEach, describe, expect, it, vi } from 'vitest'
import { api, call, listeners, only, rows } from '@/api/client'
import { ApiError, isAway } from '@/api/error'

function answers(status: number, body: unknown): ReturnType<typeof vi.fn> {
  const fake = vi.fn(() => Promise.resolve(new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } })))
  vi.stubGlobal('fetch', fake)
  return fake
}

const heard = { away: 0, answered: 0, signedOut: 0 }

beforeEach(() => {
  Object.assign(heard, { away: 0, answered: 0, signedOut: 0 })
  listeners.away = () => heard.away++
  listeners.answered = () => heard.answered++
  listeners.signedOut = () => heard.signedOut++
})

async function failure(work: Promise<unknown>): Promise<ApiError> {
  const error: unknown = await work.then(() => null, (caught: unknown) => caught)
  expect(error).toBeInstanceOf(ApiError)
  return error as ApiError
}

describe('requests', () => {
  it('give rows', async () => {
    const fake = answers(200, [{ id: 1 }])
    expect(await rows(api.from('study').select('id'))).toEqual([{ id: 1 }])
    expect(String(fake.mock.calls[0]?.[0])).toContain('/api/study?select=id')
    expect(heard).toEqual({ away: 0, answered: 1, signedOut: 0 })
  })
  it('call functions by POST', async () => {
    const fake = answers(200, 5)
    expect(await call('count_jobs', { destination: 'pacs' })).toBe(5)
    expect(fake.mock.calls[0]?.[1]).toMatchObject({ method: 'POST', body: '{"destination":"pacs"}', credentials: 'same-origin' })
  })
  it('throw what PostgREST says', async () => {
    answers(400, { code: '23514', message: 'no', details: 'd', hint: 'h' })
    expect(await failure(call('count_jobs', {}))).toMatchObject({ code: '23514', message: 'no', details: 'd', hint: 'h', status: 400, kind: 'refused' })
  })
  it('tell that the session is over', async () => {
    answers(401, { code: 'PT401', message: 'the session has ended' })
    expect((await failure(call('me'))).kind).toBe('signed-out')
    expect(heard.signedOut).toBe(1)
  })
  it('but not of a wrong password', async () => {
    answers(401, { code: 'PT401', message: 'user name or password is wrong' })
    await failure(call('login', { username: 'a', password: 'b' }))
    await failure(call('change_password', { old: 'a', new: 'b' }))
    expect(heard.signedOut).toBe(0)
  })
  it('say what the role does not allow, and stay signed in', async () => {
    answers(403, { code: '42501', message: 'permission denied for view audit' })
    expect((await failure(rows(api.from('audit').select()))).kind).toBe('forbidden')
    expect(heard.signedOut).toBe(0)
  })
})

describe('a server that is away', () => {
  it('is suspected to be when it does not answer for long', async () => {
    vi.useFakeTimers()
    listeners.slow = vi.fn()
    let answer: (response: Response) => void = () => {}
    vi.stubGlobal('fetch', () => new Promise<Response>((resolve) => { answer = resolve }))
    const waiting = rows(api.from('study').select())
    await vi.advanceTimersByTimeAsync(7000)
    expect(listeners.slow).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(2000)
    expect(listeners.slow).toHaveBeenCalledTimes(1)
    answer(new Response('[]'))
    await waiting
    await vi.advanceTimersByTimeAsync(60_000)
    expect(listeners.slow).toHaveBeenCalledTimes(1)
    vi.useRealTimers()
  })
  it('does not answer', async () => {
    vi.stubGlobal('fetch', vi.fn(() => Promise.reject(new TypeError('Failed to fetch'))))
    expect((await failure(rows(api.from('study').select()))).kind).toBe('away')
    expect(heard.away).toBe(1)
  })
  it('is not one whose answer nobody waits for', async () => {
    vi.stubGlobal('fetch', vi.fn(() => Promise.reject(new DOMException('aborted', 'AbortError'))))
    await failure(rows(api.from('study').select()))
    expect(heard.away).toBe(0)
  })
  it('is told by its proxy', () => {
    expect(isAway(502, '')).toBe(true)
    expect(isAway(503, 'PGRST000')).toBe(true)
    expect(isAway(503, 'PT503')).toBe(false)
    expect(isAway(500, '')).toBe(false)
  })
})

it('takes one row from either form', () => {
  expect(only([{ a: 1 }])).toEqual({ a: 1 })
  expect(only({ a: 1 })).toEqual({ a: 1 })
  expect(() => only([])).toThrow(ApiError)
})
