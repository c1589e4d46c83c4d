/** An expected wait in words that promise no more than is known: a range that holds for four visitors of five. */
import { computed, shallowRef, watch, type ComputedRef } from 'vue'
import { translate } from './i18n'
import { useNow } from './now'
import type { Eta } from './wire'

const LONG_MIN = 120
/** A range that ends beyond this says no more than where it begins, and nothing where it begins soon. */
const FAR_MIN = 180
/** From here on in steps of five: nobody is told 37 minutes. */
const FINE_MIN = 20
const STEP_MIN = 5
/** An end of the range that was told moves only when it has become wrong by more than this, or this part of itself. */
const LEAST_MOVE_S = 120
const LEAST_MOVE = 0.25
/** So long after the latest end nothing is known any more. */
const OVERDUE_S = 120

/**
 * Give "约 8–15 分钟": the low end rounded down and the high one up, or "暂无法预计" when nobody knows.
 *
 * The paper says the same by the same rounding (`drivers/waits.py`). Reactive inside templates.
 */
export function expectedWait(eta: Eta | null | undefined): string {
  if (!eta) return translate('wait.unknown')
  const from = rounded(eta.low_s, Math.floor)
  const to = rounded(Math.max(eta.low_s, eta.high_s), Math.ceil)
  if (to === 0) return translate('wait.now')
  if (from > LONG_MIN) return translate('wait.long', { n: LONG_MIN })
  if (to > FAR_MIN) return from >= FINE_MIN ? translate('wait.long', { n: from }) : translate('wait.unknown')
  if (from === to) return translate('wait.about', { n: to })
  return from === 0 ? translate('wait.within', { n: to }) : translate('wait.range', { from, to })
}

/** A wait as it was told, `at_ms` on the hall's clock. */
export interface Told {
  eta: Eta
  at_ms: number
}

/** Give what is left of a wait after a while: it runs down with the clock. Null when even its latest end is long past. */
export function leftOf(told: Told, now_ms: number): Eta | null {
  const passed_s = Math.max(0, Math.floor((now_ms - told.at_ms) / 60_000) * 60)
  if (passed_s > told.eta.high_s + OVERDUE_S) return null
  const left = (seconds: number) => Math.max(0, seconds - passed_s)
  const { p50_s, p80_s, low_s, high_s } = told.eta
  return { p50_s: left(p50_s), p80_s: left(p80_s), low_s: left(low_s), high_s: left(high_s) }
}

/**
 * Give what to tell after a new forecast: what was told before, while that still holds, else the new one.
 *
 * Each call in the hall makes a new forecast, a minute more or less each time; somebody who looks at a phone again
 * should not read another range each time. What was told runs down with the clock and stays while both its ends are
 * within two minutes, or a quarter, of the new ones and the new middle lies inside.
 */
export function steady(told: Told | null, fresh: Told): Told {
  if (told === null) return fresh
  const now_ms = Math.max(told.at_ms, fresh.at_ms)
  const [old, young] = [leftOf(told, now_ms), leftOf(fresh, now_ms)]
  if (old === null || young === null) return fresh
  const holds = (was_s: number, is_s: number) => Math.abs(was_s - is_s) <= Math.max(LEAST_MOVE_S, LEAST_MOVE * is_s)
  const inside = old.low_s <= young.p50_s && young.p50_s <= old.high_s
  return inside && holds(old.low_s, young.low_s) && holds(old.high_s, young.high_s) ? told : fresh
}

/** Give a visitor's wait as it is to be shown: calm (see `steady`), running down with the clock; null when unknown. */
export function useSteadyWait(fresh: () => Told | null): ComputedRef<Eta | null> {
  const now = useNow(5_000)
  const told = shallowRef<Told | null>(null)
  watch(
    fresh,
    (newest) => {
      told.value = newest === null ? null : steady(told.value, newest)
    },
    { immediate: true },
  )
  return computed(() => (told.value === null ? null : leftOf(told.value, now.value)))
}

function rounded(seconds: number, whole: (value: number) => number): number {
  const minutes = whole(Math.max(0, seconds) / 60)
  return minutes <= FINE_MIN ? minutes : whole(minutes / STEP_MIN) * STEP_MIN
}
