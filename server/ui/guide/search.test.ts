import type { Hall } from '@jiaohao/lib'
import { describe, expect, test } from 'vitest'
import { initials, servicesFor, soughtIn } from './search'

describe('what was typed', () => {
  test.each([
    ['a012', { kind: 'label', label: 'A012' }],
    [' 012345 ', { kind: 'code', code: '012345' }],
    ['12345', { kind: 'words', words: '12345' }],
    ['hj', { kind: 'words', words: 'hj' }],
    ['  ', { kind: 'nothing' }],
  ])('%s', (typed, expected) => expect(soughtIn(typed)).toEqual(expected))
})

describe('Pinyin initials', () => {
  test.each([
    ['公安户籍', 'gahj'],
    ['不动产登记', 'bdcdj'],
    ['企业开办及准营准入', 'qykbjzyzr'],
    ['社会保障 12333', 'shbz12333'],
    ['安、欧、热、三、他、乌、夕', 'aorstwx'],
  ])('%s', (words, expected) => expect(initials(words)).toBe(expected))
})

describe('services', () => {
  const service = (id: string, zh: string, en: string, prefix: string) => ({ service: id, name: { zh, en }, prefix, zone: 'z', department: null })
  const hall = {
    zones: [{ zone: 'z', name: { zh: '综合专区', en: 'General' } }],
    windows: [
      { window: '1', serves: ['household', 'tax'], relief: [], staffed: true },
      { window: '2', serves: ['nobody'], relief: [], staffed: false },
    ],
    services: [service('tax', '税务', 'Tax', 'H'), service('household', '公安户籍', 'Household', 'C'), service('nobody', '户外广告', 'Signs', 'N')],
  } as unknown as Hall
  const found = (words: string) => servicesFor(hall, words).map((one) => one.service)

  test('a letter of a number comes before the initial of a name', () => expect(found('h')).toEqual(['tax', 'household']))
  test('initials, parts of a name and English all lead there', () => {
    for (const words of ['gahj', 'hj', '户籍', 'house', 'C']) expect(found(words)).toEqual(['household'])
  })
  test('the zone names all of its services', () => expect(found('zh')).toEqual(['tax', 'household']))
  test('windows to which nobody is sent do not count', () => expect(found('')).toEqual(['tax', 'household']))
  test('nothing is called so', () => expect(found('xyz')).toEqual([]))
})
