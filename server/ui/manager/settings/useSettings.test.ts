import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { effectScope, nextTick, type EffectScope } from 'vue'
import { useSettings } from './useSettings'

const api = vi.hoisted(() => ({ settings: vi.fn(), checkSettings: vi.fn(), applySettings: vi.fn() }))
vi.mock('@jiaohao/lib', () => ({
  api,
  intent: () => 'key',
  problemText: String,
  Refusal: class extends Error {},
  toast: () => undefined,
  useI18n: () => ({ t: (key: string) => key }),
}))

const KEPT = 'settings:demo'
let scope: EffectScope

beforeEach(() => {
  vi.useFakeTimers()
  sessionStorage.clear()
  scope = effectScope()
  api.settings.mockResolvedValue({ text: 'old', version: 1, editions: [] })
  api.checkSettings.mockResolvedValue({ problems: [], refused: [], effects: [], differences: [] })
})
afterEach(() => {
  scope.stop()
  vi.useRealTimers()
})

/** Give settings whose text `sent` is being applied, and what lets the server answer. */
async function applying() {
  const it = scope.run(() => useSettings('demo'))
  if (it === undefined) throw new Error('the scope has ended')
  await vi.runAllTimersAsync()
  it.written.value = 'sent'
  await vi.runAllTimersAsync()
  let answer: (applied: { version: number }) => void = () => undefined
  api.applySettings.mockReturnValue(new Promise((resolve) => (answer = resolve)))
  const applied = it.apply()
  return {
    it,
    answered: async () => {
      api.settings.mockResolvedValue({ text: 'sent\n', version: 2, editions: [] })
      answer({ version: 2 })
      await applied
      await nextTick()
    },
  }
}

test('what was applied is no change any more, even where the server writes it a little differently', async () => {
  const { it, answered } = await applying()
  await answered()
  expect([it.written.value, it.isChanged.value]).toEqual(['sent\n', false])
  expect(sessionStorage.getItem(KEPT)).toBeNull()
})

test.each(['sent and more', 'old'])('what is written while it is being applied stays, as a change of the new edition: %s', async (since) => {
  const { it, answered } = await applying()
  it.written.value = since
  await answered()
  expect([it.written.value, it.isChanged.value, it.newer.value]).toEqual([since, true, null])
  expect(JSON.parse(sessionStorage.getItem(KEPT) ?? 'null')).toEqual({ text: since, after: 2 })
})
