/** A ticking "now" for timers on a page. */
import { onScopeDispose, readonly, ref, watch, type Ref } from 'vue'
import { hallNow, useOffset } from './time'

/** Give the hall's now in Unix milliseconds, renewed every `every_ms` while the component lives. */
export function useNow(every_ms = 1_000): Readonly<Ref<number>> {
  const now = ref(hallNow())
  const timer = setInterval(() => {
    now.value = hallNow()
  }, every_ms)
  // A page starts on this computer's clock; nobody should read that until the next tick.
  watch(useOffset(), () => (now.value = hallNow()), { flush: 'sync' })
  onScopeDispose(() => clearInterval(timer))
  return readonly(now)
}
