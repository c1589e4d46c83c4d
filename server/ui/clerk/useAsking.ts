/** The question that stands open before something is done: which dialog, about whom, and what was typed into it. */
import { inject, provide, shallowRef, type InjectionKey, type Ref } from 'vue'
import { Drafts } from './drafts'

export type Asking =
  | { what: 'transfer'; ticket: string; label: string; service_id: string | null }
  | { what: 'hold' | 'noShow'; ticket: string; label: string }
  | { what: 'call'; label: string }
  | { what: 'held' | 'missed'; ticket: string }
  | { what: 'nextLeg' | 'legs' | 'giveNotice' | 'awaitResult' | 'noteCase'; ticket: string; label: string }
  | { what: 'resume' | 'pause' | 'close' | 'handOver' | 'moveHeld' | 'help' | 'menu' }

/** Questions into which something is typed that should not be lost. A password is not among them. */
const TYPED: readonly Asking['what'][] = ['transfer', 'hold', 'call', 'legs', 'giveNotice', 'awaitResult', 'noteCase', 'pause']
/** About nobody at the window. */
const OF_NOBODY: readonly Asking['what'][] = ['call', 'pause']

const nameOf = (asking: Asking) => ('ticket' in asking ? `${asking.what}:${asking.ticket}` : asking.what)

export function useAsking() {
  const drafts = new Drafts()
  const asking = shallowRef<Asking | null>(null)
  const left = shallowRef<Asking | null>(null)

  function ask(question: Asking): void {
    asking.value = question
    drafts.open(TYPED.includes(question.what) ? question : null)
  }
  function close(): void {
    asking.value = null
    drafts.open(null)
  }
  /** The hall has agreed: what was typed is done with. */
  function answered(): void {
    if (asking.value !== null) drafts.forget(nameOf(asking.value))
    close()
  }
  /** Take up what this person left here before the page was loaded. */
  function begin(hall: string, window: string, by: string): void {
    left.value = drafts.begin(hall, window, by) as Asking | null
  }
  /** Who is at the window now, once it is known: open the question again that was left, and drop drafts about others. */
  function meet(tickets: readonly string[]): void {
    const question = left.value
    left.value = null
    if (question !== null && asking.value === null && (!('ticket' in question) || tickets.includes(question.ticket))) ask(question)
    drafts.keepOnly((name) => (OF_NOBODY as readonly string[]).includes(name) || tickets.includes(name.slice(name.indexOf(':') + 1)))
  }

  const state = { asking, ask, close, answered, begin, meet, wipe: () => drafts.wipe(), drafts }
  provide(STATE, state)
  return state
}

const STATE: InjectionKey<{ asking: Ref<Asking | null>; drafts: Drafts }> = Symbol('asking')

/** Give a field of the dialog that stands open: it comes back with what was typed. */
export function useField<T>(name: string, initial: T): Ref<T> {
  const state = inject(STATE)
  if (state === undefined || state.asking.value === null) throw new Error('no question stands open')
  return state.drafts.field(nameOf(state.asking.value), name, initial)
}
