/** What a guide types into the one box: a ticket's label, an appointment's code, or anything that names a service. */
export type Sought = { kind: 'nothing' } | { kind: 'label'; label: string } | { kind: 'code'; code: string } | { kind: 'words'; words: string }

/** Say what was typed: "A012" is a label, six digits are an appointment's code. */
export function soughtIn(typed: string): Sought {
  const words = typed.trim()
  if (words === '') return { kind: 'nothing' }
  if (/^\d{6}$/.test(words)) return { kind: 'code', code: words }
  if (/^[a-z]{1,2}\d{1,4}$/i.test(words)) return { kind: 'label', label: words.toUpperCase() }
  return { kind: 'words', words }
}
