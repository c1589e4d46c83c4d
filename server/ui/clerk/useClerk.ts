/** The console of one window put together; its parts find it by `useClerk`. */
import { computed, inject, provide, watch, type InjectionKey } from 'vue'
import { useActions } from './useActions'
import { useAsking } from './useAsking'
import { useCommands } from './useCommands'
import { useSeat } from './useSeat'
import { useWindow } from './useWindow'

export type Clerk = ReturnType<typeof provideClerk>
const CLERK: InjectionKey<Clerk> = Symbol('clerk')

export function provideClerk() {
  const seat = useSeat()
  const desk = useWindow(seat.hallId, seat.no)
  const asking = useAsking()
  const commands = useCommands(seat, desk, asking)
  const actions = useActions(seat, desk, asking, commands)

  // What was typed here and not sent: taken up again after a reload, dropped when the visitor has left.
  watch([seat.hallId, seat.no, () => seat.me.value?.work_id] as const, ([hall, window, by], [, , before]) => {
    if (before !== undefined && before !== by) asking.wipe()
    if (hall !== null && window !== null && by) asking.begin(hall, window, by)
  })
  const here = computed(() => {
    const picture = desk.picture.value
    return picture === null ? null : [picture.current?.ticket, ...picture.held.map((one) => one.ticket)].filter((one) => one !== undefined).join(' ')
  })
  watch(here, (tickets) => {
    if (tickets !== null) asking.meet(tickets.split(' '))
  })
  const lostSession = computed(() => desk.signedOut.value || ['not_allowed', 'not_signed_in'].includes(desk.live.code.value ?? ''))
  async function signOut(): Promise<void> {
    asking.wipe()
    await seat.signOut()
  }

  const clerk = { ...seat, ...desk, ...asking, ...actions, commands, lostSession, signOut }
  provide(CLERK, clerk)
  return clerk
}

/** Give the console that this part belongs to. */
export function useClerk(): Clerk {
  const clerk = inject(CLERK)
  if (clerk === undefined) throw new Error('outside of a clerk console')
  return clerk
}
