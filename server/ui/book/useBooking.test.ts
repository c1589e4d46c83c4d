import { api, Refusal, Unreachable, type BookedAppointment, type OnlineBooking, type Slots } from '@jiaohao/lib'
import { effectScope, type EffectScope } from 'vue'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { useBooking } from './useBooking'

const DAY = '2026-03-02'
const slot = (starts: string) => ({ starts, left: 1, starts_at: `${DAY}T${starts}:00.000+08:00`, ends_at: `${DAY}T${starts}:30.000+08:00` })
const SLOTS = { days: [{ day: DAY, slots: [slot('09:00'), slot('10:00')] }], shut: [] } as unknown as Slots
const HALL = { hall: 'north', services: [{ service: 'invoice' }, { service: 'pension' }], languages: [] } as unknown as OnlineBooking
const FULL = new Refusal(409, 'slot_full', 'taken')

let scope: EffectScope
beforeEach(() => {
  history.replaceState(null, '', '/book?hall=north')
  vi.spyOn(api, 'onlineBooking').mockResolvedValue(HALL)
  vi.spyOn(api, 'slots').mockResolvedValue(SLOTS)
  scope = effectScope()
})
afterEach(() => {
  scope.stop()
  vi.restoreAllMocks()
})

/** Come as far as the number. */
async function come() {
  const booked: BookedAppointment[] = []
  const booking = scope.run(() => useBooking((_, answer) => booked.push(answer)))
  if (booking === undefined) throw new Error('no booking')
  await booking.open()
  await booking.chooseService('invoice')
  booking.chooseTime({ ...slot('09:00'), day: DAY })
  expect(booking.step.value).toBe('who')
  return booking
}

test('a slot that is gone leads back to the times with those near it', async () => {
  const booking = await come()
  vi.spyOn(api, 'bookOnline').mockRejectedValue(FULL)
  await booking.book('13900001234')
  expect(booking.step.value).toBe('time')
  expect(booking.gone.value?.instead.map((one) => one.starts)).toEqual(['09:00', '10:00'])
  expect(booking.problem.value).toBe('')
})

test('where the other times cannot be read, the step stays as it is and says so', async () => {
  const booking = await come()
  vi.spyOn(api, 'bookOnline').mockRejectedValue(FULL)
  vi.spyOn(api, 'slots').mockRejectedValue(new Unreachable())
  await booking.book('13900001234')
  expect(booking.step.value).toBe('who')
  expect(booking.chosen.value?.starts).toBe('09:00')
  expect(booking.problem.value).not.toBe('')
})

test('a service whose times cannot be read is not offered those of another', async () => {
  const booking = await come()
  booking.go('service')
  vi.spyOn(api, 'slots').mockRejectedValue(new Unreachable())
  await booking.chooseService('pension')
  expect(booking.problem.value).not.toBe('')
  dispatchEvent(new PopStateEvent('popstate', { state: { step: 'time' } }))
  expect([booking.step.value, booking.service.value]).toEqual(['time', 'invoice'])
})

test('what is wrong with the number is not said about the time', async () => {
  const booking = await come()
  vi.spyOn(api, 'bookOnline').mockRejectedValue(new Refusal(422, 'visitor_ref', 'check it'))
  await booking.book('1')
  expect(booking.problem.value).not.toBe('')
  dispatchEvent(new PopStateEvent('popstate', { state: { step: 'time' } }))
  expect([booking.step.value, booking.problem.value]).toEqual(['time', ''])
})
