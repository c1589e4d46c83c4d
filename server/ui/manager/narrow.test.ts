import { describe, expect, test } from 'vitest'
import type { Ticket } from '@jiaohao/lib'
import { nameIn, narrowedBy } from './narrow'

const given = (number: number, issued_at: string) => ({ number, issued_at }) as Ticket
const ZONE = 'Asia/Shanghai'

describe('a number of which little is known', () => {
  test('its digits fit every series', () => {
    const fits = narrowedBy('012', ZONE)
    expect([12, 112].map((number) => fits?.(given(number, '2026-03-02T09:05:00+08:00')))).toEqual([true, false])
  })

  test('a time fits five minutes before and after, on the clock of the hall', () => {
    const fits = narrowedBy('9:05', ZONE)
    const times = ['2026-03-02T08:59:59+08:00', '2026-03-02T01:00:00Z', '2026-03-02T09:10:59+08:00', '2026-03-02T09:11:00+08:00']
    expect(times.map((time) => fits?.(given(1, time)))).toEqual([false, true, true, false])
  })

  test.each(['A012', '', '9点', 'Zk3_x-9'])('%s narrows nothing', (words) => expect(narrowedBy(words, ZONE)).toBeNull())
})

test('a scanned address names its ticket, anything else names itself', () => {
  expect([' http://192.168.1.8:8080/t/qiaocheng/Zk3_x-9', ' a012 ', '/t/x'].map(nameIn)).toEqual(['Zk3_x-9', 'a012', '/t/x'])
})
