/** What a guide types into the one box: a ticket's label, an appointment's code, or anything that names a service. */
import { text, type Hall, type Service } from '@jiaohao/lib'

/** The first character of each letter in the order of Pinyin, as the browser's own collation has it. */
const FIRSTS: readonly [string, string][] = [
  ['阿', 'a'], ['八', 'b'], ['嚓', 'c'], ['哒', 'd'], ['妸', 'e'], ['发', 'f'], ['旮', 'g'], ['哈', 'h'], ['讥', 'j'], ['咔', 'k'], ['垃', 'l'], ['痳', 'm'],
  ['拏', 'n'], ['噢', 'o'], ['妑', 'p'], ['七', 'q'], ['呥', 'r'], ['仨', 's'], ['他', 't'], ['屲', 'w'], ['夕', 'x'], ['丫', 'y'], ['帀', 'z'],
]
const collator = new Intl.Collator('zh-CN-u-co-pinyin')
const known = new Map<string, string>()

/** Give the Pinyin initials of Chinese words ("户籍业务" is "hjyw"); letters and digits stay, everything else is left out. */
export function initials(words: string): string {
  return Array.from(words.toLowerCase(), initial).join('')
}
function initial(sign: string): string {
  if (/[a-z0-9]/.test(sign)) return sign
  if (!/[\u4e00-\u9fff]/.test(sign)) return ''
  let found = known.get(sign)
  if (found === undefined) {
    found = ''
    for (const [first, letter] of FIRSTS) {
      if (collator.compare(sign, first) < 0) break
      found = letter
    }
    known.set(sign, found)
  }
  return found
}

export type Sought = { kind: 'nothing' } | { kind: 'label'; label: string } | { kind: 'code'; code: string } | { kind: 'words'; words: string }

/** Say what was typed: "A012" is a label, six digits are an appointment's code. */
export function soughtIn(typed: string): Sought {
  const words = typed.trim()
  if (words === '') return { kind: 'nothing' }
  if (/^\d{6}$/.test(words)) return { kind: 'code', code: words }
  if (/^[a-z]{1,2}\d{1,4}$/i.test(words)) return { kind: 'label', label: words.toUpperCase() }
  return { kind: 'words', words }
}

/** Give the services that the words name, best first: letter, name, Pinyin initials, department or zone. All when there are no words. */
export function servicesFor(hall: Hall, typed: string): Service[] {
  const words = typed.trim().toLowerCase()
  const offered = hall.services.filter((service) => {
    const windows = hall.windows.filter((one) => [...one.serves, ...one.relief].includes(service.service))
    return windows.length === 0 || windows.some((one) => one.staffed)
  })
  if (words === '') return offered
  return offered
    .map((service, place) => ({ service, place, rank: rankOf(hall, service, words) }))
    .filter((one) => one.rank < NOT_FOUND)
    .sort((a, b) => a.rank - b.rank || a.place - b.place)
    .map((one) => one.service)
}
const NOT_FOUND = 9
function rankOf(hall: Hall, service: Service, words: string): number {
  const names = [...Object.values(service.name), text(service.name)].map((name) => name.toLowerCase())
  const zone = hall.zones.find((one) => one.zone === service.zone)
  const around = [service.department ?? '', ...Object.values(zone?.name ?? {})].map((name) => name.toLowerCase())
  const short = initials(service.name.zh)
  if (service.prefix.toLowerCase() === words) return 0
  if (names.some((name) => name.startsWith(words))) return 1
  if (short.startsWith(words)) return 2
  if (names.some((name) => name.includes(words))) return 3
  if (short.includes(words)) return 4
  if (around.some((name) => name.includes(words))) return 5
  if (around.some((name) => initials(name).startsWith(words))) return 6
  return service.service.includes(words) ? 7 : NOT_FOUND
}
