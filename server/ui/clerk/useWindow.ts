/**
 * One window as its clerk works it: the live picture, and commands that run one after the other.
 *
 * A press is one intent with one key. While it runs every other press is ignored, and after it until the picture shows
 * what it did, so that a second press never acts on what is no longer there. When the server does not answer (a restart)
 * the same intent is sent again as soon as the line is back, for a short while; later the clerk decides.
 */
import { api, intent, problemText, Refusal, translate, Unreachable, useLive } from '@jiaohao/lib'
import { computed, ref, watch, type Ref } from 'vue'

const AGAIN_BY_ITSELF_MS = 20_000
/** How long to wait for the picture after an answer: on a busy machine it is late, and a command may change nothing in it. */
const PICTURE_WITHIN_MS = 4_000
/** The same press again within this is a slip of the finger, not a wish. */
const SLIP_MS = 800
/** How long a good word stays. */
const SAID_FOR_MS = 6_000
const RENEW_AT_MOST_EVERY_MS = 5_000

/** `next_leg`: a joint matter goes on to this service. */
export interface Answer {
  seq: number
  next_leg?: string | null
}
type Act = (key: string) => Promise<Answer>
type Words = string | ((answer: Answer) => string)

export interface Notice {
  kind: 'good' | 'bad' | 'plain'
  words: string
  /** Sends the same intent once more. */
  again?: () => void
}

export interface Wish {
  /** The same name again at once is a slip. */
  name: string
  act: Act
  /** What to say when it worked. */
  done?: Words
  /** Called once when it worked, however late. */
  worked?: () => void
  /** What to do instead when the hall refuses with this code. */
  instead?: { code: string; act: Act; done: Words }
}

export function useWindow(hall: Ref<string | null>, no: Ref<string | null>) {
  const live = useLive(hall, () => (no.value === null ? null : (`window:${no.value}` as const)))
  const busy = ref<string | null>(null)
  const notice = ref<Notice | null>(null)
  const signedOut = ref(false)
  let last = { name: '', at: 0 }
  let unanswered: { again: () => void; at: number } | null = null
  let renewedAt = 0

  /** Do one press; nothing happens while another one runs. */
  async function run(wish: Wish): Promise<void> {
    const now = Date.now()
    if (last.name === wish.name && now - last.at < SLIP_MS) return
    await attempt(wish, intent(), now)
  }

  async function attempt(wish: Wish, key: string, since: number): Promise<void> {
    if (busy.value !== null) return
    busy.value = wish.name
    unanswered = null
    try {
      await succeed(wish, key)
      wish.worked?.()
    } catch (problem) {
      if (problem instanceof Unreachable) {
        const again = () => void attempt(wish, key, since)
        unanswered = { again, at: since }
        notice.value = { kind: 'bad', words: translate('clerk.unreachable'), again }
      } else {
        const nobody = problem instanceof Refusal && problem.code === 'nobody_waiting'
        notice.value = { kind: nobody ? 'plain' : 'bad', words: problemText(problem) }
      }
    } finally {
      busy.value = null
      last = { name: wish.name, at: Date.now() }
    }
  }

  async function succeed(wish: Wish, key: string): Promise<void> {
    let done = wish.done
    const answer = await wish.act(key).catch(async (problem: unknown) => {
      if (problem instanceof Refusal && problem.code === wish.instead?.code) {
        done = wish.instead.done
        return wish.instead.act(intent())
      }
      if (await renewed(problem)) return wish.act(key)
      throw problem
    })
    await shown(answer.seq)
    notice.value = done === undefined ? null : { kind: 'good', words: typeof done === 'string' ? done : done(answer) }
  }

  /** Our token is old: ask who we are, and say whether the same press is worth another try. */
  async function renewed(problem: unknown): Promise<boolean> {
    if (!(problem instanceof Refusal) || !['csrf', 'not_signed_in'].includes(problem.code)) return false
    if (Date.now() - renewedAt < RENEW_AT_MOST_EVERY_MS) return false
    renewedAt = Date.now()
    const me = await api.me().catch(() => null)
    if (me === null) return false
    signedOut.value = me.kind !== 'person'
    return !signedOut.value
  }

  /** Wait until the picture is as new as a commit, or the line is known to be late. */
  function shown(seq: number): Promise<void> {
    return new Promise((resolve) => {
      if ((live.seq.value ?? 0) >= seq) {
        resolve()
        return
      }
      const stop = watch([live.seq, live.late], ([now, late]) => {
        if ((now ?? 0) >= seq || late) enough()
      })
      const timer = setTimeout(enough, PICTURE_WITHIN_MS)
      function enough() {
        clearTimeout(timer)
        stop()
        resolve()
      }
    })
  }

  watch(live.connected, (connected) => {
    if (!connected || unanswered === null) return
    if (Date.now() - unanswered.at <= AGAIN_BY_ITSELF_MS) unanswered.again()
  })

  // What went well is soon old news; what went wrong stays until the next press.
  let fade: ReturnType<typeof setTimeout> | undefined
  watch(notice, (now) => {
    clearTimeout(fade)
    if (now === null || now.kind === 'bad') return
    fade = setTimeout(() => {
      if (notice.value === now) notice.value = null
    }, SAID_FOR_MS)
  })

  function say(words: string): void {
    notice.value = { kind: 'plain', words }
  }

  return {
    live,
    picture: live.data,
    current: computed(() => live.data.value?.current ?? null),
    status: computed(() => live.data.value?.status ?? null),
    busy,
    notice,
    signedOut,
    run,
    say,
  }
}
