import { describe, expect, test } from 'vitest'
import { servicesFor, spells } from '../src/search'
import type { Hall } from '../src/wire'

test.each([
  ['gong an hu ji', 'gahj', true],
  ['gong an hu ji', 'hj', true],
  ['gong an hu ji', 'huji', true],
  ['gong an hu ji', 'gonganh', true],
  ['gong an hu ji', 'gong', true],
  ['gong an hu ji', 'gj', false],
  ['gong an hu ji', 'gahjx', false],
  ['yin/xing hang/xing/heng', 'yh', true],
  ['yin/xing hang/xing/heng', 'yinxing', true],
  ['zi zhu 24 xiao shi', '24x', true],
  ['lv se', 'lv', true],
  ['', 'a', false],
  ['gong an', '户', false],
])('%s spelled by %s: %s', (pinyin, letters, found) => expect(spells(pinyin, letters)).toBe(found))

test('from the start only', () => {
  expect(spells('gong an hu ji', 'hj', { fromStart: true })).toBe(false)
  expect(spells('gong an hu ji', 'ga', { fromStart: true })).toBe(true)
})

describe('services', () => {
  const service = (id: string, zh: string, en: string, prefix: string, ...pinyin: string[]) => ({ service: id, name: { zh, en }, prefix, zone: 'z', department: null, pinyin })
  const around = ['zong he zhuan qu', '']
  const hall = {
    zones: [{ zone: 'z', name: { zh: '综合专区', en: 'General' } }],
    windows: [
      { window: '1', serves: ['household', 'tax'], relief: [], staffed: true },
      { window: '2', serves: ['nobody'], relief: [], staffed: false },
    ],
    services: [
      service('tax', '税务', 'Tax', 'H', 'shui wu', ...around),
      service('household', '公安户籍', 'Household', 'C', 'gong an hu ji', ...around),
      service('nobody', '户外广告', 'Signs', 'N', 'hu wai guang gao', ...around),
    ],
  } as unknown as Hall
  const found = (words: string) => servicesFor(hall, words).map((one) => one.service)

  test('a letter of a number comes before the initial of a name', () => expect(found('h')).toEqual(['tax', 'household']))
  test('Pinyin, parts of a name and English all lead there', () => {
    for (const words of ['gahj', 'hj', 'hu ji', 'gonganhj', '户籍', 'house', 'C']) expect(found(words)).toEqual(['household'])
  })
  test('the zone names all of its services', () => expect(found('zh')).toEqual(['tax', 'household']))
  test('windows to which nobody is sent do not count', () => expect(found('')).toEqual(['tax', 'household']))
  test('nothing is called so', () => expect(found('xyz')).toEqual([]))
})
