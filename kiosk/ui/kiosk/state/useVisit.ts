/**
 * The visitor's way from touch to ticket, a short row of steps; only `press` issues a ticket, and one press has one key,
 * whatever the network does.
 */
import { api, intent, Refusal, type PresentedCard, type Priority, type Service, type Zone } from '@jiaohao/lib'
import { computed, shallowRef, watch, type Ref, type ShallowRef } from 'vue'
import { stopsOf, type Department } from './places'
import { BROWSING, isBusy, type Step } from './steps'
import type { useHall } from './useHall'

/** The parts of the page that a visit needs: `start` asks anew who the kiosk is, when the hall does not know it any more. */
interface Around {
  house: ReturnType<typeof useHall>
  card: Readonly<Ref<PresentedCard | null>>
  sought: Ref<string>
  /** Nobody takes a number on this page. */
  readOnly: boolean
  start: () => Promise<void>
}

export function useVisit(step: ShallowRef<Step>, { house, card, sought, readOnly, start }: Around) {
  const { hall, canPrint, isShut, servicesOf } = house

  // ---------------------------------------------------------------- looking for a service

  function home(): void {
    step.value = { at: 'home' }
  }

  /** Where the visitor last looked for a service: the way back from a service. */
  const browsed = shallowRef<Step>({ at: 'home' })
  watch(step, (now) => {
    if (BROWSING.has(now.at)) browsed.value = now
  })
  function back(): void {
    if (isBusy(step.value)) return
    if (BROWSING.has(step.value.at) || step.value.at === 'checkin' || step.value.at === 'comeback') home()
    else step.value = browsed.value
  }

  function chooseZone(zone: Zone): void {
    const services = servicesOf(zone)
    const only = services.length === 1 ? services[0] : undefined
    if (only !== undefined) chooseService(only)
    else step.value = { at: 'zone', zone }
  }

  function chooseDepartment(department: Department): void {
    step.value = { at: 'department', department }
  }

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

  // ---------------------------------------------------------------- what is asked before the number

  /** What the visitor is asked; a priority without a question (an appointment) is not for the visitor to claim. */
  const priorities = computed(() => hall.value?.priorities.filter((one) => one.question !== null) ?? [])

  /** What rests now tells its hours; a joint matter tells its stops first; choosing it there goes on. */
  function chooseService(service: Service): void {
    const at = step.value.at
    if (at === 'issuing') return
    if (readOnly) readGuide(service)
    else if (isShut(service)) {
      step.value = { at: 'shut', service }
      house.renewSoon() // it may have opened since
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

  // ---------------------------------------------------------------- the number

  /** Without paper the hall gives no number, unless the visitor says that remembering it will do (`paperless`). */
  async function press(service: Service, priority: Priority | null, caseNumber: string, key: string, paperless = false): Promise<void> {
    const here = hall.value
    if (here === null || step.value.at === 'issuing') return
    step.value = { at: 'issuing', service }
    const more = { ...(priority === null ? {} : { priority: priority.priority }), ...(caseNumber === '' ? {} : { case_number: caseNumber }), ...(card.value === null ? {} : { card: card.value.card }) }
    const body = { ...more, paperless, service: service.service, language: spoken(), channel: 'kiosk' }
    try {
      const ticket = await api.issue(here.hall, body, key)
      step.value = { at: 'ticket', ticket, printed: !paperless && canPrint.value !== false }
      void house.lookAtDevices()
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
    void house.lookAtDevices()
    return way
  }

  // ---------------------------------------------------------------- an appointment, and coming back

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
      const ticket = await api.checkIn(here.hall, { ...who, paperless, language: spoken(), channel: 'kiosk' }, key)
      step.value = { at: 'ticket', ticket, printed: !paperless && canPrint.value !== false, late: ticket.late }
      void house.lookAtDevices()
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

  return { home, back, chooseZone, chooseDepartment, search, guides, readGuide, priorities, chooseService, answerCase, answerPriority, bookable, askForCode, checkIn, checkInByCard, askForLabel, comeBack }
}

const spoken = () => document.documentElement.lang.slice(0, 2)
