/** What a kiosk offers and where: floors or parts of the hall to browse by, marks of a service, stops of a joint matter. */
import { offeredServices, type Floor, type Hall, type Service, type Text, type Zone } from '@jiaohao/lib'

/** With more zones than this, one floor at a time is easier than all at once. */
export const ZONES_AT_ONCE = 8

/** So many services are offered before all others. */
const COMMON_MAX = 4
/** With fewer departments there is nothing to browse by. */
const DEPARTMENTS_MIN = 3

/** A part of the hall that is browsed at once: a floor, the zones of this kiosk, or the rest. */
export interface Place {
  id: string
  /** Its floor; null where the hall has one floor only, or the zones stand on several. */
  floor: Text | null
  /** The kiosk stands here. */
  here: boolean
  /** Zones with something to choose. */
  zones: Zone[]
  /** Areas where nobody takes a number: self-service machines, the guide desk. */
  areas: Zone[]
}

export interface Stop {
  service: Service
  zone: Zone | undefined
  floor: Floor | undefined
}

/** Marks worth a word before one presses, in this order; `takes_in_only`: the windows decide nothing. */
export const MARKS = ['one_thing', 'cross_province', 'in_province', 'immediate', 'fee', 'takes_in_only'] as const
export type Mark = (typeof MARKS)[number]

/** Give the services of a zone that somebody could ever serve, those that many come for first. */
export function offered(hall: Hall, zone: Zone): Service[] {
  const own = offeredServices(hall).filter((service) => service.zone === zone.zone)
  return [...own.filter((one) => one.common), ...own.filter((one) => !one.common)]
}

/** Give what many come for, to be offered on its own. */
export function commonOf(hall: Hall): Service[] {
  return offeredServices(hall).filter((one) => one.common).slice(0, COMMON_MAX)
}

/** A department (部门) and what it answers for; without a name: what no department is named for. */
export interface Department {
  name: string
  services: Service[]
}

/**
 * Give the departments to browse by, in the order of the hall file, the nameless rest last; none where too few services
 * name one. A service of several ("住建、发改") stands under each.
 */
export function departmentsOf(hall: Hall): Department[] {
  const all = offeredServices(hall)
  const found = new Map<string, Service[]>()
  for (const service of all) {
    for (const name of (service.department ?? '').split(/[、,，;；]/).map((one) => one.trim())) {
      if (name !== '') found.set(name, [...(found.get(name) ?? []), service])
    }
  }
  if (found.size < DEPARTMENTS_MIN) return []
  const rest = all.filter((service) => !service.department)
  if (rest.length > all.length / 2) return []
  const named = [...found].map(([name, services]) => ({ name, services }))
  return rest.length === 0 ? named : [...named, { name: '', services: rest }]
}

/**
 * Give the parts of the hall that this kiosk shows one at a time, from the ground floor up; one part where there is no need to choose.
 *
 * A kiosk with zones of its own shows these; the others stand behind their floors. Without, a hall with many zones on
 * several floors is browsed by floor.
 */
export function placesOf(hall: Hall, device: string | null): Place[] {
  const kiosk = hall.kiosks.find((one) => one.kiosk === device)
  const floors = hall.floors.map((one) => one.floor)
  const rank = (zone: Zone) => (zone.floor === null ? -1 : floors.indexOf(zone.floor))
  // A zone that is one common service stands first on its floor.
  const rare = (zone: Zone) => Number(!(offered(hall, zone).length === 1 && offered(hall, zone)[0]?.common))
  const open = hall.zones.filter((zone) => offered(hall, zone).length > 0).sort((a, b) => rank(a) - rank(b) || rare(a) - rare(b))
  const areas = hall.zones.filter((zone) => zone.kind !== 'queue').sort((a, b) => rank(a) - rank(b))
  const own = (kiosk?.zones ?? []).flatMap((id) => open.filter((zone) => zone.zone === id))
  const rest = open.filter((zone) => !own.includes(zone))
  const stands = kiosk?.floor ?? null

  if (open.length === own.length) return [{ id: 'all', floor: null, here: false, zones: own, areas }]
  if (own.length === 0 && (open.length <= ZONES_AT_ONCE || new Set(open.map((zone) => zone.floor)).size < 2)) {
    return [{ id: 'all', floor: null, here: false, zones: open, areas }]
  }
  const places: Place[] = []
  const put = (floor: string | null, here: boolean, zones: Zone[], id = floor ?? 'other') => {
    if (zones.length === 0) return
    const name = floors.length > 1 ? (hall.floors.find((one) => one.floor === floor)?.name ?? null) : null
    const told = areas.filter((area) => area.floor === floor && !places.some((one) => one.areas.includes(area)))
    places.push({ id, floor: name, here, zones, areas: told })
  }
  if (own.length > 0) {
    const floor = own.every((zone) => zone.floor === own[0]?.floor) ? (own[0]?.floor ?? null) : null
    put(floor, true, own, 'own')
  }
  for (const floor of [...floors, null]) {
    const zones = rest.filter((zone) => zone.floor === floor)
    put(floor, own.length === 0 && floor !== null && floor === stands, zones)
  }
  const order = (one: Place) => (one.zones[0] === undefined ? -1 : rank(one.zones[0]))
  places.sort((a, b) => order(a) - order(b) || Number(b.here) - Number(a.here))
  const first = places.find((one) => one.here) ?? places[0]
  first?.areas.push(...areas.filter((area) => !places.some((one) => one.areas.includes(area))))
  return places
}

/** Give the marks of a service that its name does not say already; `word` gives the word of a mark. */
export function marksOf(hall: Hall, service: Service, name: string, word: (mark: Mark) => string): string[] {
  const windows = hall.windows.filter((one) => service.windows.includes(one.window))
  const takesInOnly = windows.length > 0 && windows.every((one) => !one.decides)
  const joint = service.legs.length > 1 // says itself that it is one thing
  return MARKS.filter((mark) => (mark === 'takes_in_only' ? takesInOnly : service.flags.includes(mark)))
    .filter((mark) => !(joint && mark === 'one_thing'))
    .map(word)
    .filter((said) => !name.includes(said))
}

/** Give the stops of a joint matter in order; none for an ordinary service. */
export function stopsOf(hall: Hall | null, service: Service | undefined): Stop[] {
  if (hall === null || service === undefined || service.legs.length < 2) return []
  return service.legs.flatMap((id) => {
    const leg = hall.services.find((one) => one.service === id)
    if (leg === undefined) return []
    const zone = hall.zones.find((one) => one.zone === leg.zone)
    return [{ service: leg, zone, floor: hall.floors.find((one) => one.floor === zone?.floor) }]
  })
}

/** Give the unit that a service belongs to, where several share the hall. */
export function tenantOf(hall: Hall, service: Service): Text | null {
  const zone = hall.zones.find((one) => one.zone === service.zone)
  const id = service.tenant ?? zone?.tenant ?? null
  return hall.tenants.length > 1 ? (hall.tenants.find((one) => one.tenant === id)?.name ?? null) : null
}
