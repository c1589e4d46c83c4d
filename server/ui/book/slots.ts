/** Free slots of the days that can be booked. */
import type { SlotDay } from '@jiaohao/lib'

export interface FreeSlot {
  day: string
  starts: string
  starts_at: string
  ends_at: string
  left: number
}

const OFFERED = 3

/** Give the first free slots from an instant on, and where there are too few the last ones before it, in order of time. */
export function nearestFree(days: readonly SlotDay[], instant: string, most = OFFERED): FreeSlot[] {
  const wanted_ms = Date.parse(instant)
  const free = days.flatMap((day) => day.slots.filter((slot) => slot.left > 0).map((slot) => ({ ...slot, day: day.day })))
  const later = free.filter((slot) => Date.parse(slot.starts_at) >= wanted_ms).slice(0, most)
  const before = free.filter((slot) => Date.parse(slot.starts_at) < wanted_ms)
  return [...before.slice(Math.max(0, before.length - (most - later.length))), ...later]
}
