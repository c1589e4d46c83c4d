import { expect, test } from 'vitest'
import { nearestFree } from './slots'

const slot = (day: string, starts: string, left: number) => ({ starts, left, starts_at: `${day}T${starts}:00.000+08:00`, ends_at: `${day}T${starts}:30.000+08:00` })
const days = [
  { day: '2026-03-02', slots: [slot('2026-03-02', '09:00', 1), slot('2026-03-02', '10:00', 0), slot('2026-03-02', '11:00', 2)] },
  { day: '2026-03-03', slots: [slot('2026-03-03', '09:00', 1), slot('2026-03-03', '10:00', 1)] },
]
const names = (found: { day: string; starts: string }[]) => found.map((one) => `${one.day.slice(-1)} ${one.starts}`)

test.each([
  ['2026-03-02T10:00:00.000+08:00', ['2 11:00', '3 09:00', '3 10:00']],
  ['2026-03-03T10:00:00.000+08:00', ['2 11:00', '3 09:00', '3 10:00']],
  ['2026-03-03T11:00:00.000+08:00', ['2 11:00', '3 09:00', '3 10:00']],
  ['2026-03-02T08:00:00.000+08:00', ['2 09:00', '2 11:00', '3 09:00']],
])('near %s: %j', (instant, found) => expect(names(nearestFree(days, instant))).toEqual(found))

test('none where all is taken', () => expect(nearestFree([{ day: '2026-03-02', slots: [slot('2026-03-02', '10:00', 0)] }], '2026-03-02T09:00:00Z')).toEqual([]))
