/** What each key and button does, where it makes sense, and what it is called there. */
import { hallNow, useI18n } from '@jiaohao/lib'
import { computed, watch } from 'vue'
import type { Action } from './keys'
import type { Asking, useAsking } from './useAsking'
import type { useCommands } from './useCommands'
import type { useSeat } from './useSeat'
import type { useWindow } from './useWindow'

/** A press so long after the time of an undo is not sent: the hall would only refuse it. */
const UNDO_LATE_MS = 3_000

export function useActions(
  seat: ReturnType<typeof useSeat>,
  desk: ReturnType<typeof useWindow>,
  asking: ReturnType<typeof useAsking>,
  commands: ReturnType<typeof useCommands>,
) {
  const { t } = useI18n()
  const { picture, current, status, busy, notice } = desk
  const locked = computed(() => busy.value !== null)
  /** Paused by the clock, perhaps beside a visitor: one key says that somebody is here. */
  const leftAlone = computed(() => picture.value?.pause_reason === 'left_alone')
  const isPaused = computed(() => status.value === 'paused' || leftAlone.value)
  /** Without a service that hands results out there is nothing to wait for. */
  const hasPickup = computed(() => seat.hall.value?.services.some((one) => one.kind === 'pickup') === true)
  /** What is left of a joint matter after the leg at this window. */
  const legsLeft = computed(() => current.value?.legs.filter((leg) => leg.status === 'planned') ?? [])
  const nobody = computed(() => picture.value?.waiting === 0)
  // "Nobody is waiting" is wrong as soon as somebody is.
  watch(nobody, (still) => {
    if (!still && notice.value?.kind === 'plain') notice.value = null
  })

  /** Where each action makes sense; the hall has the last word. */
  const can = computed<Record<Action, boolean>>(() => {
    const now = status.value
    const held = picture.value?.held.length ?? 0
    const atWindow = now === 'calling' || now === 'serving'
    return {
      main: now !== null,
      next: now === 'open' || (atWindow && !leftAlone.value),
      undo: true,
      recall: now === 'calling',
      finish: atWindow,
      noShow: now === 'calling',
      missed: now === 'calling',
      return: now === 'calling',
      hold: atWindow,
      transfer: atWindow,
      giveNotice: atWindow,
      awaitResult: atWindow && hasPickup.value,
      noteCase: atWindow,
      legs: atWindow,
      resumeHeld: now === 'open' && held > 0,
      callOne: now === 'open',
      pause: now === 'open' || isPaused.value,
      handOver: now !== null && now !== 'closed',
      help: true,
    }
  })

  const finishNext = computed(() => t(legsLeft.value.length > 0 ? 'clerk.do.finishLegNext' : 'clerk.do.finishNext'))
  function wordsOf(action: Action): string {
    if (action === 'finish' && legsLeft.value.length > 0) return t('clerk.do.finishLeg')
    return action === 'pause' && isPaused.value ? t('clerk.do.resume') : t(`clerk.do.${action}`)
  }

  function ask(question: Asking): void {
    if (locked.value) return
    notice.value = null
    asking.ask(question)
  }

  /** The big button: whatever comes next at this window. */
  function mainPress(): Promise<void> {
    if (leftAlone.value) return commands.resume()
    switch (status.value) {
      case 'closed':
        return commands.open()
      case 'paused':
        return commands.resume()
      case 'calling':
        return commands.move('start')
      default:
        return commands.callNext()
    }
  }

  /** Take the last move back; the hall knows best whether it still may be. */
  function undo(): void {
    const last = picture.value?.undo ?? null
    if (last !== null && hallNow() < Date.parse(last.until) + UNDO_LATE_MS) void commands.undo(last)
    else if (!locked.value) desk.say(t('clerk.undoNothing'))
  }

  /** Do what a key or button asks for; what makes no sense now is answered in place. */
  function press(action: Action): void {
    if (asking.asking.value !== null) {
      if (document.querySelector('dialog[open]') !== null) return
      asking.close() // the browser closed it by Escape and tells us a moment later
    }
    if (action === 'help') {
      ask({ what: 'help' })
      return
    }
    if (!can.value[action]) {
      if (status.value === null || locked.value) return
      desk.say(t('clerk.notNow', { action: wordsOf(action), status: t(`window.${status.value}`) }))
      return
    }
    const at = current.value
    const held = picture.value?.held ?? []
    switch (action) {
      case 'main':
        void mainPress()
        break
      case 'next':
        void commands.callNext()
        break
      case 'undo':
        undo()
        break
      case 'recall':
      case 'missed':
      case 'return':
        void commands.move(action)
        break
      case 'finish':
        if (at !== null && legsLeft.value.length > 1) ask({ what: 'nextLeg', ticket: at.ticket, label: at.label })
        else void commands.move('finish')
        break
      case 'hold':
      case 'noShow':
      case 'giveNotice':
      case 'awaitResult':
      case 'noteCase':
      case 'legs':
        if (at !== null) ask({ what: action, ticket: at.ticket, label: at.label })
        break
      case 'transfer':
        if (at !== null) ask({ what: 'transfer', ticket: at.ticket, label: at.label, service_id: at.service_id })
        break
      case 'resumeHeld':
        if (held.length === 1 && held[0] !== undefined) void commands.resumeHeld(held[0])
        else ask({ what: 'resume' })
        break
      case 'callOne':
        ask({ what: 'call', label: '' })
        break
      case 'pause':
        if (isPaused.value) void commands.resume()
        else ask({ what: 'pause' })
        break
      case 'handOver':
        ask({ what: 'handOver' })
        break
    }
  }

  return { can, press, ask, wordsOf, finishNext, locked, leftAlone, isPaused, hasPickup, legsLeft, nobody }
}
