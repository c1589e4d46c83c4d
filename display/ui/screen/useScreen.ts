/** Which hall this screen shows, and what to do before it may: choose a hall, or enrol with a one-time code. */
import { api, reconnectLive, Refusal, useLive, type HallSummary } from '@jiaohao/lib'
import { computed, onScopeDispose, ref, shallowRef, watch, type ComputedRef, type Ref } from 'vue'

const START_AGAIN_MS = 2_000

export interface Screen {
  hall: Ref<string | null>
  /** Halls to choose from, when the address names none and there are several. */
  halls: Ref<HallSummary[]>
  zone: string | null
  window: Ref<string | null>
  timeZone: ComputedRef<string | undefined>
  /** The server shows this screen nothing before it is enrolled. */
  locked: Ref<boolean>
  problem: Ref<unknown>
  enrol: (code: string) => Promise<void>
  /** Show a hall, and remember it in the address. */
  choose: (hall: string) => void
}

export function useScreen(): Screen {
  const asked = new URLSearchParams(location.search)
  const hall = ref<string | null>(null)
  const halls = ref<HallSummary[]>([])
  const zones = shallowRef<Record<string, string>>({})
  const locked = ref(false)
  const problem = ref<unknown>(null)
  let timer: ReturnType<typeof setTimeout> | undefined

  async function start(): Promise<void> {
    clearTimeout(timer)
    try {
      const code = new URLSearchParams(location.hash.slice(1)).get('code')
      if (code !== null) {
        history.replaceState(null, '', location.pathname + location.search)
        await enrol(code)
        return
      }
      halls.value = (await api.halls()).halls
      locked.value = false
      zones.value = Object.fromEntries(halls.value.map((one) => [one.hall, one.time_zone]))
      const only = halls.value.length === 1 ? halls.value[0] : undefined
      hall.value = asked.get('hall') ?? only?.hall ?? null
    } catch (error) {
      if (error instanceof Refusal && [401, 403].includes(error.status)) locked.value = true
      else timer = setTimeout(() => void start(), START_AGAIN_MS)
    }
  }

  async function enrol(code: string): Promise<void> {
    problem.value = null
    try {
      await api.enrol(code.trim())
      reconnectLive()
      await start()
    } catch (error) {
      locked.value = true
      problem.value = error
    }
  }

  function choose(id: string): void {
    asked.set('hall', id)
    history.replaceState(null, '', `${location.pathname}?${asked.toString()}`)
    hall.value = id
  }

  onScopeDispose(() => clearTimeout(timer))
  void start()
  return {
    hall,
    halls,
    zone: asked.get('zone'),
    window: ref(asked.get('window')),
    timeZone: computed(() => (hall.value === null ? undefined : zones.value[hall.value])),
    locked,
    problem,
    enrol,
    choose,
  }
}

/** Follow a topic of the screen's hall; a screen that lost its right asks for a code again. */
export function useScreenLive<const Topic extends string>(screen: Screen, topic: () => Topic | null) {
  const live = useLive(screen.hall, topic)
  watch(live.code, (code) => {
    if (code === 'not_allowed' || code === 'not_signed_in') screen.locked.value = true
  })
  return live
}
