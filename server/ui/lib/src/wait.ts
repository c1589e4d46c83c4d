/** An expected wait in words that promise no more than is known. */
import { translate } from './i18n'
import { minutes } from './time'
import type { Eta } from './wire'

const LONG_MIN = 120

/** Give "约 10–20 分钟" for people; from 20 minutes on in steps of five. Reactive inside templates. */
export function expectedWait(eta: Eta): string {
  const from = rounded(minutes(eta.p50_s))
  const to = Math.max(from, rounded(minutes(eta.p80_s)))
  if (to === 0) return translate('wait.now')
  if (from > LONG_MIN) return translate('wait.long', { n: LONG_MIN })
  if (from === to || from === 0) return translate('wait.about', { n: to })
  return translate('wait.range', { from, to })
}

function rounded(whole_minutes: number): number {
  return whole_minutes <= 20 ? whole_minutes : Math.round(whole_minutes / 5) * 5
}
