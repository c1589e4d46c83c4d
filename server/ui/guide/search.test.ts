import { describe, expect, test } from 'vitest'
import { soughtIn } from './search'

describe('what was typed', () => {
  test.each([
    ['a012', { kind: 'ticket', name: 'A012' }],
    ['12', { kind: 'ticket', name: '12' }],
    ['9：05', { kind: 'ticket', name: '9：05' }],
    ['http://192.168.1.8:8080/t/qiaocheng/Zk3_x-9', { kind: 'ticket', name: 'Zk3_x-9' }],
    [' 012345 ', { kind: 'code', code: '012345' }],
    ['12345', { kind: 'words', words: '12345' }],
    ['hj', { kind: 'words', words: 'hj' }],
    ['  ', { kind: 'nothing' }],
  ])('%s', (typed, expected) => expect(soughtIn(typed)).toEqual(expected))
})
