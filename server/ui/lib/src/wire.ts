/**
 * The words that pages and server exchange: bodies of `/api/v1` and pictures of the `/live` namespace.
 *
 * Times are RFC 3339 with the hall's offset, durations end in `_s`. Ids are strings.
 */

/** A name in several languages; Chinese is always there. */
export interface Text {
  zh: string
  [language: string]: string
}

export type WindowStatus = 'closed' | 'open' | 'calling' | 'serving' | 'paused'
export type TicketStatus = 'waiting' | 'called' | 'serving' | 'held' | 'missed' | 'finished' | 'no_show' | 'cancelled' | 'expired'
export type CallStatus = 'calling' | 'serving' | 'done'
export type PauseReason = 'lunch' | 'document' | 'meeting' | 'toilet' | 'fault' | 'other'
export type Role = 'clerk' | 'guide' | 'manager' | 'admin' | 'auditor' | 'kiosk' | 'devices' | 'display' | 'integration'

/** Expected wait from now: half of the visitors wait at most `p50_s`, four of five at most `p80_s`. */
export interface Eta {
  p50_s: number
  p80_s: number
}

// ---------------------------------------------------------------- who and where

export interface Me {
  kind: 'person' | 'device' | 'nobody'
  work_id?: string
  name?: string
  role?: Role
  hall?: string
  window?: string
  device?: string
  csrf: string
  languages: string[]
  drill: boolean
  dev: boolean
}

export interface HallSummary {
  hall: string
  name: Text
  time_zone: string
  languages: string[]
  business_day: string
  drill: boolean
}

export interface Floor {
  floor: string
  name: Text
}

export interface Zone {
  zone: string
  name: Text
  floor: string | null
  board: string | null
}

export interface Service {
  service: string
  name: Text
  zone: string
  prefix: string
  department: string | Text | null
  minutes_typical: number
  windows: string[]
}

export interface HallWindow {
  window: string
  name: Text
  zone: string
  floor: string | null
  serves: string[]
  relief: string[]
}

export interface Priority {
  priority: string
  name: Text
  question: Text | null
}

export interface Hall {
  hall: string
  name: Text
  time_zone: string
  languages: string[]
  drill: boolean
  floors: Floor[]
  zones: Zone[]
  services: Service[]
  windows: HallWindow[]
  priorities: Priority[]
  hours: unknown[]
  notice: Text | null
  advice: Text | null
}

export interface HallState {
  seq: number
  business_day: string
  day_open: boolean
  zones: { zone: string; waiting: number; oldest_wait_s: number | null; open_windows: number }[]
  services: {
    service: string
    zone: string
    waiting: number
    oldest_wait_s: number | null
    open_windows: number
    eta: Eta | null
  }[]
  windows: {
    window: string
    status: WindowStatus
    ticket: string | null
    label: string | null
    service: string | null
    clerk: string | { work_id: string; name: string } | null
    pause_reason: PauseReason | null
    since: string | null
    serves: string[]
    relief: string[]
    held: string[]
  }[]
}

// ---------------------------------------------------------------- tickets

export interface IssueTicket {
  service: string
  priority?: string
  window?: string
  language?: string
  channel?: string
  visitor_ref?: string
}

export interface IssuedTicket {
  ticket: string
  label: string
  number: number
  service: string
  zone: string
  issued_at: string
  ahead: number
  eta: Eta | null
  track_url: string
  track: string
  windows: string[]
  priority: string | null
  seq: number
}

export interface TicketHistory {
  at: string
  event: string
  window: string | null
  actor: string | null
  reason: string | null
}

export interface Ticket {
  ticket: string
  label: string
  number: number
  service: string
  zone: string
  status: TicketStatus
  priority: string | null
  issued_at: string
  ahead: number | null
  eta: Eta | null
  window: string | null
  called_at: string | null
  started_at: string | null
  finished_at: string | null
  call_count: number
  waited_s: number | null
  rated: number | boolean | null
  track_url?: string
  can: { cancel: boolean; reinstate: boolean; rate: boolean }
  history: TicketHistory[]
  legs: unknown[]
}

// ---------------------------------------------------------------- windows

export interface Called {
  ticket: string
  label: string
  number: number
  service: string
  window: string
  waited_s: number
  priority: string | null
  call_count: number
  reason: string | null
  called_at: string
  seq: number
}

export interface Moved {
  ticket: string
  label: string
  status: TicketStatus
  window: string | null
  call_count: number
  seq: number
}

export interface WindowChanged {
  window: string
  status: WindowStatus
  seq: number
}

export type TicketMove =
  | 'recall'
  | 'start'
  | 'finish'
  | 'missed'
  | 'no-show'
  | 'return'
  | 'hold'
  | 'resume-held'

export interface Transfer {
  ticket?: string
  service?: string
  window?: string
  place: 'front' | 'end' | 'by_arrival'
  reason?: string
}

// ---------------------------------------------------------------- devices

export interface DeviceFault {
  code: string
  detail: string
  since: string
}

export interface DeviceRow {
  device: string
  kind: string
  role?: string
  driver?: string
  url?: string
  windows?: string[]
  zones?: string[]
  kiosks?: string[]
  host?: string | null
  ip?: string | null
  mac?: string | null
  agent?: string | null
  health: 'ok' | 'down' | 'degraded'
  faults: DeviceFault[]
  paper?: 'ok' | 'near_end' | 'out' | 'unknown' | null
  last_seen?: string | null
}

// ---------------------------------------------------------------- pictures of `/live`

/** `board` and `board:ZONE` */
export interface BoardPicture {
  hall: string
  name: Text
  zone: string | null
  business_day: string
  drill: boolean
  languages: string[]
  notice: Text | null
  calls: {
    ticket: string
    label: string
    window: string
    window_name: Text
    zone: string
    floor: Text | null
    called_at: string
    call_count: number
    status: CallStatus
  }[]
  zones: {
    zone: string
    name: Text
    floor: Text | null
    waiting: number
    oldest_since: string | null
    open_windows: number
    eta: Eta | null
  }[]
  windows: {
    window: string
    name: Text
    zone: string
    floor: Text | null
    status: WindowStatus
    label: string | null
    pause_reason: PauseReason | null
  }[]
}

/** `window:NO` */
export interface WindowPicture {
  hall: string
  window: string
  name: Text
  zone: string
  status: WindowStatus
  pause_reason: PauseReason | null
  clerk: { work_id: string; name: string } | null
  current: {
    ticket: string
    label: string
    service: Text
    service_id: string
    status: TicketStatus
    priority: string | null
    issued_at: string
    called_at: string
    started_at: string | null
    call_count: number
    waited_s: number
    reason: string | null
  } | null
  held: { ticket: string; label: string; service: Text; held_at: string; reason: string | null }[]
  missed: { ticket: string; label: string; service: Text; missed_at: string; reinstatable: boolean }[]
  waiting: number
  oldest_since: string | null
  next: { ticket: string; label: string; service: Text; priority: string | null; issued_at: string; home: boolean }[]
  serves: string[]
  relief: string[]
}

/** `manager` */
export interface ManagerPicture {
  business_day: string
  windows: {
    window: string
    name: Text
    zone: string
    floor: Text | string | null
    status: WindowStatus
    pause_reason: PauseReason | null
    clerk: { work_id: string; name: string } | null
    label: string | null
    service: string | null
    since: string | null
    serves: string[]
    relief: string[]
    served_today: number
    busy_s_today: number
  }[]
  zones: {
    zone: string
    name: Text
    floor: Text | string | null
    waiting: number
    oldest_since: string | null
    open_windows: number
    issued_today: number
    called_today: number
    finished_today: number
    no_show_today: number
    mean_wait_s: number | null
  }[]
  services: { service: string; name: Text; zone: string; prefix: string; waiting: number; windows: string[] }[]
  devices: DeviceRow[]
}

/** `ticket:TRACK` */
export interface TicketPicture extends Ticket {
  hall_name: Text
  service_name: Text
  zone_name: Text
  floor: Text | null
  window_name: Text | null
  windows: string[]
  drill: boolean
}

/** What `useLive` gives for a topic. */
export type PictureOf<Topic extends string> = Topic extends 'board' | `board:${string}`
  ? BoardPicture
  : Topic extends `window:${string}`
    ? WindowPicture
    : Topic extends 'manager'
      ? ManagerPicture
      : Topic extends `ticket:${string}`
        ? TicketPicture
        : never
