/**
 * The words that pages and server exchange.
 *
 * Bodies and answers of `/api/v1` are generated from the server's OpenAPI (`npm run wire`). The pictures of `/live` are
 * written here: `server/projections` draws them. Times are RFC 3339 with the hall's offset, durations end in `_s`.
 */
import type { AwayFor, DeviceRow, Eta, Guide, Leg, PauseReason, ServiceKind, Text, Ticket, TicketStatus, WindowStatus, ZoneKind } from './openapi'

export type {
  Appointment,
  BookedAppointment,
  Assigned,
  Balance,
  Called,
  Case,
  CheckedIn,
  DayReport,
  DutyFigures,
  DeviceFault,
  DeviceRow,
  Eta,
  Floor,
  Guide,
  Hall,
  HeldAppointment,
  HallState,
  HallSummary,
  HallWindow,
  IssuedTicket,
  IssueTicket,
  KioskPrinter,
  Leases,
  Leg,
  Me,
  MediaItem,
  MonthReport,
  PeriodReport,
  Audit,
  AuditEntry,
  Moved,
  OnlineBooking,
  OnlineHall,
  OnlineService,
  OpeningHours,
  Pause,
  PauseReason,
  Priority,
  Replay,
  ReplayPicture,
  Roll,
  Service,
  ServiceState,
  Settings,
  SettingsChecked,
  SettingsDifference,
  SettingsEdition,
  SettingsVersion,
  SlotDay,
  Slots,
  Text,
  Ticket,
  TicketChanged,
  TicketHistory,
  TicketStatus,
  Transfer,
  WhatIf,
  WindowChanged,
  WindowState,
  WindowStatus,
  Zone,
  ZoneState,
} from './openapi'

export type CallStatus = 'calling' | 'serving' | 'done'
export type TicketMove = 'recall' | 'start' | 'finish' | 'missed' | 'no-show' | 'return' | 'hold' | 'resume-held'

// ---------------------------------------------------------------- pictures of `/live`

/** What everybody is told (广播). */
export interface Announcement {
  text: Text
  emergency: boolean
  since: string
  until: string | null
}

/** `board` and `board:ZONE` */
export interface BoardPicture {
  hall: string
  name: Text
  zone: string | null
  business_day: string | null
  drill: boolean
  languages: string[]
  notice: Text | null
  /** What everybody is told now; an emergency covers everything else. */
  announcement: Announcement | null
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
    /** Whose it is, in a hall that several units share. */
    tenant: Text | null
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
    kind: ServiceKind
    /** Else nobody is ever sent there (未派驻). */
    staffed: boolean
    /** Else it takes papers in only (只收不办). */
    decides: boolean
  }[]
  /** Parts of the hall where nobody takes a number. */
  areas: { zone: string; name: Text; kind: ZoneKind; floor: Text | null; about: Text | null; always_open: boolean }[]
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
    priority: string
    issued_at: string
    called_at: string | null
    started_at: string | null
    call_count: number
    waited_s: number | null
    /** How routing chose. */
    why: string | null
    /** Minutes it was predicted to take until the zone of the called one is cleared without this window. */
    clear_min: number | null
    /** That of the window's own zone, where it helps another. */
    own_clear_min: number | null
    /** What the clerk wrote. */
    reason: string | null
    /** The stops of a joint matter, none for an ordinary visit. */
    legs: Leg[]
    lead_window: string | null
    /** So long the service lets a visitor wait. */
    target_min: number
    /** What a clerk before wrote for the next one. */
    note: string | null
    /** The papers that the last one-time notice named. */
    notice: string[]
    case_number: string | null
  } | null
  held: { ticket: string; label: string; service: Text; held_at: string | null; reason: string | null }[]
  missed: { ticket: string; label: string; service: Text; missed_at: string | null; reinstatable: boolean }[]
  /** Sent away from here: for the papers of `notice`, or for a result. */
  away: { ticket: string; label: string; service: Text; away_at: string | null; away_for: AwayFor; notice: string[]; case_number: string | null }[]
  waiting: number
  oldest_since: string | null
  /** `joined_at`: since when the visitor waits for this leg; `joint`: one of a joint matter. */
  next: { ticket: string; label: string; service: Text; priority: string; issued_at: string; joined_at: string; target_min: number; home: boolean; joint: boolean; note: string | null }[]
  /** The number of a paper roll that is called when nobody waits. */
  roll: string | null
  serves: string[]
  relief: string[]
  kind: ServiceKind
  staffed: boolean
  decides: boolean
  languages: string[]
  drill: boolean
  /** The visit that the tablet asks a grade for; its time may be up. */
  to_rate: { ticket: string; label: string; service: Text; until: string } | null
  /** The last move here while nothing has happened since; it may be taken back until `until`. */
  undo: { ticket: string; label: string; move: 'start' | 'finish' | 'miss' | 'no_show' | 'return' | 'hold'; until: string } | null
  /** A zone that asks this clerk for relief; `helps`: the window may call from it now. */
  relief_wanted: { zone: string; name: Text; since: string; waiting: number; wait_min: number; helps: boolean } | null
}

/** What a manager must look after: visitors who wait for nothing, a window without any sign of life. */
export type ManagerAlarm =
  | { kind: 'disk_full' }
  | { kind: 'leg_unserved'; service: string; name: Text; zone: string; waiting: number; oldest_since: string | null }
  | { kind: 'window_left_alone'; window: string; name: Text; clerk: { work_id: string; name: string } | null; since: string | null }
  | { kind: 'handover_due'; cases: number; closes_at: string }

/** A case that somebody still has to do something about. */
export interface CaseView {
  case: string
  kind: 'agency' | 'visit' | 'rating'
  status: 'open' | 'handed_over' | 'finished' | 'withdrawn' | 'passed_on'
  agent: { work_id: string; name: string } | null
  client: string
  service: Text | null
  label: string | null
  window: string | null
  clerk: { work_id: string; name: string } | null
  grade: number | null
  due: string | null
  overdue: boolean
  elsewhere: boolean
  /** To be handed over before the hall closes today. */
  handover_due: boolean
  visit_at: string | null
  from_hall: string | null
  to_hall: string | null
  appeal: 'open' | 'upheld' | 'rejected' | null
  appeal_reason: string | null
  opened_at: string
}

/** `manager` */
export interface ManagerPicture {
  hall: string
  business_day: string | null
  day_open: boolean
  drill: boolean
  windows: {
    window: string
    name: Text
    zone: string
    floor: Text | null
    status: WindowStatus
    pause_reason: PauseReason | null
    clerk: { work_id: string; name: string } | null
    label: string | null
    service: string | null
    since: string | null
    serves: string[]
    relief: string[]
    /** All that the hall file sends whoever sits there, or has trained them for. */
    able: string[]
    served_today: number
    busy_s_today: number
  }[]
  zones: {
    zone: string
    name: Text
    floor: Text | null
    waiting: number
    oldest_since: string | null
    target_min: number
    open_windows: number
    issued_today: number
    called_today: number
    finished_today: number
    no_show_today: number
    mean_wait_s: number | null
    /** Of `finished_today`: legs after which the visit went on. */
    legs_today: number
  }[]
  services: { service: string; name: Text; zone: string; prefix: string; waiting: number; windows: string[] }[]
  devices: ManagedDevice[]
  announcement: Announcement | null
  /** Paper rolls in use; `label` is the last number that the hall knows of. */
  rolls: { prefix: string; service: string; name: Text; label: string | null; last: string }[]
  alarms: ManagerAlarm[]
  cases: CaseView[]
}

/** A device as the manager sees it; `last_job` is what became of its last job, `detail` begins with a code and a colon. */
export interface ManagedDevice extends DeviceRow {
  connected: boolean
  last_job: { id: string; kind: string; ticket: string; status: string; detail: string; at: string } | null
}

/** `ticket:TRACK` */
export interface TicketPicture extends Omit<Ticket, 'history' | 'track_url' | 'case_number'> {
  /** Whence `eta` counts. */
  eta_at: string | null
  hall_name: Text
  hall_address: Text | null
  service_name: Text
  zone_name: Text
  floor: Text | null
  window_name: Text | null
  windows: string[]
  drill: boolean
  /** Why the ticket goes ahead of others; null for an ordinary one. */
  priority_name: Text | null
  /** The windows take papers in and decide nothing. */
  takes_in_only: boolean
  /** Of the hall. */
  languages: string[]
  /** What to bring, how long, what it costs (办事指南). */
  guide: Guide | null
}

/** `presented:KIOSK`: what lies on the card reader of a kiosk or was held before its scanner; for that kiosk's page. */
export interface PresentedPicture {
  kiosk: string
  card: PresentedCard | null
  scan: PresentedScan | null
}

/** Forgotten after `until`. A page that took its number or went home shows this `card` no more. */
export interface PresentedCard {
  /** Goes as `card` into the next number or check-in. */
  card: string
  document: 'citizen' | 'foreign' | 'hk_mo_tw'
  /** Masked: 张*. */
  name: string
  /** Where the age band begins. */
  age_from: 0 | 14 | 60 | 65 | 70 | 75 | 80
  until: string
  /** Priorities this age may have without being asked. */
  priorities: string[]
  /** Numbers the visitor holds today. */
  tickets: { ticket: string; label: string; service: string; service_name: Text; status: string }[]
  /** Open bookings of today: check in with `card`. */
  appointments: { service: string; service_name: Text; starts_at: string }[]
}

/** What became of a scan; `scan` tells one from the next. */
export interface PresentedScan {
  scan: string
  did: 'shown' | 'reinstated' | 'back' | 'started' | 'checked_in' | 'refused'
  until: string
  ticket: string | null
  label: string | null
  problem: Text | null
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
        : Topic extends `presented:${string}`
          ? PresentedPicture
          : never
