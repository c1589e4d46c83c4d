import { beforeEach, expect, test } from 'vitest'
import { Drafts } from './drafts'

const QUESTION = { what: 'hold', ticket: '1', label: 'A001' }

function typed(by = '1001'): Drafts {
  const drafts = new Drafts()
  drafts.begin('demo', '3', by)
  drafts.open(QUESTION)
  drafts.field('hold:1', 'reason', '').value = 'copies'
  return drafts
}

beforeEach(() => sessionStorage.clear())

test('what was typed is there again after a reload, with its question', () => {
  typed()
  const later = new Drafts()
  expect(later.begin('demo', '3', '1001')).toEqual(QUESTION)
  expect(later.field('hold:1', 'reason', '').value).toBe('copies')
})

test('a list that is changed in place is kept, too', () => {
  typed().field<string[]>('giveNotice:1', 'items', []).value.push('photo')
  const later = new Drafts()
  later.begin('demo', '3', '1001')
  expect(later.field<string[]>('giveNotice:1', 'items', []).value).toEqual(['photo'])
})

test('nobody reads what a colleague typed, nor what was typed at another window', () => {
  typed()
  const elsewhere = new Drafts()
  expect(elsewhere.begin('demo', '4', '1001')).toBeNull()
  const colleague = new Drafts()
  expect(colleague.begin('demo', '3', '1002')).toBeNull()
  expect(colleague.field('hold:1', 'reason', '').value).toBe('')
  expect(JSON.stringify({ ...sessionStorage })).not.toContain('copies')
})

test('what was answered, and what is about somebody who has left, is forgotten', () => {
  const drafts = typed()
  drafts.field('hold:2', 'reason', '').value = 'fees'
  drafts.forget('hold:1')
  drafts.keepOnly((name) => !name.endsWith(':2'))
  expect(JSON.stringify({ ...sessionStorage })).not.toMatch(/copies|fees/)
})

test('after signing out nothing is left, and nothing more is kept', () => {
  const drafts = typed()
  const field = drafts.field('hold:1', 'reason', '')
  drafts.wipe()
  field.value = 'typed into a page that is on its way out'
  expect(sessionStorage.length).toBe(0)
})

test('a tab whose storage is damaged begins empty', () => {
  sessionStorage.setItem('jiaohao.drafts.demo.3', '{"by":')
  expect(new Drafts().begin('demo', '3', '1001')).toBeNull()
})
