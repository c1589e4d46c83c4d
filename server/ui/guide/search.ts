import { nameIn } from '../manager/narrow'

/** What a guide types or scans into the one box: a ticket, an appointment's code, or anything that names a service. */
export type Sought = { kind: 'nothing' } | { kind: 'ticket'; name: string } | { kind: 'code'; code: string } | { kind: 'words'; words: string }

/**
 * Say what was typed.
 *
 * "A012" is a ticket, and so are its digits alone ("12"), the time on its paper ("9:05") and the address behind its QR
 * code, which a scanner types; six digits are an appointment's code.
 */
export function soughtIn(typed: string): Sought {
  const words = typed.trim()
  if (words === '') return { kind: 'nothing' }
  if (/^\d{6}$/.test(words)) return { kind: 'code', code: words }
  const named = nameIn(words)
  if (named !== words) return { kind: 'ticket', name: named }
  if (/^([a-z]{1,2}\d{1,4}|\d{1,4}|\d{1,2}[:：]\d{2})$/i.test(words)) return { kind: 'ticket', name: words.toUpperCase() }
  return { kind: 'words', words }
}
