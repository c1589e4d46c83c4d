import { expect, test } from 'vitest'
import { expectedWait } from '../src/wait'

const inMinutes = (p50: number, p80: number) => expectedWait({ p50_s: p50 * 60, p80_s: p80 * 60, low_s: 0, high_s: p80 * 90 })

test('a wait is a range, and from twenty minutes on in steps of five', () => {
  expect(inMinutes(6, 11)).toBe('约 6–11 分钟')
  expect(inMinutes(18, 33)).toBe('约 18–35 分钟')
})

test('a range without width is one number', () => {
  expect(inMinutes(4, 4)).toBe('约 4 分钟')
  expect(inMinutes(0, 3)).toBe('约 3 分钟')
  expect(inMinutes(0, 0)).toBe('很快')
})

test('nobody is told three hours to the minute', () => {
  expect(inMinutes(187, 240)).toBe('120 分钟以上')
})
