/** Hot and cold as words and signs: never by colour alone. */
import { Flame, Scale, Snowflake, type LucideIcon } from '@lucide/vue'

/** What who comes now would wait, over what the hall aims at. */
const HOT = 1
const COLD = 0.4

export type Level = 'hot' | 'even' | 'cold' | 'none'

export const SIGNS: Record<Exclude<Level, 'none'>, LucideIcon> = { hot: Flame, even: Scale, cold: Snowflake }

/** Give how hot; none where no window at work serves it. */
export function levelOf(heat: number | null | undefined): Level {
  if (heat === null || heat === undefined) return 'none'
  return heat >= HOT ? 'hot' : heat < COLD ? 'cold' : 'even'
}
