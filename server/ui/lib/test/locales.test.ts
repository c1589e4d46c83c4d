/** Every page says everything in every language: lists the keys that are missing, left over, or used but never written. */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'

const ROOT = process.cwd()
const FOLDERS = ['server/ui', 'kiosk/ui', 'display/ui', 'drivers/ui'].map((folder) => join(ROOT, folder))

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'node_modules') return []
    const path = join(folder, entry.name)
    return entry.isDirectory() ? filesBelow(path) : [path]
  })
}

function keysOf(messages: Record<string, unknown>, before = ''): string[] {
  return Object.entries(messages).flatMap(([name, value]) =>
    typeof value === 'string' ? [before + name] : keysOf(value as Record<string, unknown>, `${before}${name}.`),
  )
}

const read = (path: string) => keysOf(JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>).sort()
const files = FOLDERS.flatMap(filesBelow)
const chinese = files.filter((path) => path.endsWith('/locales/zh.json'))
const common = read(join(ROOT, 'server/ui/lib/src/locales/zh.json'))

describe.each(chinese.map((path) => relative(ROOT, path)))('%s', (path) => {
  const folder = dirname(path)
  const keys = read(path)
  // Pages of one workspace may share messages.
  const workspace = FOLDERS.find((one) => join(ROOT, folder).startsWith(one)) ?? ROOT
  const shared = chinese.filter((one) => one.startsWith(workspace)).flatMap(read)
  const others = readdirSync(folder).filter((name) => name.endsWith('.json') && name !== 'zh.json')

  test('there is English', () => {
    expect(others).toContain('en.json')
  })

  test.each(others)('%s has the same keys', (other) => {
    expect(read(join(folder, other))).toEqual(keys)
  })

  test('every key used in the sources beside it is written', () => {
    const sources = files.filter((file) => file.startsWith(join(ROOT, dirname(folder))) && /\.(vue|ts)$/.test(file) && !file.endsWith('.test.ts'))
    const missing = sources.flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/(?<![\w.])(?:\$?t|translate)\(\s*'([\w.-]+)'/g)]
        .map((found) => found[1] ?? '')
        .filter((key) => !shared.includes(key) && !common.includes(key))
        .map((key) => `${basename(file)}: ${key}`),
    )
    expect(missing).toEqual([])
  })
})
