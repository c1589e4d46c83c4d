/** Who this kiosk is and which hall it stands in: asked at the start, and again for as long as nobody answers. */
import { api, Refusal, reconnectLive, Unreachable } from '@jiaohao/lib'
import type { ShallowRef } from 'vue'
import type { Step } from './steps'
import type { useHall } from './useHall'

const START_AGAIN_MS = 2_000

export function useArrival(step: ShallowRef<Step>, house: ReturnType<typeof useHall>) {
  async function start(): Promise<void> {
    step.value = { at: 'starting', waiting: false }
    for (;;) {
      try {
        await arrive()
        return
      } catch (problem) {
        if (!(problem instanceof Unreachable || (problem instanceof Refusal && problem.status >= 500))) {
          step.value = { at: 'trouble', problem, again: () => void start() }
          return
        }
        step.value = { at: 'starting', waiting: true }
        await new Promise((resolve) => setTimeout(resolve, START_AGAIN_MS))
      }
    }
  }

  async function arrive(): Promise<void> {
    const code = new URLSearchParams(location.hash.slice(1)).get('code')
    let me = await api.me()
    if (me.kind === 'nobody' && code !== null) {
      await enrol(code, false)
      me = await api.me()
    }
    // The code works once: take it out of the address, so that a reload does not try it again.
    if (code !== null) history.replaceState(null, '', location.pathname + location.search)
    if (me.kind === 'nobody') {
      if (step.value.at !== 'enrol') step.value = { at: 'enrol', problem: null }
      return
    }
    house.device.value = me.device ?? null
    const asked = new URLSearchParams(location.search).get('hall') ?? me.hall
    if (asked) return enter(asked)
    const { halls } = await api.halls()
    const only = halls.length === 1 ? halls[0] : undefined
    if (only !== undefined) return enter(only.hall)
    step.value = { at: 'halls', halls }
  }

  /** Make this browser a kiosk by a one-time code. */
  async function enrol(code: string, again = true): Promise<void> {
    try {
      await api.enrol(code.trim())
    } catch (problem) {
      if (!(problem instanceof Refusal)) throw problem
      step.value = { at: 'enrol', problem }
      return
    }
    reconnectLive()
    if (again) await start()
  }

  async function enter(id: string): Promise<void> {
    await house.read(id)
    step.value = { at: 'home' }
  }

  return { start, enrol, enter }
}
