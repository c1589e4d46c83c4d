/** What the bench tells its page: `GET /api/state`. */

interface Common {
  id: string
  url: string
  /** What it can be told to suffer from, and what it suffers from now. */
  faults: string[]
  active: string[]
}

export interface Paper {
  number: number
  at: string
  label: string | null
  text: string
  qr: string | null
}

export interface Printer extends Common {
  kind: 'printer'
  printed: number
  papers: Paper[]
}

export interface Strip {
  address: number
  window: string
  pages: string[]
  colour: 'red' | 'green' | 'yellow'
  moving: boolean
  /** How wide the first page is, in dots. */
  text_px: number
  stay_s: number
  on: boolean
  version: number
}

export interface StripLine extends Common {
  kind: 'strip'
  /** Whose strips these are: the name in DEVICES.toml. */
  driver: string
  width_px: number
  height_px: number
  strips: Strip[]
}

export interface Pad {
  address: number
  window: string
  /** Six digits: three for how many wait, three for the ticket. */
  display: string
  typed: string
  beeps: number
  answered: boolean
  rating_asked: boolean
  stars: number
}

export interface PadLine extends Common {
  kind: 'keypad'
  pads: Pad[]
}

export interface Clip {
  number: number
  at: string
  text: string
  length_s: number
}

export interface Speaker extends Common {
  kind: 'speaker'
  zones: string[]
  playing: string
  clips: Clip[]
}

export interface Panel extends Common {
  kind: 'panel'
  kiosk: string
  buttons: { service: string; name: string; lit: boolean }[]
  buzzes: number
}

export interface CardReader extends Common {
  kind: 'idcard'
  kiosk: string
  /** People of paper; `document` is the letter of their card's layout. */
  people: { name: string; born: string; document: string }[]
  lies: number | null
  reads: number
}

export interface Scanner extends Common {
  kind: 'scanner'
  kiosk: string
  codes: string[]
}

export type Device = Printer | StripLine | PadLine | Speaker | Panel | CardReader | Scanner

export interface BenchState {
  version: number
  run: string
  hall: string
  devices: Device[]
}
