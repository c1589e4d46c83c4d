/**
 * The keys of the clerk console.
 *
 * F1 to F8 lie where clerks know them from the usual soft callers: call, recall, finish, no-show, (F5 stays the
 * browser's own reload), transfer, hold, call back. The digit does the same as its F-key, for keyboards on which F-keys
 * need a second hand. Enter is always the big button; Z, or Ctrl+Z as everywhere, takes the last move back. Physical keys (`code`) count, so an input method does not matter.
 */
export type Action =
  | 'main'
  | 'next'
  | 'undo'
  | 'recall'
  | 'finish'
  | 'noShow'
  | 'transfer'
  | 'hold'
  | 'resumeHeld'
  | 'missed'
  | 'pause'
  | 'callOne'
  | 'return'
  | 'giveNotice'
  | 'awaitResult'
  | 'noteCase'
  | 'legs'
  | 'handOver'
  | 'help'

interface Keys {
  /** As written on the button. */
  shown: string
  /** As written in the help dialog, every way to press it. */
  all: readonly string[]
  codes: readonly string[]
}

const withDigit = (n: number): Keys => ({
  shown: `F${n}`,
  all: [`F${n}`, `${n % 10}`],
  codes: [`F${n}`, `Digit${n % 10}`, `Numpad${n % 10}`],
})

export const KEYS: Record<Action, Keys> = {
  main: { shown: 'Enter', all: ['Enter'], codes: ['Enter', 'NumpadEnter'] },
  next: withDigit(1),
  recall: withDigit(2),
  undo: { shown: 'Z', all: ['Z', 'Ctrl+Z'], codes: ['KeyZ'] },
  finish: withDigit(3),
  noShow: withDigit(4),
  transfer: withDigit(6),
  hold: withDigit(7),
  resumeHeld: withDigit(8),
  missed: withDigit(9),
  pause: withDigit(10),
  callOne: { shown: 'C', all: ['C'], codes: ['KeyC'] },
  return: { shown: 'R', all: ['R'], codes: ['KeyR'] },
  handOver: { shown: 'H', all: ['H'], codes: ['KeyH'] },
  giveNotice: { shown: 'N', all: ['N'], codes: ['KeyN'] },
  awaitResult: { shown: 'W', all: ['W'], codes: ['KeyW'] },
  legs: { shown: 'L', all: ['L'], codes: ['KeyL'] },
  noteCase: { shown: 'B', all: ['B'], codes: ['KeyB'] },
  help: { shown: '?', all: ['?'], codes: [] },
}

/** The keys that stand as buttons on the page, in the order of use. */
export const GRID = ['recall', 'finish', 'missed', 'noShow', 'hold', 'resumeHeld', 'transfer', 'return', 'giveNotice', 'awaitResult', 'callOne', 'pause'] as const satisfies readonly Action[]

const TYPES_TEXT = new Set(['INPUT', 'TEXTAREA', 'SELECT'])

/** Say whether somebody is typing there, so that letters, digits and Enter are theirs. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  // A field of a dialog that was just closed keeps the focus until the next frame; nobody types there any more.
  if (target.closest('dialog:not([open])') !== null) return false
  return TYPES_TEXT.has(target.tagName) || target.isContentEditable
}

/** Say whether Enter and Space have a meaning of their own there. */
function isPressable(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('button, a, summary, [role="button"]') !== null
}

/** Give what a key press asks for, or null. F-keys count everywhere, other keys only where nobody types. */
export function actionOf(event: KeyboardEvent): Action | null {
  const typing = isTyping(event.target)
  if (event.ctrlKey && !event.altKey && !event.shiftKey && event.code === 'KeyZ' && !typing) return 'undo'
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return null
  if (!typing && event.key === '?') return 'help'
  if (event.shiftKey) return null
  for (const action of Object.keys(KEYS) as Action[]) {
    if (!KEYS[action].codes.includes(event.code)) continue
    if (event.code.startsWith('F')) return action
    if (typing || (action === 'main' && isPressable(event.target))) return null
    return action
  }
  return null
}
