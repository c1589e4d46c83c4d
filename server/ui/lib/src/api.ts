/**
 * Every call of `/api/v1` that a page makes, by its meaning, on the client generated from the server's OpenAPI.
 *
 * Each command takes the key of its intent last (see `intent`); without one it gets a key of its own.
 */
import createClient from 'openapi-fetch'
import { patiently, rememberCsrf } from './http'
import type { Announce, AnnounceRoll, ApplySettings, Assign, AwaitResult, BookAppointment, BookOnline, CallNext, CallTicket, CheckIn, DecideAppeal, Finish, FinishCase, GiveNotice, HandOver, HandOverCase, IssueTicket, Limits, LogCase, Login, Me, Move, MoveHeld, OpenCase, paths, Pause, TicketStatus, Transfer, WithdrawCase } from './openapi'
import type { TicketMove } from './wire'

const client = createClient<paths>({
  // A `Request` wants a whole address; the page's own server is the only one.
  baseUrl: location.origin,
  credentials: 'same-origin',
  cache: 'no-store',
  fetch: patiently,
})

/** Give the body of an answer; `patiently` has thrown already when it was not a good one. */
async function got<Body>(call: Promise<{ data?: Body | undefined }>): Promise<Body> {
  return (await call).data as Body
}

async function know(me: Promise<Me>): Promise<Me> {
  const answer = await me
  rememberCsrf(answer.csrf)
  return answer
}

const keyed = (key: string | undefined) => (key === undefined ? {} : { headers: { 'Idempotency-Key': key } })
const ofHall = (hall: string) => ({ path: { hall } })
const ofTicket = (hall: string, ticket: string) => ({ path: { hall, ticket } })
const ofCase = (hall: string, id: string) => ({ path: { hall, case: id } })
const ofWindow = (hall: string, no: string) => ({ path: { hall, no } })

/** What an audit looks for; nothing said is anything. */
export type AuditSearch = NonNullable<paths['/api/v1/halls/{hall}/audit']['get']['parameters']['query']>

export const api = {
  // -------------------------------------------------------------- who
  me: () => know(got(client.GET('/api/v1/me'))),
  login: (body: Login) => know(got(client.POST('/api/v1/login', { body }))),
  logout: () => got(client.POST('/api/v1/logout')),
  enrol: (code: string) => got(client.POST('/api/v1/devices/enrol', { body: { code } })),

  // -------------------------------------------------------------- the hall
  halls: () => got(client.GET('/api/v1/halls')),
  hall: (hall: string) => got(client.GET('/api/v1/halls/{hall}', { params: ofHall(hall) })),
  state: (hall: string) => got(client.GET('/api/v1/halls/{hall}/state', { params: ofHall(hall) })),
  /** What kiosks can say with clips, in a language. */
  prompts: (hall: string, language: 'zh' | 'en') => got(client.GET('/api/v1/halls/{hall}/prompts', { params: { ...ofHall(hall), query: { language } } })),
  media: (hall: string) => got(client.GET('/api/v1/halls/{hall}/media', { params: ofHall(hall) })),
  /** What is registered; to a kiosk its printers, and whether it can print what it gives in this hall. */
  devices: (hall?: string) => got(client.GET('/api/v1/devices', { params: { query: hall === undefined ? {} : { hall } } })),
  reportDay: (hall: string, date?: string) =>
    got(client.GET('/api/v1/halls/{hall}/reports/day', { params: { ...ofHall(hall), ...(date === undefined ? {} : { query: { date } }) } })),
  replay: (hall: string, date: string) => got(client.GET('/api/v1/halls/{hall}/replay', { params: { ...ofHall(hall), query: { date } } })),
  replayPicture: (hall: string, date: string, at: string) =>
    got(client.GET('/api/v1/halls/{hall}/replay/picture', { params: { ...ofHall(hall), query: { date, at } } })),
  /** What happened, newest first; `next` of the answer goes on as `before`. */
  audit: (hall: string, query: AuditSearch) => got(client.GET('/api/v1/halls/{hall}/audit', { params: { ...ofHall(hall), query } })),
  /** One commit as it is stored, to follow the chain of hashes from. */
  commit: async (hall: string, seq: number) =>
    (await got(client.GET('/api/v1/halls/{hall}/commits', { params: { ...ofHall(hall), query: { after: seq - 1, limit: 1 } } }))).commits[0] ?? null,
  /** Of the business days from the first to the last, ISO dates. */
  reportPeriod: (hall: string, first: string, last: string) =>
    got(client.GET('/api/v1/halls/{hall}/reports/period', { params: { ...ofHall(hall), query: { from: first, to: last } } })),

  settings: (hall: string) => got(client.GET('/api/v1/halls/{hall}/settings', { params: ofHall(hall) })),
  settingsVersion: (hall: string, version: number) => got(client.GET('/api/v1/halls/{hall}/settings/{version}', { params: { path: { hall, version } } })),
  checkSettings: (hall: string, text: string) => got(client.POST('/api/v1/halls/{hall}/settings/check', { params: ofHall(hall), body: { text } })),
  applySettings: (hall: string, body: ApplySettings, key?: string) =>
    got(client.PUT('/api/v1/halls/{hall}/settings', { params: ofHall(hall), body, ...keyed(key) })),

  // -------------------------------------------------------------- tickets
  issue: (hall: string, body: IssueTicket, key?: string) =>
    got(client.POST('/api/v1/halls/{hall}/tickets', { params: ofHall(hall), body, ...keyed(key) })),
  announceRoll: (hall: string, body: AnnounceRoll, key?: string) =>
    got(client.POST('/api/v1/halls/{hall}/rolls', { params: ofHall(hall), body, ...keyed(key) })),
  reportRoll: (hall: string, prefix: string, upto: number, key?: string) =>
    got(client.POST('/api/v1/halls/{hall}/rolls/{prefix}/torn-off', { params: { path: { hall, prefix } }, body: { upto }, ...keyed(key) })),
  endRoll: (hall: string, prefix: string, key?: string) =>
    got(client.POST('/api/v1/halls/{hall}/rolls/{prefix}/end', { params: { path: { hall, prefix } }, ...keyed(key) })),
  leases: (hall: string) => got(client.GET('/api/v1/halls/{hall}/leases', { params: ofHall(hall) })),
  returnBlock: (hall: string, lease: string, key?: string) =>
    got(client.POST('/api/v1/halls/{hall}/leases/{lease}/return', { params: { path: { hall, lease } }, body: {}, ...keyed(key) })),
  balance: (hall: string) => got(client.GET('/api/v1/halls/{hall}/balance', { params: ofHall(hall) })),
  whatIf: (hall: string, service: string) =>
    got(client.GET('/api/v1/halls/{hall}/balance/what-if', { params: { ...ofHall(hall), query: { service } } })),
  applySuggestion: (hall: string, suggestion: string, key?: string) =>
    got(client.POST('/api/v1/halls/{hall}/balance/{suggestion}/apply', { params: { path: { hall, suggestion } }, ...keyed(key) })),
  declineSuggestion: (hall: string, suggestion: string, key?: string) =>
    got(client.POST('/api/v1/halls/{hall}/balance/{suggestion}/decline', { params: { path: { hall, suggestion } }, ...keyed(key) })),
  undoChange: (hall: string, change: string, key?: string) =>
    got(client.POST('/api/v1/halls/{hall}/balance/changes/{change}/undo', { params: { path: { hall, change } }, body: {}, ...keyed(key) })),
  setBalanceLimits: (hall: string, body: Limits, key?: string) =>
    got(client.PUT('/api/v1/halls/{hall}/balance/limits', { params: ofHall(hall), body, ...keyed(key) })),
  announce: (hall: string, body: Announce, key?: string) =>
    got(client.POST('/api/v1/halls/{hall}/announcements', { params: ofHall(hall), body, ...keyed(key) })),
  endAnnouncement: (hall: string, key?: string) =>
    got(client.POST('/api/v1/halls/{hall}/announcements/end', { params: ofHall(hall), ...keyed(key) })),
  rolls: (hall: string) => got(client.GET('/api/v1/halls/{hall}/rolls', { params: ofHall(hall) })),
  slots: (hall: string, service: string, days?: number) =>
    got(client.GET('/api/v1/halls/{hall}/appointments/slots', { params: { ...ofHall(hall), query: { service, ...(days === undefined ? {} : { days }) } } })),
  book: (hall: string, body: BookAppointment, key?: string) =>
    got(client.POST('/api/v1/halls/{hall}/appointments', { params: ofHall(hall), body, ...keyed(key) })),
  checkIn: (hall: string, body: CheckIn, key?: string) =>
    got(client.POST('/api/v1/halls/{hall}/appointments/check-in', { params: ofHall(hall), body, ...keyed(key) })),
  appointments: (hall: string, query: { day?: string; service?: string; limit?: number } = {}) =>
    got(client.GET('/api/v1/halls/{hall}/appointments', { params: { ...ofHall(hall), query } })),
  /** The halls in which visitors book by themselves. */
  onlineHalls: () => got(client.GET('/api/v1/booking')),
  onlineBooking: (hall: string) => got(client.GET('/api/v1/halls/{hall}/booking', { params: ofHall(hall) })),
  bookOnline: (hall: string, body: BookOnline, key?: string) =>
    got(client.POST('/api/v1/halls/{hall}/booking', { params: ofHall(hall), body, ...keyed(key) })),
  /** A booking by its unguessable id. */
  appointment: (hall: string, appointment: string) =>
    got(client.GET('/api/v1/halls/{hall}/appointments/{appointment}', { params: { path: { hall, appointment } } })),
  cancelAppointment: (hall: string, appointment: string, reason: string, key?: string) =>
    got(client.POST('/api/v1/halls/{hall}/appointments/{appointment}/cancel', { params: { path: { hall, appointment } }, body: { reason }, ...keyed(key) })),
  tickets: (hall: string, query: { status?: TicketStatus; zone?: string; window?: string; limit?: number } = {}) =>
    got(client.GET('/api/v1/halls/{hall}/tickets', { params: { ...ofHall(hall), query } })),
  /** By ticket id, label of today, or track token. */
  ticket: (hall: string, ticket: string) => got(client.GET('/api/v1/halls/{hall}/tickets/{ticket}', { params: ofTicket(hall, ticket) })),
  cancel: (hall: string, ticket: string, key?: string, reason = '') =>
    got(client.POST('/api/v1/halls/{hall}/tickets/{ticket}/cancel', { params: ofTicket(hall, ticket), body: { reason }, ...keyed(key) })),
  reinstate: (hall: string, ticket: string, key?: string) =>
    got(client.POST('/api/v1/halls/{hall}/tickets/{ticket}/reinstate', { params: ofTicket(hall, ticket), ...keyed(key) })),
  back: (hall: string, ticket: string, key?: string) =>
    got(client.POST('/api/v1/halls/{hall}/tickets/{ticket}/back', { params: ofTicket(hall, ticket), ...keyed(key) })),
  reprint: (hall: string, ticket: string, key?: string) =>
    got(client.POST('/api/v1/halls/{hall}/tickets/{ticket}/reprint', { params: ofTicket(hall, ticket), ...keyed(key) })),
  planLegs: (hall: string, ticket: string, services: string[], key?: string) =>
    got(client.POST('/api/v1/halls/{hall}/tickets/{ticket}/legs', { params: ofTicket(hall, ticket), body: { services }, ...keyed(key) })),
  noteCase: (hall: string, ticket: string, caseNumber: string, key?: string) =>
    got(client.POST('/api/v1/halls/{hall}/tickets/{ticket}/case', { params: ofTicket(hall, ticket), body: { case_number: caseNumber }, ...keyed(key) })),
  rate: (hall: string, ticket: string, grade: number, key?: string) =>
    got(client.POST('/api/v1/halls/{hall}/tickets/{ticket}/rate', { params: ofTicket(hall, ticket), body: { grade }, ...keyed(key) })),

  // -------------------------------------------------------------- a window
  rateAtWindow: (hall: string, window: string, ticket: string, grade: number, key?: string) =>
    got(client.POST('/api/v1/halls/{hall}/windows/{no}/rate', { params: ofWindow(hall, window), body: { ticket, grade }, ...keyed(key) })),
  callNext: (hall: string, window: string, body: CallNext = {}, key?: string) =>
    got(client.POST('/api/v1/halls/{hall}/windows/{no}/call-next', { params: ofWindow(hall, window), body, ...keyed(key) })),
  call: (hall: string, window: string, body: CallTicket, key?: string) =>
    got(client.POST('/api/v1/halls/{hall}/windows/{no}/call', { params: ofWindow(hall, window), body, ...keyed(key) })),
  move: (hall: string, window: string, move: TicketMove, body: Move = {}, key?: string) =>
    got(client.POST(`/api/v1/halls/{hall}/windows/{no}/${move}`, { params: ofWindow(hall, window), body, ...keyed(key) })),
  undo: (hall: string, window: string, ticket: string, key?: string) =>
    got(client.POST('/api/v1/halls/{hall}/windows/{no}/undo', { params: ofWindow(hall, window), body: { ticket }, ...keyed(key) })),
  finish: (hall: string, window: string, body: Finish, key?: string) =>
    got(client.POST('/api/v1/halls/{hall}/windows/{no}/finish', { params: ofWindow(hall, window), body, ...keyed(key) })),
  giveNotice: (hall: string, window: string, body: GiveNotice, key?: string) =>
    got(client.POST('/api/v1/halls/{hall}/windows/{no}/notice', { params: ofWindow(hall, window), body, ...keyed(key) })),
  awaitResult: (hall: string, window: string, body: AwaitResult, key?: string) =>
    got(client.POST('/api/v1/halls/{hall}/windows/{no}/await-result', { params: ofWindow(hall, window), body, ...keyed(key) })),
  transfer: (hall: string, window: string, body: Transfer, key?: string) =>
    got(client.POST('/api/v1/halls/{hall}/windows/{no}/transfer', { params: ofWindow(hall, window), body, ...keyed(key) })),
  open: (hall: string, window: string, key?: string) =>
    got(client.POST('/api/v1/halls/{hall}/windows/{no}/open', { params: ofWindow(hall, window), ...keyed(key) })),
  pause: (hall: string, window: string, body: Pause, key?: string) =>
    got(client.POST('/api/v1/halls/{hall}/windows/{no}/pause', { params: ofWindow(hall, window), body, ...keyed(key) })),
  resume: (hall: string, window: string, key?: string) =>
    got(client.POST('/api/v1/halls/{hall}/windows/{no}/resume', { params: ofWindow(hall, window), ...keyed(key) })),
  close: (hall: string, window: string, key?: string) =>
    got(client.POST('/api/v1/halls/{hall}/windows/{no}/close', { params: ofWindow(hall, window), ...keyed(key) })),
  handOver: (hall: string, window: string, body: HandOver, key?: string) =>
    got(client.POST('/api/v1/halls/{hall}/windows/{no}/hand-over', { params: ofWindow(hall, window), body, ...keyed(key) })),
  moveHeld: (hall: string, window: string, body: MoveHeld, key?: string) =>
    got(client.POST('/api/v1/halls/{hall}/windows/{no}/move-held', { params: ofWindow(hall, window), body, ...keyed(key) })),
  alive: (hall: string, window: string) => got(client.POST('/api/v1/halls/{hall}/windows/{no}/alive', { params: ofWindow(hall, window) })),
  assign: (hall: string, window: string, body: Assign, key?: string) =>
    got(client.PUT('/api/v1/halls/{hall}/windows/{no}/services', { params: ofWindow(hall, window), body, ...keyed(key) })),

  // -------------------------------------------------------------- the day

  // -------------------------------------------------------------- cases
  cases: (hall: string) => got(client.GET('/api/v1/halls/{hall}/cases', { params: ofHall(hall) })),
  case: (hall: string, id: string) => got(client.GET('/api/v1/halls/{hall}/cases/{case}', { params: ofCase(hall, id) })),
  openCase: (hall: string, body: OpenCase, key?: string) =>
    got(client.POST('/api/v1/halls/{hall}/cases', { params: ofHall(hall), body, ...keyed(key) })),
  logCase: (hall: string, id: string, body: LogCase, key?: string) =>
    got(client.POST('/api/v1/halls/{hall}/cases/{case}/log', { params: ofCase(hall, id), body, ...keyed(key) })),
  finishCase: (hall: string, id: string, body: FinishCase, key?: string) =>
    got(client.POST('/api/v1/halls/{hall}/cases/{case}/finish', { params: ofCase(hall, id), body, ...keyed(key) })),
  takeCase: (hall: string, id: string, key?: string) =>
    got(client.POST('/api/v1/halls/{hall}/cases/{case}/take', { params: ofCase(hall, id), body: {}, ...keyed(key) })),
  withdrawCase: (hall: string, id: string, body: WithdrawCase, key?: string) =>
    got(client.POST('/api/v1/halls/{hall}/cases/{case}/withdraw', { params: ofCase(hall, id), body, ...keyed(key) })),
  handOverCase: (hall: string, id: string, body: HandOverCase, key?: string) =>
    got(client.POST('/api/v1/halls/{hall}/cases/{case}/hand-over', { params: ofCase(hall, id), body, ...keyed(key) })),
  decideAppeal: (hall: string, id: string, body: DecideAppeal, key?: string) =>
    got(client.POST('/api/v1/halls/{hall}/cases/{case}/decide-appeal', { params: ofCase(hall, id), body, ...keyed(key) })),
  closeDay: (hall: string, key?: string) => got(client.POST('/api/v1/halls/{hall}/day/close', { params: ofHall(hall), ...keyed(key) })),
}
