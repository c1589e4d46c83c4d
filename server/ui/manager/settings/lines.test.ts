import { expect, test } from 'vitest'
import { listOf, textsOf, valueOf, withValue } from './lines'

const FILE = `[hall]
id = "demo"
notice = { zh = "一楼 # 设有", en = "Say \\"hello\\"" }   # standing

[calendar]
hours = [
  { days = ["mon"], opens = "09:00", closes = "12:00" },
]
extra_closed = ["2026-05-01"]

[[service]]
id = "general"
target_wait_min = 15                 # minutes

[[service]]
id = "tax"
target_wait_min = 20

[service.guide]
fee = { zh = "免费" }

[[window]]
no = "1"
serves = ["general", "tax"]
`

test('a value is read where it stands, whatever is in it', () => {
  expect(textsOf(valueOf(FILE, { table: 'hall' }, 'notice'))).toEqual({ zh: '一楼 # 设有', en: 'Say "hello"' })
  expect(valueOf(FILE, { table: 'service', row: 'tax' }, 'target_wait_min')).toBe('20')
  expect(listOf(valueOf(FILE, { table: 'window', row: '1' }, 'serves'))).toEqual(['general', 'tax'])
  expect(valueOf(FILE, { table: 'calendar' }, 'hours')).toBeNull()
  expect(valueOf(FILE, { table: 'service', row: 'nobody' }, 'id')).toBeNull()
})

test('a value is changed in its row alone, and its comment stays', () => {
  const changed = withValue(FILE, { table: 'service', row: 'general' }, 'target_wait_min', '25')
  expect(changed).toBe(FILE.replace('target_wait_min = 15 ', 'target_wait_min = 25 '))
  expect(withValue(FILE, { table: 'service', row: 'tax' }, 'target_wait_min', null)).toBe(FILE.replace('target_wait_min = 20\n', ''))
})

test('a key that is not there comes behind the others of its own table', () => {
  const changed = withValue(FILE, { table: 'service', row: 'tax' }, 'day_quota', '50')
  expect(changed).toBe(FILE.replace('target_wait_min = 20\n', 'target_wait_min = 20\nday_quota = 50\n'))
})

test('what goes over several lines is left to the editor', () => {
  expect(withValue(FILE, { table: 'calendar' }, 'hours', '[]')).toBeNull()
  expect(withValue(FILE, { table: 'notify' }, 'near', '3')).toBeNull()
})

test.each(['[2026-07-01]', "['general']", '["general", 2026-07-01]', '["""general"""]', '["\\U00004e00"]', '"general"'])('a list written as %s is left to the editor', (list) => {
  expect(listOf(list)).toBeNull()
})

test.each(["{ zh = '一楼' }", '{ zh = "一楼", more = { en = "x" } }', '{ "zh" = "一楼" }', '{ zh = "\\U00004e00" }', '"一楼"'])('texts written as %s are left to the editor', (texts) => {
  expect(textsOf(texts)).toBeNull()
})

test('nothing written is nothing, and a comma may end a list', () => {
  expect([listOf(null), listOf('[]'), listOf('[ "a, b", "c", ]')]).toEqual([[], [], ['a, b', 'c']])
  expect([textsOf(null), textsOf('{}'), textsOf('{zh="{一楼} = \\"x\\""}')]).toEqual([{}, {}, { zh: '{一楼} = "x"' }])
})
