/** Who came to the desk and which hall it serves: signed in or led away, its halls, and the structure of the one chosen. */
import { api, Unreachable, type Hall, type HallSummary, type Me } from '@jiaohao/lib'
import { onMounted, onScopeDispose, ref, shallowRef, watch, type Ref } from 'vue'

const AGAIN_MS = 2_000
const ROLES = ['guide', 'manager', 'admin']

/** Give who is signed in, `refused` where the desk is not theirs, and the hall they work in. */
export function useEntry(hallId: Ref<string | null>, me: Ref<Me | null>, connected: Readonly<Ref<boolean>>) {
  const halls = shallowRef<HallSummary[]>([])
  const hall = shallowRef<Hall | null>(null)
  const refused = ref(false)
  let timer: ReturnType<typeof setTimeout> | undefined

  async function start(): Promise<void> {
    try {
      const known = await api.me()
      if (known.kind !== 'person') {
        location.replace('/login?to=/guide')
        return
      }
      if (!ROLES.includes(known.role ?? '')) {
        refused.value = true
        return
      }
      halls.value = (await api.halls()).halls
      const wanted = new URLSearchParams(location.search).get('hall') ?? known.hall
      hallId.value = halls.value.find((one) => one.hall === wanted)?.hall ?? halls.value[0]?.hall ?? null
      me.value = known
    } catch (problem) {
      if (problem instanceof Unreachable) timer = setTimeout(() => void start(), AGAIN_MS)
      else location.replace('/login?to=/guide')
    }
  }

  async function structure(id: string): Promise<void> {
    try {
      const found = await api.hall(id)
      if (hallId.value === id) hall.value = found
    } catch {
      timer = setTimeout(() => void (hallId.value === id && hall.value === null && structure(id)), AGAIN_MS)
    }
  }

  // The structure is read again when the line comes back: a restarted server may have a newer hall file.
  watch([hallId, connected] as const, async ([id], [before]) => {
    if (id === null) return
    if (id !== before) hall.value = null
    await structure(id)
  })
  onMounted(start)
  onScopeDispose(() => clearTimeout(timer))
  return { halls, hall, refused }
}
