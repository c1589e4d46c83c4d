/** What a visitor chooses, step by step, and what the server says to it. */
import { api, intent, keepTo, problemText, Refusal, type BookedAppointment, type OnlineBooking, type OnlineHall, type Slots } from '@jiaohao/lib'
import { computed, onScopeDispose, ref, shallowRef, watch, watchEffect } from 'vue'
import { nearestFree, type FreeSlot } from './slots'

/** As many open days as the server gives at once. */
const DAYS_MOST = 31
/** A slot that was taken, or has passed, in the meantime: another is chosen. */
const GONE = new Set(['slot_full', 'slot_unknown', 'too_far_ahead'])

export type Step = 'service' | 'time' | 'who'

export function useBooking(booked: (hall: string, answer: BookedAppointment) => void) {
  const asked = new URLSearchParams(location.search)
  const halls = shallowRef<OnlineHall[]>([])
  const hall = shallowRef<OnlineBooking | null>(null)
  const slots = shallowRef<Slots | null>(null)
  const service = ref(asked.get('service') ?? '')
  const chosen = shallowRef<FreeSlot | null>(null)
  const step = ref<Step>('service')
  const busy = ref(false)
  const problem = ref('')
  /** The slot that was gone when it was to be booked, and those that are free near it. */
  const gone = shallowRef<{ why: string; instead: FreeSlot[] } | null>(null)
  const named = computed(() => hall.value?.services.find((one) => one.service === service.value) ?? null)

  watchEffect(() => keepTo(hall.value?.languages ?? []))

  /** The phone's own way back leads to the step before, not off the page. */
  function go(to: Step): void {
    if (to !== step.value) history.pushState({ step: to }, '')
    step.value = to
    scrollTo(0, 0)
  }
  const wentBack = (event: PopStateEvent) => {
    const to = (event.state as { step?: Step } | null)?.step ?? 'service'
    step.value = slots.value === null || (to === 'who' && chosen.value === null) ? 'service' : to
  }
  addEventListener('popstate', wentBack)
  onScopeDispose(() => removeEventListener('popstate', wentBack))
  // What went wrong in one step is not said in another.
  watch(step, () => (problem.value = ''), { flush: 'sync' })

  /** Do one thing at a time; what goes wrong is said in `problem`. */
  async function busily(act: () => Promise<void>): Promise<void> {
    if (busy.value) return
    busy.value = true
    problem.value = ''
    try {
      await act()
    } catch (error) {
      problem.value = problemText(error)
    } finally {
      busy.value = false
    }
  }

  const open = () =>
    busily(async () => {
      let id = asked.get('hall')
      if (id === null) {
        halls.value = (await api.onlineHalls()).halls
        if (halls.value.length !== 1) return
        id = halls.value[0]?.hall ?? ''
      }
      hall.value = await api.onlineBooking(id)
      if (named.value !== null) await look(service.value)
    })

  const chooseService = (id: string) => busily(() => look(id))

  /** Offer the times of a service, and those near the one that was missed; nothing changes where they cannot be read. */
  async function look(of: string, missed?: { why: string; starts_at: string }): Promise<void> {
    const found = await api.slots(hall.value?.hall ?? '', of, DAYS_MOST)
    service.value = of
    slots.value = found
    chosen.value = null
    gone.value = missed === undefined ? null : { why: missed.why, instead: nearestFree(found.days, missed.starts_at) }
    go('time')
  }

  function chooseTime(slot: FreeSlot): void {
    chosen.value = slot
    gone.value = null
    go('who')
  }

  /** One key as long as the same is asked for: after a lost answer nothing is booked twice. */
  let lastAsked = ''
  let key = ''
  const book = (reference: string) =>
    busily(async () => {
      const [at, wanted] = [hall.value, chosen.value]
      if (at === null || wanted === null) return
      const body = { service: service.value, day: wanted.day, starts: wanted.starts, visitor_ref: reference }
      const asking = JSON.stringify(body)
      if (asking !== lastAsked) [lastAsked, key] = [asking, intent()]
      try {
        booked(at.hall, await api.bookOnline(at.hall, body, key))
      } catch (error) {
        if (error instanceof Refusal) lastAsked = '' // an answer came: the next press is another try
        if (!(error instanceof Refusal && GONE.has(error.code))) throw error
        await look(body.service, { why: problemText(error), starts_at: wanted.starts_at })
      }
    })

  return { halls, hall, slots, service, named, chosen, step, busy, problem, gone, go, open, chooseService, chooseTime, book }
}
