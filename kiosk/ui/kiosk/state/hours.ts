/** When a service gives numbers, as people read it: "周一至周五 08:30–12:00、14:00–17:30". */
import type { Hall, OpeningHours, Service } from '@jiaohao/lib'

const WEEK = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']

export interface HoursLine {
  /** Runs of days, each from its first to its last (the same for a single day); `market` stands alone. */
  days: [from: string, to: string][]
  spans: string[]
}

/** Give the hours that bind a service, days with equal hours in one line; none where nothing is known or it never closes. */
export function hoursOf(hall: Hall, service: Service): HoursLine[] {
  const zone = hall.zones.find((one) => one.zone === service.zone)
  if (zone?.always_open) return []
  const everybody = (row: OpeningHours) => row.zones.length === 0 && row.services.length === 0
  const duty = hall.hours.filter((row) => !everybody(row) && (row.zones.includes(service.zone) || row.services.includes(service.service)))
  const usual = zone !== undefined && zone.hours.length > 0 ? zone.hours : hall.hours.filter(everybody)
  const rows = [...usual, ...duty]
  const spansOf = (day: string) => [...new Set(rows.filter((row) => row.days.includes(day)).map((row) => `${row.opens}–${row.closes}`))].sort()
  const lines = new Map<string, { days: string[]; spans: string[] }>()
  for (const day of [...WEEK, 'market']) {
    const spans = spansOf(day)
    if (spans.length === 0) continue
    const line = lines.get(spans.join()) ?? { days: [], spans }
    line.days.push(day)
    lines.set(spans.join(), line)
  }
  return [...lines.values()].map(({ days, spans }) => ({ days: runs(days), spans }))
}

function runs(days: string[]): [string, string][] {
  const found: [string, string][] = []
  for (const day of days) {
    const last = found[found.length - 1]
    if (last !== undefined && WEEK.includes(day) && WEEK.indexOf(day) === WEEK.indexOf(last[1]) + 1) last[1] = day
    else found.push([day, day])
  }
  return found
}
