/**
 * What the hall shows beside its calls: pictures and films from a folder of the server, one after another for ever.
 *
 * The folder is asked for again each minute. What cannot be shown (a broken file, a film in a format that this box does
 * not know) is left out until its file changes or the server has been away: the screen never stands on it, and a restart
 * of the server costs no film.
 */
import { api, useLine, type MediaItem } from '@jiaohao/lib'
import { computed, onScopeDispose, ref, watch, type ComputedRef, type Ref } from 'vue'

const ASK_AGAIN_MS = 60_000
const PICTURE_MS = 12_000
/** A film that makes no progress for so long is left out like a broken one. */
const STUCK_MS = 20_000

export interface Media {
  /** What to show now, null when there is nothing. */
  item: ComputedRef<MediaItem | null>
  address: ComputedRef<string>
  /** Counts each turn, so that a folder with one film plays it again. */
  turn: Ref<number>
  /** It is over. */
  next: () => void
  /** It cannot be shown. */
  leaveOut: () => void
  /** The film goes on. */
  alive: () => void
}

export function useMedia(hall: Ref<string | null>): Media {
  const all = ref<MediaItem[]>([])
  const broken = ref(new Set<string>())
  const place = ref('')
  const turn = ref(0)
  let clock: ReturnType<typeof setTimeout> | undefined

  const id = (one: MediaItem) => `${one.name} ${one.version}`
  const good = computed(() => all.value.filter((one) => !broken.value.has(id(one))))
  const item = computed(() => good.value.find((one) => id(one) === place.value) ?? null)
  const address = computed(() =>
    item.value === null || hall.value === null
      ? ''
      : `/api/v1/halls/${encodeURIComponent(hall.value)}/media/${encodeURIComponent(item.value.name)}?v=${item.value.version}`,
  )

  function show(one: MediaItem | undefined): void {
    clearTimeout(clock)
    place.value = one === undefined ? '' : id(one)
    turn.value += 1
    if (one !== undefined) clock = setTimeout(one.kind === 'picture' ? next : leaveOut, one.kind === 'picture' ? PICTURE_MS : STUCK_MS)
  }
  function next(): void {
    const before = all.value.findIndex((one) => id(one) === place.value)
    const later = all.value.slice(before + 1).find((one) => !broken.value.has(id(one)))
    show(later ?? good.value[0])
  }
  function leaveOut(): void {
    broken.value = new Set([...broken.value, place.value])
    next()
  }
  function alive(): void {
    clearTimeout(clock)
    clock = setTimeout(leaveOut, STUCK_MS)
  }

  async function ask(): Promise<void> {
    if (hall.value === null) return
    try {
      const items = (await api.media(hall.value)).items
      const known = new Set(items.map(id))
      broken.value = new Set([...broken.value].filter((one) => known.has(one)))
      all.value = items
      if (item.value === null) next()
    } catch {
      // The board says by itself that the server is silent; what is here goes on.
    }
  }
  watch(hall, () => void ask(), { immediate: true })
  watch(useLine().connected, (back) => {
    if (!back) return
    broken.value = new Set()
    void ask()
  })
  const asking = setInterval(() => void ask(), ASK_AGAIN_MS)
  onScopeDispose(() => {
    clearInterval(asking)
    clearTimeout(clock)
  })
  return { item, address, turn, next, leaveOut, alive }
}
