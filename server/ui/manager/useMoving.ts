/**
 * A service on its way to a window, or away from one: lifted with mouse or finger, or chosen from a menu.
 *
 * Both end in the same question (`asked`), which says what is predicted and what one click does. What is predicted is
 * read once when a service is lifted. A press that moves less than `STEADY_PX` is a click.
 */
import { api, problemText, toast, type WhatIf } from '@jiaohao/lib'
import { onScopeDispose, reactive, ref, shallowRef, type InjectionKey, type Ref } from 'vue'

const STEADY_PX = 6
/** Nearer than this to the edge of the screen the page scrolls along. */
const EDGE_PX = 72
const SCROLL_PX = 14
const SCROLL_EVERY_MS = 30

export interface Moved {
  service: string
  /** The window it is taken from, null when it comes from its zone. */
  from: string | null
  /** Where it goes, null while nobody has said. */
  to: string | null
}

/** A prediction on its way, here, or not to be had: then nothing is said of it. */
export type Told = 'reading' | 'told' | 'failed'

export interface Moving {
  /** What is held over the hall now; `to` is the window under it. */
  lifted: Ref<Moved | null>
  /** What is to be confirmed. */
  asked: Ref<Moved | null>
  /** What is predicted for the service that is lifted or asked for. */
  effects: Ref<WhatIf['windows']>
  /** How far the prediction is. */
  told: Ref<Told>
  /** Where the pointer is. */
  at: { x: number; y: number }
  /** A press on a service, with the window it stands at. */
  press: (event: PointerEvent, service: string, from: string | null) => void
  /** Ask without dragging. */
  ask: (service: string, from: string | null, to?: string | null) => void
  done: () => void
}

export const MOVING: InjectionKey<Moving> = Symbol('moving')

/** Give the moves of a hall's services while the calling component lives. */
export function useMoving(hall: () => string): Moving {
  const lifted = ref<Moved | null>(null)
  const asked = ref<Moved | null>(null)
  const effects = shallowRef<WhatIf['windows']>([])
  const told = ref<Told>('reading')
  const at = reactive({ x: 0, y: 0 })
  let pressed: { id: number; x: number; y: number; moved: Moved } | null = null
  let scroll: ReturnType<typeof setInterval> | undefined
  let read = ''

  async function predict(service: string): Promise<void> {
    if (read === service) return
    read = service
    effects.value = []
    told.value = 'reading'
    try {
      const found = await api.whatIf(hall(), service)
      if (read !== service) return
      effects.value = found.windows
      told.value = 'told'
    } catch (error) {
      if (read !== service) return
      told.value = 'failed'
      toast(problemText(error), 'bad')
    }
  }
  function press(event: PointerEvent, service: string, from: string | null): void {
    if (event.button !== 0 || !event.isPrimary) return
    end() // of a press whose end was never heard of
    pressed = { id: event.pointerId, x: event.clientX, y: event.clientY, moved: { service, from, to: null } }
    addEventListener('pointermove', move)
    addEventListener('pointerup', drop)
    addEventListener('pointercancel', cancel)
    addEventListener('keydown', escape, true)
  }
  function move(event: PointerEvent): void {
    if (pressed?.id !== event.pointerId) return
    if ((event.buttons & 1) === 0) return end() // let go where the page did not hear of it
    if (lifted.value === null) {
      if (Math.hypot(event.clientX - pressed.x, event.clientY - pressed.y) < STEADY_PX) return
      lifted.value = { ...pressed.moved }
      void predict(pressed.moved.service)
      scroll = setInterval(scrollAlong, SCROLL_EVERY_MS)
    }
    event.preventDefault()
    at.x = event.clientX
    at.y = event.clientY
    look()
  }
  function look(): void {
    const under = document.elementFromPoint(at.x, at.y)?.closest('[data-drop]')
    if (lifted.value !== null) lifted.value.to = under?.getAttribute('data-drop') ?? null
  }
  function cancel(event: PointerEvent): void {
    if (pressed?.id === event.pointerId) end()
  }
  function drop(event: PointerEvent): void {
    if (pressed?.id !== event.pointerId) return
    const moved = lifted.value
    end()
    if (moved === null) return
    addEventListener('click', swallow, true) // the press was no click
    setTimeout(() => removeEventListener('click', swallow, true))
    if (moved.to === AWAY && moved.from !== null) ask(moved.service, moved.from, AWAY)
    else if (moved.to !== null && moved.to !== AWAY && moved.to !== moved.from) ask(moved.service, moved.from, moved.to)
  }
  function swallow(event: Event): void {
    event.stopPropagation()
    event.preventDefault()
  }
  function escape(event: KeyboardEvent): void {
    if (event.key !== 'Escape') return
    event.stopPropagation()
    end()
  }
  function scrollAlong(): void {
    const by = at.y < EDGE_PX ? -SCROLL_PX : at.y > innerHeight - EDGE_PX ? SCROLL_PX : 0
    if (by === 0) return
    scrollBy(0, by)
    look()
  }
  function end(): void {
    pressed = lifted.value = null
    clearInterval(scroll)
    removeEventListener('pointermove', move)
    removeEventListener('pointerup', drop)
    removeEventListener('pointercancel', cancel)
    removeEventListener('keydown', escape, true)
    if (asked.value === null) read = ''
  }
  function ask(service: string, from: string | null, to: string | null = null): void {
    asked.value = { service, from, to }
    void predict(service)
  }
  function done(): void {
    asked.value = null
    read = ''
  }
  onScopeDispose(end)
  return { lifted, asked, effects, told, at, press, ask, done }
}

/** Where a service is dropped that a window shall serve no longer. */
export const AWAY = 'away'
