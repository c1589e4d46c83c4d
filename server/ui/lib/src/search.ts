/** Finding services by what somebody types: words, Pinyin whole or by initials, the letter of a number. */
import { text } from './i18n'
import type { Hall, Service, Text } from './wire'

/** Give the services that somebody could ever serve: windows to which nobody is sent (未派驻) do not count. */
export function offeredServices(hall: Hall): Service[] {
  return hall.services.filter((service) => {
    const windows = hall.windows.filter((one) => [...one.serves, ...one.relief].includes(service.service))
    return windows.length === 0 || windows.some((one) => one.staffed)
  })
}

/** Give the services that the words name, best first: letter, name, Pinyin, department or zone. All when there are no words. */
export function servicesFor(hall: Hall, typed: string): Service[] {
  return servicesNamed(offeredServices(hall), typed, (service) => hall.zones.find((one) => one.zone === service.zone)?.name)
}

/** What a service is found by. */
export type Findable = Pick<Service, 'service' | 'name' | 'prefix' | 'department' | 'pinyin'>

/** Give those of some services that the words name, as `servicesFor` does; `zoneOf` gives the name of a service's zone. */
export function servicesNamed<One extends Findable>(offered: readonly One[], typed: string, zoneOf: (service: One) => Text | undefined): One[] {
  const words = typed.trim().toLowerCase()
  if (words === '') return [...offered]
  return offered
    .map((service, place) => ({ service, place, rank: rankOf(service, zoneOf(service), words) }))
    .filter((one) => one.rank < NOT_FOUND)
    .sort((a, b) => a.rank - b.rank || a.place - b.place)
    .map((one) => one.service)
}

const NOT_FOUND = 9
function rankOf(service: Findable, zone: Text | undefined, words: string): number {
  const names = [...Object.values(service.name), text(service.name)].map((name) => name.toLowerCase())
  const around = [service.department ?? '', ...Object.values(zone ?? {})].map((name) => name.toLowerCase())
  const [own = '', ...others] = service.pinyin
  const syllables = words.replace(/\s+/g, '')
  if (service.prefix.toLowerCase() === words) return 0
  if (names.some((name) => name.startsWith(words))) return 1
  if (spells(own, syllables, { fromStart: true })) return 2
  if (names.some((name) => name.includes(words))) return 3
  if (spells(own, syllables)) return 4
  if (around.some((name) => name.includes(words))) return 5
  if (others.some((name) => spells(name, syllables))) return 6
  return service.service.includes(words) ? 7 : NOT_FOUND
}

/**
 * Say whether letters spell part of a name whose Pinyin is given as the server does ("yin/xing hang/xing"): by initials
 * ("yh"), whole ("yinhang") or mixed ("yhang"), in any reading, from any syllable on.
 */
export function spells(pinyin: string, letters: string, { fromStart = false } = {}): boolean {
  if (pinyin === '' || !/^[a-z0-9]+$/.test(letters)) return false
  const syllables = pinyin.split(' ').map((one) => one.split('/'))
  const from = (at: number, rest: string): boolean => {
    if (rest === '') return true
    return (syllables[at] ?? []).some((reading) => {
      for (let taken = reading.length; taken > 0; taken -= 1) {
        if (rest.startsWith(reading.slice(0, taken)) && from(at + 1, rest.slice(taken))) return true
      }
      return false
    })
  }
  return fromStart ? from(0, letters) : syllables.some((_, at) => from(at, letters))
}
