/** Everything that the hall can be asked to do at this window, in the words of the domain; what to say when it worked. */
import { api, reconnectLive, text, useI18n, type Pause, type TicketMove, type Transfer } from '@jiaohao/lib'
import type { useAsking } from './useAsking'
import type { useSeat } from './useSeat'
import type { Answer, useWindow } from './useWindow'

/** A visitor by id, with the label for what is said. */
export interface Named {
  ticket: string
  label: string
}

const DONE: Partial<Record<TicketMove, string>> = { recall: 'recall', finish: 'finish', missed: 'missed', 'no-show': 'noShow', return: 'return', hold: 'hold' }

export function useCommands(seat: ReturnType<typeof useSeat>, desk: ReturnType<typeof useWindow>, asking: ReturnType<typeof useAsking>) {
  const { t } = useI18n()
  const { hallId, no, hall, me } = seat
  const { current } = desk

  /** Run a command of this window and close the dialog that asked for it when it worked. */
  async function command(name: string, act: (at: string, window: string, key: string) => Promise<Answer>, done?: string | ((answer: Answer) => string)): Promise<void> {
    const [at, window] = [hallId.value, no.value]
    if (at === null || window === null) return
    await desk.run({ name, act: (key) => act(at, window, key), worked: asking.answered, ...(done === undefined ? {} : { done }) })
  }

  const nameOf = (service: string) => text(hall.value?.services.find((one) => one.service === service)?.name)
  /** What to say when a leg of a joint matter was finished, null when it was the visit. */
  const legDone = (of: string, answer: Answer) => (answer.next_leg ? t('clerk.done.finishLeg', { label: of, service: nameOf(answer.next_leg) }) : null)

  /** One key from a finished visit to the next call. */
  async function callNext(): Promise<void> {
    const [at, window, before] = [hallId.value, no.value, current.value]
    if (at === null || window === null) return
    await desk.run({
      name: 'next',
      act: (key) => api.callNext(at, window, { finish: before !== null }, key),
      // Nobody waits: what was meant for the visitor at the window is done all the same.
      ...(before === null
        ? {}
        : {
            instead: {
              code: 'nobody_waiting',
              act: (key: string) => api.move(at, window, 'finish', { ticket: before.ticket }, key),
              done: (answer: Answer) => legDone(before.label, answer) ?? t('clerk.done.finishNobody', { label: before.label }),
            },
          }),
    })
  }

  function move(what: TicketMove, visitor: Named | null = current.value, why = ''): Promise<void> {
    if (visitor === null) return Promise.resolve()
    const done = DONE[what]
    return command(
      what,
      (at, window, key) => api.move(at, window, what, { ticket: visitor.ticket, ...(why === '' ? {} : { reason: why }) }, key),
      done === undefined ? undefined : (answer) => legDone(visitor.label, answer) ?? t(`clerk.done.${done}`, { label: visitor.label }),
    )
  }

  /** A colleague proves who it is, or who signed in at the window that another left says "mine". */
  async function takeOver(body: Parameters<typeof api.handOver>[2]): Promise<void> {
    const before = me.value?.work_id
    await command('hand-over', (at, window, key) => api.handOver(at, window, body, key))
    const known = await seat.askAgain()
    if (known === null || known.work_id === before) return
    desk.say(t('clerk.done.handOver', { name: known.name ?? known.work_id ?? '' }))
    reconnectLive() // the line belongs to whom the server knew when it opened
  }

  return {
    callNext,
    move,
    takeOver,
    handOver: (workId: string, password: string) => takeOver({ work_id: workId, password }),
    undo: (of: Named) => command('undo', (at, window, key) => api.undo(at, window, of.ticket, key), t('clerk.done.undo', { label: of.label })),
    open: () => command('open', (at, window, key) => api.open(at, window, key)),
    close: () => command('close', (at, window, key) => api.close(at, window, key)),
    resume: () => command('resume', (at, window, key) => api.resume(at, window, key)),
    pause: (why: Pause['reason'], note: string) =>
      command('pause', (at, window, key) => api.pause(at, window, { reason: why, ...(note === '' ? {} : { note }) }, key)),
    resumeHeld: (of: Named) =>
      command('resume-held', (at, window, key) => api.move(at, window, 'resume-held', { ticket: of.ticket }, key), t('clerk.done.resumeHeld', { label: of.label })),
    moveHeld: (to: string) => command('move-held', (at, window, key) => api.moveHeld(at, window, { to_window: to }, key), t('clerk.done.moveHeld', { window: to })),
    transfer: (of: Named, body: Transfer) => command('transfer', (at, window, key) => api.transfer(at, window, body, key), t('clerk.done.transfer', { label: of.label })),
    callOne: (label: string, reason: string) => command('call', (at, window, key) => api.call(at, window, { label: label.trim().toUpperCase(), reason: reason.trim() }, key)),
    callBack: (of: Named) => command('call', (at, window, key) => api.call(at, window, { ticket: of.ticket, reason: t('clerk.cameBack') }, key)),
    reinstate: (of: Named) => command('reinstate', (at, _, key) => api.reinstate(at, of.ticket, key), t('clerk.done.reinstate', { label: of.label })),
    comeBack: (of: Named) => command('back', (at, _, key) => api.back(at, of.ticket, key), t('clerk.done.back', { label: of.label })),
    planLegs: (of: Named, services: string[]) => command('legs', (at, _, key) => api.planLegs(at, of.ticket, services, key), t('clerk.done.legs', { label: of.label })),
    finishLeg: (of: Named, next: string) =>
      command('finish', (at, window, key) => api.finish(at, window, { ticket: of.ticket, next }, key), (answer) => legDone(of.label, answer) ?? t('clerk.done.finish', { label: of.label })),
    giveNotice: (of: Named, items: string[], note: string, away: boolean) =>
      command(
        'notice',
        (at, window, key) => api.giveNotice(at, window, { ticket: of.ticket, items, note, away }, key),
        t(away ? 'clerk.done.noticeAway' : 'clerk.done.notice', { label: of.label, n: items.length }),
      ),
    awaitResult: (of: Named, number: string, pickup: string) =>
      command(
        'await-result',
        (at, window, key) => api.awaitResult(at, window, { ticket: of.ticket, ...(number === '' ? {} : { case_number: number }), ...(pickup === '' ? {} : { pickup }) }, key),
        t('clerk.done.awaitResult', { label: of.label }),
      ),
    noteCase: (of: Named, number: string) => command('case', (at, _, key) => api.noteCase(at, of.ticket, number, key), t('clerk.done.noteCase', { label: of.label })),
  }
}
