/**
 * What a rating tablet knows and does: whose window it is, which visit it asks about, and the one press that grades it.
 *
 * The server binds a tablet to its window, and the press names the visit that was on the screen: a late one is refused and
 * never lands on the next visitor. Nothing pressed stays unrated.
 */
import { api, intent, Refusal, translate, Unreachable, useNow, type Me, type WindowPicture } from '@jiaohao/lib'
import { computed, onScopeDispose, ref, shallowRef, watch } from 'vue'
import { useScreen, useScreenLive } from '../screen/useScreen'

/** How long the thanks stay. */
const THANKS_MS = 6_000
/** How long it is said that a press did not arrive. */
const SAID_MS = 8_000
const ASK_AGAIN_MS = 2_000

type Asked = NonNullable<WindowPicture['to_rate']>

export function useTablet() {
  const screen = useScreen()
  const me = shallowRef<Me | null>(null)
  const wanted = screen.window.value
  const window = computed(() => (me.value === null ? null : (me.value.window ?? null)))
  const live = useScreenLive(screen, () => (window.value === null ? null : `window:${window.value}`))
  const now = useNow()

  // ---------------------------------------------------------------- who this is

  let again: ReturnType<typeof setTimeout> | undefined
  /** Ask the server which window this tablet belongs to; another one, or none, is no use here. */
  async function identify(): Promise<void> {
    clearTimeout(again)
    const hall = screen.hall.value
    if (hall === null || screen.locked.value) return
    try {
      const known = await api.me()
      const fits = known.kind === 'device' && known.role === 'display' && known.hall === hall && Boolean(known.window) && [null, known.window].includes(wanted)
      me.value = fits ? known : null
      if (fits) return
      const why = wanted === null ? translate('rating.noWindow') : translate('rating.notThisWindow', { window: wanted })
      screen.problem.value = new Refusal(403, 'not_this_tablet', why)
      screen.locked.value = true
    } catch {
      again = setTimeout(() => void identify(), ASK_AGAIN_MS)
    }
  }
  watch([screen.hall, screen.locked, live.connected], () => void identify(), { immediate: true })

  // ---------------------------------------------------------------- one press

  const sending = shallowRef<{ ask: Asked; grade: number } | null>(null)
  const thanks = ref(false)
  /** Why the last press was no grade. */
  const trouble = ref<'notSent' | 'tooLate' | null>(null)
  /** Done with here, whatever an older picture still says. */
  const over = ref('')
  let timer: ReturnType<typeof setTimeout> | undefined

  /** The visit to ask about; nothing while the line is silent, for the next visitor may be there already. */
  const ask = computed<Asked | null>(() => {
    if (sending.value !== null) return sending.value.ask
    const one = live.data.value?.to_rate ?? null
    return one === null || live.late.value || one.ticket === over.value || Date.parse(one.until) <= now.value ? null : one
  })

  async function press(grade: number): Promise<void> {
    const [hall, at, one] = [screen.hall.value, window.value, ask.value]
    if (hall === null || at === null || one === null || sending.value !== null || thanks.value) return
    sending.value = { ask: one, grade }
    trouble.value = null
    try {
      await api.rateAtWindow(hall, at, one.ticket, grade, intent())
      thank(one)
    } catch (problem) {
      // Lost answers: the grade was kept the first time, or the visitor has graded on the phone.
      if (problem instanceof Refusal && problem.code === 'already_rated') thank(one)
      else fail(one, problem)
    } finally {
      sending.value = null
    }
  }

  function thank(one: Asked): void {
    over.value = one.ticket
    thanks.value = true
    clearTimeout(timer)
    timer = setTimeout(() => (thanks.value = false), THANKS_MS)
  }

  function fail(one: Asked, problem: unknown): void {
    const lost = problem instanceof Unreachable || (problem instanceof Refusal && problem.status >= 500)
    trouble.value = lost ? 'notSent' : 'tooLate'
    if (!lost) over.value = one.ticket
    if (problem instanceof Refusal && [401, 403].includes(problem.status)) void identify()
    clearTimeout(timer)
    timer = setTimeout(() => (trouble.value = null), SAID_MS)
  }

  // Words about one visit are no words about the next.
  watch(() => live.data.value?.to_rate?.ticket, () => (trouble.value = null))
  onScopeDispose(() => {
    clearTimeout(timer)
    clearTimeout(again)
  })

  return { screen, live, window, ask, sending, thanks, trouble, press }
}
