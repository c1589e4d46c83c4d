/** The live line against a pretend socket: what it asks, what it takes, when it says that news may be late. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { effectScope } from 'vue'

type Listener = (...given: unknown[]) => void
const listeners: Record<string, Listener> = {}
const manager: Record<string, Listener> = {}
const asked: { hall: string; topic: string; after: number | null }[] = []
let answer: unknown = { ok: true, seq: 7 }

vi.mock('socket.io-client', () => ({
  io: () => ({
    active: true,
    on: (name: string, listener: Listener) => (listeners[name] = listener),
    io: { on: (name: string, listener: Listener) => (manager[name] = listener) },
    emit: () => undefined,
    timeout: () => ({
      emitWithAck: (_: string, body: (typeof asked)[number]) => {
        asked.push(body)
        return Promise.resolve(answer)
      },
    }),
    connect: () => undefined,
    disconnect: () => ({ connect: () => undefined }),
  }),
}))

beforeEach(() => {
  vi.useFakeTimers()
  vi.resetModules()
  asked.length = 0
  answer = { ok: true, seq: 7 }
})
afterEach(() => vi.useRealTimers())

async function start() {
  const { useLive } = await import('../src/live')
  const scope = effectScope()
  const live = scope.run(() => useLive('demo', 'board'))
  if (live === undefined) throw new Error('no scope')
  listeners['connect']?.()
  await vi.advanceTimersByTimeAsync(0)
  return { live, scope }
}
const picture = (seq: number, hall = 'demo') => listeners['picture']?.({ hall, topic: 'board', seq, data: { seq } })

test('the newest picture wins and others’ pictures are not taken', async () => {
  const { live } = await start()
  picture(7)
  picture(9)
  picture(8)
  picture(99, 'another')
  expect(live.seq.value).toBe(9)
  expect(live.data.value).toEqual({ seq: 9 })
})

test('after a reconnect the topic is watched again from the last seq seen', async () => {
  await start()
  picture(9)
  listeners['disconnect']?.('transport close')
  listeners['connect']?.()
  await vi.advanceTimersByTimeAsync(0)
  expect(asked.map((one) => one.after)).toEqual([null, 9])
})

test('silence is told within ten seconds and a ping ends it', async () => {
  const { live } = await start()
  expect(live.late.value).toBe(false)
  await vi.advanceTimersByTimeAsync(7_000)
  expect(live.late.value).toBe(false)
  await vi.advanceTimersByTimeAsync(2_500)
  expect(live.late.value).toBe(true)
  manager['ping']?.()
  expect(live.late.value).toBe(false)
})

test('a lost line is told, but not a quick reconnect', async () => {
  const { live } = await start()
  listeners['disconnect']?.('transport close')
  await vi.advanceTimersByTimeAsync(1_500)
  expect(live.late.value).toBe(false)
  await vi.advanceTimersByTimeAsync(1_500)
  expect(live.late.value).toBe(true)
  listeners['connect']?.()
  expect(live.late.value).toBe(false)
})

test('a refused topic gives its code and is asked for again', async () => {
  answer = { ok: false, code: 'not_allowed' }
  const { live } = await start()
  expect(live.code.value).toBe('not_allowed')
  answer = { ok: true, seq: 7 }
  await vi.advanceTimersByTimeAsync(2_500)
  expect(live.code.value).toBe(null)
  expect(asked.length).toBe(2)
})
