/**
 * Charts as plain data, and what ECharts is told to draw them with: colours from the tokens, patterns for those who do
 * not tell colours apart and for paper without colour, tooltips drawn on the canvas, no motion where none is wanted.
 */
import type { EChartsCoreOption } from 'echarts/core'

export interface Series {
  readonly name: string
  readonly values: readonly (number | null)[]
  /** A line instead of bars. */
  readonly line?: boolean
  /** Bars of one stack stand on each other. */
  readonly stack?: string
  /** A token, where the usual colours would say the wrong thing. */
  readonly colour?: string
}

export interface Chart {
  readonly names: readonly string[]
  readonly series: readonly Series[]
  /** What the numbers are, written beside the title. */
  readonly unit: string
  /** Bars lie on their side, one row for each name: for long names. */
  readonly lying?: boolean
}

const COLOURS = ['--brand', '--call', '--good', '--drill', '--warn']
const UPRIGHT_PX = 288
const ROW_PX = 34
const MANY_ROW_PX = 22
const AROUND_PX = 96
const FEW = 15
/** More rows than this are only in the table: a chart fits on a page of A4. */
export const ROWS_MAX = 36

export function rowsHeight(chart: Chart): number {
  if (chart.lying !== true) return UPRIGHT_PX
  const rows = chart.names.length
  return rows * (rows > FEW ? MANY_ROW_PX : ROW_PX) + AROUND_PX
}

/** Give the option of a chart; `style` is that of its place on the page. */
export function optionOf(chart: Chart, title: string, style: CSSStyleDeclaration, still: boolean): EChartsCoreOption {
  const token = (name: string) => style.getPropertyValue(name).trim()
  const ink = token('--ink-2')
  const words = { color: ink, fontFamily: style.fontFamily, fontSize: 13 }
  const names = {
    type: 'category',
    data: [...chart.names],
    inverse: chart.lying === true,
    axisLabel: { ...words, ...(chart.lying === true ? { width: 132, overflow: 'truncate' } : {}) },
    axisLine: { lineStyle: { color: token('--line-strong') } },
    axisTick: { show: false },
  }
  const numbers = {
    type: 'value',
    minInterval: 1,
    axisLabel: words,
    splitLine: { lineStyle: { color: token('--line') } },
  }
  return {
    color: chart.series.map((one, index) => token(one.colour ?? COLOURS[index % COLOURS.length] ?? '--ink')),
    animation: !still,
    animationDuration: 250,
    aria: { enabled: true, label: { enabled: true, general: { withTitle: title, withoutTitle: title } }, decal: { show: true } },
    textStyle: words,
    legend: { top: 0, left: 0, textStyle: words, itemGap: 16, icon: 'roundRect' },
    tooltip: { trigger: 'axis', renderMode: 'richText', confine: true, textStyle: { ...words, color: token('--ink') }, backgroundColor: token('--surface'), borderColor: token('--line-strong'), axisPointer: { type: 'shadow' } },
    grid: { top: 48, left: 8, right: 24, bottom: 8, containLabel: true },
    xAxis: chart.lying === true ? { ...numbers, position: 'top' } : names,
    yAxis: chart.lying === true ? names : numbers,
    series: chart.series.map((one, index) => ({
      name: one.name,
      data: [...one.values],
      ...(one.line === true
        ? { type: 'line', symbol: SYMBOLS[index % SYMBOLS.length], symbolSize: 8, lineStyle: { width: 2.5, type: DASHES[index % DASHES.length] }, connectNulls: false }
        : { type: 'bar', barMaxWidth: 28, ...(one.stack === undefined ? {} : { stack: one.stack }) }),
    })),
  }
}

const SYMBOLS = ['circle', 'rect', 'triangle', 'diamond']
const DASHES = ['solid', 'dashed', 'dotted', [8, 3, 2, 3]]
