/**
 * A past day at speed: where it is, and the picture of that instant.
 *
 * The day's clock runs here; a picture is asked for only when something has changed since the one shown (`next_at`), one
 * at a time and not more often than `ASK_EVERY_MS`, so that no speed asks more of the server than another.
 */
import { api, problemText, type Replay, type ReplayPicture } from '@jiaohao/lib'
import { computed, onScopeDispose, ref, shallowRef, type ComputedRef, type Ref } from 'vue'

export const SPEEDS = [1, 10, 60, 300, 600] as const
const TICK_MS = 100
const ASK_EVERY_MS = 300
const AGAIN_MS = 700
/** Marks so near to each other are one step: thirty windows open within a minute. */
const TOGETHER_MS = 60_000

export type Film = NonNullable<Replay['film']>
export interface Step {
  at: number
  marks: Film['marks']
}

export interface Player {
  film: Ref<Film | null>
  /** Which share of the day is prepared, null when nothing is. */
  preparing: Ref<number | null>
  problem: Ref<string>
  /** Unix ms on the day's clock. */
  at: Ref<number>
  begins: ComputedRef<number>
  ends: ComputedRef<number>
  shown: Ref<ReplayPicture | null>
  playing: Ref<boolean>
  speed: Ref<number>
  steps: ComputedRef<Step[]>
  open: (date: string) => Promise<void>
  toggle: () => void
  go: (at: number) => void
  /** To the next step (1) or the one before (-1). */
  step: (direction: 1 | -1) => void
}

export function usePlayer(hall: () => string): Player {
  const film = shallowRef<Film | null>(null)
  const preparing = ref<number | null>(null)
  const problem = ref('')
  const at = ref(0)
  const shown = shallowRef<ReplayPicture | null>(null)
  const playing = ref(false)
  const speed = ref<number>(60)
  let date = ''
  let asking = false
  let asked = 0
  let ticked = performance.now()
  let again: ReturnType<typeof setTimeout> | undefined

  const begins = computed(() => Date.parse(film.value?.begins_at ?? '') || 0)
  const ends = computed(() => Date.parse(film.value?.ends_at ?? '') || 0)
  const steps = computed(() => {
    const found: Step[] = []
    for (const mark of film.value?.marks ?? []) {
      const at = Date.parse(mark.at)
      const last = found.at(-1)
      if (last !== undefined && at - last.at < TOGETHER_MS) last.marks.push(mark)
      else found.push({ at, marks: [mark] })
    }
    return found
  })

  async function open(wanted: string): Promise<void> {
    clearTimeout(again)
    date = wanted
    playing.value = false
    film.value = shown.value = null
    problem.value = ''
    preparing.value = 0
    await prepare(wanted)
  }
  async function prepare(wanted: string): Promise<void> {
    try {
      const told = await api.replay(hall(), wanted)
      if (date !== wanted) return
      if (told.film === null) {
        preparing.value = told.done
        again = setTimeout(() => void prepare(wanted), AGAIN_MS)
        return
      }
      film.value = told.film
      preparing.value = null
      go(begins.value)
    } catch (error) {
      if (date !== wanted) return
      preparing.value = null
      problem.value = problemText(error)
    }
  }
  function go(to: number): void {
    at.value = Math.min(Math.max(to, begins.value), ends.value)
    void look()
  }
  function isShown(): boolean {
    const picture = shown.value
    if (picture === null) return false
    return at.value >= Date.parse(picture.at) && (picture.next_at === null || at.value < Date.parse(picture.next_at))
  }
  async function look(): Promise<void> {
    if (asking || film.value === null || isShown()) return
    asking = true
    asked = performance.now()
    const wanted = date
    try {
      const told = await api.replayPicture(hall(), wanted, new Date(at.value).toISOString())
      if (date !== wanted) return
      shown.value = told
      problem.value = ''
    } catch (error) {
      if (date !== wanted) return
      problem.value = problemText(error)
      playing.value = false
    } finally {
      asking = false
    }
  }
  function toggle(): void {
    if (!playing.value && at.value >= ends.value) go(begins.value)
    playing.value = !playing.value
  }
  function step(direction: 1 | -1): void {
    playing.value = false
    const next = direction === 1 ? steps.value.find((one) => one.at > at.value + 500) : [...steps.value].reverse().find((one) => one.at < at.value - 500)
    go(next?.at ?? (direction === 1 ? ends.value : begins.value))
  }
  const timer = setInterval(() => {
    const now = performance.now()
    const passed = now - ticked
    ticked = now
    if (playing.value) {
      at.value = Math.min(at.value + passed * speed.value, ends.value)
      if (at.value >= ends.value) playing.value = false
    }
    if (now - asked >= ASK_EVERY_MS && problem.value === '') void look()
  }, TICK_MS)
  onScopeDispose(() => {
    date = ''
    clearInterval(timer)
    clearTimeout(again)
  })
  return { film, preparing, problem, at, begins, ends, shown, playing, speed, steps, open, toggle, go, step }
}
