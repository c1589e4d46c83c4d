import { effectScope, nextTick, shallowRef } from 'vue'
import { expect, test, vi } from 'vitest'
import { expectedWait, leftOf, steady, useSteadyWait, type Told } from '../src/wait'

const eta = (low: number, p50: number, high: number) => ({ p50_s: p50 * 60, p80_s: high * 50, low_s: low * 60, high_s: high * 60 })
const inMinutes = (low: number, high: number) => expectedWait(eta(low, (low + high) / 2, high))
const NINE = Date.parse('2026-03-02T09:00:00+08:00')
const told = (minute: number, low: number, p50: number, high: number): Told => ({ eta: eta(low, p50, high), at_ms: NINE + minute * 60_000 })

test('a wait is the honest range, and from twenty minutes on in steps of five', () => {
  expect(inMinutes(8, 15)).toBe('约 8–15 分钟')
  expect(inMinutes(8.6, 14.2)).toBe('约 8–15 分钟')
  expect(inMinutes(18, 33)).toBe('约 18–35 分钟')
  expect(inMinutes(24, 41)).toBe('约 20–45 分钟')
})

test('a range without width is one number, one from nothing has an end only', () => {
  expect(inMinutes(4, 4)).toBe('约 4 分钟')
  expect(inMinutes(0, 3)).toBe('3 分钟以内')
  expect(inMinutes(0, 0)).toBe('很快')
})

test('what nobody knows is said to be unknown', () => {
  expect(expectedWait(null)).toBe('暂无法预计')
  expect(expectedWait(undefined)).toBe('暂无法预计')
})

test('nobody is told three hours to the minute', () => {
  expect(inMinutes(187, 240)).toBe('120 分钟以上')
  expect(inMinutes(75, 210)).toBe('75 分钟以上')
  expect(inMinutes(12, 210)).toBe('暂无法预计')
})

test('a wait that was told runs down with the clock, and is unknown when it is long over', () => {
  const first = told(0, 8, 11, 15)
  expect(expectedWait(leftOf(first, NINE + 59_000))).toBe('约 8–15 分钟')
  expect(expectedWait(leftOf(first, NINE + 3 * 60_000))).toBe('约 5–12 分钟')
  expect(expectedWait(leftOf(first, NINE + 16 * 60_000))).toBe('很快')
  expect(leftOf(first, NINE + 18 * 60_000)).toBeNull()
})

test('a new forecast that says nearly the same changes nothing', () => {
  const first = told(0, 8, 11, 15)
  expect(steady(first, told(0, 9, 12, 17))).toBe(first)
  expect(steady(first, told(3, 4, 8, 10.5))).toBe(first)
})

test('a new forecast outside of what was told is told', () => {
  const first = told(0, 8, 11, 15)
  for (const fresh of [told(0, 8, 16, 17), told(0, 8, 12, 21), told(0, 4, 11, 15), told(5, 8, 11, 15), told(20, 3, 4, 5)]) {
    expect(steady(first, fresh)).toBe(fresh)
  }
  expect(steady(null, first)).toBe(first)
})

test('what a phone shows never lies further from the newest forecast than a quarter or two minutes', () => {
  let seed = 7
  const chance = () => (seed = (seed * 16807) % 2147483647) / 2147483647
  let shown: Told | null = null
  let changes = 0
  for (let minute = 0; minute < 60; minute += 1) {
    const low = Math.max(0, 40 - minute * 0.6 + (chance() - 0.5) * 6)
    const fresh = told(minute, low, low + 6, low + 14)
    const next: Told = steady(shown, fresh)
    changes += Number(next !== shown)
    shown = next
    const left = leftOf(shown, fresh.at_ms)
    expect(Math.abs((left?.high_s ?? 0) - fresh.eta.high_s)).toBeLessThanOrEqual(Math.max(120, 0.25 * fresh.eta.high_s))
  }
  expect(changes).toBeLessThan(25)
})

test('a page shows a calm wait that runs down, and unknown when the forecast goes', async () => {
  vi.useFakeTimers({ now: NINE })
  const scope = effectScope()
  const fresh = shallowRef<Told | null>(told(0, 8, 11, 15))
  const shown = scope.run(() => useSteadyWait(() => fresh.value))
  if (shown === undefined) throw new Error('the scope is active')
  expect(expectedWait(shown.value)).toBe('约 8–15 分钟')
  fresh.value = told(0, 9, 12, 16)
  await nextTick()
  expect(expectedWait(shown.value)).toBe('约 8–15 分钟')
  vi.advanceTimersByTime(2 * 60_000)
  expect(expectedWait(shown.value)).toBe('约 6–13 分钟')
  fresh.value = null
  await nextTick()
  expect(expectedWait(shown.value)).toBe('暂无法预计')
  scope.stop()
  vi.useRealTimers()
})
