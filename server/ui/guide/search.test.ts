import { describe, expect, test } from 'vitest'
import { soughtIn } from './search'

describe('what was typed', () => {
  test.each([
    ['a012', { kind: 'label', label: 'A012' }],
    [' 012345 ', { kind: 'code', code: '012345' }],
    ['12345', { kind: 'words', words: '12345' }],
    ['hj', { kind: 'words', words: 'hj' }],
    ['  ', { kind: 'nothing' }],
  ])('%s', (typed, expected) => expect(soughtIn(typed)).toEqual(expected))
})
