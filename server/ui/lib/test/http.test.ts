import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { api } from '../src/api'
import { intent, problemText, Refusal, Unreachable } from '../src/http'
import { setLanguage } from '../src/i18n'

const answer = (status: number, body: unknown) => new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } })
const asked = vi.fn<typeof fetch>()

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('fetch', asked)
  asked.mockReset()
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

const header = (call: number, name: string) => (asked.mock.calls[call]?.[0] as Request).headers.get(name)

async function settle<T>(promise: Promise<T>): Promise<T | Error> {
  const caught = promise.catch((problem: unknown) => problem as Error)
  await vi.runAllTimersAsync()
  return caught
}

test('a lost answer is asked for again with the same key', async () => {
  asked.mockRejectedValueOnce(new TypeError('network')).mockResolvedValueOnce(answer(201, { label: 'A001' }))
  const got = await settle(api.issue('demo', { service: 'tax' }, 'one-press'))
  expect(got).toEqual({ label: 'A001' })
  expect([header(0, 'Idempotency-Key'), header(1, 'Idempotency-Key')]).toEqual(['one-press', 'one-press'])
})

test('a command without a key gets one key for all its tries', async () => {
  asked.mockRejectedValue(new TypeError('network'))
  expect(await settle(api.callNext('demo', '1'))).toBeInstanceOf(Unreachable)
  const keys = asked.mock.calls.map((_, call) => header(call, 'Idempotency-Key'))
  expect(keys.length).toBe(4)
  expect(new Set(keys).size).toBe(1)
})

test('a refusal is not tried again and is told in the server’s words', async () => {
  asked.mockResolvedValue(answer(409, { code: 'nobody_waiting', detail: '现在没有人等候。' }))
  const got = await settle(api.callNext('demo', '1'))
  expect(asked).toHaveBeenCalledTimes(1)
  expect(got).toBeInstanceOf(Refusal)
  expect(problemText(got)).toBe('现在没有人等候。')
})

test('the server is asked in the reader’s language, and a lost line is told in it', async () => {
  setLanguage('en')
  asked.mockRejectedValue(new TypeError('network'))
  const got = await settle(api.halls())
  expect(header(0, 'Accept-Language')).toBe('en')
  expect(problemText(got)).toBe('The server does not answer. Please try again in a moment.')
  setLanguage('zh')
})

test('the token of /me goes with every command after it', async () => {
  asked.mockResolvedValueOnce(answer(200, { kind: 'person', csrf: 'secret' })).mockResolvedValueOnce(answer(200, {}))
  await settle(api.me())
  await settle(api.logout())
  expect(header(1, 'X-CSRF-Token')).toBe('secret')
})

test('a call says its hall, window and body', async () => {
  asked.mockResolvedValue(answer(200, { label: 'A001' }))
  await settle(api.move('qiaocheng', 'A-7', 'no-show', { ticket: '20261121-A001' }))
  const request = asked.mock.calls[0]?.[0] as Request
  expect([request.method, new URL(request.url).pathname]).toEqual(['POST', '/api/v1/halls/qiaocheng/windows/A-7/no-show'])
  expect(await request.json()).toEqual({ ticket: '20261121-A001' })
})

test('intents are not alike', () => {
  expect(intent()).not.toBe(intent())
  expect(intent()).toMatch(/^[0-9a-f]{32}$/)
})
