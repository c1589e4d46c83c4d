import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createApp, nextTick, type App } from 'vue'
import { setLanguage } from '@jiaohao/lib'
import { addLocales, i18n } from '../../../server/ui/lib/src/i18n'
import DevicesPage from '../devices/DevicesPage.vue'
import type { BenchState, PadLine } from '../devices/wire'

const PADS: PadLine = {
  id: 'pads',
  kind: 'keypad',
  url: 'serial:///tmp/pads',
  faults: ['bounce'],
  active: [],
  pads: ['1', '2'].map((window, place) => ({
    address: place + 1,
    window,
    display: '007012',
    typed: '',
    beeps: 0,
    answered: true,
    rating_asked: false,
    stars: 0,
  })),
}
const STATE: BenchState = {
  version: 5,
  run: 'abc',
  hall: 'demo',
  devices: [
    { id: 'printer-1', kind: 'printer', url: 'tcp://p', faults: ['paper_out'], active: ['paper_out'], printed: 1, papers: [
      { number: 1, at: '2026-11-21T09:00:00+08:00', label: 'A012', text: 'A012', qr: null },
    ] },
    { id: 'strips', kind: 'strip', driver: 'onbon-bx5', url: 'tcp://s', faults: [], active: [], width_px: 128, height_px: 16, strips: [
      { address: 2, window: '2', pages: ['请 A012 号'], colour: 'red', moving: false, text_px: 80, stay_s: 3, on: true, version: 4 },
    ] },
    PADS,
    { id: 'speaker-1', kind: 'speaker', url: 'tcp://l', faults: [], active: [], zones: [], playing: '', clips: [
      { number: 3, at: '2026-11-21T09:00:00+08:00', text: '请 A，零一二 号', length_s: 4.2 },
    ] },
    { id: 'panel-1', kind: 'panel', url: 'serial:///tmp/panel', faults: ['stuck'], active: [], kiosk: 'kiosk-1', buzzes: 0, buttons: [
      { service: 'tax', name: '办税', lit: true }, { service: 'social', name: '社保', lit: false },
    ] },
    { id: 'reader-1', kind: 'idcard', url: 'serial:///tmp/reader', faults: ['torn'], active: [], kiosk: 'kiosk-1', lies: 0, reads: 1, people: [
      { name: '张三', born: '1950', document: '' }, { name: '陈大文', born: '1962', document: 'J' },
    ] },
    { id: 'scanner-1', kind: 'scanner', url: 'serial:///tmp/scanner', faults: ['twice'], active: [], kiosk: 'kiosk-1', codes: [] },
  ],
}

const posted: { path: string; headers: Record<string, string>; body: unknown }[] = []
let polls: ((state: BenchState) => void)[] = []
let app: App | undefined
let asked: string[] = []

beforeEach(async () => {
  posted.length = 0
  polls = []
  asked = []
  vi.stubGlobal('fetch', (path: string, request: RequestInit) => {
    if (request.method === 'POST') {
      posted.push({ path, headers: request.headers as Record<string, string>, body: JSON.parse(String(request.body)) })
      return Promise.resolve(new Response(null, { status: 204 }))
    }
    asked.push(path)
    return new Promise((resolve) => polls.push((state) => resolve(new Response(JSON.stringify(state)))))
  })
  addLocales(import.meta.glob('../devices/locales/*.json', { eager: true, import: 'default' }))
  setLanguage('zh')
  document.body.innerHTML = '<div id="app"></div>'
  app = createApp(DevicesPage)
  app.use(i18n)
  app.mount('#app')
  await tell(STATE)
})
afterEach(() => {
  app?.unmount()
  vi.unstubAllGlobals()
})

async function tell(state: BenchState) {
  polls.pop()?.(state)
  await vi.waitFor(() => expect(document.querySelector('main')).not.toBeNull())
  await nextTick()
}
const one = (selector: string) => document.querySelector<HTMLElement>(selector)

test('paper, dots and sentences are shown, faults by name', () => {
  expect(one('.papers img')?.getAttribute('src')).toBe('/api/devices/printer-1/papers/1.png?v=abc')
  expect(one('.wall img')?.getAttribute('src')).toBe('/api/devices/strips/strips/2.png?page=0&v=abc-4')
  expect(one('.transcript')?.textContent).toContain('请 A，零一二 号')
  expect(one('.state')?.textContent).toContain('缺纸')
})

test('the next question names the version that is known', () => {
  expect(asked).toEqual(['/api/state', '/api/state?after=5&run=abc'])
})

test('a key is pressed at the chosen window, with the header that no other site can send', () => {
  one('[data-key="call"]')?.click()
  expect(posted).toEqual([
    { path: '/api/devices/pads/press', headers: { 'Content-Type': 'application/json', 'X-Jiaohao-Bench': '1' }, body: { window: '1', key: 'call' } },
  ])
})

test('a strip that is clicked chooses its window for the pad', async () => {
  one('.wall button')?.click()
  await nextTick()
  one('[data-key="1"]')?.click()
  expect(posted[0]?.body).toEqual({ window: '2', key: '1' })
})

test('one beep says yes, three say no', async () => {
  const beeping = (beeps: number): BenchState => ({
    ...STATE,
    version: STATE.version + beeps,
    devices: [{ ...PADS, pads: PADS.pads.map((pad) => ({ ...pad, beeps })) }],
  })
  await tell(beeping(1))
  await vi.waitFor(() => expect(one('.beep')?.textContent).toContain('嘀（成功）'))
  await tell(beeping(4))
  await vi.waitFor(() => expect(one('.beep.no')?.textContent).toContain('不行'))
})

test('a fault is switched on and off', () => {
  one('.switches button')?.click()
  expect(posted[0]).toMatchObject({ path: '/api/devices/printer-1/faults', body: { fault: 'paper_out', on: false } })
})

test('English by switch', async () => {
  setLanguage('en')
  await nextTick()
  expect(one('h1')?.textContent).toBe('Device bench')
})

test('a panel shows its lamps and buzzer, and its buttons are pressed by place', async () => {
  expect([...document.querySelectorAll('[data-service]')].map((button) => button.classList.contains('lit'))).toEqual([true, false])
  one('[data-service=social]')?.click()
  await vi.waitFor(() => expect(posted.at(-1)).toMatchObject({ path: '/api/devices/panel-1/press', body: { key: '1' } }))
  await tell({ ...STATE, version: 6, devices: STATE.devices.map((each) => (each.kind === 'panel' ? { ...each, buzzes: 1 } : each)) })
  await vi.waitFor(() => expect(document.body.textContent).toContain('蜂鸣：不能取号'))
})

test('a card is laid down and lifted, a code held before the scanner', async () => {
  const people = [...document.querySelectorAll<HTMLElement>('li button[aria-pressed]')].filter((each) => each.textContent?.includes('年生'))
  expect(people[1]?.textContent).toContain('港澳台居民居住证')
  people[1]?.click()
  await vi.waitFor(() => expect(posted.at(-1)).toMatchObject({ path: '/api/devices/reader-1/press', body: { key: '1' } }))
  people[0]?.click()
  await vi.waitFor(() => expect(posted.at(-1)).toMatchObject({ body: { key: 'lift' } }))
  const field = document.querySelector<HTMLInputElement>('form input')
  if (field === null) throw new Error('no field for codes')
  field.value = '123456'
  field.dispatchEvent(new Event('input'))
  field.form?.requestSubmit()
  await vi.waitFor(() => expect(posted.at(-1)).toMatchObject({ path: '/api/devices/scanner-1/press', body: { key: '123456' } }))
})
