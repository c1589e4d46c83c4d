/**
 * A kiosk is not a browser: no menu after a long press, nothing to drag, to select, to zoom or to scroll; and a finger
 * that trembles presses once.
 */
import { onBeforeUnmount, onMounted } from 'vue'
import { WITH_BACK } from './steps'
import { theKiosk } from './useKiosk'

/** A second press so soon and so near is the first one again. */
const AGAIN_MS = 400
const AGAIN_PX = 40

export function useGuards(): void {
  const { step, back, touched } = theKiosk()

  const nothing = (event: Event) => event.preventDefault()
  const notByHand = (event: Event) => {
    if (!(event.target instanceof HTMLInputElement)) event.preventDefault()
  }
  const noZoom = (event: WheelEvent | KeyboardEvent) => {
    if (event.ctrlKey && (event instanceof WheelEvent || ['+', '-', '=', '0'].includes(event.key))) event.preventDefault()
  }
  const noScroll = () => window.scrollTo(0, 0)

  let last = { ms: -AGAIN_MS, x: 0, y: 0, at: step.value.at }
  /** The page moved on under the finger: what lies there now was not meant. Back and back again is. */
  function once(event: MouseEvent): void {
    if (event.detail === 0) return // by keyboard
    const finger = event instanceof PointerEvent && event.pointerType === 'touch' && event.timeStamp - last.ms < AGAIN_MS && Math.hypot(event.clientX - last.x, event.clientY - last.y) < AGAIN_PX
    const again = event.detail > 1 || finger // a mouse counts its clicks itself
    const moved = step.value.at !== last.at && !(event.target instanceof Element && event.target.closest('[data-back]'))
    if (again && moved) {
      event.preventDefault()
      event.stopPropagation()
    } else last = { ms: event.timeStamp, x: event.clientX, y: event.clientY, at: step.value.at }
  }
  function keys(event: KeyboardEvent): void {
    noZoom(event)
    if (event.key === 'Enter' && event.repeat) event.preventDefault()
    else if (event.key === 'Escape' && WITH_BACK.has(step.value.at)) back()
  }

  const GUARDS: [string, (event: never) => void][] = [
    ['contextmenu', nothing],
    ['dragstart', nothing],
    ['gesturestart', nothing],
    ['selectstart', notByHand],
    ['wheel', noZoom],
    ['scroll', noScroll],
    ['click', once],
    ['keydown', keys],
    ['pointerdown', touched],
    ['keydown', touched],
  ]
  onMounted(() => GUARDS.forEach(([name, guard]) => document.addEventListener(name, guard as EventListener, { capture: true, passive: false })))
  onBeforeUnmount(() => GUARDS.forEach(([name, guard]) => document.removeEventListener(name, guard as EventListener, { capture: true })))
}
