/** The hall's clock: its time zone, the server's "now", and words for durations. */

import { computed, ref, type ComputedRef } from 'vue'

/** How far the hall's clock is from this computer's; what shows the hall's time follows it. */
const offsetMs = ref(0)
let exact = false

/** Learn the server's clock from a `Date` header (to the second); a picture's own instant is better, see `learnHallTime`. */
export function learnServerTime(date: string | null): void {
  if (exact || date === null) return
  const server = Date.parse(date)
  // A header is up to a second old and says whole seconds: keep small differences out.
  if (Number.isFinite(server)) offsetMs.value = Math.abs(server - Date.now()) > 2_000 ? server + 500 - Date.now() : 0
}

/** Learn the hall's clock from an instant the hall itself gave for "now" (in a drill it is not the real time). */
export function learnHallTime(instant: string | undefined): void {
  if (instant === undefined) return
  const server = Date.parse(instant)
  if (!Number.isFinite(server)) return
  exact = true
  offsetMs.value = server - Date.now()
}

/** Give the hall's "now" in Unix milliseconds, whatever this computer's clock says. */
export function hallNow(): number {
  return Date.now() + offsetMs.value
}

/** Give what changes when the hall's clock turns out to be another than thought. */
export function useOffset(): ComputedRef<number> {
  return computed(() => offsetMs.value)
}

/** Give seconds from an instant to the hall's now, never below 0. */
export function secondsSince(instant: string, now: number = hallNow()): number {
  return Math.max(0, Math.floor((now - Date.parse(instant)) / 1000))
}

/** Give the offset that an instant carries ("+08:00"), for `clock` where the hall's time zone is not known. */
export function offsetOf(instant: string): string | undefined {
  return /[+-]\d\d:\d\d$/.exec(instant)?.[0]
}

/** Give "09:05" in the hall's time zone (its name or an offset), else in the offset that the instant itself carries. */
export function clock(instant: string | number, timeZone?: string): string {
  if (timeZone !== undefined && offsetOf(timeZone) !== undefined) {
    const shift = (timeZone.startsWith('-') ? -60_000 : 60_000) * (Number(timeZone.slice(1, 3)) * 60 + Number(timeZone.slice(4, 6)))
    return new Date((typeof instant === 'string' ? Date.parse(instant) : instant) + shift).toISOString().slice(11, 16)
  }
  if (timeZone === undefined) {
    const carried = typeof instant === 'string' ? /T(\d\d:\d\d)/.exec(instant) : null
    if (carried?.[1] !== undefined) return carried[1]
  }
  const options: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }
  if (timeZone !== undefined) options.timeZone = timeZone
  return new Intl.DateTimeFormat('en-GB', options).format(typeof instant === 'string' ? Date.parse(instant) : instant)
}

/** Give an instant of the hall as people say it: "13:00" today, else with its day: "3月9日周一 09:00", "Mon 9 Mar 09:00". */
export function dayAndClock(instant: string, language: string, timeZone?: string, now: number = hallNow()): string {
  const zone = timeZone === undefined ? {} : { timeZone }
  const day = new Intl.DateTimeFormat(language === 'zh' ? 'zh-CN' : 'en-GB', { month: 'short', day: 'numeric', weekday: 'short', ...zone })
  const [at, today] = [day.format(Date.parse(instant)), day.format(now)]
  return at === today ? clock(instant, timeZone) : `${at} ${clock(instant, timeZone)}`
}

/** Give a day (ISO date) as people say it: "3月4日周三", "Wed 4 Mar". */
export function dayName(iso: string, language: string): string {
  const day = new Intl.DateTimeFormat(language === 'zh' ? 'zh-CN' : 'en-GB', { month: 'short', day: 'numeric', weekday: 'short', timeZone: 'UTC' })
  return day.format(new Date(`${iso}T00:00:00Z`))
}

/** Give whole minutes for people: any started minute counts, 0 stays 0. */
export function minutes(seconds: number): number {
  return Math.ceil(Math.max(0, seconds) / 60)
}

/** Give "4:05" or "1:04:05" for a running timer. */
export function stopwatch(seconds: number): string {
  const two = (value: number) => String(value).padStart(2, '0')
  const hours = Math.floor(seconds / 3600)
  const rest = `${two(Math.floor((seconds % 3600) / 60))}:${two(Math.floor(seconds % 60))}`
  return hours > 0 ? `${hours}:${rest}` : rest.replace(/^0/, '')
}
