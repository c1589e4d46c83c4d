/**
 * Signs of life of whoever works at a window: real presses and movements of the hand, never the open page itself.
 *
 * At most one is sent in `EVERY_MS`; what happens in between is sent when that time is over.
 */
import { onBeforeUnmount, onMounted } from 'vue'

const EVERY_MS = 60_000
const SIGNS = ['pointerdown', 'pointermove', 'keydown', 'wheel'] as const

/** Call `send` when somebody is at work at this page, now and then. */
export function useSignsOfLife(send: () => void): void {
  let sent = -EVERY_MS
  let later: ReturnType<typeof setTimeout> | undefined

  function sign(event: Event): void {
    if (!event.isTrusted || later !== undefined) return
    const wait = sent + EVERY_MS - performance.now()
    if (wait > 0) later = setTimeout(now, wait)
    else now()
  }
  function now(): void {
    later = undefined
    sent = performance.now()
    send()
  }

  onMounted(() => SIGNS.forEach((one) => document.addEventListener(one, sign, { passive: true })))
  onBeforeUnmount(() => {
    clearTimeout(later)
    SIGNS.forEach((one) => document.removeEventListener(one, sign))
  })
}
