import { describe, expect, it } from 'vitest'
import { csvOf } from './csv'

describe('a table for a spreadsheet', () => {
  it('quotes every cell and ends every line', () => {
    expect(csvOf([['设备', 'IP'], ['a "b"', '10.0.0.5']])).toBe('\ufeff"设备","IP"\r\n"a ""b""","10.0.0.5"\r\n')
  })
  it('keeps what begins like a formula as text', () => {
    expect(csvOf([['=1+1', '-x', '@y', '+z', 'ok']])).toBe('\ufeff"\'=1+1","\'-x","\'@y","\'+z","ok"\r\n')
  })
})
