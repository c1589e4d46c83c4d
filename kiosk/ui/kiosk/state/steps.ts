/** The steps of a visit at the kiosk, from touch to ticket; each holds what its picture needs. */
import type { HallSummary, IssuedTicket, PresentedScan, Service, Zone } from '@jiaohao/lib'
import type { Department } from './places'

export type Step =
  | { at: 'starting'; waiting: boolean }
  | { at: 'enrol'; problem: unknown }
  | { at: 'halls'; halls: HallSummary[] }
  | { at: 'home' }
  | { at: 'zone'; zone: Zone }
  | { at: 'department'; department: Department }
  | { at: 'search' }
  | { at: 'guides' }
  | { at: 'guide'; service: Service }
  | { at: 'shut'; service: Service }
  | { at: 'stops'; service: Service }
  | { at: 'case'; service: Service; problem: unknown }
  | { at: 'priority'; service: Service; caseNumber: string }
  | { at: 'issuing'; service: Service }
  | { at: 'checkin'; problem: unknown; busy: boolean }
  | { at: 'comeback'; problem: unknown; busy: boolean }
  | { at: 'isback'; label: string }
  | { at: 'scanned'; scan: PresentedScan }
  | { at: 'ticket'; ticket: IssuedTicket; printed: boolean; late?: boolean }
  | { at: 'trouble'; problem: unknown; again: (() => void) | null; paperless?: (() => void) | undefined }

type At = Step['at']

/** Where the visitor looks for a service, as against where one is chosen and asked about. */
export const BROWSING: ReadonlySet<At> = new Set<At>(['home', 'zone', 'department', 'search', 'guides'])
/** Where nobody is served. */
const RESTS: ReadonlySet<At> = new Set<At>(['starting', 'enrol', 'halls', 'home'])
/** An answer is on its way: whoever left now would leave it before the next visitor. */
export const isBusy = (now: Step): boolean => now.at === 'issuing' || ('busy' in now && now.busy)
/** What does not go back by itself. */
export const stays = (now: Step): boolean => RESTS.has(now.at) || isBusy(now)
/** From where one can go back a step. */
export const WITH_BACK: ReadonlySet<At> = new Set<At>(['zone', 'department', 'search', 'guides', 'guide', 'shut', 'stops', 'case', 'priority', 'checkin', 'comeback'])
/** Where the card on the reader is told of. */
export const WITH_CARD: ReadonlySet<At> = new Set<At>([...WITH_BACK, 'home'])
/** A service was chosen and is asked about: its guide is one touch away. */
export const ASKING: ReadonlySet<At> = new Set<At>(['stops', 'priority', 'case'])
