/** The bench as it is now, by long poll, and the commands it takes. */
import { toast, translate } from '@jiaohao/lib'
import { onBeforeUnmount, ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import type { BenchState } from './wire'

/** The bench answers after 20 s at the latest. */
const TIMEOUT_MS = 30_000
const RETRY_AFTER_MS = 1_000

export interface Bench {
  state: ShallowRef<BenchState | null>
  connected: Ref<boolean>
}

/** Follow the bench as long as the component lives. */
export function useBench(): Bench {
  const state = shallowRef<BenchState | null>(null)
  const connected = ref(true)
  let running = true
  let stop = new AbortController()

  async function follow() {
    while (running) {
      stop = new AbortController()
      const timer = setTimeout(() => stop.abort(), TIMEOUT_MS)
      try {
        const known = state.value
        const query = known === null || !connected.value ? '' : `?after=${known.version}&run=${known.run}`
        const answer = await fetch(`/api/state${query}`, { cache: 'no-store', signal: stop.signal })
        if (!answer.ok) throw new Error(String(answer.status))
        state.value = (await answer.json()) as BenchState
        connected.value = true
      } catch {
        connected.value = false
        await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS))
      } finally {
        clearTimeout(timer)
      }
    }
  }
  void follow()
  onBeforeUnmount(() => {
    running = false
    stop.abort()
  })
  return { state, connected }
}

/** Tell a device something; a failure is shown to the reader. */
export async function tell(device: string, what: 'faults' | 'power' | 'press', body: unknown = {}): Promise<void> {
  try {
    const answer = await fetch(`/api/devices/${encodeURIComponent(device)}/${what}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Jiaohao-Bench': '1' },
      body: JSON.stringify(body),
    })
    if (answer.ok) return
    const problem = (await answer.json().catch(() => ({}))) as { detail?: unknown }
    toast(typeof problem.detail === 'string' ? problem.detail : translate('problem.unknown'), 'bad')
  } catch {
    toast(translate('problem.unreachable'), 'bad')
  }
}
