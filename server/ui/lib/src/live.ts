/**
 * Live pictures: one websocket per page to the namespace `/live`.
 *
 * The page names a topic and the last `seq` it saw; the server sends the whole picture at once when that is old, and
 * again on each change. Newest wins. After a reconnect every topic is watched again, so a server restart needs no reload.
 *
 * The line counts as late when nothing (no picture, no engine ping) was heard for `SILENT_AFTER_MS`; the server pings
 * every 5 s, so a silent line is told within 10 s.
 */
import { io, type Socket } from 'socket.io-client'
import { computed, getCurrentScope, onScopeDispose, readonly, ref, shallowRef, toValue, watch, type ComputedRef, type MaybeRefOrGetter, type Ref } from 'vue'
import { hallNow, learnHallTime } from './time'
import type { PictureOf } from './wire'

const SILENT_AFTER_MS = 8_000
/** A lost connection is not worth a banner before this; a quick reconnect would only flash. */
const LOST_AFTER_MS = 2_500
const ACK_WITHIN_MS = 4_000
const WATCH_AGAIN_MS = 2_000

interface Picture {
  hall: string
  topic: string
  seq: number
  data: unknown
  at?: string
}
type WatchAnswer = { ok: true; seq: number; at?: string } | { ok: false; code: string }

interface Watch {
  hall: string
  topic: string
  seq: Ref<number | null>
  data: Ref<unknown>
  code: Ref<string | null>
  /** The next picture is taken whatever its seq: it is the first of this connection. */
  fresh: boolean
  again: ReturnType<typeof setTimeout> | undefined
}

const connected = ref(false)
const lastHeard = ref(Date.now())
const now = ref(Date.now())
const lostAt = ref<number | null>(Date.now())
const wanted = ref(false)
const watches = new Set<Watch>()
let socket: Socket | undefined

/** State of the line, the same for every topic of the page. */
export interface Line {
  connected: Readonly<Ref<boolean>>
  /** When the server was last heard: Unix milliseconds on the hall's clock. */
  lastHeard: ComputedRef<number>
  /** What is shown may be old: say so, with the time of the last word. */
  late: ComputedRef<boolean>
}

const late = computed(
  () =>
    wanted.value &&
    ((lostAt.value !== null && now.value - lostAt.value >= LOST_AFTER_MS) || now.value - lastHeard.value >= SILENT_AFTER_MS),
)

const heardAt = computed(() => lastHeard.value + hallNow() - Date.now())

/** Give the state of the page's line without watching anything. */
export function useLine(): Line {
  return { connected: readonly(connected), lastHeard: heardAt, late }
}

export interface Live<Data> extends Line {
  /** The newest picture, null before the first one. */
  data: Readonly<Ref<Data | null>>
  seq: Readonly<Ref<number | null>>
  /** Why the server refuses this topic (`not_allowed`, `ticket_not_found`, ...), null when it does not. */
  code: Readonly<Ref<string | null>>
}

/** A picture that came with the page. */
export interface FirstPicture<Data> {
  seq: number
  at: string
  data: Data
}

/**
 * Follow a topic while the calling component lives.
 *
 * `hall` and `topic` may change; an empty one watches nothing. `first` is a picture of the topic that is here already.
 */
export function useLive<const Topic extends string>(
  hall: MaybeRefOrGetter<string | null | undefined>,
  topic: MaybeRefOrGetter<Topic | null | undefined>,
  first?: FirstPicture<PictureOf<Topic>>,
): Live<PictureOf<Topic>> {
  const data = shallowRef<unknown>(null)
  const seq = ref<number | null>(null)
  const code = ref<string | null>(null)
  let current: Watch | undefined

  function stop() {
    if (current === undefined) return
    clearTimeout(current.again)
    watches.delete(current)
    if (connected.value) socket?.emit('unwatch', { hall: current.hall, topic: current.topic })
    current = undefined
  }

  watch(
    [() => toValue(hall), () => toValue(topic)] as const,
    ([newHall, newTopic]) => {
      stop()
      data.value = null
      seq.value = null
      code.value = null
      if (!newHall || !newTopic) return
      current = { hall: newHall, topic: newTopic, seq, data, code, fresh: true, again: undefined }
      if (first !== undefined) {
        data.value = first.data
        seq.value = first.seq
        learnHallTime(first.at)
        first = undefined
      }
      watches.add(current)
      open()
      if (connected.value) void ask(current)
    },
    { immediate: true },
  )
  if (getCurrentScope()) onScopeDispose(stop)

  return { ...useLine(), data: data as Ref<PictureOf<Topic> | null>, seq, code }
}

/** Connect anew, for example after a sign-in: the server reads who we are when the line opens. */
export function reconnectLive(): void {
  socket?.disconnect().connect()
}

function open(): void {
  wanted.value = true
  if (socket !== undefined) return
  lostAt.value = Date.now()
  socket = io('/live', {
    path: '/socket.io',
    transports: ['websocket'],
    reconnectionDelay: 200,
    reconnectionDelayMax: 1_000,
    timeout: 5_000,
  })
  socket.on('connect', () => {
    connected.value = true
    lostAt.value = null
    heard()
    for (const one of watches) void ask(one)
  })
  socket.on('disconnect', (reason) => {
    connected.value = false
    lostAt.value = Date.now()
    // The library does not come back by itself when the server said goodbye.
    if (reason === 'io server disconnect') setTimeout(() => socket?.connect(), 500)
  })
  socket.on('connect_error', () => {
    // `active` is false when the namespace refused us: the library gives up, we do not.
    if (socket?.active === false) setTimeout(() => socket?.connect(), 2_000)
  })
  socket.on('picture', take)
  socket.io.on('ping', heard)
  setInterval(tick, 500)
  // A laptop or phone that slept holds a dead line: look at once instead of after the ping timeout.
  document.addEventListener('visibilitychange', wake)
  window.addEventListener('online', wake)
  window.addEventListener('pageshow', wake)
}

function tick(): void {
  now.value = Date.now()
}

function wake(): void {
  tick()
  if (document.visibilityState === 'visible' && Date.now() - lastHeard.value >= SILENT_AFTER_MS) reconnectLive()
}

function heard(): void {
  lastHeard.value = Date.now()
  tick()
}

async function ask(one: Watch): Promise<void> {
  clearTimeout(one.again)
  one.fresh = true
  let answer: WatchAnswer
  try {
    answer = (await socket?.timeout(ACK_WITHIN_MS).emitWithAck('watch', {
      hall: one.hall,
      topic: one.topic,
      after: one.seq.value,
    })) as WatchAnswer
  } catch {
    answer = { ok: false, code: '' } // no answer in time: ask again
  }
  if (!watches.has(one)) return
  if (answer.ok) {
    one.code.value = null
    learnHallTime(answer.at)
    heard()
    return
  }
  if (answer.code !== '') one.code.value = answer.code
  one.again = setTimeout(() => {
    if (connected.value && watches.has(one)) void ask(one)
  }, WATCH_AGAIN_MS)
}

function take(picture: Picture): void {
  heard()
  learnHallTime(picture.at)
  for (const one of watches) {
    if (one.hall !== picture.hall || one.topic !== picture.topic) continue
    if (!one.fresh && one.seq.value !== null && picture.seq < one.seq.value) continue
    one.fresh = false
    one.seq.value = picture.seq
    one.data.value = picture.data
    one.code.value = null
  }
}
