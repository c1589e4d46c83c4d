/**
 * How a page speaks to the server: CSRF header, language, one idempotency key per intent with safe retry, typed problems.
 *
 * A command is posted with a key made once per press. When the answer is lost the same key is sent again, so the server
 * gives the first answer again and nothing happens twice.
 */
import { currentLanguage, translate } from './i18n'
import { learnServerTime } from './time'

const TIMEOUT_MS = 8_000
/** Waits between tries of one intent; a server restart takes about two seconds. */
const RETRY_AFTER_MS = [300, 900, 1_800]

/** The hall said no, or the request was wrong: nothing was written. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    /** Stable word of the reason, such as `nobody_waiting`. */
    readonly code: string,
    /** The server's sentence, in the reader's language. */
    readonly detail: string,
    /** When the server would look at it again, if it said so. */
    readonly retryAfter_s: number | null = null,
  ) {
    super(`${status} ${code}`)
    this.name = 'Refusal'
  }
}

/** The server did not answer; for a command it is not known whether it happened until the same key is sent again. */
export class Unreachable extends Error {
  constructor(readonly cause?: unknown) {
    super('no answer from the server')
    this.name = 'Unreachable'
  }
}

/** Give the sentence that tells a person what went wrong: the server's own, unless the pages have better words for its code. */
export function problemText(problem: unknown): string {
  if (problem instanceof Refusal) {
    const key = `problem.${problem.code}`
    const ours = translate(key)
    return ours !== key ? ours : problem.detail || translate('problem.unknown')
  }
  if (problem instanceof Unreachable) return translate('problem.unreachable')
  return translate('problem.unknown')
}

/** Make a key for one intent (one press); keep it while the same intent is tried again. */
export function intent(): string {
  // crypto.randomUUID exists only in secure contexts, and halls run on plain HTTP in their own network.
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

let csrf = 'page'
let visiting = false

/** Speak as a visitor from now on: who may be signed in with this browser does not count. */
export function comeAsVisitor(): void {
  visiting = true
}

/** Remember the token of `GET /me`; sent with every command from then on. */
export function rememberCsrf(token: string): void {
  csrf = token || 'page'
}

/**
 * Send one request, again when the answer is lost, and give the answer when it is a good one.
 *
 * @throws Refusal when the server answers no; Unreachable when it does not answer after all tries.
 */
export async function patiently(request: Request): Promise<Response> {
  request.headers.set('Accept-Language', currentLanguage())
  if (visiting) request.headers.set('X-Visitor', '1')
  if (request.method !== 'GET') {
    request.headers.set('X-CSRF-Token', csrf)
    if (!request.headers.has('Idempotency-Key')) request.headers.set('Idempotency-Key', intent())
  }
  for (let attempt = 0; ; attempt++) {
    try {
      return await once(request.clone())
    } catch (problem) {
      const wait = RETRY_AFTER_MS[attempt]
      if (wait === undefined || !worthAnotherTry(problem)) throw problem
      await new Promise((resolve) => setTimeout(resolve, wait))
    }
  }
}

function worthAnotherTry(problem: unknown): boolean {
  return problem instanceof Unreachable || (problem instanceof Refusal && [502, 503, 504].includes(problem.status))
}

async function once(request: Request): Promise<Response> {
  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort(), TIMEOUT_MS)
  try {
    const response = await fetch(request, { signal: stop.signal })
    learnServerTime(response.headers.get('Date'))
    if (response.ok) return response
    const problem = (await response.json().catch(() => ({}))) as { code?: unknown; detail?: unknown; title?: unknown }
    const code = typeof problem.code === 'string' ? problem.code : `http_${response.status}`
    const detail = typeof problem.detail === 'string' ? problem.detail : typeof problem.title === 'string' ? problem.title : ''
    const wait_s = Number.parseInt(response.headers.get('Retry-After') ?? '', 10)
    throw new Refusal(response.status, code, detail, Number.isNaN(wait_s) ? null : wait_s)
  } catch (problem) {
    if (problem instanceof Refusal) throw problem
    throw new Unreachable(problem)
  } finally {
    clearTimeout(timer)
  }
}
