/** The cards of each step: services one by one, zones, departments, areas to be told of; and what a touch on one does. */
import { servicesFor, text, useI18n, type Service, type Zone } from '@jiaohao/lib'
import { computed } from 'vue'
import type { Choice } from '../parts/ChoiceGrid.vue'
import { stopsOf, type Department, type Place } from './places'
import type { Waits } from './useHall'
import { theKiosk } from './useKiosk'
import { joined, useWords } from './useWords'

/** With so few services nobody needs zones, nor a search: one touch less. */
export const SERVICES_AT_ONCE = 8
const NAMES_ON_A_ZONE = 4
/** How it stands does not matter: it is only told of. */
const NOTHING: Waits = { waiting: 0, eta: null, open: true }

export function useChoices() {
  const { t } = useI18n()
  const kiosk = theKiosk()
  const { step, hall, place, departments, byDepartment, sought, withGuide, readOnly } = kiosk
  const words = useWords()

  const servicesIn = (one: Place | undefined) => (one?.zones ?? []).flatMap(kiosk.servicesOf)
  const atOnce = computed(() => place.value?.zones.length === 1 || servicesIn(place.value).length <= SERVICES_AT_ONCE)

  function serviceChoice(service: Service): Choice {
    if (readOnly || step.value.at === 'guides') return guideChoice(service)
    const waits = kiosk.waitsOfService(service)
    const stops = stopsOf(hall.value, service).length
    return {
      id: service.service,
      badge: service.prefix,
      name: text(service.name),
      note: waits.opensAt ? words.opensFrom(waits.opensAt) : joined(words.tenant(service), words.floorNote(kiosk.zoneOf(service)), words.windowsNote(service.windows)),
      marks: [...(stops > 0 ? [t('kiosk.stops', { n: stops })] : []), ...words.marks(service)],
      waits,
    }
  }

  /** To be read about at any hour. */
  function guideChoice(service: Service): Choice {
    return { id: service.service, badge: service.prefix, name: text(service.name), note: words.placeOf(service), marks: words.marks(service), waits: NOTHING, read: true }
  }

  function namesOf(services: Service[]): string {
    const names = services.slice(0, NAMES_ON_A_ZONE).map((one) => text(one.name)).join(t('list.and'))
    return services.length > NAMES_ON_A_ZONE ? t('kiosk.andMore', { names, n: services.length }) : names
  }
  /** When nothing of them is open now, the first that opens says when. */
  function openingOf(services: Service[]): string | undefined {
    const openings = services.map((one) => kiosk.waitsOfService(one).opensAt ?? '')
    return readOnly || openings.includes('') ? undefined : openings.sort()[0]
  }

  function zoneChoice(zone: Zone): Choice {
    const services = kiosk.servicesOf(zone)
    const only = services.length === 1 ? services[0] : undefined
    if (only !== undefined) return { ...serviceChoice(only), id: zone.zone }
    const opening = openingOf(services)
    const prefixes = new Set(services.map((one) => one.prefix))
    return {
      id: zone.zone,
      badge: prefixes.size === 1 ? [...prefixes].join('') : '',
      name: text(zone.name),
      marks: [],
      note: opening ? words.opensFrom(opening) : joined(words.floorNote(zone), namesOf(services)),
      waits: readOnly ? NOTHING : { ...kiosk.waitsOfZone(zone), opensAt: opening ?? null },
      read: readOnly,
    }
  }

  function departmentChoice(department: Department, index: number): Choice {
    const waits = department.services.map(kiosk.waitsOfService)
    const opening = openingOf(department.services)
    return {
      id: String(index),
      badge: '',
      name: department.name || t('kiosk.otherDepartments'),
      note: opening ? words.opensFrom(opening) : namesOf(department.services),
      marks: [],
      waits: readOnly ? NOTHING : { waiting: 0, eta: null, open: waits.some((one) => one.open), opensAt: opening ?? null },
      read: true,
    }
  }

  /** Nobody takes a number there: it is told, and cannot be touched. */
  function areaChoice(area: Zone): Choice {
    const name = text(area.name)
    return {
      id: area.zone,
      badge: '',
      name,
      note: joined(words.floorNote(area), area.always_open && !name.includes('24') ? t('kiosk.allDay') : '', text(area.about)),
      marks: [],
      waits: NOTHING,
      info: area.kind === 'self_service' ? 'machines' : 'desk',
    }
  }

  /** Services offered one by one: those of a zone, a department, a search, the guides, or of the whole place where they are few. */
  const oneByOne = computed<Service[] | null>(() => {
    const now = step.value
    switch (now.at) {
      case 'zone':
        return kiosk.servicesOf(now.zone)
      case 'department':
        return now.department.services
      case 'search':
        return hall.value === null ? [] : servicesFor(hall.value, sought.value)
      case 'guides':
        return withGuide.value
      default:
        return atOnce.value && !byDepartment.value ? servicesIn(place.value) : null
    }
  })

  const choices = computed<Choice[]>(() => {
    const services = oneByOne.value?.map(serviceChoice)
    if (step.value.at !== 'home') return services ?? []
    if (byDepartment.value) return departments.value.map(departmentChoice)
    return [...(services ?? (place.value?.zones ?? []).map(zoneChoice)), ...(place.value?.areas ?? []).map(areaChoice)]
  })

  /** What many come for and no card on this page shows as it is. */
  const common = computed(() => {
    const shown = new Set(oneByOne.value ?? (byDepartment.value ? [] : (place.value?.zones ?? []).map(kiosk.servicesOf).filter((own) => own.length === 1).flat()))
    return kiosk.common.value.filter((one) => !shown.has(one)).map(serviceChoice)
  })

  function choose(id: string): void {
    const service = oneByOne.value?.find((one) => one.service === id)
    if (service !== undefined) {
      if (step.value.at === 'guides') kiosk.readGuide(service)
      else kiosk.chooseService(service)
      return
    }
    const department = byDepartment.value ? departments.value[Number(id)] : undefined
    const zone = place.value?.zones.find((one) => one.zone === id)
    if (department !== undefined) kiosk.chooseDepartment(department)
    else if (zone !== undefined) kiosk.chooseZone(zone)
  }
  function chooseCommon(id: string): void {
    const service = kiosk.common.value.find((one) => one.service === id)
    if (service !== undefined) kiosk.chooseService(service)
  }

  return { choices, common, choose, chooseCommon }
}
