/** A ticking "now" for timers on a page. */
import { onScopeDispose, readonly, ref, type Ref } from 'vue'
import { hallNow } from './time'

/** Give the hall's now in Unix milliseconds, renewed every `every_ms` while the component lives. */
export function useNow(every_ms = 1_000): Readonly<Ref<number>> {
  const now = ref(hallNow())
  const timer = setInterval(() => {
    now.value = hallNow()
  }, every_ms)
  onScopeDispose(() => clearInterval(timer))
  return readonly(now)
}
