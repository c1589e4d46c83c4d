import { expect, test } from 'vitest'
import { actionOf, GRID, KEYS, type Action } from './keys'

const press = (code: string, more: KeyboardEventInit = {}) => actionOf(new KeyboardEvent('keydown', { code, key: code, ...more }))

function pressIn(tag: string, code: string, more: KeyboardEventInit = {}): Action | null {
  const field = document.body.appendChild(document.createElement(tag))
  let found: Action | null = null
  field.addEventListener('keydown', (event) => (found = actionOf(event)))
  field.dispatchEvent(new KeyboardEvent('keydown', { code, key: code, bubbles: true, ...more }))
  field.remove()
  return found
}

test('every key does one thing', () => {
  const codes = Object.values(KEYS).flatMap((keys) => keys.codes)
  expect(new Set(codes).size).toBe(codes.length)
  for (const action of GRID) expect(KEYS[action].shown).not.toBe('')
})

test('a digit does what the F-key of its number does', () => {
  for (let n = 1; n <= 9; n++) if (n !== 5) expect(press(`Digit${n}`)).toBe(press(`F${n}`))
  expect(press('Digit0')).toBe(press('F10'))
  expect(press('F5')).toBeNull() // the browser's own
})

test('the last move is taken back as everywhere else', () => {
  expect(press('KeyZ')).toBe('undo')
  expect(press('KeyZ', { ctrlKey: true })).toBe('undo')
  expect(press('KeyZ', { ctrlKey: true, shiftKey: true })).toBeNull()
  expect(press('KeyC', { ctrlKey: true })).toBeNull()
})

test('while somebody types, letters are theirs and so is Ctrl+Z', () => {
  expect(pressIn('input', 'KeyZ')).toBeNull()
  expect(pressIn('input', 'KeyZ', { ctrlKey: true })).toBeNull()
  expect(pressIn('textarea', 'Digit1')).toBeNull()
  expect(pressIn('input', 'F2')).toBe('recall')
  expect(pressIn('button', 'Enter')).toBeNull()
  expect(pressIn('button', 'F1')).toBe('next')
})
