/** How the page names things: where a service stands, when it opens, what is special about it. */
import { dayAndClock, text, useI18n, windowRange, type Service, type Zone } from '@jiaohao/lib'
import { computed } from 'vue'
import { hoursOf } from './hours'
import { marksOf, stopsOf, tenantOf, type Place } from './places'
import { theKiosk } from './useKiosk'

/** 1 January 2024 was a Monday. */
const DAYS: Record<string, number> = { mon: 1, tue: 2, wed: 3, thu: 4, fri: 5, sat: 6, sun: 7 }

/** Give the parts that say something, in one line. */
export const joined = (...parts: string[]) => parts.filter((part) => part !== '').join(' · ')

export function useWords() {
  const { t, locale } = useI18n()
  const { hall, state, step, places, zoneOf, floorName } = theKiosk()

  const opensAt = (instant: string, key = 'kiosk.opensAt') => t(key, { time: dayAndClock(instant, locale.value, hall.value?.time_zone) })
  /** The same in as few words as a card has room for. */
  const opensFrom = (instant: string) => opensAt(instant, 'kiosk.opensFrom')
  /** When the hall gives numbers again. */
  const opens = computed(() => (state.value?.opens_at ? opensAt(state.value.opens_at) : t('kiosk.dayClosed')))

  const windowsNote = (windows: readonly string[]) => (windows.length === 0 ? '' : t('kiosk.windows', { windows: windowRange(windows) }))
  /** Empty where the tabs name the floor already. */
  const floorNote = (zone: Zone | undefined) => (places.value.length > 1 ? '' : floorName(zone))
  const zonePlace = (zone: Zone | undefined) => joined(floorName(zone), text(zone?.name))
  const placeOf = (service: Service) => joined(zonePlace(zoneOf(service)), windowsNote(service.windows))

  /** A tab is named by its floor; where two have the same, the second holds the other zones. */
  function placeName(one: Place): string {
    const named = text(one.floor)
    if (one.here) return named || t('kiosk.here')
    const again = places.value.some((other) => other !== one && text(other.floor) === named)
    return named === '' || again ? t('kiosk.elsewhere') : named
  }

  const marks = (service: Service) => (hall.value === null ? [] : marksOf(hall.value, service, text(service.name), (mark) => t(`kiosk.mark.${mark}`)))
  const stopLines = (service: Service) => stopsOf(hall.value, service).map((one) => ({ name: text(one.service.name), place: zonePlace(one.zone), note: windowsNote(one.service.windows) }))

  function dayName(day: string): string {
    const of_month = DAYS[day]
    if (of_month === undefined) return t('kiosk.shut.market')
    const language = locale.value === 'zh' ? 'zh-CN' : locale.value
    return new Intl.DateTimeFormat(language, { weekday: 'short', timeZone: 'UTC' }).format(Date.UTC(2024, 0, of_month))
  }
  const run = ([from, to]: [string, string]) => (from === to ? dayName(from) : t('kiosk.shut.run', { from: dayName(from), to: dayName(to) }))
  /** The hours of a service, days with equal hours in one line; none where it never closes. */
  const hourLines = (service: Service) => (hall.value === null ? [] : hoursOf(hall.value, service)).map(({ days, spans }) => ({ days: days.map(run).join(t('list.and')), spans: spans.join(t('list.and')) }))

  const tenantOfZone = computed(() => {
    const id = step.value.at === 'zone' ? step.value.zone.tenant : null
    const tenants = hall.value?.tenants ?? []
    return tenants.length > 1 ? text(tenants.find((one) => one.tenant === id)?.name) : ''
  })
  function tenant(service: Service): string {
    const named = hall.value === null ? '' : text(tenantOf(hall.value, service))
    // On the page of a zone its heading says it, once.
    return step.value.at === 'zone' && named === tenantOfZone.value ? '' : named
  }

  return { opensAt, opensFrom, opens, windowsNote, floorNote, zonePlace, placeOf, placeName, marks, stopLines, hourLines, tenant, tenantOfZone }
}
