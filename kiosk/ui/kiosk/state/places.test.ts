import type { Hall, Service, Zone } from '@jiaohao/lib'
import { expect, test } from 'vitest'
import { commonOf, departmentsOf, marksOf, offered, placesOf, stopsOf, tenantOf } from './places'

const named = (zh: string) => ({ zh })

function zone(id: string, floor: string | null, more: Partial<Zone> = {}): Zone {
  const none = { about: null, tenant: null, board: null, always_open: false, trial_from: null, trial_to: null, hours: [] }
  return { zone: id, name: named(id), kind: 'queue', floor, ...none, ...more }
}

function service(id: string, more: Partial<Service> = {}): Service {
  return {
    service: id,
    name: named(id),
    zone: id,
    prefix: 'A',
    kind: 'ordinary',
    flags: [],
    tenant: null,
    department: null,
    matter_code: null,
    legs: [],
    appointments: null,
    minutes_typical: 10,
    windows: [id],
    common: false,
    asks_case: false,
    pinyin: [],
    guide: null,
    ...more,
  }
}

function hall(zones: Zone[], more: Partial<Hall> = {}): Hall {
  const queues = zones.filter((one) => one.kind === 'queue')
  const window = (no: string) => ({ window: no, name: named(no), zone: no, floor: null, serves: [no], relief: [] })
  return {
    floors: ['1F', '2F', '3F'].map((floor) => ({ floor, name: named(floor) })),
    tenants: [],
    zones,
    services: queues.map((one) => service(one.zone)),
    windows: queues.map((one) => ({ ...window(one.zone), staffed: true, decides: true })),
    kiosks: [],
    ...more,
  } as unknown as Hall
}

const kiosk = (floor: string | null, ...zones: string[]) => ({ kiosk: 'k1', name: named('k1'), floor, zones, day_quota: null })
const nine = () => [...'abc'].map((id) => zone(id, '1F')).concat([...'def'].map((id) => zone(id, '2F')), [...'ghi'].map((id) => zone(id, '3F')))
const told = (one: Hall, device: string | null = null) =>
  placesOf(one, device).map((place) => [place.id, place.here, place.zones.map((zone) => zone.zone).join('')])

test('a small hall, or one on a single floor, is shown at once from the ground floor up', () => {
  expect(told(hall([zone('b', '2F'), zone('a', '1F')]))).toEqual([['all', false, 'ab']])
  expect(told(hall([...'abcdefghij'].map((id) => zone(id, '1F'))))).toEqual([['all', false, 'abcdefghij']])
})

test('a large hall is browsed by floor, the floor of the kiosk marked', () => {
  const floors = [['1F', false, 'abc'], ['2F', false, 'def'], ['3F', false, 'ghi']]
  expect(told(hall(nine()))).toEqual(floors)
  const standing = hall(nine(), { kiosks: [kiosk('2F')] })
  expect(told(standing, 'k1')).toEqual([['1F', false, 'abc'], ['2F', true, 'def'], ['3F', false, 'ghi']])
  expect(told(standing, 'another')).toEqual(floors)
})

test('a kiosk with zones of its own shows these in its order, the others stand behind their floors', () => {
  const own = hall(nine(), { kiosks: [kiosk('2F', 'e', 'd')] })
  expect(told(own, 'k1')).toEqual([['1F', false, 'abc'], ['own', true, 'ed'], ['2F', false, 'f'], ['3F', false, 'ghi']])
  const all = hall([zone('a', '1F'), zone('b', '1F')], { kiosks: [kiosk('1F', 'b', 'a')] })
  expect(told(all, 'k1')).toEqual([['all', false, 'ba']])
})

test('areas without numbers are told on their floor, and never lost', () => {
  const machines = zone('machines', '2F', { kind: 'self_service' })
  const desk = zone('desk', null, { kind: 'guide' })
  const areas = placesOf(hall([...nine(), machines, desk]), null).map((place) => place.areas.map((area) => area.zone))
  expect(areas).toEqual([['desk'], ['machines'], []])
  expect(placesOf(hall([zone('a', '1F'), machines]), null)[0]?.areas).toEqual([machines])
})

test('what nobody is sent to serve is not offered; relief counts', () => {
  const one = hall([zone('a', '1F'), zone('b', '1F')])
  const [first, second] = one.windows
  if (first === undefined || second === undefined) throw new Error('two windows')
  first.staffed = false
  expect(one.zones.map((zone) => offered(one, zone).length)).toEqual([0, 1])
  second.relief = ['a']
  expect(one.zones.map((zone) => offered(one, zone).length)).toEqual([1, 1])
})

test('marks say what is special, and nothing that the name says', () => {
  const one = hall([zone('a', '1F')])
  const special = service('a', { flags: ['fee', 'cross_province', 'one_thing', 'unheard_of'] })
  const marks = (it: Service, name = 'a') => marksOf(one, it, name, (mark) => mark)
  expect(marks(special)).toEqual(['one_thing', 'cross_province', 'fee'])
  expect(marks(special, 'cross_province matters')).toEqual(['one_thing', 'fee'])
  expect(marks({ ...special, legs: ['a', 'b'] })).toEqual(['cross_province', 'fee'])
  expect(marks(service('a'))).toEqual([])
  one.windows = one.windows.map((window) => ({ ...window, decides: false }))
  expect(marks(service('a'))).toEqual(['takes_in_only'])
})

test('the stops of a joint matter have their places; an ordinary service has none', () => {
  const one = hall([zone('a', '1F'), zone('b', '2F')])
  expect(stopsOf(one, service('a'))).toEqual([])
  const stops = stopsOf(one, service('a', { legs: ['a', 'b', 'gone'] }))
  expect(stops.map((stop) => [stop.service.service, stop.zone?.zone, stop.floor?.floor])).toEqual([['a', 'a', '1F'], ['b', 'b', '2F']])
})

test('the unit of a service is named where several share the hall', () => {
  const tenants = ['city', 'district'].map((tenant) => ({ tenant, name: named(tenant) }))
  const one = hall([zone('a', '1F', { tenant: 'city' })], { tenants })
  expect(tenantOf(one, service('a'))).toEqual(named('city'))
  expect(tenantOf(one, service('a', { tenant: 'district' }))).toEqual(named('district'))
  expect(tenantOf({ ...one, tenants: tenants.slice(0, 1) }, service('a'))).toBeNull()
})

test('departments are browsed by where enough services name one; each of several has it, the nameless stand last', () => {
  const one = hall([...'abcd'].map((id) => zone(id, '1F')))
  expect(departmentsOf(one)).toEqual([])
  const departments = ['公安', '住建、公安', '税务', null]
  one.services.forEach((service, index) => (service.department = departments[index] ?? null))
  expect(departmentsOf(one).map((each) => [each.name, each.services.map((service) => service.service).join('')])).toEqual([
    ['公安', 'ab'],
    ['住建', 'b'],
    ['税务', 'c'],
    ['', 'd'],
  ])
  one.services.slice(0, 3).forEach((service) => (service.department = '公安'))
  expect(departmentsOf(one)).toEqual([])
})

test('what many come for stands first in its zone, and on its own', () => {
  const one = hall([zone('a', '1F')])
  one.services = ['a', 'b', 'c'].map((id) => service(id, { zone: 'a', common: id === 'c' }))
  const [first] = one.zones
  expect(first && offered(one, first).map((each) => each.service)).toEqual(['c', 'a', 'b'])
  expect(commonOf(one).map((each) => each.service)).toEqual(['c'])
})
