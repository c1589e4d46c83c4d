/**
 * What the kiosk page knows and does: who it is, the hall, live waits, and the visitor's way from touch to ticket.
 *
 * The way is a short row of steps; only `press` issues a ticket, and one press has one key, whatever the network does.
 */
import {
  api,
  currentLanguage,
  intent,
  keepTo,
  Refusal,
  reconnectLive,
  setLanguage,
  text,
  Unreachable,
  useLive,
  useNow,
  type Eta,
  type Hall,
  type HallState,
  type HallSummary,
  type IssuedTicket,
  type PresentedScan,
  type KioskPrinter,
  type Priority,
  type Service,
  type Zone,
} from '@jiaohao/lib'
import { computed, onScopeDispose, ref, shallowRef, watch } from 'vue'
import { useEase } from './useEase'
import { commonOf, departmentsOf, offered, placesOf, stopsOf, type Department } from './places'

/** What is browsed by, when it is neither a floor nor a part of the hall. */
export const BY_DEPARTMENT = 'departments'
/** Where the visitor looks for a service, as against where one is chosen and asked about. */
const BROWSING = new Set<Step['at']>(['home', 'zone', 'department', 'search', 'guides'])
/** What does not go back by itself: nobody is served, or the answer is on its way. */
const STAYS = new Set<Step['at']>(['starting', 'enrol', 'halls', 'home', 'issuing'])

/** The visitor is gone: back to the start, in the hall's first language, with nothing left on the screen. */
export const IDLE_S = 20
/** How long the ticket stays on the screen. */
const TICKET_S = 15
const UNPRINTED_S = 20
/** From this many seconds before an idle return it is announced. */
const WARN_S = 8
const STATE_EVERY_MS = 2_000
const PRINTER_EVERY_MS = 20_000
/** The hall opens and closes without a picture. */
const HOURS_EVERY_MS = 30_000
const START_AGAIN_MS = 2_000

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

export interface Waits {
  waiting: number
  eta: Eta | null
  open: boolean
  /** When numbers are given again, where none is given now and that is known. */
  opensAt?: string | null
  /** The kiosk is cut off from the hall: nobody knows who waits. */
  unknown?: boolean
}

export function useKiosk() {
  const step = shallowRef<Step>({ at: 'starting', waiting: false })
  const hall = shallowRef<Hall | null>(null)
  const state = shallowRef<HallState | null>(null)
  const device = ref<string | null>(null)
  const canPrint = ref<boolean | null>(null)
  /** What the hall knows of this kiosk's printer, and the nearest kiosk that prints when this one does not. */
  const paper = shallowRef<KioskPrinter | null>(null)
  const live = useLive(() => hall.value?.hall, 'board')

  // ---------------------------------------------------------------- starting and enrolment

  async function start(): Promise<void> {
    step.value = { at: 'starting', waiting: false }
    for (;;) {
      try {
        await arrive()
        return
      } catch (problem) {
        if (!(problem instanceof Unreachable || (problem instanceof Refusal && problem.status >= 500))) {
          step.value = { at: 'trouble', problem, again: () => void start() }
          return
        }
        step.value = { at: 'starting', waiting: true }
        await new Promise((resolve) => setTimeout(resolve, START_AGAIN_MS))
      }
    }
  }

  async function arrive(): Promise<void> {
    const code = new URLSearchParams(location.hash.slice(1)).get('code')
    let me = await api.me()
    if (me.kind === 'nobody' && code !== null) {
      await enrol(code, false)
      me = await api.me()
    }
    // The code works once: take it out of the address, so that a reload does not try it again.
    if (code !== null) history.replaceState(null, '', location.pathname + location.search)
    if (me.kind === 'nobody') {
      if (step.value.at !== 'enrol') step.value = { at: 'enrol', problem: null }
      return
    }
    device.value = me.device ?? null
    const asked = new URLSearchParams(location.search).get('hall') ?? me.hall
    if (asked) return enter(asked)
    const { halls } = await api.halls()
    const only = halls.length === 1 ? halls[0] : undefined
    if (only !== undefined) return enter(only.hall)
    step.value = { at: 'halls', halls }
  }

  async function enrol(code: string, again = true): Promise<void> {
    try {
      await api.enrol(code.trim())
    } catch (problem) {
      if (!(problem instanceof Refusal)) throw problem
      step.value = { at: 'enrol', problem }
      return
    }
    reconnectLive()
    if (again) await start()
  }

  async function enter(id: string): Promise<void> {
    hall.value = await api.hall(id)
    keepTo(hall.value.languages)
    state.value = await api.state(id)
    void lookAtPrinter()
    home()
  }

  // ---------------------------------------------------------------- live waits

  let stateTimer: ReturnType<typeof setTimeout> | undefined
  watch(live.data, (picture) => {
    if (picture !== null) stateTimer ??= setTimeout(() => void renewState(), state.value === null ? 0 : STATE_EVERY_MS)
  })
  watch(live.connected, (connected) => {
    if (connected && hall.value !== null) void renewHall(hall.value.hall)
  })
  /** Cut off from the hall, and the kiosk's own server still gives numbers. */
  const offline = computed(() => state.value?.offline === true)
  watch(live.late, () => void renewState())
  const printerTimer = setInterval(() => void lookAtPrinter(), PRINTER_EVERY_MS)
  const hoursTimer = setInterval(() => (stateTimer ??= setTimeout(() => void renewState(), 0)), HOURS_EVERY_MS)
  onScopeDispose(() => {
    clearTimeout(stateTimer)
    clearInterval(printerTimer)
    clearInterval(hoursTimer)
    clearInterval(secondTimer)
  })

  async function renewState(): Promise<void> {
    stateTimer = undefined
    if (hall.value === null) return
    try {
      state.value = await api.state(hall.value.hall)
    } catch {
      // The connection banner says that news may be late; the next picture asks again.
    }
  }

  /** After a server restart the hall file may have changed. */
  async function renewHall(id: string): Promise<void> {
    try {
      hall.value = await api.hall(id)
    } catch {
      // The structure we have stays good until the next connection.
    }
    await renewState()
  }

  /** Is there a printer that takes this kiosk's tickets and can print? Unknown when we may not look. */
  async function lookAtPrinter(): Promise<void> {
    if (hall.value === null) return
    try {
      const { devices, printer } = await api.devices(hall.value.hall)
      paper.value = printer ?? null
      const printers = devices.filter((one) => one.kind === 'printer')
      const mine = printers.filter((one) => device.value !== null && (one.kiosks ?? []).includes(device.value))
      const ours = mine.length > 0 ? mine : printers.filter((one) => (one.kiosks ?? []).length === 0)
      canPrint.value = paper.value !== null && paper.value.status !== 'none' ? !['out', 'down'].includes(paper.value.status) : ours.some((one) => one.health !== 'down' && one.paper !== 'out')
    } catch {
      canPrint.value = null
    }
  }

  function waitsOfService(service: Service): Waits {
    const row = state.value?.services.find((one) => one.service === service.service)
    if (offline.value) return { waiting: 0, eta: null, open: row?.open ?? false, unknown: true }
    const given = row === undefined || (row.open && row.left !== 0)
    return {
      waiting: row?.waiting ?? 0,
      eta: row?.eta ?? null,
      open: (row?.open_windows ?? 0) > 0 && (row?.open ?? true),
      opensAt: given ? null : row.opens_at,
    }
  }

  function waitsOfZone(zone: Zone): Waits {
    const row = live.data.value?.zones.find((one) => one.zone === zone.zone)
    const counted = state.value?.zones.find((one) => one.zone === zone.zone)
    if (offline.value) return { waiting: 0, eta: null, open: true, unknown: true }
    return {
      waiting: row?.waiting ?? counted?.waiting ?? 0,
      eta: row?.eta ?? null,
      open: (row?.open_windows ?? counted?.open_windows ?? 0) > 0,
    }
  }

  const servicesOf = (zone: Zone) => (hall.value === null ? [] : offered(hall.value, zone))
  const places = computed(() => (hall.value === null ? [] : placesOf(hall.value, device.value)))
  const chosenPlace = ref<string | null>(null)
  /** The part of the hall that is browsed; where the kiosk stands, before somebody asks for another. */
  const place = computed(() => places.value.find((one) => one.id === chosenPlace.value) ?? places.value.find((one) => one.here) ?? places.value[0])
  /** Departments to browse by, where the hall names enough of them. */
  const departments = computed(() => (hall.value === null ? [] : departmentsOf(hall.value)))
  const byDepartment = computed(() => chosenPlace.value === BY_DEPARTMENT && departments.value.length > 0)
  const common = computed(() => (hall.value === null ? [] : commonOf(hall.value)))
  const presented = useLive(() => hall.value?.hall, () => (device.value === null ? null : (`presented:${device.value}` as const)))
  const now = useNow(1_000)
  /** The card that was put away, by its name for this visit. */
  const putAway = ref<string | null>(null)
  /** Whose card lies on this kiosk's reader, until the number is taken or the visitor is gone. */
  const card = computed(() => {
    const lies = presented.data.value?.card ?? null
    return lies !== null && lies.card !== putAway.value && now.value < Date.parse(lies.until) ? lies : null
  })
  watch(() => card.value?.card, (there) => {
    if (there !== undefined) touched()
  })
  watch(() => presented.data.value?.scan?.scan, (there) => {
    const scan = presented.data.value?.scan
    if (there !== undefined && scan && hall.value !== null && step.value.at !== 'issuing') step.value = { at: 'scanned', scan }
  })
  function putCardAway(): void {
    putAway.value = presented.data.value?.card?.card ?? null
  }

  /** What the visitor is asked; a priority without a question (an appointment) is not for the visitor to claim. */
  const priorities = computed(() => hall.value?.priorities.filter((one) => one.question !== null) ?? [])
  /** Empty where the hall has one floor only: nobody needs to be told. */
  function floorName(zone: Zone | undefined): string {
    const floors = hall.value?.floors ?? []
    return floors.length > 1 ? text(floors.find((one) => one.floor === zone?.floor)?.name) : ''
  }

  // ---------------------------------------------------------------- the visitor's way

  function home(): void {
    step.value = { at: 'home' }
  }

  /** Where the visitor last looked for a service: the way back from a service. */
  const browsed = shallowRef<Step>({ at: 'home' })
  watch(step, (now) => {
    if (BROWSING.has(now.at)) browsed.value = now
  })
  function back(): void {
    if (BROWSING.has(step.value.at) || step.value.at === 'checkin' || step.value.at === 'comeback') home()
    else step.value = browsed.value
  }

  function chooseZone(zone: Zone): void {
    const services = servicesOf(zone)
    const only = services.length === 1 ? services[0] : undefined
    if (only !== undefined) chooseService(only)
    else step.value = { at: 'zone', zone }
  }

  const isShut = (service: Service) => Boolean(waitsOfService(service).opensAt)

  /** What rests now tells its hours; a joint matter tells its stops first; choosing it there goes on. */
  function chooseService(service: Service): void {
    const at = step.value.at
    if (at === 'issuing') return
    if (isShut(service)) {
      step.value = { at: 'shut', service }
      stateTimer ??= setTimeout(() => void renewState(), 0) // it may have opened since
    } else if (at !== 'stops' && stopsOf(hall.value, service).length > 0) step.value = { at: 'stops', service }
    else if (service.asks_case) step.value = { at: 'case', service, problem: null }
    else askPriority(service, '')
  }

  /** The case number that a pickup asks for; empty when the visitor has none at hand. */
  function answerCase(caseNumber: string): void {
    if (step.value.at === 'case') askPriority(step.value.service, caseNumber)
  }

  function askPriority(service: Service, caseNumber: string): void {
    // Of this age nobody need be asked.
    const due = hall.value?.priorities.find((one) => card.value?.priorities.includes(one.priority))
    if (due !== undefined) void press(service, due, caseNumber, intent())
    else if (priorities.value.length > 0) step.value = { at: 'priority', service, caseNumber }
    else void press(service, null, caseNumber, intent())
  }

  function answerPriority(priority: Priority | null): void {
    if (step.value.at === 'priority') void press(step.value.service, priority, step.value.caseNumber, intent())
  }

  function chooseDepartment(department: Department): void {
    step.value = { at: 'department', department }
  }

  /** What was typed to find a service. */
  const sought = ref('')
  function search(): void {
    sought.value = ''
    step.value = { at: 'search' }
  }

  function guides(): void {
    step.value = { at: 'guides' }
  }

  function readGuide(service: Service): void {
    step.value = { at: 'guide', service }
  }

  /** Without paper the hall gives no number, unless the visitor says that remembering it will do (`paperless`). */
  async function press(service: Service, priority: Priority | null, caseNumber: string, key: string, paperless = false): Promise<void> {
    const here = hall.value
    if (here === null || step.value.at === 'issuing') return
    step.value = { at: 'issuing', service }
    const more = { ...(priority === null ? {} : { priority: priority.priority }), ...(caseNumber === '' ? {} : { case_number: caseNumber }), ...(card.value === null ? {} : { card: card.value.card }) }
    const body = { ...more, paperless, service: service.service, language: document.documentElement.lang.slice(0, 2), channel: 'kiosk' }
    try {
      const ticket = await api.issue(here.hall, body, key)
      step.value = { at: 'ticket', ticket, printed: !paperless && canPrint.value !== false }
      void lookAtPrinter()
    } catch (problem) {
      if (problem instanceof Refusal && problem.status === 401) return start()
      if (problem instanceof Refusal && caseNumber !== '' && problem.code.startsWith('result_')) {
        step.value = { at: 'case', service, problem }
        return
      }
      // The same key again: if the first try did arrive, its ticket is the answer.
      const again = problem instanceof Refusal ? null : () => void press(service, priority, caseNumber, key, paperless)
      step.value = { at: 'trouble', problem, again, paperless: withoutPaper(problem, () => void press(service, priority, caseNumber, intent(), true)) }
    }
  }

  /** Give the way on for who is refused because of the paper alone. */
  function withoutPaper(problem: unknown, way: () => void): (() => void) | undefined {
    if (!(problem instanceof Refusal && problem.code === 'no_paper')) return undefined
    void lookAtPrinter()
    return way
  }

  /** Somebody may have an appointment: there is something to check in for. */
  const bookable = computed(() => hall.value?.services.some((one) => one.appointments !== null) === true)

  function askForCode(): void {
    step.value = { at: 'checkin', problem: null, busy: false }
  }

  /** By the card that lies on the reader. */
  function checkInByCard(): void {
    if (card.value !== null) void checkIn({ card: card.value.card })
  }

  async function checkIn(who: { code: string } | { card: string }, key: string = intent(), paperless = false): Promise<void> {
    const here = hall.value
    if (here === null || (step.value.at === 'checkin' && step.value.busy)) return
    step.value = { at: 'checkin', problem: null, busy: true }
    try {
      const ticket = await api.checkIn(here.hall, { ...who, paperless, language: document.documentElement.lang.slice(0, 2), channel: 'kiosk' }, key)
      step.value = { at: 'ticket', ticket, printed: !paperless && canPrint.value !== false, late: ticket.late }
      void lookAtPrinter()
    } catch (problem) {
      if (problem instanceof Refusal && problem.status === 401) return start()
      const remembered = withoutPaper(problem, () => void checkIn(who, intent(), true))
      if (remembered !== undefined) step.value = { at: 'trouble', problem, again: null, paperless: remembered }
      else if (problem instanceof Refusal) step.value = { at: 'checkin', problem, busy: false }
      else step.value = { at: 'trouble', problem, again: () => void checkIn(who, key, paperless) }
    }
  }

  function askForLabel(): void {
    step.value = { at: 'comeback', problem: null, busy: false }
  }

  /** Back with the missing papers, or after a missed call; of anybody else the hall says why not. */
  async function comeBack(label: string, key: string = intent()): Promise<void> {
    const here = hall.value
    if (here === null || (step.value.at === 'comeback' && step.value.busy)) return
    step.value = { at: 'comeback', problem: null, busy: true }
    try {
      const known = await api.ticket(here.hall, label)
      const answer = await (known.can.reinstate ? api.reinstate(here.hall, known.ticket, key) : api.back(here.hall, known.ticket, key))
      step.value = { at: 'isback', label: answer.label }
    } catch (problem) {
      if (problem instanceof Refusal && problem.status === 401) return start()
      if (problem instanceof Refusal) step.value = { at: 'comeback', problem, busy: false }
      else step.value = { at: 'trouble', problem, again: () => void comeBack(label, key) }
    }
  }

  // ---------------------------------------------------------------- back by itself

  const ease = useEase()
  const left = ref(IDLE_S)
  /** Seconds until the page goes back, when that is worth saying. */
  const leavingIn = computed(() => {
    if (step.value.at === 'ticket') return left.value
    const leaves = !STAYS.has(step.value.at) || (step.value.at === 'home' && isChanged())
    return leaves && left.value <= WARN_S ? left.value : null
  })

  watch(step, (now) => {
    left.value = now.at !== 'ticket' ? IDLE_S : now.printed ? TICKET_S : UNPRINTED_S
  })

  function touched(): void {
    if (step.value.at !== 'ticket') left.value = IDLE_S
  }

  const secondTimer = setInterval(() => {
    if (left.value > 0) left.value -= 1
    if (left.value > 0) return
    if (!STAYS.has(step.value.at)) leave()
    else if (step.value.at === 'home') forget()
  }, 1_000)

  const firstLanguage = () => hall.value?.languages[0] ?? 'zh'
  /** The start is not as the next visitor should find it. */
  const isChanged = () => ease.isUsed.value || chosenPlace.value !== null || currentLanguage() !== firstLanguage()

  function forget(): void {
    ease.forget()
    chosenPlace.value = null
    sought.value = ''
    putCardAway()
    setLanguage(firstLanguage(), { remember: false })
  }

  /** The visit is over: back to the start for the next visitor. */
  function leave(): void {
    forget()
    if (hall.value === null) void start()
    else home()
  }

  void start()

  return {
    step,
    hall,
    state,
    live,
    canPrint,
    paper,
    offline,
    places,
    place,
    chosenPlace,
    priorities,
    servicesOf,
    floorName,
    waitsOfService,
    waitsOfZone,
    departments,
    byDepartment,
    common,
    isShut,
    home,
    back,
    leave,
    chooseZone,
    chooseService,
    answerCase,
    answerPriority,
    chooseDepartment,
    sought,
    search,
    guides,
    readGuide,
    bookable,
    card,
    putCardAway,
    askForCode,
    checkIn,
    checkInByCard,
    askForLabel,
    comeBack,
    enrol,
    enter,
    ease,
    leavingIn,
    touched,
  }
}
