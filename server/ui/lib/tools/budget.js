/**
 * Print what each built page loads first, gzipped, and fail when a public page is over its budget.
 *
 * First load = the page and every script and style its HTML names (Vite names all static chunks there).
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

const BUDGET_KIB = 200
const BOUND = new Set(['kiosk', 'board', 'strip', 'rating', 'ticket', 'book'])

const root = join(import.meta.dirname, '..', '..', '..', '..')
let over = false
for (const area of ['kiosk', 'display', 'server', 'drivers']) {
  const folder = join(root, area, 'pages')
  if (!existsSync(folder)) continue
  for (const page of readdirSync(folder).filter((name) => name.endsWith('.html'))) {
    const html = readFileSync(join(folder, page), 'utf8')
    const assets = [...html.matchAll(/(?:src|href)="\/pages\/[^/]+\/([^"]+)"/g)].map((found) => found[1])
    const bytes = [page, ...new Set(assets)].reduce((sum, name) => sum + gzipSync(readFileSync(join(folder, name))).length, 0)
    const kib = bytes / 1024
    const bound = BOUND.has(page.replace('.html', ''))
    over ||= bound && kib > BUDGET_KIB
    console.log(`${area}/${page}: first load ${kib.toFixed(1)} KiB gzipped${bound ? ` of ${BUDGET_KIB}` : ''}`)
  }
}
if (over) {
  console.error('A page is over its budget: look for a large import that could be left out or loaded later.')
  process.exit(1)
}
