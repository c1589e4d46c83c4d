/**
 * Every call of `/api/v1` that a page makes, by its meaning.
 *
 * Each command takes the key of its intent last (see `intent`); without one it gets a key of its own.
 */
import { rememberCsrf, send } from './http'
import type {
  Called,
  DeviceRow,
  Hall,
  HallState,
  HallSummary,
  IssuedTicket,
  IssueTicket,
  Me,
  Moved,
  PauseReason,
  Ticket,
  TicketMove,
  Transfer,
  WindowChanged,
} from './wire'

const at = (...parts: string[]) => parts.map((part) => `/${encodeURIComponent(part)}`).join('')
const keyed = (body: unknown, key: string | undefined) => (key === undefined ? { body } : { body, key })

async function know(me: Promise<Me>): Promise<Me> {
  const answer = await me
  rememberCsrf(answer.csrf)
  return answer
}

export const api = {
  // -------------------------------------------------------------- who
  me: () => know(send<Me>('GET', '/me')),
  login: (body: { work_id: string; password: string; window?: string; hall?: string }) => know(send<Me>('POST', '/login', { body })),
  logout: () => send<unknown>('POST', '/logout', { body: {} }),
  enrol: (code: string) => send<unknown>('POST', '/devices/enrol', { body: { code } }),

  // -------------------------------------------------------------- the hall
  halls: () => send<{ halls: HallSummary[] }>('GET', '/halls'),
  hall: (hall: string) => send<Hall>('GET', `/halls${at(hall)}`),
  state: (hall: string) => send<HallState>('GET', `/halls${at(hall)}/state`),
  devices: () => send<{ devices: DeviceRow[] }>('GET', '/devices'),

  // -------------------------------------------------------------- tickets
  issue: (hall: string, body: IssueTicket, key?: string) => send<IssuedTicket>('POST', `/halls${at(hall)}/tickets`, keyed(body, key)),
  tickets: (hall: string, filter: { status?: string; zone?: string; window?: string } = {}) =>
    send<{ tickets: Ticket[] }>('GET', `/halls${at(hall)}/tickets?${new URLSearchParams(filter).toString()}`),
  /** By ticket id, label of today, or track token. */
  ticket: (hall: string, ticket: string) => send<Ticket>('GET', `/halls${at(hall)}/tickets${at(ticket)}`),
  cancel: (hall: string, ticket: string, key?: string) => send<unknown>('POST', `/halls${at(hall)}/tickets${at(ticket)}/cancel`, keyed({}, key)),
  reinstate: (hall: string, ticket: string, key?: string) => send<unknown>('POST', `/halls${at(hall)}/tickets${at(ticket)}/reinstate`, keyed({}, key)),
  reprint: (hall: string, ticket: string, key?: string) => send<unknown>('POST', `/halls${at(hall)}/tickets${at(ticket)}/reprint`, keyed({}, key)),
  rate: (hall: string, ticket: string, grade: number, key?: string) =>
    send<unknown>('POST', `/halls${at(hall)}/tickets${at(ticket)}/rate`, keyed({ grade }, key)),

  // -------------------------------------------------------------- a window
  callNext: (hall: string, window: string, body: { finish?: boolean } = {}, key?: string) =>
    send<Called>('POST', `/halls${at(hall)}/windows${at(window)}/call-next`, keyed(body, key)),
  call: (hall: string, window: string, body: { ticket?: string; label?: string; reason: string }, key?: string) =>
    send<Called>('POST', `/halls${at(hall)}/windows${at(window)}/call`, keyed(body, key)),
  move: (hall: string, window: string, move: TicketMove, body: { ticket?: string; reason?: string } = {}, key?: string) =>
    send<Moved>('POST', `/halls${at(hall)}/windows${at(window)}/${move}`, keyed(body, key)),
  transfer: (hall: string, window: string, body: Transfer, key?: string) =>
    send<Moved>('POST', `/halls${at(hall)}/windows${at(window)}/transfer`, keyed(body, key)),
  open: (hall: string, window: string, key?: string) => send<WindowChanged>('POST', `/halls${at(hall)}/windows${at(window)}/open`, keyed({}, key)),
  pause: (hall: string, window: string, body: { reason: PauseReason; note?: string }, key?: string) =>
    send<WindowChanged>('POST', `/halls${at(hall)}/windows${at(window)}/pause`, keyed(body, key)),
  resume: (hall: string, window: string, key?: string) => send<WindowChanged>('POST', `/halls${at(hall)}/windows${at(window)}/resume`, keyed({}, key)),
  close: (hall: string, window: string, key?: string) => send<WindowChanged>('POST', `/halls${at(hall)}/windows${at(window)}/close`, keyed({}, key)),
  assign: (hall: string, window: string, body: { serves: string[]; relief: string[] }, key?: string) =>
    send<{ window: string; serves: string[]; relief: string[]; seq: number }>('PUT', `/halls${at(hall)}/windows${at(window)}/services`, keyed(body, key)),
}
