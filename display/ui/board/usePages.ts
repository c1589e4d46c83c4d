/** Rows that do not fit are shown page after page, slowly. */
import { computed, onScopeDispose, ref, type ComputedRef } from 'vue'

const TURN_MS = 8_000

/** Give the rows of the page shown now; with `most()` rows or fewer it is always all of them. */
export function usePages<Row>(rows: () => readonly Row[], most: () => number): ComputedRef<readonly Row[]> {
  const turn = ref(0)
  const timer = setInterval(() => {
    turn.value += 1
  }, TURN_MS)
  onScopeDispose(() => clearInterval(timer))
  return computed(() => {
    const all = rows()
    const pages = Math.max(1, Math.ceil(all.length / most()))
    const page = turn.value % pages
    // Pages of one size: nothing jumps when they turn.
    const size = Math.ceil(all.length / pages)
    return all.slice(page * size, (page + 1) * size)
  })
}
