/**
 * Which alarms somebody at this browser has heard of; new ones ring, if that is wanted, and are counted in the title.
 *
 * Kept in the browser, hall by hall. An alarm that comes back within `SAME_MS` is the same one: a queue that goes over
 * its target with every second call must not ring each time.
 */
import { playTones, useNow } from '@jiaohao/lib'
import { computed, onScopeDispose, ref, watch, type ComputedRef, type Ref } from 'vue'
import type { Alarm } from './useAlarms'

const SAME_MS = 60_000
const RING_EVERY_MS = 30_000
const NOTES_HZ = [784, 659]
const LOUDNESS = 0.35
const SOUND_KEY = 'jiaohao.manager.sound'

/** One alarm as this browser knows it; times in Unix ms. */
interface Known {
  since: number
  seen: number
  heard: boolean
}
export interface HeardAlarm extends Alarm {
  since: number
  heard: boolean
}
export interface Heard {
  /** All of them, the new ones first. */
  list: ComputedRef<HeardAlarm[]>
  fresh: ComputedRef<number>
  acknowledge: (key: string) => void
  acknowledgeAll: () => void
  sound: Ref<boolean>
  /** The browser lets no page ring before somebody has touched it. */
  silenced: Ref<boolean>
  toggleSound: () => void
}

export function useHeard(hall: () => string | null, alarms: Readonly<Ref<Alarm[]>>): Heard {
  const now = useNow(1_000)
  const known = ref<Record<string, Known>>({})
  const sound = ref(read(SOUND_KEY, true))
  const silenced = ref(false)
  let context: AudioContext | undefined
  let rang = -Infinity
  let wanted = false

  const place = () => `jiaohao.manager.alarms.${hall() ?? ''}`
  watch(hall, () => (known.value = read(place(), {})), { immediate: true, flush: 'sync' })
  watch(
    [alarms, () => Math.floor(now.value / SAME_MS)] as const,
    ([list]) => {
      const next: Record<string, Known> = {}
      let isNew = false
      for (const [key, one] of Object.entries(known.value)) if (now.value - one.seen < SAME_MS) next[key] = one
      for (const one of list) {
        const before = next[one.key]
        isNew ||= before === undefined
        next[one.key] = { since: before?.since ?? one.since ?? now.value, seen: now.value, heard: before?.heard ?? false }
      }
      known.value = next
      keep(place(), next)
      if (isNew) ring()
    },
    { immediate: true },
  )
  watch(now, () => wanted && ring())

  const list = computed(() =>
    alarms.value
      .map((one) => ({ ...one, since: one.since ?? known.value[one.key]?.since ?? now.value, heard: known.value[one.key]?.heard ?? false }))
      .sort((a, b) => Number(a.heard) - Number(b.heard)),
  )
  const fresh = computed(() => list.value.filter((one) => !one.heard).length)
  function hear(is: (key: string) => boolean): void {
    known.value = Object.fromEntries(Object.entries(known.value).map(([key, one]) => [key, is(key) ? { ...one, heard: true } : one]))
    keep(place(), known.value)
  }
  function ring(): void {
    wanted = false
    if (!sound.value || context === undefined) return
    if (performance.now() - rang < RING_EVERY_MS) {
      wanted = true // one sound for all that came meanwhile
      return
    }
    rang = performance.now()
    playTones(context, NOTES_HZ, 1, LOUDNESS)
  }
  async function touch(): Promise<void> {
    if (!('AudioContext' in window) || !sound.value) return
    context ??= new AudioContext()
    await context.resume().catch(() => undefined)
    silenced.value = context.state !== 'running'
    if (!silenced.value && wanted) ring()
  }
  const touched = () => void touch()
  silenced.value = !('userActivation' in navigator && navigator.userActivation.hasBeenActive)
  addEventListener('click', touched)
  addEventListener('keydown', touched)
  onScopeDispose(() => {
    removeEventListener('click', touched)
    removeEventListener('keydown', touched)
    void context?.close()
  })
  function toggleSound(): void {
    sound.value = !sound.value
    keep(SOUND_KEY, sound.value)
    void touch()
  }
  return { list, fresh, acknowledge: (key) => hear((one) => one === key), acknowledgeAll: () => hear(() => true), sound, silenced, toggleSound }
}

/** What the browser kept; the other when it kept nothing, or may keep nothing. */
function read<T>(key: string, otherwise: T): T {
  try {
    const kept = localStorage.getItem(key)
    return kept === null ? otherwise : (JSON.parse(kept) as T)
  } catch {
    return otherwise
  }
}
function keep(key: string, value: unknown): void {
  try {
    localStorage.setItem(key, JSON.stringify(value))
  } catch {
    // A browser that keeps nothing: all alarms are new after a reload.
  }
}
