import type { Hall, OpeningHours, Service } from '@jiaohao/lib'
import { expect, test } from 'vitest'
import { hoursOf } from './hours'

const row = (days: string, opens: string, closes: string, more: Partial<OpeningHours> = {}): OpeningHours => ({ days: days.split(' '), opens, closes, zones: [], services: [], ...more })
const hall = (hours: OpeningHours[], zone: object = {}) => ({ hours, zones: [{ zone: 'z', hours: [], always_open: false, ...zone }] }) as unknown as Hall
const service = { service: 's', zone: 'z' } as Service
const told = (one: Hall) => hoursOf(one, service).map((line) => `${line.days.map((run) => run.join('-')).join(' ')}: ${line.spans.join(' ')}`)
const week = [row('mon tue wed thu fri', '08:30', '12:00'), row('mon tue wed thu fri', '14:00', '17:30')]

test('days with the same hours are one run', () => expect(told(hall(week))).toEqual(['mon-fri: 08:30–12:00 14:00–17:30']))
test('duty of this zone counts, of another not', () => {
  const duty = (zone: string) => row('sat sun', '09:00', '12:00', { zones: [zone] })
  expect(told(hall([...week, duty('z')]))).toEqual(['mon-fri: 08:30–12:00 14:00–17:30', 'sat-sun: 09:00–12:00'])
  expect(told(hall([...week, duty('other')]))).toEqual(['mon-fri: 08:30–12:00 14:00–17:30'])
})
test('duty of this service counts', () => expect(told(hall([row('sun', '09:00', '10:00', { services: ['s'] })]))).toEqual(['sun-sun: 09:00–10:00']))
test('hours of its own are instead of those of the hall', () => {
  expect(told(hall(week, { hours: [row('mon wed market', '10:00', '11:00')] }))).toEqual(['mon-mon wed-wed market-market: 10:00–11:00'])
})
test('what never closes, and what says nothing, has none', () => {
  expect(told(hall(week, { always_open: true }))).toEqual([])
  expect(told(hall([]))).toEqual([])
})
