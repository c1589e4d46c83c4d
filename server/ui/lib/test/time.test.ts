import { effectScope } from 'vue'
import { expect, test } from 'vitest'
import { useNow } from '../src/now'
import { clock, dayAndClock, hallNow, learnHallTime, minutes, offsetOf, secondsSince, stopwatch } from '../src/time'

test('a clock shows the offset that the instant carries', () => {
  expect(clock('2026-11-21T09:05:00+08:00')).toBe('09:05')
})

test('a clock shows the time of the hall, not of this computer', () => {
  expect(clock('2026-11-21T01:05:00Z', 'Asia/Shanghai')).toBe('09:05')
  expect(clock(Date.parse('2026-11-21T16:30:00Z'), 'Asia/Shanghai')).toBe('00:30')
})

test('an opening names its day unless that is today', () => {
  const now = Date.parse('2026-03-07T11:00:00+08:00')
  expect(dayAndClock('2026-03-07T13:00:00+08:00', 'zh', 'Asia/Shanghai', now)).toBe('13:00')
  expect(dayAndClock('2026-03-09T09:00:00+08:00', 'zh', 'Asia/Shanghai', now)).toBe('3月9日周一 09:00')
  expect(dayAndClock('2026-03-09T09:00:00+08:00', 'en', 'Asia/Shanghai', now)).toMatch(/^Mon,? 9 Mar 09:00$/)
})

test('an offset will do where the time zone is not known', () => {
  expect(clock(Date.parse('2026-11-21T01:05:00Z'), offsetOf('2026-11-21T08:00:00+08:00'))).toBe('09:05')
  expect(clock('2026-11-21T01:05:00Z', '-03:30')).toBe('21:35')
})

test('a started minute counts', () => {
  expect([0, 1, 60, 61, -5].map(minutes)).toEqual([0, 1, 1, 2, 0])
})

test('a timer grows hours when it needs them', () => {
  expect([5, 65, 3_725].map(stopwatch)).toEqual(['0:05', '1:05', '1:02:05'])
})

test("in a drill, now is the hall's and not this computer's", () => {
  learnHallTime('2026-03-02T09:00:00+08:00')
  expect(Math.abs(hallNow() - Date.parse('2026-03-02T09:00:00+08:00'))).toBeLessThan(500)
  expect(secondsSince('2026-03-02T08:59:00+08:00')).toBeGreaterThanOrEqual(60)
})

test('what ticks slowly still shows the clock of a drill as soon as it is known', () => {
  const scope = effectScope()
  const now = scope.run(() => useNow(3_600_000))
  learnHallTime('2031-03-02T09:00:00+08:00')
  expect(clock(now?.value ?? 0, 'Asia/Shanghai')).toBe('09:00')
  scope.stop()
})
