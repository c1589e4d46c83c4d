/** What a report shows: each section a table, with the chart of its figures where a chart says more than the table. */
import { clock, minutes, text, translate as t, windowRange, type Hall, type PeriodReport } from '@jiaohao/lib'
import { ROWS_MAX, type Chart } from './charts'

export const SECTIONS = ['hours', 'days', 'zones', 'services', 'matters', 'tenants', 'windows', 'heat', 'clerks', 'departments', 'attendance', 'followUps'] as const
export type Section = (typeof SECTIONS)[number]

export interface Cell {
  readonly text: string
  /** How much of the most there is, 0 to 5: shades the cell. */
  readonly heat?: number
}

export interface Table {
  readonly heads: readonly string[]
  /** So many columns at the left are words, the others numbers. */
  readonly words: number
  readonly lines: readonly { readonly key: string; readonly cells: readonly Cell[]; readonly total?: boolean }[]
}

export interface Shown {
  readonly charts: readonly { readonly name: string; readonly chart: Chart }[]
  readonly table: Table
}

type Visits = PeriodReport['total']
type Duty = PeriodReport['duty']

export const NOTHING = '—'
export const min = (seconds: number | null) => (seconds === null ? NOTHING : String(minutes(seconds)))
export const percent = (part: number | null) => (part === null ? NOTHING : `${Math.round(part * 100)} %`)
const hours = (seconds: number) => (seconds / 3600).toFixed(1)
const inMinutes = (seconds: number | null) => (seconds === null ? null : Math.round(seconds / 6) / 10)
const inHours = (seconds: number) => Math.round(seconds / 360) / 10
const words = (...cells: (string | null | undefined)[]): Cell[] => cells.map((one) => ({ text: one || NOTHING }))
const name = (known: readonly { name: Hall['name'] }[], id: string | null) => text(known[0]?.name) || id || t('manager.report.unknown')

const VISITS: readonly (readonly [string, (one: Visits) => string])[] = [
  ['issued', (one) => String(one.issued)],
  ['called', (one) => String(one.called)],
  ['finished', (one) => String(one.finished)],
  ['noShows', (one) => String(one.no_shows)],
  ['dropped', (one) => String(one.cancelled + one.expired)],
  ['waitMean', (one) => min(one.wait.mean_s)],
  ['waitMedian', (one) => min(one.wait.median_s)],
  ['waitP80', (one) => min(one.wait.p80_s)],
  ['waitP95', (one) => min(one.wait.p95_s)],
  ['overdue', (one) => percent(one.overdue_rate)],
  ['serveMedian', (one) => min(one.serve.median_s)],
  ['rated', (one) => String(one.rated)],
  ['satisfaction', (one) => percent(one.satisfaction)],
]
const DUTY: readonly (readonly [string, (one: Duty) => string])[] = [
  ['signedOn', (one) => hours(one.signed_on_s)],
  ['paused', (one) => hours(one.paused_s)],
  ['serving', (one) => hours(one.serving_s)],
  ['utilisation', (one) => percent(one.utilisation)],
  ['called', (one) => String(one.called)],
  ['finished', (one) => String(one.finished)],
  ['noShows', (one) => String(one.no_shows)],
  ['serveMean', (one) => min(one.serve.mean_s)],
  ['serveMedian', (one) => min(one.serve.median_s)],
  ['rated', (one) => String(one.rated)],
  ['satisfaction', (one) => percent(one.satisfaction)],
  ['leftAlone', (one) => String(one.left_alone)],
]
const figuresOf = <T>(columns: readonly (readonly [string, (one: T) => string])[], one: T): Cell[] => columns.map(([, of]) => ({ text: of(one) }))
const headsOf = (columns: readonly (readonly [string, unknown])[]) => columns.map(([key]) => t(`manager.report.${key}`))

/** Give the sections that a report of this hall has. */
export function sectionsOf(hall: Hall, report: PeriodReport): Section[] {
  return SECTIONS.filter((one) => (one !== 'tenants' || hall.tenants.length > 0) && (one !== 'days' || report.first !== report.last))
}

/** Give what a section shows. */
export function shown(section: Section, report: PeriodReport, hall: Hall): Shown {
  switch (section) {
    case 'hours':
      return ofHours(report)
    case 'days':
      return ofDays(report)
    case 'zones':
      return ofVisits(section, report, report.zones, (one) => name(hall.zones.filter((it) => it.zone === one.zone), one.zone))
    case 'services':
      return ofVisits(section, report, report.services, (one) => name(hall.services.filter((it) => it.service === one.service), one.service))
    case 'matters':
      return ofVisits(section, report, report.matters, (one) => one.department ?? t('manager.report.noDepartment'))
    case 'tenants':
      return ofVisits(section, report, report.tenants, (one) => name(hall.tenants.filter((it) => it.tenant === one.tenant), one.tenant))
    case 'windows':
      return ofDuty(section, report, report.windows, (one) => windowName(hall, one.window))
    case 'heat':
      return ofHeat(report, hall)
    case 'clerks':
      return ofClerks(report)
    case 'departments':
      return ofDuty(section, report, report.departments, (one) => one.department ?? t('manager.report.noDepartment'))
    case 'attendance':
      return ofAttendance(report, hall)
    case 'followUps':
      return ofFollowUps(report, hall)
  }
}

function ofHours(report: PeriodReport): Shown {
  const rows = report.hours
  const names = rows.map((one) => `${String(one.hour).padStart(2, '0')}:00`)
  const charts = rows.length === 0 ? [] : [
    { name: 'arrivals', chart: flow(names, rows) },
    { name: 'waits', chart: waits(names, rows) },
    { name: 'lost', chart: lost(names, rows) },
  ]
  return { charts, table: visitsTable('hour', rows.map((one, index) => ({ key: String(one.hour), cells: [names[index] ?? ''], figures: one })), report) }
}

function ofDays(report: PeriodReport): Shown {
  const rows = report.days
  const names = rows.map((one) => one.day.slice(5))
  const charts = rows.length < 2 ? [] : [
    { name: 'arrivals', chart: flow(names, rows) },
    { name: 'waits', chart: waits(names, rows) },
    { name: 'satisfied', chart: { names, unit: '%', series: [{ name: t('manager.report.satisfaction'), line: true, values: rows.map((one) => (one.satisfaction === null ? null : Math.round(one.satisfaction * 100))) }] } },
  ]
  return { charts, table: visitsTable('day', rows.map((one) => ({ key: one.day, cells: [one.day], figures: one })), report) }
}

function ofVisits<T extends Visits>(section: Section, report: PeriodReport, rows: readonly T[], named: (one: T) => string): Shown {
  const busy = [...rows].sort((a, b) => b.issued - a.issued).filter((one) => one.issued + one.finished > 0).slice(0, ROWS_MAX)
  const chart: Chart = { ...flow(busy.map(named), busy), lying: true }
  const lines = rows.map((one) => ({ key: named(one), cells: [named(one)], figures: one }))
  return { charts: busy.length < 2 ? [] : [{ name: 'arrivals', chart }], table: visitsTable(`head.${section}`, lines, report) }
}

function ofDuty<T extends Duty>(section: Section, report: PeriodReport, rows: readonly T[], named: (one: T) => string): Shown {
  const busy = rows.filter((one) => one.signed_on_s > 0 || one.finished > 0)
  const lines = busy.map((one) => ({ key: named(one), cells: words(named(one)), figures: one }))
  return { charts: load(busy, named), table: dutyTable([t(`manager.report.head.${section}`)], lines, report) }
}

function ofClerks(report: PeriodReport): Shown {
  const named = (one: PeriodReport['clerks'][number]) => one.name ?? (one.clerk || t('manager.report.unknown'))
  const lines = report.clerks.map((one) => ({ key: one.clerk, cells: words(named(one), one.clerk, one.departments.join('、'), String(one.days_present)), figures: one }))
  return { charts: load(report.clerks, named), table: dutyTable(['clerk', 'workId', 'department', 'daysPresent'].map((one) => t(`manager.report.${one}`)), lines, report) }
}

/** What each window finished in each hour, shaded by how much of the most that was. */
function ofHeat(report: PeriodReport, hall: Hall): Shown {
  const hoursOfDay = [...new Set(report.window_hours.map((one) => one.hour))].sort((a, b) => a - b)
  const most = Math.max(1, ...report.window_hours.map((one) => one.finished))
  const lines = hall.windows
    .map((it) => ({ window: it.window, of: report.window_hours.filter((one) => one.window === it.window) }))
    .filter((one) => one.of.length > 0)
    .map(({ window, of }) => {
      const cells: Cell[] = hoursOfDay.map((hour) => {
        const n = of.find((one) => one.hour === hour)?.finished ?? 0
        return { text: String(n), heat: n === 0 ? 0 : Math.ceil((n / most) * 5) }
      })
      return { key: window, cells: [...words(windowName(hall, window)), ...cells, { text: String(of.reduce((sum, one) => sum + one.finished, 0)) }] }
    })
  return { charts: [], table: { heads: [t('manager.report.head.windows'), ...hoursOfDay.map((hour) => String(hour).padStart(2, '0')), t('manager.report.sum')], words: 1, lines } }
}

function ofAttendance(report: PeriodReport, hall: Hall): Shown {
  const time = (instant: string) => clock(instant, hall.time_zone)
  const lines = report.clerks.flatMap((one) =>
    one.days.map((day) => ({
      key: `${one.clerk} ${day.day}`,
      cells: [
        ...words(one.name ?? one.clerk, one.clerk, day.day, time(day.first), day.signed_off ? time(day.last) : t('manager.report.notSignedOff', { time: time(day.last) }), windowRange(day.windows)),
        ...words(Object.entries(day.paused).map(([why, seconds]) => `${t(`pause.${why}`)} ${minutes(seconds)}`).join('、')),
        { text: hours(day.signed_on_s) },
      ],
    })),
  )
  return { charts: [], table: { heads: ['clerk', 'workId', 'day', 'first', 'last', 'windows', 'pauses', 'signedOn'].map((one) => t(`manager.report.${one}`)), words: 7, lines } }
}

function ofFollowUps(report: PeriodReport, hall: Hall): Shown {
  const lines = report.follow_ups.map((one) => ({
    key: `${one.ticket} ${one.rated_at}`,
    cells: [
      ...words(
        `${one.rated_at.slice(0, 10)} ${clock(one.rated_at, hall.time_zone)}`, one.label, name(hall.services.filter((it) => it.service === one.service), one.service),
        one.window === null ? null : windowName(hall, one.window), report.clerks.find((it) => it.clerk === one.clerk)?.name ?? one.clerk,
        t(`cases.grade.${one.grade}`), one.case, t(`manager.report.followed.${one.status}`), one.due, one.outcome === null ? null : `${one.by ?? ''} ${one.outcome}`.trim(),
      ),
    ],
  }))
  const graded = report.windows.filter((one) => one.rated > 0)
  const chart: Chart = {
    names: graded.map((one) => windowName(hall, one.window)),
    unit: '%',
    lying: true,
    series: [{ name: t('manager.report.satisfaction'), values: graded.map((one) => (one.satisfaction === null ? null : Math.round(one.satisfaction * 100))) }],
  }
  return { charts: graded.length < 2 ? [] : [{ name: 'satisfied', chart }], table: { heads: ['ratedAt', 'ticket', 'head.services', 'head.windows', 'clerk', 'grade', 'case', 'status', 'due', 'outcome'].map((one) => t(`manager.report.${one}`)), words: 10, lines } }
}

// ------------------------------------------------------------------------------------------------------- parts of them

function flow(names: string[], rows: readonly Visits[]): Chart {
  return {
    names,
    unit: t('manager.report.unit.people'),
    series: [
      { name: t('manager.report.issued'), colour: '--line-strong', values: rows.map((one) => one.issued) },
      { name: t('manager.report.finished'), colour: '--brand', values: rows.map((one) => one.finished) },
    ],
  }
}

function waits(names: string[], rows: readonly Visits[]): Chart {
  const line = (key: string, of: (one: Visits) => number | null) => ({ name: t(`manager.report.${key}`), line: true, values: rows.map((one) => inMinutes(of(one))) })
  return {
    names,
    unit: t('manager.report.unit.minutes'),
    series: [line('waitMean', (one) => one.wait.mean_s), line('waitMedian', (one) => one.wait.median_s), line('waitP80', (one) => one.wait.p80_s), line('waitP95', (one) => one.wait.p95_s)],
  }
}

function lost(names: string[], rows: readonly Visits[]): Chart {
  return {
    names,
    unit: t('manager.report.unit.people'),
    series: [
      { name: t('manager.report.noShows'), stack: 'lost', colour: '--call', values: rows.map((one) => one.no_shows) },
      { name: t('manager.report.dropped'), stack: 'lost', colour: '--line-strong', values: rows.map((one) => one.cancelled + one.expired) },
    ],
  }
}

/** Serving, paused and the rest of the time signed on, on top of each other. */
function load<T extends Duty>(rows: readonly T[], named: (one: T) => string): Shown['charts'] {
  const busy = [...rows].filter((one) => one.signed_on_s > 0).slice(0, ROWS_MAX)
  if (busy.length < 2) return []
  const part = (key: string, colour: string, of: (one: T) => number) => ({ name: t(`manager.report.${key}`), stack: 'time', colour, values: busy.map((one) => inHours(Math.max(0, of(one)))) })
  return [{
    name: 'load',
    chart: {
      names: busy.map(named),
      unit: t('manager.report.unit.hours'),
      lying: true,
      series: [part('serving', '--brand', (one) => one.serving_s), part('free', '--line', (one) => one.signed_on_s - one.serving_s - one.paused_s), part('paused', '--call', (one) => one.paused_s)],
    },
  }]
}

function visitsTable(head: string, rows: readonly { key: string; cells: readonly string[]; figures: Visits }[], report: PeriodReport): Table {
  const lines = rows.map((one) => ({ key: one.key, cells: [...words(...one.cells), ...figuresOf(VISITS, one.figures)] }))
  return { heads: [t(`manager.report.${head}`), ...headsOf(VISITS)], words: 1, lines: lines.length < 2 ? lines : [...lines, { key: ' total', cells: [...words(t('manager.wholeHall')), ...figuresOf(VISITS, report.total)], total: true }] }
}

function dutyTable(heads: readonly string[], rows: readonly { key: string; cells: readonly Cell[]; figures: Duty }[], report: PeriodReport): Table {
  const lines = rows.map((one) => ({ key: one.key, cells: [...one.cells, ...figuresOf(DUTY, one.figures)] }))
  const blank = heads.slice(1).map(() => ({ text: '' }))
  return { heads: [...heads, ...headsOf(DUTY)], words: heads.length, lines: lines.length < 2 ? lines : [...lines, { key: ' total', cells: [...words(t('manager.wholeHall')), ...blank, ...figuresOf(DUTY, report.duty)], total: true }] }
}

function windowName(hall: Hall, no: string): string {
  return text(hall.windows.find((it) => it.window === no)?.name) || no
}
