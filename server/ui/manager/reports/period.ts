/** Which days a report is of: a day, a week from Monday, a month, or any days; and those it is compared with. */

export const KINDS = ['day', 'week', 'month', 'range'] as const
export type Kind = (typeof KINDS)[number]

/** Business days from the first to the last, both included; ISO dates. */
export interface Span {
  readonly first: string
  readonly last: string
}

/** The server counts no more days at once. */
export const DAYS_MAX = 92

const DAY_MS = 86_400_000
const at = (day: string) => Date.parse(`${day}T00:00:00Z`)
const iso = (ms: number) => new Date(ms).toISOString().slice(0, 10)

export function isDay(day: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(day) && !Number.isNaN(at(day)) && iso(at(day)) === day
}

export function moved(day: string, days: number): string {
  return iso(at(day) + days * DAY_MS)
}

export function daysOf(span: Span): number {
  return Math.round((at(span.last) - at(span.first)) / DAY_MS) + 1
}

/** Give the day, week or month in which a day lies; of `range` the day alone. */
export function spanOf(kind: Kind, day: string): Span {
  switch (kind) {
    case 'week': {
      const monday = moved(day, -((new Date(at(day)).getUTCDay() + 6) % 7))
      return { first: monday, last: moved(monday, 6) }
    }
    case 'month': {
      const first = `${day.slice(0, 7)}-01`
      const next = new Date(at(first))
      next.setUTCMonth(next.getUTCMonth() + 1)
      return { first, last: moved(iso(next.getTime()), -1) }
    }
    default:
      return { first: day, last: day }
  }
}

/** Give the next span of its kind (`step` 1), or the one before (-1). */
export function stepped(kind: Kind, span: Span, step: 1 | -1): Span {
  if (kind === 'month') return spanOf('month', step === 1 ? moved(span.last, 1) : moved(span.first, -1))
  const days = step * daysOf(span)
  return { first: moved(span.first, days), last: moved(span.last, days) }
}

/** Give what a span is compared with: a day with that of the week before, everything else with the span before it. */
export function before(kind: Kind, span: Span): Span {
  return kind === 'day' ? { first: moved(span.first, -7), last: moved(span.last, -7) } : stepped(kind, span, -1)
}
