/** Back by itself: a visit that nobody goes on with ends, and the next visitor finds nothing of it. */
import { computed, onScopeDispose, ref, watch, type ShallowRef } from 'vue'
import { stays, type Step } from './steps'

/** The visitor is gone: back to the start, in the hall's first language, with nothing left on the screen. */
export const IDLE_S = 20
/** How long the ticket stays on the screen. */
const TICKET_S = 15
const UNPRINTED_S = 20
/** From this many seconds before an idle return it is announced. */
const WARN_S = 8

interface Around {
  /** The start is not as the next visitor should find it. */
  isChanged: () => boolean
  forget: () => void
  leave: () => void
}

export function useIdle(step: ShallowRef<Step>, { isChanged, forget, leave }: Around) {
  const left = ref(IDLE_S)
  /** Seconds until the page goes back, when that is worth saying. */
  const leavingIn = computed(() => {
    if (step.value.at === 'ticket') return left.value
    const leaves = !stays(step.value) || (step.value.at === 'home' && isChanged())
    return leaves && left.value <= WARN_S ? left.value : null
  })

  watch(step, (now) => {
    left.value = now.at !== 'ticket' ? IDLE_S : now.printed ? TICKET_S : UNPRINTED_S
  })

  function touched(): void {
    if (step.value.at !== 'ticket') left.value = IDLE_S
  }

  const timer = setInterval(() => {
    if (left.value === 0) return
    left.value -= 1
    if (left.value > 0) return
    if (!stays(step.value)) leave()
    else if (step.value.at === 'home') forget()
  }, 1_000)
  onScopeDispose(() => clearInterval(timer))

  return { leavingIn, touched }
}
