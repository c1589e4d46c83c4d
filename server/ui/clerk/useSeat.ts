/** Who sits here and at which window: a clerk at the window of the sign-in, a manager at one they choose. */
import { api, Unreachable, useLine, type Hall, type Me } from '@jiaohao/lib'
import { computed, onMounted, onScopeDispose, ref, shallowRef, watch } from 'vue'

const START_AGAIN_MS = 2_000

export function useSeat() {
  const me = shallowRef<Me | null>(null)
  const hall = shallowRef<Hall | null>(null)
  const starting = ref<'asking' | 'unreachable'>('asking')
  const chosen = ref<string | null>(new URLSearchParams(location.search).get('window'))
  let timer: ReturnType<typeof setTimeout> | undefined

  const isChief = computed(() => me.value?.role === 'manager' || me.value?.role === 'admin')
  const no = computed(() => me.value?.window ?? (isChief.value ? chosen.value : null))

  async function start(): Promise<void> {
    try {
      const known = await api.me()
      const here = known.hall ?? new URLSearchParams(location.search).get('hall') ?? known.halls[0]?.hall
      if (known.kind !== 'person' || here === undefined || (!known.window && known.role === 'clerk')) {
        signIn()
        return
      }
      hall.value = await api.hall(here)
      me.value = known
    } catch (problem) {
      starting.value = 'unreachable'
      if (problem instanceof Unreachable) timer = setTimeout(() => void start(), START_AGAIN_MS)
      else signIn()
    }
  }
  onMounted(start)
  onScopeDispose(() => clearTimeout(timer))

  // The structure is read again when the line comes back: the hall's settings may have changed.
  const { connected } = useLine()
  watch(connected, (back) => {
    const here = hall.value?.hall
    if (back && here !== undefined) void api.hall(here).then((found) => (hall.value = found), () => undefined)
  })

  function signIn(): void {
    location.replace('/login?to=/clerk')
  }
  async function signOut(): Promise<void> {
    await api.logout().catch(() => undefined)
    location.replace('/login')
  }
  /** Ask the server again who works here: after a hand-over it is a colleague. Null when it does not answer. */
  async function askAgain(): Promise<Me | null> {
    const known = await api.me().catch(() => null)
    if (known !== null) me.value = known
    return known
  }

  return { me, hall, hallId: computed(() => hall.value?.hall ?? null), no, chosen, starting, signIn, signOut, askAgain }
}
