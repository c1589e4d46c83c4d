/**
 * One value of a hall file, read and written in its text, line by line: comments, order and everything else stay.
 *
 * It knows what people write by hand: a table per `[hall]` or `[[service]]`, a key and its value on one line. A value
 * over several lines is left to the editor. What comes out is checked by the server like any other text.
 */

/** A table of the file: `row` is the id of one of several (`id`, `no` or `work_id`). */
export interface Place {
  table: string
  row?: string
}

interface Found {
  /** The table's lines, from the one after its header to before the next header. */
  begin: number
  end: number
}

const HEADER = /^\s*\[{1,2}\s*([a-z_.]+)\s*\]{1,2}\s*(?:#.*)?$/
const KEYS = ['id', 'no', 'work_id']

/** Give the value of a key as written, null when it is not written or not on one line. */
export function valueOf(text: string, place: Place, key: string): string | null {
  const lines = text.split('\n')
  const at = tableOf(lines, place)
  if (at === null) return null
  const line = lineOf(lines, at, key)
  return line === null ? null : parted(lines[line] ?? '')?.value ?? null
}

/** Give the text with another value of a key, `null` takes the line away; null when that cannot be written here. */
export function withValue(text: string, place: Place, key: string, value: string | null): string | null {
  const lines = text.split('\n')
  const at = tableOf(lines, place)
  if (at === null) return null
  const line = lineOf(lines, at, key)
  if (line === null) {
    if (value === null) return text
    let last = at.end
    while (last > at.begin && /^\s*(#.*)?$/.test(lines[last - 1] ?? '')) last -= 1
    // Tables inside ([service.guide]) end the row's own keys: behind them the key would be the inner table's.
    lines.splice(last, 0, `${key} = ${value}`)
    return lines.join('\n')
  }
  const parts = parted(lines[line] ?? '')
  if (parts === null) return null
  if (value === null) lines.splice(line, 1)
  else lines[line] = `${parts.before}${value}${parts.after}`
  return lines.join('\n')
}

/** Write a text as TOML does. */
export const quoted = (words: string) => JSON.stringify(words)

const TEXT = String.raw`"(?:[^"\\]|\\.)*"`
const NAMED = String.raw`([a-z]{2,3})\s*=\s*(${TEXT})`
const LIST = new RegExp(String.raw`^\[\s*(?:${TEXT}(?:\s*,\s*${TEXT})*\s*,?)?\s*\]$`)
const TABLE = new RegExp(String.raw`^\{\s*(?:${NAMED}(?:\s*,\s*${NAMED})*)?\s*\}$`)

/** Give the texts of an inline table `{ zh = "…", en = "…" }` by language; null when it is written in another way. */
export function textsOf(value: string | null): Record<string, string> | null {
  if (value === null) return {}
  if (!TABLE.test(value)) return null
  const found: Record<string, string> = {}
  for (const [, language, words] of value.matchAll(new RegExp(NAMED, 'g'))) {
    const plain = unquoted(words ?? '')
    if (language === undefined || plain === null) return null
    found[language] = plain
  }
  return found
}

/** Give the texts of a list on one line; null when there is anything else in it, as dates or `'…'`. */
export function listOf(value: string | null): string[] | null {
  if (value === null) return []
  if (!LIST.test(value)) return null
  const found = [...value.matchAll(new RegExp(TEXT, 'g'))].map(([words]) => unquoted(words))
  return found.every((one) => one !== null) ? found : null
}

/** Give what stands between quotes, null for what TOML escapes in its own way (`\U0001F600`). */
function unquoted(words: string): string | null {
  try {
    return JSON.parse(words) as string
  } catch {
    return null
  }
}

function tableOf(lines: readonly string[], { table, row }: Place): Found | null {
  for (let index = 0; index < lines.length; index++) {
    if (HEADER.exec(lines[index] ?? '')?.[1] !== table) continue
    let end = index + 1
    while (end < lines.length && !HEADER.test(lines[end] ?? '')) end += 1
    const found = { begin: index + 1, end }
    if (row === undefined || KEYS.some((key) => named(lines, found, key) === row)) return found
  }
  return null
}

function named(lines: readonly string[], at: Found, key: string): string | null {
  const line = lineOf(lines, at, key)
  const value = line === null ? null : parted(lines[line] ?? '')?.value
  return value?.startsWith('"') === true ? unquoted(value) : null
}

function lineOf(lines: readonly string[], at: Found, key: string): number | null {
  for (let index = at.begin; index < at.end; index++) if (new RegExp(`^\\s*${key}\\s*=`).test(lines[index] ?? '')) return index
  return null
}

/** Give a line in three parts: up to the value, the value, and what follows it (a comment); null when it goes on below. */
function parted(line: string): { before: string; value: string; after: string } | null {
  const begin = line.indexOf('=') + 1 + (/^\s*/.exec(line.slice(line.indexOf('=') + 1))?.[0].length ?? 0)
  let depth = 0
  let quote = ''
  let end = begin
  for (; end < line.length; end++) {
    const char = line[end] ?? ''
    if (quote !== '') {
      if (char === '\\' && quote === '"') end += 1
      else if (char === quote) quote = ''
    } else if (char === '"' || char === "'") quote = char
    else if (char === '[' || char === '{') depth += 1
    else if (char === ']' || char === '}') depth -= 1
    else if (char === '#') break
  }
  if (depth !== 0 || quote !== '' || line.slice(begin).startsWith('"""')) return null
  const value = line.slice(begin, end).trimEnd()
  return { before: line.slice(0, begin), value, after: line.slice(begin + value.length) }
}
