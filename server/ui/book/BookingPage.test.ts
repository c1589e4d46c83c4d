import type { BookedAppointment } from '@jiaohao/lib'
import { createApp, h, nextTick } from 'vue'
import { expect, test, vi } from 'vitest'
import BookingPage from './BookingPage.vue'

vi.mock('./ChoosePage.vue', () => ({
  default: { emits: ['booked'], setup: (_: object, { emit }: { emit: (name: string, hall: string, answer: Partial<BookedAppointment>) => void }) => () => h('button', { onClick: () => emit('booked', 'north', { appointment: 'mine' }) }, 'choose') },
}))
vi.mock('./HeldPage.vue', () => ({ default: { props: ['hall', 'appointment', 'fresh'], setup: (props: { hall: string; appointment: string }) => () => `held ${props.hall} ${props.appointment}` } }))

/** The way back or forth, as the browser does it. */
async function wander(to: string): Promise<void> {
  history.replaceState(null, '', to)
  dispatchEvent(new PopStateEvent('popstate', { state: null }))
  await nextTick()
}

test('a booking is shown behind its own address only, back and forth', async () => {
  history.replaceState(null, '', '/book')
  const place = document.createElement('div')
  const app = createApp(BookingPage)
  app.mount(place)
  place.querySelector('button')?.click()
  await nextTick()
  expect([place.textContent, location.pathname]).toEqual(['held north mine', '/b/north/mine'])
  await wander('/book')
  expect(place.textContent).toBe('choose')
  await wander('/b/north/mine')
  expect(place.textContent).toBe('held north mine')
  app.unmount()
})
