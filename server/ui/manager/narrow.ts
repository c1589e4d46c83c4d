/** How a number is found: by its label, the address behind its QR code, its digits alone, or the time printed on it. */
import { clock, type Ticket } from '@jiaohao/lib'

/** People remember roughly when they came. */
const ABOUT_MIN = 5

/** Give what names a ticket in these words: behind a QR code that a scanner typed it is the end of its address. */
export function nameIn(words: string): string {
  return /\/t\/[^/\s]+\/([\w-]+)\/?$/.exec(words.trim())?.[1] ?? words.trim()
}

/** Give what a ticket must be like to fit these words, or null where they name one ticket or none. */
export function narrowedBy(words: string, timeZone: string): ((ticket: Ticket) => boolean) | null {
  const typed = words.trim()
  if (/^\d{1,4}$/.test(typed)) return (ticket) => ticket.number === Number(typed)
  const time = /^(\d{1,2})[:：](\d{2})$/.exec(typed)
  if (time === null) return null
  const wanted = Number(time[1]) * 60 + Number(time[2])
  return (ticket) => {
    const [hours = 0, minutes = 0] = clock(ticket.issued_at, timeZone).split(':').map(Number)
    return Math.abs(hours * 60 + minutes - wanted) <= ABOUT_MIN
  }
}
