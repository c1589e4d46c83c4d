/**
 * Fail when a built page needs a newer browser than the oldest that halls have (`OLDEST_BROWSERS` in vite.js).
 *
 * Scripts must parse at that level of the language; what they call is bound by `lib` in tsconfig.base.json. Styles are
 * looked up in caniuse's tables; `HARMLESS` is what an old browser leaves out and nobody misses.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'acorn'
import DoIUse from 'doiuse'
import postcss from 'postcss'
import { OLDEST_BROWSERS } from '../vite.js'

const HARMLESS = [
  'css-focus-visible', // the ring is drawn by the browser itself
  'css-marker-pseudo', // a list number has the colour of its text
  'css-not-sel-list',
  'css-overflow', // some values of it; only `hidden` and `auto` are used
  'css-overscroll-behavior',
  'css-paged-media', // the size of a printed sheet: the printer's own then
  'css-sticky', // a table's head
  'css-touch-action',
  'intrinsic-width', // prefixed in WebKit
  'multicolumn', // parts of it that are not used
  'text-size-adjust', // prefixed in WebKit
]

const year = Number(OLDEST_BROWSERS.find((one) => one.startsWith('es')).slice(2))
const browsers = OLDEST_BROWSERS.filter((one) => !one.startsWith('es')).map((one) => one.replace(/(\d+)$/, ' $1'))
const root = join(import.meta.dirname, '..', '..', '..', '..')
const wrong = []

for (const area of ['kiosk', 'display', 'server', 'drivers']) {
  const folder = join(root, area, 'pages', 'assets')
  for (const name of readdirSync(folder)) {
    const source = readFileSync(join(folder, name), 'utf8')
    if (name.endsWith('.js')) {
      try {
        parse(source, { ecmaVersion: year, sourceType: 'module' })
      } catch (error) {
        wrong.push(`${area}/${name}: not ES${year}: ${error.message}: ${source.slice(Math.max(0, error.pos - 40), error.pos + 40)}`)
      }
    } else if (name.endsWith('.css')) {
      const told = ({ feature, featureData, usage }) => {
        const without = featureData.missing || featureData.partial
        if (without && !HARMLESS.includes(feature)) wrong.push(`${area}/${name}: ${feature} is not in ${without}: ${usage.toString().slice(0, 80)}`)
      }
      await postcss([new DoIUse({ browsers, onFeatureUsage: told })]).process(source, { from: name })
    }
  }
}
for (const line of new Set(wrong)) console.error(line)
if (wrong.length > 0) process.exit(1)
console.log(`pages: run in ${browsers.join(', ')} and newer`)
