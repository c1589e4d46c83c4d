import { describe, expect, it } from 'vitest'
import { before, daysOf, isDay, KINDS, moved, spanOf, stepped } from './period'

describe('the days of a report', () => {
  it('are a week from Monday to Sunday, also over the turn of a year', () => {
    expect(spanOf('week', '2026-03-04')).toEqual({ first: '2026-03-02', last: '2026-03-08' })
    expect(spanOf('week', '2026-03-08')).toEqual({ first: '2026-03-02', last: '2026-03-08' })
    expect(spanOf('week', '2027-01-01')).toEqual({ first: '2026-12-28', last: '2027-01-03' })
  })
  it('are a whole month, however long', () => {
    expect(spanOf('month', '2028-02-10')).toEqual({ first: '2028-02-01', last: '2028-02-29' })
    expect(stepped('month', spanOf('month', '2026-12-05'), 1)).toEqual({ first: '2027-01-01', last: '2027-01-31' })
    expect(stepped('month', spanOf('month', '2026-03-31'), -1)).toEqual({ first: '2026-02-01', last: '2026-02-28' })
  })
  it('go forward and back to where they were', () => {
    for (const kind of KINDS) {
      for (let day = '2026-01-01'; day < '2026-12-31'; day = moved(day, 17)) {
        const span = spanOf(kind, day)
        expect(stepped(kind, stepped(kind, span, 1), -1)).toEqual(span)
        expect(stepped(kind, span, 1).first).toBe(moved(span.last, 1))
      }
    }
  })
  it('are compared with the same weekday, else with as many days before', () => {
    expect(before('day', spanOf('day', '2026-03-02'))).toEqual({ first: '2026-02-23', last: '2026-02-23' })
    expect(before('range', { first: '2026-03-05', last: '2026-03-14' })).toEqual({ first: '2026-02-23', last: '2026-03-04' })
    expect(daysOf(before('range', { first: '2026-03-05', last: '2026-03-14' }))).toBe(10)
  })
  it('must be in the calendar', () => {
    expect([isDay('2026-02-28'), isDay('2026-02-30'), isDay('2026-2-1'), isDay('')]).toEqual([true, false, false, false])
  })
})
